/** Rows of a batch in ORDER BY order, weights expanded: how a SELECT's rows leave. Sorting compares scratch rows by generated code. */
import { kernels } from '../kernels/index.ts';
import type { SortKey } from '../plan.ts';
import { rowCompare, rowOps } from '../state/row_ops.ts';
import type { Arena } from './arena.ts';
import type { Batch } from './batch.ts';
import { BatchBuilder, weightOf } from './builder.ts';
import { I32 } from './memory.ts';

type Compare = (a: number, b: number) => number;

/** Rows that are sorted between two pauses. */
const RUN_ROWS = 2048;
/** Rows that are merged between two pauses. */
const STEP_ROWS = 4096;
/** Rows of a piece of a sorted result. */
const PIECE_ROWS = 8192;

function unsorted(n: number): Uint32Array {
  const order = new Uint32Array(n);
  for (let i = 0; i < n; i++) order[i] = i;
  return order;
}

/** Positions of the batch's rows in order of these keys, rows equal by them in a fixed order (all columns). */
export function sortedRows(batch: Batch, keys: SortKey[], arena: Arena): Uint32Array {
  const order = unsorted(batch.n);
  if (keys.length === 0 || batch.n < 2) return order;
  const ops = rowOps(
    batch.columns.map((c) => c.type),
    'identity',
  );
  const { stride } = ops.layout;
  const rows = arena.alloc(batch.n * stride);
  ops.bind(batch.columns);
  for (let row = 0; row < batch.n; row++) ops.storeShallow(row, rows + row * stride);
  const compare = rowCompare(ops.layout, keys, true);
  return order.sort((a, b) => compare(rows + a * stride, rows + b * stride));
}

/**
 * All rows of the pieces in order, each as often as its weight says, of the first `width` columns, in pieces again; long values stay where they are. `pause` is awaited after
 * every step of a millisecond or two.
 *
 *   pieces -> records side by side in `scratch` -> runs of RUN_ROWS, sorted -> merged two by two -> read off into `kept`
 */
export async function sortedPieces(
  pieces: Batch[],
  keys: SortKey[],
  width: number,
  { scratch, kept }: { scratch: Arena; kept: Arena },
  pause: () => Promise<void>,
): Promise<Batch[]> {
  const n = pieces.reduce((sum, piece) => sum + piece.n, 0);
  if (n === 0) return [];
  const types = pieces[0].columns.map((c) => c.type);
  const ops = rowOps(types, 'identity');
  const { stride } = ops.layout;
  const rows = scratch.alloc(n * stride);
  const weights = scratch.alloc(n * 4) >>> 2;
  let stored = 0;
  for (const piece of pieces) {
    ops.bind(piece.columns);
    kernels.copyBytes((weights + stored) * 4, piece.weights, piece.n * 4);
    for (let row = 0; row < piece.n; row++) ops.storeShallow(row, rows + stored++ * stride);
    await pause();
  }
  const compare = rowCompare(ops.layout, keys, true);
  const order = await sortedInSteps(n, (a, b) => compare(rows + a * stride, rows + b * stride), pause);
  const sorted: Batch[] = [];
  let out = new BatchBuilder(types, kept, Math.min(PIECE_ROWS, n));
  const give = () => sorted.push({ n: out.n, columns: out.columns.slice(0, width), weights: out.weights });
  for (let i = 0; i < n; i++) {
    const row = order[i];
    for (let weight = I32[weights + row]; weight > 0; weight--) {
      if (out.n === PIECE_ROWS) {
        give();
        out = new BatchBuilder(types, kept, PIECE_ROWS);
        await pause();
      }
      ops.load(rows + row * stride, out.columns, out.addRow(1));
    }
  }
  give();
  return sorted;
}

async function sortedInSteps(n: number, compare: Compare, pause: () => Promise<void>): Promise<Uint32Array> {
  let order: Uint32Array = new Uint32Array(n);
  for (let from = 0; from < n; from += RUN_ROWS) {
    const to = Math.min(from + RUN_ROWS, n);
    for (let i = from; i < to; i++) order[i] = i;
    order.subarray(from, to).sort(compare);
    await pause();
  }
  let other: Uint32Array = new Uint32Array(n);
  for (let run = RUN_ROWS; run < n; run *= 2) {
    for (let from = 0; from < n; from += run * 2) {
      const middle = Math.min(from + run, n);
      await mergeRuns(order, from, middle, Math.min(middle + run, n), other, compare, pause);
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

/** All rows, each as often as its weight says, of the first `width` columns. */
export function repeatRows(batch: Batch, width: number, arena: Arena): Batch {
  return expandRows(batch, unsorted(batch.n), width, arena);
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
