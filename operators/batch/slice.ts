/** Some rows of a batch, where they lie. */
import { PHYS_WIDTH } from '../types.ts';
import type { Batch } from './batch.ts';

/** All rows, up to so many at a time. */
export function* slices(batch: Batch, most: number): Iterable<Batch> {
  for (let from = 0; from < batch.n; from += most) yield sliceBatch(batch, from, Math.min(most, batch.n - from));
}

/** n rows from row `from` on. */
export function sliceBatch(batch: Batch, from: number, n: number): Batch {
  const columns = batch.columns.map((column) => ({
    ...column,
    data: column.data + from * PHYS_WIDTH[column.phys],
    valid: column.valid === 0 ? 0 : column.valid + from,
  }));
  return { n, columns, weights: batch.weights + from * 4 };
}
