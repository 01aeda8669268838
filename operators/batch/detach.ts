/**
 * A copy of a batch that stands alone: every slot and every long value lies in the given arena, so that the batch outlives the tick.
 * Used for results on their way to a client, subscriptions, pinned snapshots and sinks.
 */

import { kernels } from '../kernels/index.ts';
import { PHYS_WIDTH } from '../types.ts';
import type { Arena } from './arena.ts';
import type { Batch, Column } from './batch.ts';
import { ownPayloads } from './payloads.ts';

export function detach(batch: Batch, arena: Arena): Batch {
  const columns = batch.columns.map((column) => detachColumn(column, batch.n, arena));
  const weights = arena.alloc(batch.n * 4);
  kernels.copyBytes(weights, batch.weights, batch.n * 4);
  return { n: batch.n, columns, weights };
}

function detachColumn(column: Column, n: number, arena: Arena): Column {
  const width = PHYS_WIDTH[column.phys];
  const data = arena.alloc(n * width);
  kernels.copyBytes(data, column.data, n * width);
  let valid = 0;
  if (column.valid !== 0) {
    valid = arena.alloc(n);
    kernels.copyBytes(valid, column.valid, n);
  }
  ownPayloads(column.phys, data, valid, n, arena);
  return { type: column.type, phys: column.phys, data, valid };
}
