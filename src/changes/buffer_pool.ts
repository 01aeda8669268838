/**
 * Buffers for entries, used again: fresh memory costs more than what is written into it, for the system has to find and clear every page.
 *
 * Sizes are powers of two from 64 KiB on; smaller ones are Node's business.
 */
const LEAST_BITS = 16;
/** Bytes that wait here to be used again. */
const MOST_IDLE = 64 << 20;

export class BufferPool {
  readonly #idle = new Map<number, ArrayBuffer[]>();
  #idleBytes = 0;

  take(length: number): Buffer {
    if (length < 1 << LEAST_BITS) return Buffer.allocUnsafe(length);
    const size = 2 ** Math.ceil(Math.log2(length));
    const found = this.#idle.get(size)?.pop();
    if (found !== undefined) this.#idleBytes -= size;
    return Buffer.from(found ?? new ArrayBuffer(size), 0, length);
  }

  /** The buffer is not looked at any more. */
  give(buffer: Buffer): void {
    const memory = buffer.buffer as ArrayBuffer;
    const size = memory.byteLength;
    if (buffer.length < 1 << LEAST_BITS || this.#idleBytes + size > MOST_IDLE) return;
    const list = this.#idle.get(size);
    if (list === undefined) this.#idle.set(size, [memory]);
    else list.push(memory);
    this.#idleBytes += size;
  }
}
