/**
 * Window functions of a plan that is run once: all rows come before anybody asks, so they are sorted once, and no row is looked up.
 *
 *   pieces of the input, kept -> in order of partition, order, whole row -> partition by partition: its view, and the calls over it row by row
 *
 * What over.ts gives for the same rows, and by the same evaluators. Cost: a sort, and a call's value for each row. State: the rows, their sort keys, and the view of one partition.
 */
import { Arena } from './batch/arena.ts';
import type { Batch } from './batch/batch.ts';
import { BatchBuilder, readRow } from './batch/builder.ts';
import { oneBatch } from './batch/one_batch.ts';
import { type RowCopy, rowCopy } from './batch/row_copy.ts';
import { RowPieces } from './batch/row_pieces.ts';
import { slices } from './batch/slice.ts';
import { type RowList, sortedRowList } from './batch/sorted_rows.ts';
import { SqlError } from './errors.ts';
import type { Operator, Tick } from './operator.ts';
import { makeEvaluator } from './over/make.ts';
import { PartitionView, viewTypes } from './over/partition_view.ts';
import type { WindowEvaluator } from './over/window_call.ts';
import type { PlanNode, SortKey } from './plan.ts';
import { Heap } from './state/heap.ts';
import { type RowCompare, rowCompare } from './state/row_ops.ts';
import type { Saved } from './state/saved.ts';
import type { ColType } from './types.ts';

type OverSpec = PlanNode & { op: 'over' };

/** Rows that are sorted, or looked at, in a step. */
const STEP_ROWS = 8192;

export class OverOnce implements Operator {
  readonly #spec: OverSpec;
  readonly #inputTypes: ColType[];
  readonly #arena = new Arena();
  readonly #rows: RowPieces;
  #count = 0;
  readonly #heap = new Heap();
  readonly #calls: WindowEvaluator[];
  readonly #copy: RowCopy;
  readonly #nothing: Batch;

  constructor(spec: OverSpec, inputTypes: ColType[]) {
    this.#spec = spec;
    this.#inputTypes = inputTypes;
    this.#rows = new RowPieces(inputTypes, this.#arena);
    this.#calls = spec.calls.map((call) => makeEvaluator(call, spec.order, inputTypes, this.#heap));
    this.#copy = rowCopy(inputTypes);
    this.#nothing = new BatchBuilder(spec.types, this.#arena, 1).build();
  }

  /** All rows come at once. */
  step(inputs: Batch[], tick: Tick): Batch {
    if (inputs[0].n === 0) return this.#nothing;
    if (this.#count > 0) throw new Error('window functions that are run once get their rows once');
    this.absorb(inputs);
    return this.integral(tick);
  }

  absorb([delta]: Batch[]): void {
    this.#rows.append(delta);
    this.#count += delta.n;
  }

  integral(tick: Tick): Batch {
    const { arena } = tick;
    return oneBatch([...this.integralPieces(tick, Math.max(this.#count, 1))], this.#spec.types, arena);
  }

  *integralPieces(tick: Tick, most: number): Iterable<Batch> {
    const { partition, order } = this.#spec;
    const keys = partition.map((col): SortKey => ({ col, desc: false, nullsFirst: false }));
    const net = this.#rows.netPieces(this.#arena);
    const pieces = net.flatMap((piece) => [...slices(piece, STEP_ROWS)]);
    const sorting = sortedRowList(pieces, this.#inputTypes, [...keys, ...order], this.#arena);
    let sorted = sorting.next();
    for (; sorted.done !== true; sorted = sorting.next()) yield this.#nothing;
    const list = sorted.value;
    const n = pieces.reduce((sum, piece) => sum + piece.n, 0);
    const { layout } = list.ops;
    const partitions = rowCompare(layout, keys, false);
    const peers = rowCompare(layout, order, false);
    const out = new Out(this.#spec.types, tick, most);
    for (let from = 0; from < n; ) {
      let to = from + 1;
      let rows = list.weight(from);
      for (let last = list.address(from); to < n; to++) {
        const row = list.address(to);
        if (partitions(last, row) !== 0) break;
        last = row;
        rows += list.weight(to);
        if ((to - from) % STEP_ROWS === 0) yield* out.step(this.#nothing);
      }
      yield* this.#showPartition(list, [from, to], rows, peers, out);
      from = to;
    }
    yield out.rows.build();
  }

  /** Entries from .. to - 1 of the list are a partition of so many rows. */
  *#showPartition(
    list: RowList,
    [from, to]: [number, number],
    rows: number,
    peers: RowCompare,
    out: Out,
  ): Iterable<Batch> {
    const arena = new Arena();
    try {
      const view = new PartitionView(list, rows, peers, viewTypes(this.#inputTypes), arena);
      for (let at = from; at < to; at += STEP_ROWS) {
        view.add(at, Math.min(at + STEP_ROWS, to));
        if (to - from > STEP_ROWS) yield* out.step(this.#nothing);
      }
      this.#copy.bind(view.columns);
      for (const call of this.#calls) call.begin(view);
      for (let i = 0; i < view.n; i++) {
        this.#showRow(view, i, out);
        if (out.rows.n < out.most) continue;
        yield out.rows.build();
        out.begin();
        this.#heap.endTick();
      }
      for (const call of this.#calls) call.end();
    } finally {
      arena.release();
    }
  }

  #showRow(view: PartitionView, i: number, { rows, tick }: Out): void {
    const width = this.#inputTypes.length;
    const row = rows.addRow(1);
    this.#copy.copy(i, rows.columns, row);
    try {
      for (let c = 0; c < this.#calls.length; c++) this.#calls[c].write(view, i, rows, width + c, row, tick);
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      rows.n = row;
      tick.errors.report(error, readRow(view.batch, i).slice(0, width), 1);
    }
  }

  endTick(): void {
    this.#heap.endTick();
  }

  state() {
    return { rows: this.#count, bytes: this.#arena.bytes };
  }

  save(): Saved {
    throw new Error('a plan that is run once is not saved');
  }

  load(): void {
    throw new Error('a plan that is run once is not saved');
  }

  release(): void {
    for (const call of this.#calls) call.release();
    this.#heap.release();
    this.#arena.release();
  }
}

/** The piece of the output that is being made. */
class Out {
  readonly tick: Tick;
  readonly most: number;
  rows: BatchBuilder;
  readonly #types: ColType[];

  constructor(types: ColType[], tick: Tick, most: number) {
    this.#types = types;
    this.tick = tick;
    this.most = most;
    this.rows = new BatchBuilder(types, tick.arena, most);
  }

  begin(): void {
    this.rows = new BatchBuilder(this.#types, this.tick.arena, this.most);
  }

  /** Lets others have their turn: what is there goes first, for the tick's arena may be reset. */
  *step(nothing: Batch): Iterable<Batch> {
    yield this.rows.n > 0 ? this.rows.build() : nothing;
    this.begin();
  }
}
