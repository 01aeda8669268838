/**
 * Buffers of record sets that have been read, for those to come. A new one of a megabyte is zeroed, and its pages are taken from the system, which costs as much as unpacking
 * into it; and V8 collects all garbage whenever 64 MB of buffers have come since the last time. Each thread has its own; a buffer that does not come back is garbage.
 */
import { checked } from '../../operators/batch/pages.ts';

const LEAST_BYTES = 1 << 16;
const MOST_BYTES = 32 << 20;
const STEP = 1 << 18;

export class Buffers {
  #free: ArrayBuffer[] = [];
  #bytes = 0;

  /** At least so many bytes, with anything in them; of less than LEAST_BYTES exactly so many. */
  take(bytes: number): ArrayBuffer {
    if (bytes < LEAST_BYTES) return new ArrayBuffer(bytes);
    let best = -1;
    for (let i = 0; i < this.#free.length; i++) {
      const { byteLength } = this.#free[i];
      if (byteLength >= bytes && (best < 0 || byteLength < this.#free[best].byteLength)) best = i;
    }
    if (best < 0) return new ArrayBuffer(Math.ceil(bytes / STEP) * STEP);
    const [buffer] = this.#free.splice(best, 1);
    this.#bytes -= buffer.byteLength;
    return buffer;
  }

  /** Whether one of this size is worth coming back. */
  static isWanted({ byteLength }: ArrayBuffer): boolean {
    return byteLength >= LEAST_BYTES;
  }

  /** Nobody looks at it any more. */
  give(buffer: ArrayBuffer): void {
    if (!Buffers.isWanted(buffer)) return;
    // Whoever still reads it is found out.
    if (checked) new Uint8Array(buffer).fill(0xdb);
    this.#free.push(buffer);
    this.#bytes += buffer.byteLength;
    // Those that are there longest are of sizes that are not asked for.
    while (this.#bytes > MOST_BYTES) this.#bytes -= (this.#free.shift() as ArrayBuffer).byteLength;
  }
}

export const buffers = new Buffers();
