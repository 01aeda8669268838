/**
 * The distinct values of some columns of input that never retracts: GROUP BY without aggregates, DISTINCT.
 *
 *   rows of the tick   a b a c      table   b d      ->   out   a c          each once, the first time that it is seen
 *
 * What aggregate.ts and set_operation.ts do for any input; this is what is left of it here: a value that is there stays, so no rows are counted and nothing
 * is shown before and after. Values equal by SQL's `=` are one, the first seen is shown, NULL equals NULL.
 * State: one slot a value. O(1) a row, one probe by a kernel; O(1) output a new value.
 * A value that a watermark proves untouched by every change to come is forgotten; it stays shown.
 *
 * Where somebody reads an index of the output, as a join does, that index is the state (KeyedIndex.takeNew), and the table is empty: while its keys have few rows, and when it forgets
 * no value before this node may.
 */
import { Arena } from './batch/arena.ts';
import type { Batch, Column } from './batch/batch.ts';
import { budget } from './batch/budget.ts';
import { BatchBuilder, emptyBatch } from './batch/builder.ts';
import { gatherColumn } from './batch/gather.ts';
import { U32 } from './batch/memory.ts';
import { kernels } from './kernels/index.ts';
import type { IndexSpec, Operator, Tick } from './operator.ts';
import type { PlanNode, Retention } from './plan.ts';
import type { Watermarks } from './state/deadline.ts';
import { hasOneForm } from './state/entry_columns.ts';
import type { KeyedIndex } from './state/keyed_index.ts';
import { RetainedTable } from './state/retained_table.ts';
import { placesOf } from './state/row_layout.ts';
import { RowTable } from './state/row_table.ts';
import type { Saved } from './state/saved.ts';
import type { ColType } from './types.ts';

/** Whether a node over input that never retracts is one of these: its columns, else null. */
export function distinctColumns(node: PlanNode): number[] | null {
  if (node.op === 'distinct') return [...node.types.keys()];
  return node.op === 'aggregate' && node.calls.length === 0 && !node.global ? node.keys : null;
}

/** Rows of an index that are read at a time. */
const PIECE = 1024;

export class FirstSeenOperator implements Operator {
  readonly #types: ColType[];
  readonly #columns: number[];
  readonly #table: RowTable;
  readonly #retained: RetainedTable;
  readonly #frees: Retention[];
  /** Has the values in the table's stead. */
  #index: KeyedIndex | null = null;
  /** Those of the delta, for the index. */
  readonly #values: Column[] = [];
  /** What it puts out: the same objects in each tick. */
  readonly #out: Batch;

  constructor(columns: number[], types: ColType[], frees?: Retention[]) {
    this.#types = types;
    this.#out = emptyBatch(types);
    this.#columns = columns;
    this.#frees = frees ?? [];
    this.#table = new RowTable(types, 0, 'sql');
    this.#retained = new RetainedTable(this.#table, frees, columns);
  }

  step(inputs: Batch[], { arena }: Tick): Batch {
    const delta = inputs[0];
    const { fresh, made } = this.#locate(delta, arena);
    const out = this.#out;
    out.n = made;
    if (made === 0) return out;
    const ones = arena.alloc(made * 4) >>> 2;
    for (let i = 0; i < made; i++) U32[ones + i] = 1;
    out.weights = ones * 4;
    for (let i = 0; i < this.#columns.length; i++) {
      const from = delta.columns[this.#columns[i]];
      const { data, valid } = made === delta.n ? from : gatherColumn(from, fresh, made, arena);
      out.columns[i].data = data;
      out.columns[i].valid = valid;
    }
    return out;
  }

  #locate(delta: Batch, arena: Arena): { fresh: number; made: number } {
    if (this.#index === null) return this.#retained.locate(delta, arena);
    for (let i = 0; i < this.#columns.length; i++) this.#values[i] = delta.columns[this.#columns[i]];
    return this.#index.takeNew(this.#values, delta, arena);
  }

  canHoldIn({ keyColumns, frees }: IndexSpec): boolean {
    const types = this.#types;
    if (keyColumns.length === 0 || !frees.every(({ column }) => keyColumns.includes(column))) return false;
    if (!types.every(hasOneForm)) return false;
    if (frees.length === 0) return true;
    return this.#frees.length > 0 && this.#frees.every((own) => frees.some((other) => this.#isNoLater(own, other)));
  }

  /** Whether a row that is dead for the index is so here. */
  #isNoLater(own: Retention, other: Retention): boolean {
    if (this.#columns[other.column] !== own.column || own.text !== other.text || other.nullsDead === true) return false;
    if (other.lag < own.lag || (other.lag === own.lag && other.strict && !own.strict)) return false;
    return own.sources.every((source) => other.sources.includes(source));
  }

  holdIn(index: KeyedIndex | null): void {
    const before = this.#index;
    if (index === null && before !== null && before.size > 0) budget.beyond(() => this.#copy(before));
    this.#index = index;
  }

  /** The rows of the index to the table, in pieces, for those that are cold take no memory yet. If it fails the table is empty, as it was. */
  #copy(index: KeyedIndex): void {
    const arena = new Arena();
    try {
      const out = new BatchBuilder(this.#types, arena, PIECE);
      const piece: Batch = { n: 0, columns: [], weights: 0 };
      const take = (): void => {
        piece.n = out.n;
        piece.weights = out.weights;
        for (let i = 0; i < this.#columns.length; i++) piece.columns[this.#columns[i]] = out.columns[i];
        this.#retained.locate(piece, arena);
        this.#table.endTick();
        arena.reset();
        out.begin(arena, PIECE);
      };
      index.forEach(
        arena,
        (slot, entry, weight) => index.loadRow(slot, entry, out.columns, out.addRow(weight)),
        () => {
          if (out.n >= PIECE) take();
        },
      );
      if (out.n > 0) take();
    } catch (error) {
      this.#retained.release();
      throw error;
    } finally {
      arena.release();
    }
  }

  #rowsOf(index: KeyedIndex, arena: Arena): Batch {
    const out = new BatchBuilder(this.#types, arena, Math.max(1, index.size));
    index.forEach(arena, (slot, entry, weight) => {
      index.loadRow(slot, entry, out.columns, out.addRow(weight));
    });
    return out.build();
  }

  integral({ arena }: Tick): Batch {
    if (this.#index !== null) return this.#rowsOf(this.#index, arena);
    const { size, rowOffset, ops } = this.#table;
    const out = new BatchBuilder(this.#types, arena, size);
    const rows = arena.alloc(size * 4) >>> 2;
    let n = 0;
    this.#table.forEach((slot) => {
      U32[rows + n++] = slot + rowOffset;
    });
    out.addRows(n, 1);
    placesOf(ops.layout).forEach(({ offset, width, flag }, c) => {
      kernels.loadColumn(rows * 4, n, offset, width, flag, out.columns[c].data, out.columns[c].valid);
    });
    return out.build();
  }

  free(watermarks: Watermarks): boolean {
    return this.#retained.free(watermarks);
  }

  endTick(): void {
    this.#table.endTick();
  }

  state() {
    return this.#retained.state();
  }

  save() {
    return this.#retained.save();
  }

  load(saved: Saved): void {
    this.#retained.load(saved);
  }

  release(): void {
    this.#retained.release();
  }
}
