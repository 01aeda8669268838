/**
 * Buffers of record sets that have been read, for those to come: a new one of a megabyte is zeroed, and its pages are taken from the system, which costs as much as unpacking
 * into it. They are shared: both threads see them where they lie, and V8 does not count their bytes, while it collects all garbage whenever 64 MB of buffers that are not
 * shared have come or gone since the last time (docs/decisions/0255).
 *
 * So whoever takes one gives it back, or few are lost: the collector is in no hurry to find them.
 */
import { checked } from '../../operators/batch/pages.ts';

/** Smaller and larger ones are not worth coming back, and are the collector's. */
const LEAST_BYTES = 1 << 16;
const GREATEST_BYTES = 8 << 20;
/** That lie here unused. */
const MOST_BYTES = 64 << 20;

export class Buffers {
  #free: SharedArrayBuffer[] = [];
  #bytes = 0;

  /** At least so many bytes, with anything in them; a shared one only if it is to come back. */
  take(bytes: number): ArrayBuffer | SharedArrayBuffer {
    if (bytes < LEAST_BYTES || bytes > GREATEST_BYTES) return new ArrayBuffer(bytes);
    let best = -1;
    for (let i = 0; i < this.#free.length; i++) {
      const { byteLength } = this.#free[i];
      if (byteLength >= bytes && (best < 0 || byteLength < this.#free[best].byteLength)) best = i;
    }
    if (best < 0) return new SharedArrayBuffer(2 ** Math.ceil(Math.log2(bytes)));
    const [buffer] = this.#free.splice(best, 1);
    this.#bytes -= buffer.byteLength;
    return buffer;
  }

  /** Nobody looks at it any more. */
  give(buffer: SharedArrayBuffer): void {
    // Whoever still reads it is found out.
    if (checked) new Uint8Array(buffer).fill(0xdb);
    this.#free.push(buffer);
    this.#bytes += buffer.byteLength;
    // Those that are there longest are of sizes that are not asked for.
    while (this.#bytes > MOST_BYTES) this.#bytes -= (this.#free.shift() as SharedArrayBuffer).byteLength;
  }
}

export const buffers = new Buffers();
