/**
 * Appends the rows of a tick to the runs of a keyed index (keyed_index.ts) by one call of a kernel (kernels/assembly/append.ts), which does what
 * findOrInsertAll() of the key table and, row by row, add() of the runs would.
 *
 * What the kernel reads of the index is written once, into a record that the index keeps (lent_records.ts), with room for what it gives of a few rows; of a
 * batch there are only its columns' addresses to add. What the kernel leaves is done here: keys that are known row by row only, runs for which the heap needs another chunk, long values that are not texts.
 */
import type { Arena } from '../batch/arena.ts';
import type { Batch } from '../batch/batch.ts';
import { U32 } from '../batch/memory.ts';
import * as a from '../kernels/append_layout.ts';
import { kernels } from '../kernels/index.ts';
import * as k from '../kernels/key_layout.ts';
import { ownLong, writeAddresses, writeKeyLayout, writeLayout } from './key_batch.ts';
import { giveRecord, takeRecord } from './lent_records.ts';
import type { Located } from './located.ts';
import type { RowLayout } from './row_layout.ts';
import type { RowTable } from './row_table.ts';
import type { Runs } from './runs.ts';

/** What the kernel gives of so many rows has its place behind the record; of more it is in the tick's memory. */
const FEW = 16;
/** Words a row of the results, but for values that lie outside of it. */
const RESULT_WORDS = 10;
/** Each list begins at a multiple of it. */
const ALIGNMENT = 16;

/** Where the rows that were appended are. */
export interface Appended extends Located {
  /** Word address: the address of each row in its entry, 0 for one that is not stored. */
  places: number;
  /** Word address: the slots of the keys that got rows, and how many they are. */
  touched: number;
  count: number;
}

export class IndexAppend {
  readonly #keys: RowTable;
  readonly #runs: Runs;
  readonly #layout: RowLayout;
  readonly #keyColumns: number[];
  /** The columns that entries have. */
  readonly #kept: number[];
  readonly #keyStride: number;
  readonly #skipNulls: boolean;
  /** What is the same in each tick, and where in it the row's columns are. */
  readonly #layoutWords: Uint32Array;
  readonly #columnsAt: number;
  /** The record, and its bytes; 0: there is none yet. */
  #record = 0;
  readonly #recordBytes: number;
  /** The record says that the results go behind it. */
  #isFew = false;
  /** Where slots go that the kernel finds. */
  #slots = 0;
  /** What the last append gave. */
  readonly #appended: Appended = { slots: 0, fresh: 0, made: 0, places: 0, touched: 0, count: 0 };

  /** `keyColumns` are positions in the rows, and `kept`, the columns that entries have. `skipNulls`: rows with a NULL key are left out. */
  constructor(keys: RowTable, runs: Runs, keyColumns: number[], kept: number[], skipNulls: boolean) {
    this.#keys = keys;
    this.#keyColumns = keyColumns;
    this.#kept = kept;
    this.#runs = runs;
    this.#skipNulls = skipNulls;
    const layout = runs.rows.layout;
    this.#layout = layout;
    this.#keyStride = keys.ops.layout.stride;
    this.#columnsAt = a.APPEND_BYTES + keyColumns.length * k.KEY_COLUMN_BYTES;
    const record = new Uint32Array((this.#columnsAt + layout.phys.length * k.KEY_COLUMN_BYTES) / 4);
    this.#recordBytes = record.length * 4 + this.#resultBytes(FEW);
    writeKeyLayout(record, keys.ops.layout, 'sql', a.APPEND_BYTES / 4);
    writeLayout(record, layout, 'identity', this.#columnsAt / 4);
    record[k.KEYS_SKIP_NULLS / 4] = skipNulls ? 1 : 0;
    record[k.KEYS_SLOT_BYTES / 4] = keys.place.slotBytes;
    record[k.KEYS_PAYLOAD / 4] = keys.payloadOffset;
    record[a.APPEND_COLUMN_COUNT / 4] = layout.phys.length;
    record[a.APPEND_VALID / 4] = layout.valid;
    record[a.APPEND_ROW_BYTES / 4] = runs.stride;
    record[a.APPEND_WEIGHT / 4] = runs.weightAt;
    this.#layoutWords = record;
  }

  /** Appends the rows of the columns that are bound to the key table. Null, and nothing is done: some weight is not positive. */
  append(delta: Batch, arena: Arena): Appended | null {
    const keys = this.#keys;
    const { heap } = this.#runs;
    const append = this.#write(delta, arena);
    const at = append >>> 2;
    let located: Located;
    let done: number;
    if (keys.packs) {
      U32[at + k.KEYS_SLOTS / 4] = this.#slots;
      keys.lend(append);
      this.#lendHeap(append);
      done = kernels.appendRows(append);
      heap.endLending();
      if (done === a.APPEND_SIGNED) return null;
      while (done === a.APPEND_NO_SLOT) {
        keys.makeRoom(append);
        this.#lendHeap(append);
        done = kernels.appendFound(append);
        heap.endLending();
      }
      located = keys.takeIn(append, arena, this.#appended);
    } else {
      if (kernels.allPositive(delta.weights, delta.n) === 0) return null;
      located = keys.findOrInsertAll({ n: delta.n, weights: 0, skipNulls: this.#skipNulls }, arena);
      U32[at + k.KEYS_SLOTS / 4] = located.slots * 4;
      this.#lendHeap(append);
      done = kernels.appendLocated(append);
      heap.endLending();
    }
    return this.#finish(append, done, located);
  }

  /** Appends the rows whose keys have a slot in `located`. */
  appendLocated(delta: Batch, located: Located, arena: Arena): Appended {
    const append = this.#write(delta, arena);
    U32[(append + k.KEYS_SLOTS) >>> 2] = located.slots * 4;
    this.#lendHeap(append);
    const done = kernels.appendLocated(append);
    this.#runs.heap.endLending();
    return this.#finish(append, done, located);
  }

  /** What the kernel has left to do, by what it gave. */
  #finish(append: number, done: number, located: Located): Appended {
    const keys = this.#keys;
    const runs = this.#runs;
    const at = append >>> 2;
    const old = U32[at + a.APPEND_OLD / 4];
    if (done === a.APPEND_NO_ROOM) {
      runs.makeRoom(old, U32[at + a.APPEND_LEFT / 4], U32[at + a.APPEND_LEFT_COUNT / 4], keys.payloadOffset);
      this.#lendHeap(append);
      kernels.storeAppended(append);
      runs.heap.endLending();
    } else runs.freeOld(old);
    runs.entries += U32[at + a.APPEND_PLACED / 4];
    const outside = U32[at + a.APPEND_OUTSIDE_COUNT / 4];
    const owned = U32[at + a.APPEND_OWNED / 4];
    if (owned < outside) ownLong(U32[at + a.APPEND_OUTSIDE / 4], outside, runs.heap, owned);
    const appended = this.#appended;
    appended.slots = located.slots;
    appended.fresh = located.fresh;
    appended.made = located.made;
    appended.places = U32[at + a.APPEND_PLACES / 4] >>> 2;
    appended.touched = U32[at + a.APPEND_TOUCHED / 4] >>> 2;
    appended.count = U32[at + a.APPEND_TOUCHED_COUNT / 4];
    return appended;
  }

  /** Lends the heap of the runs to the kernel that is called next. */
  #lendHeap(append: number): void {
    U32[(append + a.APPEND_HEAP) >>> 2] = this.#runs.heap.beginLending();
  }

  /** The record for an append. */
  #write({ n, columns, weights }: Batch, arena: Arena): number {
    if (this.#record === 0) this.#begin();
    const append = this.#record;
    const at = append >>> 2;
    if (n > FEW) {
      this.#place(at, n, arena.alloc(this.#resultBytes(n)));
      this.#isFew = false;
    } else if (!this.#isFew) {
      this.#place(at, FEW, append + this.#layoutWords.length * 4);
      this.#isFew = true;
    }
    U32[at + a.APPEND_BLOCKS_FROM / 4] = this.#runs.blocksFrom;
    U32[at + k.KEYS_ROWS / 4] = n;
    U32[at + k.KEYS_FROM / 4] = 0;
    U32[at + k.KEYS_MADE / 4] = 0;
    U32[at + k.KEYS_LONG / 4] = 0;
    U32[at + a.APPEND_WEIGHTS / 4] = weights;
    writeAddresses(columns, this.#keyColumns, at + a.APPEND_BYTES / 4);
    writeAddresses(columns, this.#kept, at + this.#columnsAt / 4);
    return append;
  }

  #begin(): void {
    const append = takeRecord(this.#recordBytes);
    const at = append >>> 2;
    U32.set(this.#layoutWords, at);
    U32[at + k.KEYS_COLUMNS / 4] = append + a.APPEND_BYTES;
    U32[at + a.APPEND_COLUMNS / 4] = append + this.#columnsAt;
    this.#record = append;
    this.#isFew = false;
  }

  /** Bytes of the results of so many rows. */
  #resultBytes(n: number): number {
    const packed = aligned(n * (this.#keyStride + k.HEADER_BYTES));
    return packed + aligned(n * 4) * (RESULT_WORDS + this.#layout.wide) + 2 * ALIGNMENT;
  }

  /** Says that the results of up to n rows go behind an address. */
  #place(at: number, n: number, results: number): void {
    const words = aligned(n * 4);
    const packed = aligned(results);
    const hashes = packed + aligned(n * (this.#keyStride + k.HEADER_BYTES));
    U32[at + k.KEYS_PACKED / 4] = packed + k.HEADER_BYTES;
    U32[at + k.KEYS_HASHES / 4] = hashes;
    const slots = hashes + words;
    this.#slots = slots;
    U32[at + k.KEYS_FRESH / 4] = slots + words;
    U32[at + a.APPEND_TOUCHED / 4] = slots + words * 2;
    U32[at + a.APPEND_LEFT / 4] = slots + words * 3;
    U32[at + a.APPEND_PLACES / 4] = slots + words * 4;
    U32[at + a.APPEND_CHOSEN / 4] = slots + words * 5;
    U32[at + a.APPEND_OLD / 4] = slots + words * 7;
    U32[at + a.APPEND_OUTSIDE / 4] = slots + words * 9 + ALIGNMENT;
  }

  release(): void {
    if (this.#record !== 0) giveRecord(this.#record, this.#recordBytes);
    this.#record = 0;
  }
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
