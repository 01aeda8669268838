/**
 * The integral of a relation: each distinct row once, with its weight. What a view, a table or DISTINCT keeps.
 *
 * `apply` adds a delta and can report the weights before and after, which is all that DISTINCT, set operations and consolidation need.
 * A row whose weight is 0 is not stored. A negative weight is kept (a retraction may come before its row within several ticks of
 * a source with errors) and is shown by `negative`.
 */
import { type Arena, withScratch } from '../batch/arena.ts';
import type { Batch } from '../batch/batch.ts';
import { I32, U32 } from '../batch/memory.ts';
import { fittingWeight } from '../batch/weight.ts';
import { TooManyEqualRows } from '../errors.ts';
import { kernels } from '../kernels/index.ts';
import type { ColType } from '../types.ts';
import { TableCompaction } from './compaction.ts';
import type { Equality, RowOps } from './row_ops.ts';
import { RowTable, type SavedRowTable } from './row_table.ts';
import { touch } from './write_marks.ts';

/** Fewer rows are looked up one by one: a call for all of them costs about a microsecond before the first. */
const FEW = 16;

type Changed = (row: number, before: number, after: number, slot: number) => void;

/** Rows as they lie: word addresses of their addresses and weights, and the place to go on from, -1 at the end. */
export interface RowsFound {
  n: number;
  rows: number;
  words: number;
  next: number;
}

export type VisitRow = (rowAddress: number, weight: number) => void;

/** The rows that `each` calls back with, `room` at most; it gives the place to go on from. */
export function foundBy(room: number, arena: Arena, each: (visit: VisitRow) => number): RowsFound {
  const rows = arena.alloc(room * 4) >>> 2;
  const words = arena.alloc(room * 4) >>> 2;
  let n = 0;
  const next = each((row, weight) => {
    U32[rows + n] = row;
    I32[words + n++] = weight;
  });
  return { n, rows, words, next };
}

/** What keeps the rows of a relation with their weights, and lets them be read piece by piece while they change. */
export interface RowStore {
  readonly ops: RowOps;
  readonly size: number;
  readonly bytes: number;
  /** Number of rows with a negative weight. */
  readonly negative: number;
  /** Where a scan that begins now ends. */
  readonly end: number;
  apply(delta: Batch): void;
  /** Calls back with about `most` rows at most from place `from` on, in front of `end`; gives the place to go on from, -1 at the end. Those on disk are read into the arena. */
  visitFrom(from: number, most: number, end: number, arena: Arena, visit: VisitRow): number;
  rowsFrom(from: number, most: number, end: number, arena: Arena): RowsFound;
  endTick(): void;
  release(): void;
}

export type SavedRelationStore = {
  negative: number;
  table: SavedRowTable;
};

export class RelationStore implements RowStore {
  readonly table: RowTable;
  readonly compaction: TableCompaction;
  negative = 0;
  /** Rows come anywhere: a scan goes through the whole table and is told of them. */
  readonly end = Number.POSITIVE_INFINITY;

  constructor(types: ColType[], equality: Equality = 'identity') {
    this.table = new RowTable(types, 8, equality);
    this.compaction = new TableCompaction(this.table);
  }

  get ops(): RowOps {
    return this.table.ops;
  }

  get size(): number {
    return this.table.size;
  }

  get bytes(): number {
    return this.table.bytes;
  }

  apply(delta: Batch, changed?: Changed): void {
    withScratch((scratch) => this.#apply(delta, scratch, changed));
  }

  #apply(delta: Batch, scratch: Arena, changed: Changed | undefined): void {
    const { table } = this;
    table.bind(delta.columns);
    const weights = delta.weights >>> 2;
    const few = delta.n < FEW;
    const rows = { n: delta.n, weights: delta.weights, skipNulls: false };
    const slots = few ? 0 : table.findOrInsertAll(rows, scratch).slots;
    if (!few && changed === undefined) {
      this.#addAll(slots, delta, scratch);
      return;
    }
    const payload = table.payloadOffset;
    /** Rows whose weight became 0: a later row of the delta may add to it again. */
    const gone: number[] = [];
    for (let row = 0; row < delta.n; row++) {
      if (I32[weights + row] === 0) continue;
      const slot = slots === 0 ? table.findOrInsert(row) : U32[slots + row];
      const at = (slot + payload) >>> 2;
      const before = I32[at];
      const after = fittingWeight(before + I32[weights + row]);
      if (before < 0 && after >= 0) this.negative--;
      if (before >= 0 && after < 0) this.negative++;
      I32[at] = after;
      if (changed !== undefined) changed(row, before, after, slot);
      if (after === 0) gone.push(slot);
    }
    for (const slot of gone) if (table.holds(slot) && I32[(slot + payload) >>> 2] === 0) table.remove(slot);
  }

  /** The rows have these slots. */
  #addAll(slots: number, { n, weights }: Batch, scratch: Arena): void {
    const { table } = this;
    const gone = scratch.alloc(n * 4);
    const counts = scratch.alloc(8);
    const fit = kernels.addWeights(slots * 4, weights, n, table.payloadOffset, gone, counts);
    if (!fit) throw new TooManyEqualRows();
    this.negative += I32[(counts >>> 2) + 1];
    table.removeAll(gone, U32[counts >>> 2]);
  }

  /** Weight of a stored row. */
  weightAt(slot: number): number {
    return I32[(slot + this.table.payloadOffset) >>> 2];
  }

  /** Adds to the weight of a stored row, which is not 0 afterwards. */
  addAt(slot: number, weight: number): void {
    const at = slot + this.table.payloadOffset;
    touch(at);
    I32[at >>> 2] = fittingWeight(I32[at >>> 2] + weight);
  }

  /** Address of a stored row's slots. */
  rowAt(slot: number): number {
    return slot + this.table.rowOffset;
  }

  forEach(visit: VisitRow): void {
    this.table.forEach((slot) => {
      visit(this.rowAt(slot), this.weightAt(slot));
    });
  }

  visitFrom(from: number, most: number, _end: number, _arena: Arena, visit: VisitRow): number {
    return this.table.visitFrom(from, most, (slot) => {
      visit(this.rowAt(slot), this.weightAt(slot));
    });
  }

  rowsFrom(from: number, most: number, _end: number, arena: Arena): RowsFound {
    return this.table.rowsFrom(from, most, arena);
  }

  endTick(): void {
    this.table.endTick();
  }

  save(): SavedRelationStore {
    return { negative: this.negative, table: this.table.save() };
  }

  load(saved: SavedRelationStore): void {
    this.negative = saved.negative;
    this.table.load(saved.table);
  }

  release(): void {
    this.table.release();
    this.negative = 0;
  }
}
