/**
 * Window functions of a plan that is run once: all rows come before anybody asks, so they are sorted once, and no row is looked up.
 *
 *   pieces of the input, kept -> in order of partition, order, whole row -> partition by partition: its view, and the calls over it row by row
 *
 * What over.ts gives for the same rows, and by the same evaluators. Cost: a sort, and a call's value for each row. State: the rows, their sort keys, and the view of one partition.
 */
import { Arena } from './batch/arena.ts';
import type { Batch } from './batch/batch.ts';
import { BatchBuilder, emptyBatch } from './batch/builder.ts';
import { RowPieces } from './batch/row_pieces.ts';
import { slices } from './batch/slice.ts';
import { sortedRowList } from './batch/sorted_rows.ts';
import type { Operator, Tick } from './operator.ts';
import { CallRows } from './over/call_rows.ts';
import { makeEvaluator } from './over/make.ts';
import { PartitionView, viewTypes } from './over/partition_view.ts';
import { ALL, piecesOf } from './pieces.ts';
import type { PlanNode, SortKey } from './plan.ts';
import { Heap } from './state/heap.ts';
import { rowCompare } from './state/row_ops.ts';
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
  readonly #calls: CallRows;

  constructor(spec: OverSpec, inputTypes: ColType[]) {
    this.#spec = spec;
    this.#inputTypes = inputTypes;
    this.#rows = new RowPieces(inputTypes, this.#arena);
    const calls = spec.calls.map((call) => makeEvaluator(call, spec.order, inputTypes, this.#heap));
    this.#calls = new CallRows(calls, inputTypes);
  }

  /** All rows come at once. */
  step(inputs: Batch[], tick: Tick): Batch {
    const { types } = this.#spec;
    if (inputs[0].n === 0) return emptyBatch(types);
    if (this.#count > 0) throw new Error('window functions that are run once get their rows once');
    this.absorb(inputs);
    const out = new BatchBuilder(types, tick.arena, this.#count);
    for (const _ of this.#show(out, tick, ALL));
    return out.build();
  }

  absorb([delta]: Batch[]): void {
    this.#rows.append(delta);
    this.#count += delta.n;
  }

  integralPieces(tick: Tick, rows: number): Iterable<Batch> {
    const room = { arena: tick.arena, rows: Math.min(rows, this.#count) };
    const out = new BatchBuilder(this.#spec.types, room.arena, room.rows);
    return piecesOf(out, room, this.#show(out, tick, rows));
  }

  /** Adds all rows; stops between two steps of the work, and when `out` has `most`, for the caller to take them out. */
  *#show(out: BatchBuilder, tick: Tick, most: number): Iterable<void> {
    const { partition, order } = this.#spec;
    const keys = partition.map((col): SortKey => ({ col, desc: false, nullsFirst: false }));
    const net = this.#rows.netPieces(this.#arena);
    const pieces = net.flatMap((piece) => [...slices(piece, STEP_ROWS)]);
    const list = yield* sortedRowList(pieces, this.#inputTypes, [...keys, ...order], this.#arena);
    const n = pieces.reduce((sum, piece) => sum + piece.n, 0);
    const { layout } = list.ops;
    const partitions = rowCompare(layout, keys, false);
    const peers = rowCompare(layout, order, false);
    const types = viewTypes(this.#inputTypes);
    for (let from = 0; from < n; ) {
      let to = from + 1;
      let rows = list.weight(from);
      for (let last = list.address(from); to < n; to++) {
        const row = list.address(to);
        if (partitions(last, row) !== 0) break;
        last = row;
        rows += list.weight(to);
        if ((to - from) % STEP_ROWS === 0) yield;
      }
      const arena = new Arena();
      try {
        const view = new PartitionView(list, peers, types, arena);
        view.begin(rows, arena);
        yield* this.#showPartition(view, [from, to], out, tick, most);
      } finally {
        arena.release();
      }
      from = to;
    }
  }

  /** The view is to have entries from .. to - 1 of its list. */
  *#showPartition(
    view: PartitionView,
    [from, to]: [number, number],
    out: BatchBuilder,
    tick: Tick,
    most: number,
  ): Iterable<void> {
    for (let at = from; at < to; at += STEP_ROWS) {
      view.add(at, Math.min(at + STEP_ROWS, to));
      if (to - from > STEP_ROWS) yield;
    }
    this.#calls.begin(view);
    for (let i = 0; i < view.n; i++) {
      this.#calls.write(view, i, 1, out, tick);
      if (out.n < most) continue;
      yield;
      this.#heap.endTick();
    }
    this.#calls.end();
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
    this.#calls.release();
    this.#heap.release();
    this.#arena.release();
  }
}
