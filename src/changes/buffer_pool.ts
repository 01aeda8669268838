/**
 * Buffers for blocks of entries, used again: fresh memory costs more than what is written into it, for the system has to find and clear every page.
 *
 * Sizes are powers of two, from a page of the system on.
 */
/** Bytes that wait here to be used again. */
const MOST_IDLE = 64 << 20;

export class BufferPool {
  readonly #idle = new Map<number, ArrayBuffer[]>();
  #idleBytes = 0;

  /** A buffer of a power of two of bytes. */
  take(length: number): Buffer {
    const found = this.#idle.get(length)?.pop();
    if (found !== undefined) this.#idleBytes -= length;
    return Buffer.from(found ?? new ArrayBuffer(length));
  }

  /** The buffer is not looked at any more. */
  give(buffer: Buffer): void {
    const memory = buffer.buffer as ArrayBuffer;
    const size = memory.byteLength;
    if (this.#idleBytes + size > MOST_IDLE) return;
    const list = this.#idle.get(size);
    if (list === undefined) this.#idle.set(size, [memory]);
    else list.push(memory);
    this.#idleBytes += size;
  }
}
