/**
 * What a join reads of an index, and an index of some columns as seen through one of whole rows: a stored relation's own index serves the
 * joins that need only part of its columns, so that no second copy of its rows is kept.
 *
 *   seek(key) -> slot -> run of entries, each with a weight;  loadRow(slot, entry) -> the columns wanted
 */
import type { Arena } from '../batch/arena.ts';
import type { Batch, Column } from '../batch/batch.ts';
import type { Watermarks } from './deadline.ts';
import type { EntryLoad } from './entry_columns.ts';
import type { PairRows, Pairs } from './index_probe.ts';
import type { KeyedIndex } from './keyed_index.ts';
import type { KeyRows } from './located.ts';
import type { SlotPlace } from './row_layout.ts';

export interface RowIndex {
  /** Number of entries. */
  readonly size: number;
  /** True when the last delta met no entry with a negative weight: without retractions, its rows all stand at the ends of their runs. */
  readonly appends: boolean;
  /** Bytes of an entry, and where in it its weight is. */
  readonly entryStride: number;
  readonly weightOffset: number;
  readonly loadRow: EntryLoad;
  /** Where the columns that loadRow() gives lie in an entry; null: only in the slot of its key. */
  readonly places: (SlotPlace | null)[];
  /** The bytes of a key's slot from here on (key_slot.ts): its run, the number of its entries, those that the tick appended. */
  readonly payloadOffset: number;
  /** Whether the latter are counted. */
  readonly countsAdded: boolean;
  /** Fixes the key columns of a batch for seek(). What a reader gets of rows that are cold lies in the arena. */
  bindKeys(columns: Column[], arena: Arena): void;
  /** Slot of the key of a bound row, or 0. */
  seek(row: number): number;
  /** seek() for all rows that are not left out: word address of their slots. */
  seekAll(rows: KeyRows): number;
  /** The pairs of few rows, whose key columns are at these positions; false: a product of weights is beyond 32 bits. Null: not done, by seekAll() they are. */
  pairsOfFew(delta: Batch, keyColumns: number[], rows: PairRows, pairs: Pairs, arena: Arena): boolean | null;
  runOf(slot: number): number;
  countOf(slot: number): number;
  forEach(arena: Arena, visit: (slot: number, entry: number, weight: number) => void): void;
  /** Lets rows go that the watermarks prove dead; false: there are more. An index that a relation lends keeps all. */
  free?(watermarks: Watermarks): boolean;
}

/** Columns of the rows of another index, which is kept by its owner. */
export class ProjectedIndex implements RowIndex {
  readonly entryStride: number;
  readonly weightOffset: number;
  readonly loadRow: EntryLoad;
  readonly places: RowIndex['places'];
  readonly #index: KeyedIndex;
  readonly #keyOrder: number[];

  /** `columns`: positions in the whole row of the columns wanted. `keyOrder[i]`: which of the reader's key columns is the index's i-th. */
  constructor(index: KeyedIndex, columns: number[], keyOrder: number[]) {
    this.entryStride = index.entryStride;
    this.weightOffset = index.weightOffset;
    this.loadRow = index.columns.loader(columns);
    this.places = columns.map((c) => index.places[c]);
    this.#index = index;
    this.#keyOrder = keyOrder;
  }

  get size(): number {
    return this.#index.size;
  }

  get appends(): boolean {
    return this.#index.appends;
  }

  bindKeys(columns: Column[], arena: Arena): void {
    this.#index.bindKeys(
      this.#keyOrder.map((i) => columns[i]),
      arena,
    );
  }

  seek(row: number): number {
    return this.#index.seek(row);
  }

  seekAll(rows: KeyRows): number {
    return this.#index.seekAll(rows);
  }

  pairsOfFew(delta: Batch, keyColumns: number[], rows: PairRows, pairs: Pairs, arena: Arena): boolean | null {
    const keys = this.#keyOrder.map((i) => keyColumns[i]);
    return this.#index.pairsOfFew(delta, keys, rows, pairs, arena);
  }

  get payloadOffset(): number {
    return this.#index.payloadOffset;
  }

  get countsAdded(): boolean {
    return this.#index.countsAdded;
  }

  runOf(slot: number): number {
    return this.#index.runOf(slot);
  }

  countOf(slot: number): number {
    return this.#index.countOf(slot);
  }

  forEach(arena: Arena, visit: (slot: number, entry: number, weight: number) => void): void {
    this.#index.forEach(arena, visit);
  }
}
