/**
 * What one connection has to say: messages are written as bytes into a 64 KiB chunk and leave when it is full or at flush().
 *
 *   chunk  |  finished messages  |  message being written  |  free  |
 *          0                   start                      pos    limit
 *
 * Row encoders write through `buf` and `pos` directly after reserve(n). A message that outgrows its chunk moves, alone, to a new
 * one, which is larger than 64 KiB only when the message is.
 *
 * Backpressure: `blocked` is true from a socket.write() that returned false until 'drain'. Producers look at it between rows and
 * await drain(). Once the socket is gone all writes are dropped.
 */
import { CHUNK_BYTES, returnChunk, takeChunk } from './chunk_pool.ts';

/** Where finished messages go: a socket, or the thread that has it. */
export interface ByteSink {
  readonly destroyed: boolean;
  /** False: wait for 'drain'. `done` is called when the bytes have been read. */
  write(bytes: Buffer, done: () => void): boolean;
  on(event: 'drain' | 'close', listener: () => void): unknown;
}

const EMPTY = Buffer.alloc(0);

export class Output {
  buf: Buffer = EMPTY;
  pos = 0;
  /** True when producers should wait for drain(). */
  blocked = false;
  /** Bytes handed to the socket so far. */
  sent = 0;
  #start = 0;
  #socket: ByteSink;
  #closed = false;
  #waiters: (() => void)[] = [];

  constructor(socket: ByteSink) {
    this.#socket = socket;
    this.#watch();
  }

  /** Goes on over another stream: after a TLS handshake. Nothing may be pending. */
  useStream(socket: ByteSink): void {
    this.#socket = socket;
    this.#watch();
  }

  get closed(): boolean {
    return this.#closed;
  }

  #watch(): void {
    const socket = this.#socket;
    socket.on('drain', () => {
      if (socket === this.#socket) this.#release();
    });
    socket.on('close', () => {
      if (socket !== this.#socket) return;
      this.#closed = true;
      this.#release();
    });
  }

  #release(): void {
    this.blocked = false;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }

  /** Makes `bytes` bytes writable at `pos`. */
  reserve(bytes: number): void {
    if (this.pos + bytes > this.buf.length) this.#spill(bytes);
  }

  #spill(bytes: number): void {
    const old = this.buf;
    const kept = this.pos - this.#start;
    const wanted = kept + bytes;
    const next = wanted <= CHUNK_BYTES ? takeChunk() : Buffer.allocUnsafeSlow(Math.max(wanted, kept * 2));
    old.copy(next, 0, this.#start, this.pos);
    if (this.#start > 0) this.#write(old, this.#start);
    else returnChunk(old);
    this.buf = next;
    this.#start = 0;
    this.pos = kept;
  }

  #write(chunk: Buffer, length: number): void {
    if (this.#closed || this.#socket.destroyed) {
      returnChunk(chunk);
      return;
    }
    this.sent += length;
    const more = this.#socket.write(chunk.subarray(0, length), () => returnChunk(chunk));
    if (!more) this.blocked = true;
  }

  /** Starts a message; its length is filled in by end(). */
  begin(type: number): void {
    this.reserve(5);
    this.buf[this.pos] = type;
    this.pos += 5;
  }

  /** Ends the message: writes its length. */
  end(): void {
    this.buf.writeInt32BE(this.pos - this.#start - 1, this.#start + 1);
    this.#start = this.pos;
  }

  /** Takes back the message being written: an error came up in the middle of a row. */
  abandon(): void {
    this.pos = this.#start;
  }

  int16(value: number): void {
    this.reserve(2);
    this.buf[this.pos++] = value >>> 8;
    this.buf[this.pos++] = value;
  }

  int32(value: number): void {
    this.reserve(4);
    const buf = this.buf;
    const pos = this.pos;
    buf[pos] = value >>> 24;
    buf[pos + 1] = value >>> 16;
    buf[pos + 2] = value >>> 8;
    buf[pos + 3] = value;
    this.pos = pos + 4;
  }

  /** UTF-8 bytes without a terminator. */
  text(value: string): void {
    this.reserve(value.length * 3);
    this.pos += this.buf.utf8Write(value, this.pos, value.length * 3);
  }

  bytes(value: Uint8Array): void {
    this.reserve(value.length);
    this.buf.set(value, this.pos);
    this.pos += value.length;
  }

  /** One or more whole messages. */
  messages(value: Uint8Array): void {
    this.bytes(value);
    this.#start = this.pos;
  }

  /** Hands all finished messages to the socket in one write. */
  flush(): void {
    if (this.#start === 0) return;
    const chunk = this.buf;
    const kept = this.pos - this.#start;
    if (kept > 0) {
      this.#spill(0);
      return;
    }
    this.buf = EMPTY;
    this.pos = 0;
    const length = this.#start;
    this.#start = 0;
    this.#write(chunk, length);
  }

  /** Hands whole messages to the socket after those that are finished here; they stay where they are until `done`. */
  handOver(bytes: Buffer, done: () => void): void {
    this.flush();
    if (this.#closed || this.#socket.destroyed) {
      done();
      return;
    }
    this.sent += bytes.length;
    if (!this.#socket.write(bytes, done)) this.blocked = true;
  }

  /** Resolves when the socket takes more, or is gone. */
  drain(): Promise<void> {
    if (!this.blocked || this.#closed) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }
}
