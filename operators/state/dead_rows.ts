/**
 * Frees rows of a keyed index that a watermark proves dead, one by one: where the conditions are not on its key alone (those: table_retention.ts).
 *
 *   calendar (expiry.ts)      hash of the key of every row, by the time at which the row is dead
 *   free()                    a hash's slots, each: one more dead -> a quarter of its run is: the run is compacted
 *
 * So each row is looked at a few times in its life, however hot its key is; 4 bytes a row. A kernel does it (kernels/assembly/dead_rows.ts) but for the runs that it
 * leaves to compact(): those with a directory or with cold rows, and all of them once the heap has closed chunks, whose blocks only the heap knows how to free.
 */
import { Arena } from '../batch/arena.ts';
import { U32 } from '../batch/memory.ts';
import * as k from '../kernels/dead_rows_layout.ts';
import { kernels } from '../kernels/index.ts';
import type { Retention } from '../plan.ts';
import { Deadline, type Watermarks } from './deadline.ts';
import { Expiry, type SavedExpiry } from './expiry.ts';
import type { Heap } from './heap.ts';
import { COUNT, DEAD, DIRECTORY, isCold, KEY_DEAD_PAYLOAD_BYTES, RUN, roomOf } from './key_slot.ts';
import type { RowLayout } from './row_layout.ts';
import type { RowTable } from './row_table.ts';
import type { Runs } from './runs.ts';
import { touch, touchLarge, touchRange } from './write_marks.ts';

/** A run is compacted when this share of it is dead. */
const SHARE = 4;
const LEAST_ROOM = 64;

/** The index, as far as it takes part. A payload is the word address of a key's. */
export interface KeyedRows {
  keys: RowTable;
  /** That of the key table. */
  heap: Heap;
  runs: Runs;
  /** Calls back with every entry and its key's slot. */
  eachEntry(visit: (entry: number, slot: number) => void): void;
  dropKey(slot: number): void;
  /** dropKey() of n keys without rows, whose slots are at an address and said to be leaving. */
  dropKeys(slots: number, n: number, scratch: Arena): void;
}

export class DeadRows {
  readonly #index: KeyedRows;
  /** Where an entry has values that may lie outside of it. */
  readonly #texts: number[];
  readonly #numerics: number[];
  readonly #kernelKnows: boolean;
  readonly #stride: number;
  readonly #deadline: Deadline;
  readonly #expiry: Expiry;

  /** `layout`: of an entry; `position`: which of its columns a column of the row is. */
  constructor(layout: RowLayout, frees: Retention[], position: (column: number) => number, index: KeyedRows) {
    this.#index = index;
    const { phys, offsets } = layout;
    const placesOf = (kind: 'varlen' | 'numeric') => offsets.filter((_, i) => phys[i] === kind);
    this.#texts = placesOf('varlen');
    this.#numerics = placesOf('numeric');
    this.#kernelKnows = frees.every((r) => r.text === undefined);
    this.#stride = layout.stride;
    this.#deadline = new Deadline(layout, frees, position);
    this.#expiry = new Expiry(index.heap);
  }

  /** An entry of the slot's key has come; the index has so many. */
  note(slot: number, entry: number, entries: number): void {
    if (this.#expiry.isStale(entries)) this.#noteAnew();
    else this.#expiry.add(this.#deadline.of(entry), this.#index.keys.hashOf(slot));
  }

  /** note() of n rows: word addresses of their slots and of the addresses of the rows, 0 for none. */
  noteAll(slots: number, rows: number, n: number, entries: number, arena: Arena): void {
    if (this.#expiry.isStale(entries)) this.#noteAnew();
    else this.#expiry.addAll(this.#deadline.ofAll(rows, n, arena), slots, n);
  }

  #noteAnew(): void {
    const { keys, eachEntry } = this.#index;
    this.#expiry.clear();
    keys.forEach((slot) => {
      this.#setDead((slot + keys.payloadOffset) >>> 2, 0);
    });
    eachEntry((entry, slot) => this.#expiry.add(this.#deadline.of(entry), keys.hashOf(slot)));
  }

  #setDead(payload: number, entries: number): void {
    touch((payload + DEAD) * 4);
    U32[payload + DEAD] = entries;
  }

  /** False: there are more. */
  free(watermarks: Watermarks): boolean {
    const { keys, runs } = this.#index;
    const watermark = this.#deadline.watermark(watermarks);
    if (this.#expiry.isBefore(watermark)) return true;
    let scratch: Arena | null = null;
    const done = this.#expiry.takeStretches(watermark, (hashes, n) => {
      if (this.#kernelKnows && keys.size > 0 && runs.heap.canLend) {
        scratch ??= new Arena();
        this.#freeAll(hashes, n, watermark, scratch);
      } else
        keys.forEachOfHashes(hashes, n, (slot) => {
          const payload = (slot + keys.payloadOffset) >>> 2;
          this.#setDead(payload, U32[payload + DEAD] + 1);
          this.#settle(slot, watermark);
        });
    });
    (scratch as Arena | null)?.release();
    keys.settle();
    return done;
  }

  #freeAll(hashes: number, n: number, watermark: number, arena: Arena): void {
    const { keys, runs } = this.#index;
    const record = this.#record(n + LEAST_ROOM, arena);
    const at = record >>> 2;
    const listed = U32[at + k.DEAD_LISTED / 4] >>> 2;
    for (let from = 0; from < n; ) {
      runs.heap.lend((heap) => {
        U32[at + k.DEAD_HEAP / 4] = heap;
        from += kernels.freeDeadRows(record, hashes + from * 4, n - from, watermark);
      });
      this.#settleAll(listed, U32[at + k.DEAD_LISTED_COUNT / 4], watermark, arena);
      // Of the last hash it may have listed some slots only.
      if (from < n) keys.forEachOfHash(U32[(hashes >>> 2) + from - 1], (slot) => this.#settle(slot, watermark));
    }
    runs.entries -= U32[at + k.DEAD_ENTRIES / 4];
    runs.negative -= U32[at + k.DEAD_NEGATIVE / 4];
  }

  /** #settle() of slots that are listed at a word address; those without a row, most of them where keys have few, go together. */
  #settleAll(listed: number, n: number, watermark: number, arena: Arena): void {
    const { keys, dropKeys } = this.#index;
    let empty = 0;
    for (let i = listed; i < listed + n; i++) {
      const slot = U32[i];
      const payload = (slot + keys.payloadOffset) >>> 2;
      // A slot may be listed twice: that it is leaving is said at once.
      if (U32[payload + COUNT] === 0 && U32[payload + DIRECTORY] === 0 && keys.leaves(slot))
        U32[listed + empty++] = slot;
      else this.#settle(slot, watermark);
    }
    if (empty > 0) dropKeys(listed * 4, empty, arena);
  }

  #record(room: number, arena: Arena): number {
    const { keys } = this.#index;
    const texts = this.#texts;
    const numerics = this.#numerics;
    const places = arena.alloc((texts.length + numerics.length) * 4);
    for (let i = 0; i < texts.length; i++) U32[(places >>> 2) + i] = texts[i];
    for (let i = 0; i < numerics.length; i++) U32[(places >>> 2) + texts.length + i] = numerics[i];
    const record = arena.allocZeroed(k.DEAD_BYTES);
    const at = record >>> 2;
    const { directory, mask, slotBytes } = keys.place;
    U32[at + k.DEAD_DIRECTORY / 4] = directory;
    U32[at + k.DEAD_MASK / 4] = mask;
    U32[at + k.DEAD_SLOT_BYTES / 4] = slotBytes;
    U32[at + k.DEAD_PAYLOAD / 4] = keys.payloadOffset;
    U32[at + k.DEAD_STRIDE / 4] = this.#stride;
    U32[at + k.DEAD_WEIGHT / 4] = this.#index.runs.weightAt;
    U32[at + k.DEAD_SHARE / 4] = SHARE;
    U32[at + k.DEAD_CONDITIONS / 4] = this.#deadline.conditions(arena);
    U32[at + k.DEAD_CONDITION_COUNT / 4] = this.#deadline.retentions.length;
    U32[at + k.DEAD_TEXTS / 4] = places;
    U32[at + k.DEAD_TEXT_COUNT / 4] = texts.length;
    U32[at + k.DEAD_NUMERICS / 4] = places + texts.length * 4;
    U32[at + k.DEAD_NUMERIC_COUNT / 4] = numerics.length;
    U32[at + k.DEAD_LISTED / 4] = arena.alloc(room * 4);
    U32[at + k.DEAD_ROOM / 4] = room;
    return record;
  }

  /** What is to be done for a key whose number of dead rows, or of rows, has changed. */
  #settle(slot: number, watermark: number): void {
    const { keys, runs, dropKey } = this.#index;
    if (!keys.holds(slot)) return;
    const payload = (slot + keys.payloadOffset) >>> 2;
    const dead = U32[payload + DEAD];
    if (dead > 0 && dead * SHARE >= U32[payload + COUNT] + runs.cold.entriesOf(payload))
      this.#compact(payload, watermark);
    if (isCold(payload)) return;
    const count = U32[payload + COUNT];
    if (count === 0) dropKey(slot);
    else if (count * 4 * this.#stride <= roomOf(payload)) runs.move(payload, count);
  }

  /** Takes the dead rows out of a run. */
  #compact(payload: number, watermark: number): void {
    const { runs } = this.#index;
    const stride = this.#stride;
    if (isCold(payload)) runs.cold.thaw(payload);
    const run = U32[payload + RUN];
    const end = run + U32[payload + COUNT] * stride;
    let to = run;
    for (let at = run; at < end; at += stride) {
      if (this.#deadline.of(at) < watermark) {
        runs.freeEntry(at);
        continue;
      }
      if (to !== at) {
        touchLarge(to, stride);
        kernels.copyBytes(to, at, stride);
      }
      to += stride;
    }
    touchRange(payload * 4, KEY_DEAD_PAYLOAD_BYTES);
    runs.dropDirectory(payload);
    U32[payload + DEAD] = 0;
    U32[payload + COUNT] = (to - run) / stride;
  }

  save(): SavedExpiry {
    return this.#expiry.save();
  }

  load(saved: SavedExpiry): void {
    this.#expiry.load(saved);
  }

  /** The heaps give everything back. */
  release(): void {
    this.#expiry.forget();
  }
}
