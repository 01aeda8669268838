/**
 * The rows of an index's keys that lie in the cold store (cold_store.ts). The key's slot stays in memory and says so:
 *
 *   slot:   ... run in memory, its count ..., DIRECTORY = address of the newest part + 1
 *   part:   | u32 place | u32 bytes | u32 entries | u32 the part before it, 0: none |       16 bytes in the heap of the keys
 *   place:  entries as in a run | their long values (long_values.ts)
 *
 *   rows of the key, oldest first:   part, part, ..., run in memory
 *
 * Rows that come to a cold key need not see its parts: they go to the run in memory. Who looks a key up gets a copy of all of it in memory of the tick
 * (borrow), nothing of the state changes by that. Who changes its rows brings them back (thaw).
 *
 * What is sent takes up the parts before it that are not more than twice as large, so a key has O(log rows) parts and each row is written O(log rows) times.
 * Entries with a negative weight are not sent, so that parts can be let go unread.
 */
import type { Arena } from '../batch/arena.ts';
import { PAGE_BYTES, U32 } from '../batch/memory.ts';
import { pages } from '../batch/pages.ts';
import { kernels } from '../kernels/index.ts';
import * as p from '../kernels/pack_layout.ts';
import { type ColdStore, cold, PLACE_BYTES } from './cold_store.ts';
import type { Heap } from './heap.ts';
import { COUNT, DIRECTORY, isCold, KEY_PAYLOAD_BYTES, RUN, roomOf, setRoom } from './key_slot.ts';
import { LongValues } from './long_values.ts';
import type { RowLayout } from './row_layout.ts';
import { touch, touchRange } from './write_marks.ts';

const PLACE = 0;
const BYTES = 1;
const ENTRIES = 2;
const BEFORE = 3;
const PART_BYTES = 16;
/** A part is taken up by one behind it that has this share of its entries. */
const TAKEN_UP = 2;

export type SavedColdRuns = { parts: number; bytes: number };

interface Part {
  /** Where it is described. */
  address: number;
  place: number;
  bytes: number;
  entries: number;
}

export class ColdRuns {
  readonly values: LongValues;
  readonly #heap: Heap;
  readonly #runs: Heap;
  readonly #stride: number;
  #parts = 0;
  #bytes = 0;

  /** `heap` has the descriptions of the parts, `runs` the runs in memory. */
  constructor(layout: RowLayout, heap: Heap, runs: Heap) {
    this.values = new LongValues(layout);
    this.#heap = heap;
    this.#runs = runs;
    this.#stride = layout.stride;
  }

  /** Whether there are any. */
  get any(): boolean {
    return this.#parts > 0;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The parts of a key, oldest first. */
  #partsOf(payload: number): Part[] {
    const parts: Part[] = [];
    if (!isCold(payload)) return parts;
    for (let address = U32[payload + DIRECTORY] - 1; address !== 0; address = U32[(address >>> 2) + BEFORE]) {
      const at = address >>> 2;
      parts.push({ address, place: U32[at + PLACE], bytes: U32[at + BYTES], entries: U32[at + ENTRIES] });
    }
    return parts.reverse();
  }

  /** Calls back with each part of a key: it lies at the place that is given from now on. */
  visit(payload: number, visit: (place: number, bytes: number) => number): void {
    for (const { address, place, bytes } of this.#partsOf(payload)) {
      const now = visit(place, bytes);
      if (now === place) continue;
      touch(address);
      U32[(address >>> 2) + PLACE] = now;
    }
  }

  /** Entries of the key that are cold. */
  entriesOf(payload: number): number {
    if (!isCold(payload)) return 0;
    return this.#partsOf(payload).reduce((sum, part) => sum + part.entries, 0);
  }

  /** A copy of a cold key's slot, whose payload is at `payloadOffset`, with all its rows in one run; it lies in the arena. */
  borrow(payload: number, payloadOffset: number, arena: Arena): number {
    const parts = this.#partsOf(payload);
    const hot = U32[payload + COUNT];
    const count = parts.reduce((sum, part) => sum + part.entries, hot);
    const slot = arena.alloc(payloadOffset + KEY_PAYLOAD_BYTES);
    kernels.copyBytes(slot, payload * 4 - payloadOffset, payloadOffset + KEY_PAYLOAD_BYTES);
    const copy = (slot + payloadOffset) >>> 2;
    const run =
      parts.length === 1 && hot === 0
        ? this.#read(parts[0], arena.alloc(parts[0].bytes))
        : this.#gather(payload, parts, arena.alloc(count * this.#stride), (bytes) => arena.alloc(bytes));
    U32[copy + RUN] = run;
    U32[copy + COUNT] = count;
    U32[copy + DIRECTORY] = 0;
    return slot;
  }

  /** Reads a part to an address, as a run. */
  #read({ place, bytes, entries }: Part, to: number): number {
    storeOf().read(place, bytes, to);
    if (bytes > entries * this.#stride) this.values.unpack(to, entries, to);
    return to;
  }

  /** The entries of parts and of the run in memory to `to`; long values that were cold lie in what `scratch` gives. */
  #gather(payload: number, parts: Part[], to: number, scratch: (bytes: number) => number): number {
    let at = to;
    for (const part of parts) {
      const bytes = part.entries * this.#stride;
      if (part.bytes === bytes) this.#read(part, at);
      else kernels.copyBytes(at, this.#read(part, scratch(part.bytes)), bytes);
      at += bytes;
    }
    kernels.copyBytes(at, U32[payload + RUN], U32[payload + COUNT] * this.#stride);
    return to;
  }

  /** Brings the rows of a cold key back to memory. */
  thaw(payload: number): void {
    const parts = this.#partsOf(payload);
    const stride = this.#stride;
    const had = roomOf(payload);
    const old = U32[payload + RUN];
    const hot = U32[payload + COUNT];
    const thawed = parts.reduce((sum, part) => sum + part.entries, 0);
    touchRange(payload * 4, KEY_PAYLOAD_BYTES);
    const run = this.#runs.alloc(setRoom(payload, (thawed + hot) * stride));
    const wide = parts.filter((part) => part.bytes > part.entries * stride);
    withPages(
      wide.map((part) => part.bytes),
      (scratch) => {
        this.#gather(payload, parts, run, scratch);
        if (wide.length > 0) this.values.copy(run, thawed, this.#runs, isAny, forgetIt);
      },
    );
    if (had > 0) this.#runs.free(old, had);
    this.forget(payload);
    U32[payload + RUN] = run;
    U32[payload + COUNT] = thawed + hot;
  }

  /** The rows of the key that are cold are needed no more. */
  forget(payload: number): void {
    for (const part of this.#partsOf(payload)) this.#drop(part);
    touchRange(payload * 4, KEY_PAYLOAD_BYTES);
    U32[payload + DIRECTORY] = 0;
  }

  #drop({ address, place, bytes }: Part): void {
    storeOf().free(place, bytes);
    this.#heap.free(address, PART_BYTES);
    this.#parts--;
    this.#bytes -= bytes;
  }

  /**
   * Writes runs to the store that packRuns() has packed from `out` on, of keys that have no cold part yet; their list goes from `keys` to `end`. What they had in memory is the
   * caller's to free. Gives the bytes that were written.
   */
  sendPacked(out: number, keys: number, end: number): number {
    const parts: number[] = [];
    const sizes: number[] = [];
    let place = 0;
    try {
      for (let key = keys; key < end; key += p.PACKED_SIZE) {
        parts.push(this.#heap.alloc(PART_BYTES) >>> 2);
        sizes.push(U32[(key + p.PACKED_BYTES) >>> 2]);
      }
      if (sizes.length > 0) place = storeOf().write(out, sizes);
    } catch (error) {
      for (const part of parts) this.#heap.free(part * 4, PART_BYTES);
      throw error;
    }
    let sum = 0;
    for (let i = 0, key = keys >>> 2; i < parts.length; i++, key += p.PACKED_SIZE / 4) {
      const part = parts[i];
      const payload = U32[key + p.PACKED_PAYLOAD / 4] >>> 2;
      U32[part + PLACE] = place + (U32[key + p.PACKED_AT / 4] - out) / PLACE_BYTES;
      U32[part + BYTES] = sizes[i];
      U32[part + ENTRIES] = U32[key + p.PACKED_ENTRIES / 4];
      U32[part + BEFORE] = 0;
      this.#setCold(payload, part);
      sum += sizes[i];
    }
    this.#parts += parts.length;
    this.#bytes += sum;
    return sum;
  }

  /** The key has nothing in memory; its newest part is this one. */
  #setCold(payload: number, part: number): void {
    touchRange(payload * 4, KEY_PAYLOAD_BYTES);
    U32[payload + RUN] = 0;
    U32[payload + COUNT] = 0;
    setRoom(payload, 0);
    U32[payload + DIRECTORY] = part * 4 + 1;
  }

  /** Writes the run in memory of a key, which has no directory, to the store, and lets its memory go. Gives the bytes that were written. */
  send(payload: number): number {
    const stride = this.#stride;
    const run = U32[payload + RUN];
    const hot = U32[payload + COUNT];
    const parts = this.#partsOf(payload);
    let count = hot;
    let kept = parts.length;
    while (kept > 0 && parts[kept - 1].entries <= count * TAKEN_UP) count += parts[--kept].entries;
    const taken = parts.slice(kept);
    const values = this.values.bytesOf(run, hot);
    const bytes = taken.reduce((sum, part) => sum + part.bytes, hot * stride + values);
    const part = this.#heap.alloc(PART_BYTES) >>> 2;
    try {
      U32[part + PLACE] = this.#write(payload, taken, bytes);
    } catch (error) {
      this.#heap.free(part * 4, PART_BYTES);
      throw error;
    }
    U32[part + BYTES] = bytes;
    U32[part + ENTRIES] = count;
    U32[part + BEFORE] = kept === 0 ? 0 : parts[kept - 1].address;
    this.#parts++;
    this.#bytes += bytes;
    for (const old of taken) this.#drop(old);
    this.values.free(run, hot, this.#runs);
    this.#runs.free(run, roomOf(payload));
    this.#setCold(payload, part);
    return bytes;
  }

  /** One part of the run in memory and the parts before it. */
  #write(payload: number, taken: Part[], bytes: number): number {
    const stride = this.#stride;
    const hot = U32[payload + COUNT];
    if (taken.length === 0 && bytes === hot * stride) return storeOf().write(U32[payload + RUN], [bytes]);
    const count = taken.reduce((sum, part) => sum + part.entries, hot);
    let place = 0;
    withPages([bytes, ...taken.map((part) => part.bytes)], (scratch) => {
      const run = this.#gather(payload, taken, scratch(bytes), scratch);
      this.values.pack(run, count, run + count * stride, run);
      place = storeOf().write(run, [bytes]);
    });
    return place;
  }

  save(): SavedColdRuns {
    return { parts: this.#parts, bytes: this.#bytes };
  }

  load({ parts, bytes }: SavedColdRuns): void {
    this.#parts = parts;
    this.#bytes = bytes;
  }
}

function storeOf(): ColdStore {
  if (cold.store === null) throw new Error('state is cold, and there is no store for it');
  return cold.store;
}

/** Runs with pages that are given back afterwards: `scratch` cuts pieces of them, no more than these sizes. */
function withPages(sizes: number[], use: (scratch: (bytes: number) => number) => void): void {
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

const isAny = () => true;
const forgetIt = () => {
  // The values lie in memory that is given back as a whole.
};

function aligned(bytes: number): number {
  return (bytes + 15) & ~15;
}
