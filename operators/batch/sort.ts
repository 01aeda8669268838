/** Rows in ORDER BY order, weights expanded: how a SELECT's rows leave. One batch is sorted at once, comparing scratch rows by generated code; the pieces of a long read in steps (sorted_rows.ts). */
import type { SortKey } from '../plan.ts';
import { rowCompare, rowOps } from '../state/row_ops.ts';
import type { Arena } from './arena.ts';
import type { Batch } from './batch.ts';
import { BatchBuilder, weightOf } from './builder.ts';
import { sortedRowList } from './sorted_rows.ts';

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
 *   pieces -> rows in order in `scratch` (sorted_rows.ts) -> read off into `kept`
 */
export async function sortedPieces(
  pieces: Batch[],
  keys: SortKey[],
  width: number,
  arenas: { scratch: Arena; kept: Arena },
  pause: () => Promise<void>,
): Promise<Batch[]> {
  const steps = sortPieces(pieces, keys, width, arenas);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
    await pause();
  }
}

function* sortPieces(
  pieces: Batch[],
  keys: SortKey[],
  width: number,
  { scratch, kept }: { scratch: Arena; kept: Arena },
): Generator<void, Batch[]> {
  const n = pieces.reduce((sum, piece) => sum + piece.n, 0);
  if (n === 0) return [];
  const types = pieces[0].columns.map((c) => c.type);
  const list = yield* sortedRowList(pieces, types, keys, scratch);
  const sorted: Batch[] = [];
  let out = new BatchBuilder(types, kept, Math.min(PIECE_ROWS, n));
  const give = () => sorted.push({ n: out.n, columns: out.columns.slice(0, width), weights: out.weights });
  for (let i = 0; i < n; i++) {
    const row = list.address(i);
    for (let weight = list.weight(i); weight > 0; weight--) {
      if (out.n === PIECE_ROWS) {
        give();
        out = new BatchBuilder(types, kept, PIECE_ROWS);
        yield;
      }
      list.ops.load(row, out.columns, out.addRow(1));
    }
  }
  give();
  return sorted;
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
