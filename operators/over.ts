/**
 * Window functions.      out = { row ++ call1(row, its partition) ++ ... }
 *
 *   partition in order (ties: whole row):   | same as before |  changed  | same as before |
 *                                                    | reach before      reach after |         <- recomputed
 *
 * Each tick, for every touched partition: the rows between the unchanged beginning and end, widened by how far each call reaches
 * (over/frame.ts), are computed as they were (-) and as they are (+); equal rows cancel. A partition whose calls all have bounded reach is read
 * only around the change, any other as a whole.
 * State: the input in order. O(log n) a changed row, then O(recomputed rows); row_number() changes every row after an insert, whatever
 * the implementation does.
 * A partition that a watermark proves untouched by every change to come is forgotten. In order of a time that follows a watermark, so are the rows
 * that no change to come reaches: those before it by more than the bounded reach of all calls, in rows (ROWS, lag, lead) or in time (RANGE).
 */
import type { Batch } from './batch/batch.ts';
import { BatchBuilder, weightOf } from './batch/builder.ts';
import { U32 } from './batch/memory.ts';
import type { Operator, Tick } from './operator.ts';
import { CallRows } from './over/call_rows.ts';
import { makeEvaluator } from './over/make.ts';
import { PartitionRows } from './over/partition_rows.ts';
import { PartitionView, viewTypes } from './over/partition_view.ts';
import type { WindowEvaluator } from './over/window_call.ts';
import type { PlanNode } from './plan.ts';
import { consolidator } from './state/consolidate.ts';
import type { Watermarks } from './state/deadline.ts';
import { Heap } from './state/heap.ts';
import { OrderedIndex } from './state/ordered_index.ts';
import { type RowCompare, rowCompare } from './state/row_ops.ts';
import type { Saved } from './state/saved.ts';
import type { ColType } from './types.ts';

type OverSpec = PlanNode & { op: 'over' };

/** Words of the operator's bytes of a partition, zero between ticks: touched; entries unchanged at the beginning; and at the end. */
const SEEN = 0;
const PREFIX = 1;
const SUFFIX = 2;

export class OverOperator implements Operator {
  readonly #spec: OverSpec;
  readonly #viewTypes: ColType[];
  readonly #index: OrderedIndex;
  readonly #peers: RowCompare;
  /** The partition that is shown, and its rows: the same objects for all. */
  readonly #partition: PartitionRows;
  #view: PartitionView | null = null;
  readonly #heap = new Heap();
  readonly #calls: WindowEvaluator[];
  readonly #rows: CallRows;
  readonly #before: number;
  readonly #after: number;
  /** Rows before a change that it may recompute or read, for calls that count rows. */
  readonly #reach: number;
  readonly #wholePartition: boolean;
  readonly #consolidateInput: ReturnType<typeof consolidator>;
  readonly #consolidateOutput: ReturnType<typeof consolidator>;

  constructor(spec: OverSpec, inputTypes: ColType[]) {
    this.#spec = spec;
    this.#viewTypes = viewTypes(inputTypes);
    this.#index = new OrderedIndex(inputTypes, spec.partition, spec.order, 16, spec.frees);
    this.#partition = new PartitionRows(this.#index.runs);
    this.#peers = rowCompare(this.#index.runs.rows.layout, spec.order, false);
    this.#calls = spec.calls.map((call) => makeEvaluator(call, spec.order, inputTypes, this.#heap));
    this.#rows = new CallRows(this.#calls, inputTypes);
    this.#before = Math.max(0, ...this.#calls.map((c) => c.reach.before));
    this.#after = Math.max(0, ...this.#calls.map((c) => c.reach.after));
    this.#wholePartition = this.#calls.some(
      (c) => c.reach.peers || c.reach.before === Number.POSITIVE_INFINITY || c.reach.after === Number.POSITIVE_INFINITY,
    );
    const counting = this.#calls.map((c) => c.reach).filter((r) => !r.peers);
    this.#reach = Math.max(0, ...counting.map((r) => r.before)) + Math.max(0, ...counting.map((r) => r.after));
    this.#consolidateInput = consolidator(inputTypes);
    this.#consolidateOutput = consolidator(spec.types);
  }

  step(inputs: Batch[], tick: Tick): Batch {
    const delta = this.#consolidateInput(inputs[0], tick.arena);
    const index = this.#index;
    const out = new BatchBuilder(this.#spec.types, tick.arena, delta.n * 2);
    index.begin(delta);
    const slots: number[] = [];
    const seen: number[] = [];
    const scratch = tick.arena.alloc(index.runs.rows.layout.stride);
    for (let row = 0; row < delta.n; row++) {
      const slot = index.partitionOf(row);
      if (U32[(index.user(slot) >>> 2) + SEEN] === 0) seen.push(slot);
      index.runs.rows.storeShallow(row, scratch);
      this.#touch(slot, scratch);
      slots.push(slot);
    }
    for (const slot of seen) this.#show(slot, -1, out, tick);
    for (let row = 0; row < delta.n; row++) index.add(slots[row], row, weightOf(delta, row));
    for (const slot of seen) {
      this.#show(slot, 1, out, tick);
      const user = index.user(slot) >>> 2;
      for (let word = user; word < user + 4; word++) U32[word] = 0;
      index.dropIfEmpty(slot);
    }
    return this.#consolidateOutput(out.build(), tick.arena);
  }

  /** Notes that the row at this address will come or go. */
  #touch(slot: number, row: number): void {
    const { runs } = this.#index;
    const head = this.#index.head(slot);
    const count = runs.count(head);
    const position = runs.lowerBound(head, row);
    const present = position < count && runs.compare(runs.entry(head, position) + runs.rowOffset, row) === 0;
    const user = this.#index.user(slot) >>> 2;
    const suffix = count - position - (present ? 1 : 0);
    if (U32[user + SEEN] === 0) {
      U32[user + SEEN] = 1;
      U32[user + PREFIX] = position;
      U32[user + SUFFIX] = suffix;
    } else {
      U32[user + PREFIX] = Math.min(U32[user + PREFIX], position);
      U32[user + SUFFIX] = Math.min(U32[user + SUFFIX], suffix);
    }
  }

  /** Adds, with `sign`, the rows of a touched partition that its changes reach, as they are at present. */
  #show(slot: number, sign: 1 | -1, out: BatchBuilder, tick: Tick): void {
    const { runs } = this.#index;
    const head = this.#index.head(slot);
    const user = this.#index.user(slot) >>> 2;
    const count = runs.count(head);
    if (count === 0) return;
    const prefix = U32[user + PREFIX];
    const changedEnd = count - U32[user + SUFFIX];
    const [first, last] = this.#wholePartition
      ? [0, count]
      : [
          // A row is recomputed when it is in reach, and its own computation reaches as far again.
          this.#walk(head, prefix, -1, this.#before + this.#after),
          this.#walk(head, changedEnd, 1, this.#before + this.#after),
        ];
    this.#partition.head = head;
    this.#view ??= new PartitionView(this.#partition, this.#peers, this.#viewTypes, tick.arena);
    const view = this.#view;
    view.begin(this.#rowsIn(head, first, last), tick.arena);
    view.add(first, last);
    const from = this.#rowsIn(head, first, prefix);
    const to = from + this.#rowsIn(head, prefix, changedEnd);
    const reachFrom = this.#widenDown(view, from);
    const reachTo = this.#widenUp(view, to);
    this.#write(view, reachFrom, reachTo, sign, out, tick);
  }

  #rowsIn(head: number, from: number, to: number): number {
    const { runs } = this.#index;
    let rows = 0;
    for (let i = from; i < to; i++) rows += Math.max(0, runs.weight(runs.entry(head, i)));
    return rows;
  }

  /** The entry position that lies `rows` rows away from `entry`, at the least. */
  #walk(head: number, entry: number, direction: 1 | -1, rows: number): number {
    const { runs } = this.#index;
    const count = runs.count(head);
    let at = entry;
    let left = rows;
    while (left > 0 && (direction < 0 ? at > 0 : at < count)) {
      left -= Math.max(0, runs.weight(runs.entry(head, direction < 0 ? at - 1 : at)));
      at += direction;
    }
    return at;
  }

  #widenDown(view: PartitionView, from: number): number {
    const at = Math.max(0, from - this.#before);
    // The change may join or leave the peers of the row before it.
    const peers = this.#calls.some((c) => c.reach.peers) && at > 0;
    return peers ? view.peersStart(at - 1) : at;
  }

  #widenUp(view: PartitionView, to: number): number {
    const at = Math.min(view.n, to + this.#after);
    const peers = this.#calls.some((c) => c.reach.peers) && at < view.n;
    return peers ? view.peersEnd(at) : at;
  }

  #write(view: PartitionView, from: number, to: number, sign: 1 | -1, out: BatchBuilder, tick: Tick): void {
    this.#rows.begin(view);
    for (let i = from; i < to; i++) this.#rows.write(view, i, sign, out, tick);
    this.#rows.end();
  }

  free(watermarks: Watermarks): boolean {
    return this.#index.free(watermarks, (head, dead) => this.#walk(head, dead, -1, this.#reach));
  }

  endTick(): void {
    this.#index.endTick();
    this.#heap.endTick();
  }

  state() {
    return { rows: this.#index.size, bytes: this.#index.bytes };
  }

  save() {
    // What the calls keep lives for a step.
    return this.#index.save();
  }

  load(saved: Saved): void {
    this.#index.load(saved as ReturnType<typeof this.save>);
  }

  release(): void {
    this.#rows.release();
    this.#heap.release();
    this.#index.release();
  }
}
