/**
 * An aggregate over frames: one accumulator slides over the partition, taking rows in at the frame's end and out at its start.
 *
 * Rows taken out are exact retractions (aggregates/accumulator.ts), so the value equals an aggregation of the frame from nothing.
 * O(1) accumulator steps a row; EXCLUDE takes the excluded rows out for the moment of the result. Rows with the same frame share one
 * result. State: none between ticks.
 */

import type { Accumulator } from '../aggregates/accumulator.ts';
import { makeAccumulator } from '../aggregates/make.ts';
import { type BatchBuilder, isValid } from '../batch/builder.ts';
import { U8 } from '../batch/memory.ts';
import { kernels } from '../kernels/index.ts';
import type { Tick } from '../operator.ts';
import type { SortKey, WindowCall } from '../plan.ts';
import type { Heap } from '../state/heap.ts';
import { type ColType, colType, OID } from '../types.ts';
import { Frame, frameReach, type Reach } from './frame.ts';
import type { PartitionView } from './partition_view.ts';
import type { WindowEvaluator } from './window_call.ts';

/** Aggregates whose value depends on the order of rows: window order, that is the view's position column. */
const ORDERED = /^(array_agg|string_agg|json|any_value)/;

export class WindowAggregate implements WindowEvaluator {
  readonly reach: Reach;
  readonly #frame: Frame;
  readonly #filter: number | null;
  readonly #accumulator: Accumulator;
  readonly #heap: Heap;
  #state = 0;
  #view: PartitionView | null = null;
  /** The accumulator holds rows #from .. #to - 1 of the view. */
  #from = 0;
  #to = 0;
  #lastRow = -1;

  constructor(call: WindowCall, order: SortKey[], types: ColType[], heap: Heap) {
    this.reach = frameReach(call.frame);
    this.#frame = new Frame(call.frame, order, types);
    this.#filter = call.filter;
    this.#heap = heap;
    const position = { col: types.length, desc: false, nullsFirst: false };
    const orderBy = ORDERED.test(call.fn) ? [position] : [];
    const aggregate = { fn: call.fn, args: call.args, distinct: false, filter: null, orderBy, t: call.t };
    this.#accumulator = makeAccumulator(aggregate, [...types, colType(OID.int4)], false, heap);
  }

  begin(view: PartitionView): void {
    this.#view = view;
    this.#accumulator.begin(view.batch);
    this.#state = this.#heap.alloc(this.#accumulator.bytes);
    kernels.fillBytes(this.#state, 0, this.#accumulator.bytes);
    this.#from = 0;
    this.#to = 0;
    this.#lastRow = -1;
  }

  write(view: PartitionView, i: number, out: BatchBuilder, column: number, row: number, tick: Tick): void {
    const start = this.#frame.start(view, i, tick.evalContext);
    const end = Math.max(start, this.#frame.end(view, i, tick.evalContext));
    const excluded = this.#frame.excluded(view, i);
    // A row that failed was taken back, so its place may be this row's.
    const known = this.#lastRow >= 0 && this.#lastRow < row;
    if (excluded === null && known && start === this.#from && end === this.#to) {
      out.copySlot(column, row, out.columns[column], this.#lastRow);
      return;
    }
    this.#slide(start, end);
    const from = excluded === null ? 0 : Math.max(start, excluded.from);
    const to = excluded === null ? 0 : Math.min(end, excluded.to);
    for (let j = from; j < to; j++) if (j !== excluded?.keep) this.#add(j, -1);
    this.#lastRow = -1;
    try {
      this.#accumulator.result(this.#state, out, column, row, tick.evalContext);
    } finally {
      for (let j = from; j < to; j++) if (j !== excluded?.keep) this.#add(j, 1);
    }
    if (excluded === null) this.#lastRow = row;
  }

  #slide(start: number, end: number): void {
    if (start >= this.#to) {
      for (let j = this.#from; j < this.#to; j++) this.#add(j, -1);
      this.#from = start;
      this.#to = start;
    }
    for (; this.#from < start; this.#from++) this.#add(this.#from, -1);
    for (; this.#to < end; this.#to++) this.#add(this.#to, 1);
  }

  #add(j: number, weight: number): void {
    const columns = this.#view?.columns ?? [];
    if (this.#filter !== null) {
      const filter = columns[this.#filter];
      if (!isValid(filter, j) || U8[filter.data + j] === 0) return;
    }
    this.#accumulator.add(this.#state, j, weight);
  }

  end(): void {
    this.#accumulator.free(this.#state);
    this.#heap.free(this.#state, this.#accumulator.bytes);
    this.#view = null;
  }

  release(): void {
    this.#accumulator.release();
  }
}
