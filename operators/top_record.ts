/**
 * The record by which top_one.ts and top_few.ts tell their kernels of a tick (kernels/top_layout.ts): what both have in it. It lies in the tick's memory.
 */
import type { Arena } from './batch/arena.ts';
import type { Batch } from './batch/batch.ts';
import { U32 } from './batch/memory.ts';
import * as k from './kernels/top_layout.ts';
import type { KeptColumns } from './state/kept_columns.ts';
import { type OrderColumn, writeOrder } from './state/plain_order.ts';
import type { RowTable } from './state/row_table.ts';

interface TopTick {
  delta: Batch;
  /** Word address: the slot of each row's partition. */
  slots: number;
  /** Of the rows that are kept. */
  kept: KeptColumns;
  /** Of the partitions. */
  table: RowTable;
  /** Null: no kernel compares rows. */
  order: OrderColumn[] | null;
}

/** Gives the address of the record. */
export function topRecord({ delta, slots, kept, table, order }: TopTick, arena: Arena): number {
  const { n, columns } = delta;
  const record = arena.allocZeroed(k.TOP_BYTES);
  const at = record >>> 2;
  U32[at + k.TOP_SLOTS / 4] = slots * 4;
  U32[at + k.TOP_COUNT / 4] = n;
  U32[at + k.TOP_STRIDE / 4] = kept.rows.layout.stride;
  U32[at + k.TOP_PAYLOAD / 4] = table.payloadOffset;
  if (order !== null) {
    U32[at + k.TOP_ORDER / 4] = writeOrder(order, kept.of(columns), arena);
    U32[at + k.TOP_ORDER_COUNT / 4] = order.length;
  }
  U32[at + k.TOP_TOUCHED / 4] = arena.alloc(n * 4);
  U32[at + k.TOP_PLACES / 4] = arena.allocZeroed(n * 4);
  return record;
}
