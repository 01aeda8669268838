/**
 * Two threads' way to talk: frames (a kind, a number, bytes) and whole objects, in the order in which they were sent.
 *
 *   frame()                    ->  the ring: there for the other side at once, which is woken only where it sleeps
 *   post(object, transfer)     ->  a MessagePort, and a frame that says where among the frames it belongs; long frames go this way too
 *
 * Waking a thread costs some 10 microseconds on both sides, a frame well below one. So a side that has found something looks again in the next turns of
 * its event loop before it sleeps: of several clients' statements the first wakes it, the others are found there, and answers leave one by one while
 * the next statements still run (docs/decisions/0181, 0270).
 */
import {
  MessageChannel,
  type MessagePort,
  receiveMessageOnPort,
  type Transferable,
  type Worker,
} from 'node:worker_threads';
import { MAX_FRAME_BYTES, newRing, RingReader, RingWriter } from './ring.ts';

/** Kinds of frames that are the channel's own; those of its users are positive. */
const OBJECT = -1;
const LONG = -2;

/** Turns of the event loop that may find nothing before the side sleeps (docs/decisions/0280). */
export const LOOKS = 2;

export interface Receiver<M> {
  /** The bytes are the receiver's. */
  frame(kind: number, id: number, bytes: Buffer): void;
  message(message: M): void;
}

/** What one side needs; made in pairs, and sent to the other thread with `objects` in the transfer list. */
export interface Link {
  objects: MessagePort;
  out: SharedArrayBuffer;
  into: SharedArrayBuffer;
}

export function newLinks(): [Link, Link] {
  const { port1, port2 } = new MessageChannel();
  const [there, back] = [newRing(), newRing()];
  return [
    { objects: port1, out: there, into: back },
    { objects: port2, out: back, into: there },
  ];
}

interface Waiting {
  kind: number;
  id: number;
  bytes: Uint8Array | null;
}

/** `Out` is what this side sends, `In` what it gets. */
export class Channel<Out extends object, In extends object> {
  /** Messages on it only wake. */
  readonly #port: MessagePort | Worker;
  readonly #objects: MessagePort;
  readonly #writer: RingWriter;
  readonly #reader: RingReader;
  /** Frames that found no room. */
  #waiting: Waiting[] = [];
  /** Turns since something was found. */
  #looked = 0;
  #receiver: Receiver<In> | null = null;
  readonly #look = () => this.#drain();

  constructor(port: MessagePort | Worker, { objects, out, into }: Link) {
    this.#port = port;
    this.#objects = objects;
    this.#writer = new RingWriter(out);
    this.#reader = new RingReader(into);
  }

  receive(receiver: Receiver<In>): void {
    this.#receiver = receiver;
    this.#port.on('message', () => {
      this.#sendWaiting();
      this.#drain();
    });
    this.#drain();
  }

  /** The bytes are copied. */
  frame(kind: number, id: number, bytes: Uint8Array | null = null): void {
    if (bytes !== null && bytes.length > MAX_FRAME_BYTES) {
      const alone = new Uint8Array(bytes);
      this.#objects.postMessage({ kind, alone }, [alone.buffer]);
      this.#put(LONG, id, null);
    } else this.#put(kind, id, bytes);
  }

  /** A frame whose bytes are one int32. */
  number(kind: number, id: number, value: number): void {
    const bytes = Buffer.allocUnsafe(4);
    bytes.writeInt32LE(value);
    this.frame(kind, id, bytes);
  }

  post(message: Out, transfer?: readonly Transferable[]): void {
    this.#objects.postMessage(message, transfer);
    this.#put(OBJECT, 0, null);
  }

  #put(kind: number, id: number, bytes: Uint8Array | null): void {
    if (this.#waiting.length > 0 || !this.#writer.write(kind, id, bytes)) {
      this.#waiting.push({ kind, id, bytes: bytes === null ? null : new Uint8Array(bytes) });
      return;
    }
    if (this.#writer.takeSleep()) this.#wake();
  }

  #sendWaiting(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    let sent = 0;
    while (sent < waiting.length) {
      const { kind, id, bytes } = waiting[sent];
      if (!this.#writer.write(kind, id, bytes)) break;
      sent++;
    }
    this.#waiting = waiting.slice(sent);
    if (this.#writer.takeSleep()) this.#wake();
  }

  #wake(): void {
    this.#port.postMessage(0);
  }

  #drain(): void {
    const some = this.#reader.drain((kind, id, bytes) => this.#deliver(kind, id, bytes));
    if (this.#reader.takeWaiting()) this.#wake();
    this.#looked = some ? 0 : this.#looked + 1;
    if (this.#looked < LOOKS || !this.#reader.sleep()) setImmediate(this.#look);
  }

  #deliver(kind: number, id: number, bytes: Buffer): void {
    const receiver = this.#receiver as Receiver<In>;
    if (kind === OBJECT) receiver.message(this.#object() as In);
    else if (kind === LONG) {
      const { kind: real, alone } = this.#object() as { kind: number; alone: Uint8Array };
      receiver.frame(real, id, Buffer.from(alone.buffer, alone.byteOffset, alone.byteLength));
    } else receiver.frame(kind, id, bytes);
  }

  /** It was posted before its frame was written. */
  #object(): unknown {
    const received = receiveMessageOnPort(this.#objects);
    if (received === undefined) throw new Error('a frame came without its object');
    return received.message;
  }
}
