/**
 * The rows of an index's keys that lie in the cold store (cold_store.ts). The key's slot stays in memory and says so:
 *
 *   slot:   ... run in memory, its count ..., DIRECTORY = address of the newest part (cold_parts.ts) + 1
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
import { U32 } from '../batch/memory.ts';
import { kernels } from '../kernels/index.ts';
import { ColdParts, type Part, type SavedColdParts, withPages } from './cold_parts.ts';
import type { ColdStore } from './cold_store.ts';
import type { Heap } from './heap.ts';
import { COUNT, DIRECTORY, isCold, KEY_PAYLOAD_BYTES, RUN, roomOf, setRoom } from './key_slot.ts';
import type { LongValues } from './long_values.ts';
import type { RowLayout } from './row_layout.ts';
import { touchRange } from './write_marks.ts';

/** A part is taken up by one behind it that has this share of its entries. */
const TAKEN_UP = 2;

export class ColdRuns {
  readonly parts: ColdParts;
  readonly #runs: Heap;
  readonly #stride: number;

  /** `heap` has the descriptions of the parts, `runs` the runs in memory. */
  constructor(layout: RowLayout, heap: Heap, runs: Heap) {
    this.parts = new ColdParts(layout, heap);
    this.#runs = runs;
    this.#stride = layout.stride;
  }

  get values(): LongValues {
    return this.parts.values;
  }

  /** Whether there are any. */
  get any(): boolean {
    return this.parts.any;
  }

  get bytes(): number {
    return this.parts.bytes;
  }

  /** The parts of a key, oldest first. */
  #partsOf(payload: number): Part[] {
    const parts: Part[] = [];
    if (!isCold(payload)) return parts;
    for (let address = U32[payload + DIRECTORY] - 1; address !== 0; ) {
      const part = this.parts.at(address);
      parts.push(part);
      address = part.before;
    }
    return parts.reverse();
  }

  /** Calls back with each part of a key: it lies at the place that is given from now on. */
  visit(payload: number, visit: (place: number, bytes: number) => number): void {
    for (const part of this.#partsOf(payload)) this.parts.visit(part, visit);
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
        ? this.parts.read(parts[0], arena.alloc(parts[0].bytes))
        : this.#gather(payload, parts, arena.alloc(count * this.#stride), (bytes) => arena.alloc(bytes));
    U32[copy + RUN] = run;
    U32[copy + COUNT] = count;
    U32[copy + DIRECTORY] = 0;
    return slot;
  }

  /** The entries of parts and of the run in memory to `to`; long values that were cold lie in what `scratch` gives. */
  #gather(payload: number, parts: Part[], to: number, scratch: (bytes: number) => number): number {
    let at = to;
    for (const part of parts) {
      const bytes = part.entries * this.#stride;
      if (part.bytes === bytes) this.parts.read(part, at);
      else kernels.copyBytes(at, this.parts.read(part, scratch(part.bytes)), bytes);
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
        if (wide.length > 0) this.values.own(run, thawed, this.#runs);
      },
    );
    if (had > 0) this.#runs.free(old, had);
    this.forget(payload);
    U32[payload + RUN] = run;
    U32[payload + COUNT] = thawed + hot;
  }

  /** The rows of the key that are cold, if there are such, are needed no more. */
  forget(payload: number): void {
    if (!isCold(payload)) return;
    for (const part of this.#partsOf(payload)) this.parts.drop(part);
    touchRange(payload * 4, KEY_PAYLOAD_BYTES);
    U32[payload + DIRECTORY] = 0;
  }

  /** Sends what packRuns() has packed, of keys that have no cold part yet. What they had in memory is the caller's to free. */
  sendPacked(out: number, keys: number, end: number): number {
    return this.parts.makePacked(out, keys, end, setCold);
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
    const before = kept === 0 ? 0 : parts[kept - 1].address;
    const part = this.parts.make(bytes, count, before, (store) => this.#write(store, payload, taken, bytes));
    for (const old of taken) this.parts.drop(old);
    this.values.free(run, hot, this.#runs);
    this.#runs.free(run, roomOf(payload));
    setCold(payload, part);
    return bytes;
  }

  /** One part of the run in memory and the parts before it. */
  #write(store: ColdStore, payload: number, taken: Part[], bytes: number): number {
    const stride = this.#stride;
    const hot = U32[payload + COUNT];
    if (taken.length === 0 && bytes === hot * stride) return store.write(U32[payload + RUN], [bytes]);
    const count = taken.reduce((sum, part) => sum + part.entries, hot);
    let place = 0;
    withPages([bytes, ...taken.map((part) => part.bytes)], (scratch) => {
      const run = this.#gather(payload, taken, scratch(bytes), scratch);
      this.values.pack(run, count, run + count * stride, run);
      place = store.write(run, [bytes]);
    });
    return place;
  }

  save(): SavedColdParts {
    return this.parts.save();
  }

  load(saved: SavedColdParts): void {
    this.parts.load(saved);
  }
}

/** The key has nothing in memory; its newest part is this one. */
function setCold(payload: number, part: number): void {
  touchRange(payload * 4, KEY_PAYLOAD_BYTES);
  U32[payload + RUN] = 0;
  U32[payload + COUNT] = 0;
  setRoom(payload, 0);
  U32[payload + DIRECTORY] = part + 1;
}
