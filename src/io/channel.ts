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
/** Frames of a turn that are larger leave at once. */
const STAGED_BYTES = 65536;

export interface Receiver<M> {
  frame(kind: number, id: number, bytes: Buffer): void;
  message(message: M): void;
}

/** `Out` is what this side sends, `In` what it gets. */
export class Channel<Out extends object, In extends object> {
  readonly #port: MessagePort | Worker;
  readonly #defer: (flush: () => void) => void;
  #staged: Buffer = Buffer.allocUnsafeSlow(STAGED_BYTES);
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
    this.#reserve(HEAD_BYTES + length);
    const at = this.#length;
    this.#head(kind, id, length);
    if (bytes !== null) this.#staged.set(bytes, at + HEAD_BYTES);
    this.#length = at + HEAD_BYTES + length;
    this.#flushSoon();
  }

  /** A frame whose bytes are one int32. */
  number(kind: number, id: number, value: number): void {
    this.#reserve(HEAD_BYTES + 4);
    this.#head(kind, id, 4);
    this.#staged.writeInt32LE(value, this.#length + HEAD_BYTES);
    this.#length += HEAD_BYTES + 4;
    this.#flushSoon();
  }

  post(message: Out, transfer?: readonly Transferable[]): void {
    this.flush();
    this.#port.postMessage(message, transfer);
  }

  #head(kind: number, id: number, length: number): void {
    const staged = this.#staged;
    staged.writeInt32LE(kind, this.#length);
    staged.writeInt32LE(id, this.#length + 4);
    staged.writeInt32LE(length, this.#length + 8);
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#staged.length) return;
    this.flush();
    if (bytes > this.#staged.length) this.#staged = Buffer.allocUnsafeSlow(bytes);
  }

  #flushSoon(): void {
    if (this.#length >= STAGED_BYTES / 2) this.flush();
    else if (!this.#waiting) {
      this.#waiting = true;
      this.#defer(() => {
        this.#waiting = false;
        this.flush();
      });
    }
  }

  /** Sends the frames staged so far. */
  flush(): void {
    if (this.#length === 0) return;
    const bytes = this.#staged.buffer.slice(0, this.#length) as ArrayBuffer;
    this.#length = 0;
    if (this.#staged.length > STAGED_BYTES) this.#staged = Buffer.allocUnsafeSlow(STAGED_BYTES);
    this.#port.postMessage(bytes, [bytes]);
  }
}

function deliver(message: ArrayBuffer, receiver: Receiver<never>): void {
  const bytes = Buffer.from(message);
  for (let at = 0; at < bytes.length; ) {
    const end = at + HEAD_BYTES + bytes.readInt32LE(at + 8);
    receiver.frame(bytes.readInt32LE(at), bytes.readInt32LE(at + 4), bytes.subarray(at + HEAD_BYTES, end));
    at = end;
  }
}
