/**
 * Room for record sets, used again by those to come: a new buffer of a megabyte is zeroed, and its pages are taken from the system, which costs as much as unpacking into it.
 *
 *   in the I/O thread      pages of the shared memory, where the engine reads rows of messages without a copy (docs/decisions/0332)
 *   elsewhere, or no run   shared buffers: both threads see them where they lie, and V8 does not count their bytes, while it collects all garbage whenever 64 MB of buffers
 *                          that are not shared have come or gone since the last time (docs/decisions/0255)
 *
 * So whoever takes some gives it back: pages that are not stay taken, and of buffers few may be lost, for the collector is in no hurry to find them.
 */
import { memory, PAGE_BYTES } from '../../operators/batch/memory.ts';
import { checked, type PageAllocator } from '../../operators/batch/pages.ts';
import { OutOfMemory } from '../../operators/errors.ts';

/** Smaller and larger ones are not worth coming back, and are the collector's. */
const LEAST_BYTES = 1 << 16;
const GREATEST_BYTES = 8 << 20;
/** Of buffers that lie here unused. */
const MOST_BYTES = 64 << 20;

/** Some room: from byte `address` of the shared memory on, or else a buffer of its own. */
export interface Room {
  buffer: ArrayBuffer | SharedArrayBuffer;
  address: number | undefined;
}

/** What room is given back by: its address, or its buffer. */
export type Place = number | SharedArrayBuffer;

export class Buffers {
  #free: SharedArrayBuffer[] = [];
  #bytes = 0;
  #pages: PageAllocator | null = null;
  /** Pages that are taken, by their address. */
  readonly #taken = new Map<number, number>();

  /** From now on room is pages of these, which nobody else takes, as long as there are some side by side; null: no longer. */
  usePages(pages: PageAllocator | null): void {
    this.#pages = pages;
  }

  /** At least so many bytes, with anything in them; shared only if it is to come back. OutOfMemory when the system has none. */
  take(bytes: number): Room {
    if (bytes < LEAST_BYTES || bytes > GREATEST_BYTES) {
      return { buffer: made(bytes, ArrayBuffer), address: undefined };
    }
    const count = Math.ceil(bytes / PAGE_BYTES);
    const address = this.#pages?.tryAllocate(count) ?? undefined;
    if (address === undefined) return { buffer: this.#buffer(bytes), address };
    this.#taken.set(address, count);
    return { buffer: memory.buffer, address };
  }

  #buffer(bytes: number): SharedArrayBuffer {
    let best = -1;
    for (let i = 0; i < this.#free.length; i++) {
      const { byteLength } = this.#free[i];
      if (byteLength >= bytes && (best < 0 || byteLength < this.#free[best].byteLength)) best = i;
    }
    if (best < 0) return made(2 ** Math.ceil(Math.log2(bytes)), SharedArrayBuffer);
    const [buffer] = this.#free.splice(best, 1);
    this.#bytes -= buffer.byteLength;
    return buffer;
  }

  /** Nobody looks at it any more. */
  give(place: Place): void {
    if (typeof place === 'number') {
      this.#givePages(place);
      return;
    }
    // Whoever still reads it is found out.
    if (checked) new Uint8Array(place).fill(0xdb);
    this.#free.push(place);
    this.#bytes += place.byteLength;
    // Those that are there longest are of sizes that are not asked for.
    while (this.#bytes > MOST_BYTES) this.#bytes -= (this.#free.shift() as SharedArrayBuffer).byteLength;
  }

  #givePages(address: number): void {
    const count = this.#taken.get(address);
    if (count === undefined) throw new Error(`room is given back that was not taken: ${address}`);
    this.#taken.delete(address);
    this.#pages?.release(address, count);
  }
}

/** V8 says that there is no memory by a RangeError, as it does of much else. */
function made<B>(bytes: number, Kind: new (bytes: number) => B): B {
  try {
    return new Kind(bytes);
  } catch {
    throw new OutOfMemory(bytes, Number.POSITIVE_INFINITY);
  }
}

export const buffers = new Buffers();
