/**
 * What lies in the cold store (cold_store.ts) of one piece of state, and how it is written and read:
 *
 *   part:    | u32 place | u32 bytes | u32 entries | u32 the part before it, 0: none |       16 bytes in memory, in a heap of the owner's
 *   place:   entries, rows of one layout | their long values (long_values.ts)
 *
 * Who has which part says the owner's state: keys of an index (cold_runs.ts), partitions (kept_rows.ts).
 */
import { PAGE_BYTES, U32 } from '../batch/memory.ts';
import { pages } from '../batch/pages.ts';
import * as p from '../kernels/pack_layout.ts';
import { type ColdStore, cold, PLACE_BYTES } from './cold_store.ts';
import type { Heap } from './heap.ts';
import { LongValues } from './long_values.ts';
import type { RowLayout } from './row_layout.ts';
import { touch } from './write_marks.ts';

const PLACE = 0;
const BYTES = 1;
const ENTRIES = 2;
const BEFORE = 3;
const PART_BYTES = 16;

export type SavedColdParts = { parts: number; bytes: number };

export interface Part {
  /** Where it is described. */
  address: number;
  place: number;
  bytes: number;
  entries: number;
  /** Address of the part before it, or 0. */
  before: number;
}

export class ColdParts {
  readonly values: LongValues;
  readonly stride: number;
  readonly #heap: Heap;
  #parts = 0;
  #bytes = 0;

  /** `heap` has the descriptions. */
  constructor(layout: RowLayout, heap: Heap) {
    this.values = new LongValues(layout);
    this.stride = layout.stride;
    this.#heap = heap;
  }

  /** Whether there are any. */
  get any(): boolean {
    return this.#parts > 0;
  }

  get bytes(): number {
    return this.#bytes;
  }

  at(address: number): Part {
    const at = address >>> 2;
    return {
      address,
      place: U32[at + PLACE],
      bytes: U32[at + BYTES],
      entries: U32[at + ENTRIES],
      before: U32[at + BEFORE],
    };
  }

  /** Calls back with where a part is: it lies at the place that is given from now on. */
  visit({ address, place, bytes }: Part, visit: (place: number, bytes: number) => number): void {
    const now = visit(place, bytes);
    if (now === place) return;
    touch(address);
    U32[(address >>> 2) + PLACE] = now;
  }

  /** Reads a part to an address. */
  read({ place, bytes, entries }: Part, to: number): number {
    storeOf().read(place, bytes, to);
    if (bytes > entries * this.stride) this.values.unpack(to, entries, to);
    return to;
  }

  /** Nobody needs it any more. */
  drop({ address, place, bytes }: Part): void {
    storeOf().free(place, bytes);
    this.#heap.free(address, PART_BYTES);
    this.#parts--;
    this.#bytes -= bytes;
  }

  /** Makes a part of what `write` writes to the store; gives its address. */
  make(bytes: number, entries: number, before: number, write: (store: ColdStore) => number): number {
    const part = this.#heap.alloc(PART_BYTES) >>> 2;
    try {
      U32[part + PLACE] = write(storeOf());
    } catch (error) {
      this.#heap.free(part * 4, PART_BYTES);
      throw error;
    }
    U32[part + BYTES] = bytes;
    U32[part + ENTRIES] = entries;
    U32[part + BEFORE] = before;
    this.#parts++;
    this.#bytes += bytes;
    return part * 4;
  }

  /**
   * Makes parts of what packRuns() has packed from `out` on; its list goes from `keys` to `end`. `made` hears of each: the word address of its owner's payload, and its
   * address. Gives the bytes that were written.
   */
  makePacked(out: number, keys: number, end: number, made: (payload: number, part: number) => void): number {
    const parts: number[] = [];
    const sizes: number[] = [];
    let place = 0;
    try {
      for (let key = keys; key < end; key += p.PACKED_SIZE) {
        parts.push(this.#heap.alloc(PART_BYTES));
        sizes.push(U32[(key + p.PACKED_BYTES) >>> 2]);
      }
      if (sizes.length > 0) place = storeOf().write(out, sizes);
    } catch (error) {
      for (const part of parts) this.#heap.free(part, PART_BYTES);
      throw error;
    }
    let sum = 0;
    for (let i = 0, key = keys >>> 2; i < parts.length; i++, key += p.PACKED_SIZE / 4) {
      const part = parts[i] >>> 2;
      U32[part + PLACE] = place + (U32[key + p.PACKED_AT / 4] - out) / PLACE_BYTES;
      U32[part + BYTES] = sizes[i];
      U32[part + ENTRIES] = U32[key + p.PACKED_ENTRIES / 4];
      U32[part + BEFORE] = 0;
      made(U32[key + p.PACKED_PAYLOAD / 4] >>> 2, parts[i]);
      sum += sizes[i];
    }
    this.#parts += parts.length;
    this.#bytes += sum;
    return sum;
  }

  save(): SavedColdParts {
    return { parts: this.#parts, bytes: this.#bytes };
  }

  load({ parts, bytes }: SavedColdParts): void {
    this.#parts = parts;
    this.#bytes = bytes;
  }
}

function storeOf(): ColdStore {
  if (cold.store === null) throw new Error('state is cold, and there is no store for it');
  return cold.store;
}

/** Runs with pages that are given back afterwards: `scratch` cuts pieces of them, no more than these sizes. */
export function withPages(sizes: number[], use: (scratch: (bytes: number) => number) => void): void {
  const bytes = sizes.reduce((sum, size) => sum + aligned(size), 0);
  const count = Math.ceil(bytes / PAGE_BYTES);
  const address = count === 0 ? 0 : pages.allocate(count);
  let next = address;
  try {
    use((size) => {
      next += aligned(size);
      return next - aligned(size);
    });
  } finally {
    if (count > 0) pages.release(address, count);
  }
}

function aligned(bytes: number): number {
  return (bytes + 15) & ~15;
}
