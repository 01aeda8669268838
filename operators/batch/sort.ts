/** Rows of a batch in ORDER BY order, weights expanded: how a SELECT's rows leave. Sorting compares scratch rows by generated code. */
import type { SortKey } from '../plan.ts';
import { rowCompare, rowOps } from '../state/row_ops.ts';
import type { Arena } from './arena.ts';
import type { Batch } from './batch.ts';
import { BatchBuilder, weightOf } from './builder.ts';

/** Positions of the batch's rows in order. Rows equal by the keys keep a fixed order (all columns). */
export function sortedRows(batch: Batch, keys: SortKey[], arena: Arena): Uint32Array {
  const order = new Uint32Array(batch.n);
  for (let i = 0; i < batch.n; i++) order[i] = i;
  if (keys.length === 0 || batch.n < 2) return order;
  const ops = rowOps(
    batch.columns.map((c) => c.type),
    'identity',
  );
  const compare = rowCompare(ops.layout, keys, true);
  const stride = ops.layout.stride;
  const rows = arena.alloc(Math.max(8, batch.n * stride));
  ops.bind(batch.columns);
  for (let i = 0; i < batch.n; i++) ops.storeShallow(i, rows + i * stride);
  return order.sort((a, b) => compare(rows + a * stride, rows + b * stride));
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
  if (plain && order.length === batch.n) return { ...batch, columns: batch.columns.slice(0, width) };
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
