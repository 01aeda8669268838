/** Rows of a batch in ORDER BY order, weights expanded: how a SELECT's rows leave. Sorting compares scratch rows by generated code. */
import type { SortKey } from '../plan.ts';
import { type RowOps, rowCompare, rowOps } from '../state/row_ops.ts';
import type { Arena } from './arena.ts';
import type { Batch } from './batch.ts';
import { BatchBuilder, weightOf } from './builder.ts';

type Compare = (a: number, b: number) => number;

/** Rows of a run that is sorted, or merged, between two pauses. */
const STEP_ROWS = 8192;

/** Order of the batch's row numbers by these keys, rows equal by them in a fixed order (all columns); its rows are copied to `arena`. */
class RowOrder {
  readonly #batch: Batch;
  readonly #ops: RowOps;
  readonly #rows: number;
  readonly compare: Compare;

  constructor(batch: Batch, keys: SortKey[], arena: Arena) {
    const types = batch.columns.map((c) => c.type);
    this.#batch = batch;
    this.#ops = rowOps(types, 'identity');
    const { stride } = this.#ops.layout;
    const rows = arena.alloc(Math.max(8, batch.n * stride));
    this.#rows = rows;
    const compare = rowCompare(this.#ops.layout, keys, true);
    this.compare = (a, b) => compare(rows + a * stride, rows + b * stride);
  }

  /** Makes rows from .. to-1 comparable. */
  prepare(from: number, to: number): void {
    const { stride } = this.#ops.layout;
    this.#ops.bind(this.#batch.columns);
    for (let row = from; row < to; row++) this.#ops.storeShallow(row, this.#rows + row * stride);
  }
}

function unsorted(n: number): Uint32Array {
  const order = new Uint32Array(n);
  for (let i = 0; i < n; i++) order[i] = i;
  return order;
}

/** Positions of the batch's rows in order. */
export function sortedRows(batch: Batch, keys: SortKey[], arena: Arena): Uint32Array {
  const order = unsorted(batch.n);
  if (keys.length === 0 || batch.n < 2) return order;
  const rows = new RowOrder(batch, keys, arena);
  rows.prepare(0, batch.n);
  return order.sort(rows.compare);
}

/** As sortedRows, for many rows: `pause` is awaited after every step of some milliseconds. */
export async function sortedRowsInSteps(
  batch: Batch,
  keys: SortKey[],
  arena: Arena,
  pause: () => Promise<void>,
): Promise<Uint32Array> {
  const { n } = batch;
  let order: Uint32Array = unsorted(n);
  if (keys.length === 0 || n < 2) return order;
  const rows = new RowOrder(batch, keys, arena);
  for (let from = 0; from < n; from += STEP_ROWS) {
    const to = Math.min(from + STEP_ROWS, n);
    rows.prepare(from, to);
    order.subarray(from, to).sort(rows.compare);
    await pause();
  }
  let other: Uint32Array = new Uint32Array(n);
  for (let run = STEP_ROWS; run < n; run *= 2) {
    for (let from = 0; from < n; from += run * 2) {
      const middle = Math.min(from + run, n);
      await mergeRuns(order, from, middle, Math.min(middle + run, n), other, rows.compare, pause);
    }
    [order, other] = [other, order];
  }
  return order;
}

/** Merges the sorted runs [from, middle) and [middle, to) of `order` into the same stretch of `out`. */
async function mergeRuns(
  order: Uint32Array,
  from: number,
  middle: number,
  to: number,
  out: Uint32Array,
  compare: Compare,
  pause: () => Promise<void>,
): Promise<void> {
  let a = from;
  let b = middle;
  for (let at = from; at < to; ) {
    const stop = Math.min(at + STEP_ROWS, to);
    for (; at < stop; at++) {
      if (b >= to || (a < middle && compare(order[a], order[b]) <= 0)) out[at] = order[a++];
      else out[at] = order[b++];
    }
    await pause();
  }
}

/** The rows at these positions, each as often as its weight says, of the first `width` columns. */
export function expandRows(batch: Batch, order: Uint32Array, width: number, arena: Arena): Batch {
  let total = 0;
  let plain = true;
  for (let i = 0; i < order.length; i++) {
    const weight = weightOf(batch, order[i]);
    if (weight !== 1 || order[i] !== i) plain = false;
    if (weight > 0) total += weight;
  }
  if (plain && order.length === batch.n)
    return { n: batch.n, columns: batch.columns.slice(0, width), weights: batch.weights };
  const out = new BatchBuilder(
    batch.columns.slice(0, width).map((c) => c.type),
    arena,
    total,
  );
  for (const row of order) {
    for (let w = weightOf(batch, row); w > 0; w--) {
      const to = out.addRow(1);
      for (let c = 0; c < width; c++) out.copySlot(c, to, batch.columns[c], row);
    }
  }
  return out.build();
}
