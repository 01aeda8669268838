/**
 * Two threads' way to talk: frames (a kind, a number, bytes) and whole objects, over one MessagePort, in the order in which they were sent.
 *
 *   frame(), frame(), frame()  ->  one ArrayBuffer a turn of the event loop:  kind int32 | id int32 | length int32 | bytes, ...
 *   post(object, transfer)     ->  a message of its own, behind the frames before it
 *
 * What happens for every statement of a client goes as frames: a message costs some 10 microseconds whatever is in it, and wakes the
 * other thread. Objects are for what is rare or large: their buffers are transferred (docs/decisions/0090).
 */
import type { MessagePort, Transferable, Worker } from 'node:worker_threads';

const HEAD_BYTES = 12;
/** So much of a turn is put together; what is more leaves before the turn ends. */
const STAGED_BYTES = 65536;
/** A frame of this size has a message of its own. */
const LARGE_BYTES = STAGED_BYTES / 2;

export interface Receiver<M> {
  frame(kind: number, id: number, bytes: Buffer): void;
  message(message: M): void;
}

/** `Out` is what this side sends, `In` what it gets. */
export class Channel<Out extends object, In extends object> {
  readonly #port: MessagePort | Worker;
  readonly #defer: (flush: () => void) => void;
  readonly #staged: Buffer = Buffer.allocUnsafeSlow(STAGED_BYTES);
  #length = 0;
  #waiting = false;

  /** `defer` runs its argument when what happens now has had its say: after this turn's promises, or after this turn's events. */
  constructor(port: MessagePort | Worker, defer: (flush: () => void) => void) {
    this.#port = port;
    this.#defer = defer;
  }

  receive(receiver: Receiver<In>): void {
    this.#port.on('message', (message: ArrayBuffer | In) => {
      if (message instanceof ArrayBuffer) deliver(message, receiver);
      else receiver.message(message);
    });
  }

  /** The bytes are copied. */
  frame(kind: number, id: number, bytes: Uint8Array | null = null): void {
    const length = bytes?.length ?? 0;
    if (length >= LARGE_BYTES) {
      this.flush();
      const alone = Buffer.allocUnsafeSlow(HEAD_BYTES + length);
      write(alone, 0, kind, id, bytes);
      this.#send(alone.buffer as ArrayBuffer);
      return;
    }
    if (this.#length + HEAD_BYTES + length > STAGED_BYTES) this.flush();
    this.#length = write(this.#staged, this.#length, kind, id, bytes);
    this.#flushSoon();
  }

  /** A frame whose bytes are one int32. */
  number(kind: number, id: number, value: number): void {
    const bytes = Buffer.allocUnsafe(4);
    bytes.writeInt32LE(value);
    this.frame(kind, id, bytes);
  }

  post(message: Out, transfer?: readonly Transferable[]): void {
    this.flush();
    this.#port.postMessage(message, transfer);
  }

  #flushSoon(): void {
    if (this.#waiting) return;
    this.#waiting = true;
    this.#defer(() => {
      this.#waiting = false;
      this.flush();
    });
  }

  #send(bytes: ArrayBuffer): void {
    this.#port.postMessage(bytes, [bytes]);
  }

  /** Sends the frames staged so far. */
  flush(): void {
    if (this.#length === 0) return;
    const bytes = this.#staged.buffer.slice(0, this.#length) as ArrayBuffer;
    this.#length = 0;
    this.#send(bytes);
  }
}

/** Writes a frame at `at`; gives the place behind it. */
function write(to: Buffer, at: number, kind: number, id: number, bytes: Uint8Array | null): number {
  const length = bytes?.length ?? 0;
  to.writeInt32LE(kind, at);
  to.writeInt32LE(id, at + 4);
  to.writeInt32LE(length, at + 8);
  if (bytes !== null) to.set(bytes, at + HEAD_BYTES);
  return at + HEAD_BYTES + length;
}

function deliver(message: ArrayBuffer, receiver: Receiver<never>): void {
  const bytes = Buffer.from(message);
  for (let at = 0; at < bytes.length; ) {
    const end = at + HEAD_BYTES + bytes.readInt32LE(at + 8);
    receiver.frame(bytes.readInt32LE(at), bytes.readInt32LE(at + 4), bytes.subarray(at + HEAD_BYTES, end));
    at = end;
  }
}
