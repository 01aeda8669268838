/** Orders that a kernel can compare rows by (kernels/assembly/row_order.ts): sort keys, then all columns, as rowCompare() has them. */
import type { Arena } from '../batch/arena.ts';
import type { Column } from '../batch/batch.ts';
import { U32 } from '../batch/memory.ts';
import * as k from '../kernels/top_layout.ts';
import type { SortKey } from '../plan.ts';
import { placesOf, type RowLayout } from './row_layout.ts';
import { varlenOrder } from './row_ops.ts';

export interface OrderColumn {
  col: number;
  kind: number;
  offset: number;
  width: number;
  flag: number;
  desc: boolean;
  nullsFirst: boolean;
}

const KINDS: Record<string, number> = {
  i64: k.KIND_INT64,
  i32: k.KIND_INT32,
  u32: k.KIND_UINT32,
  bool: k.KIND_BYTE,
  f64: k.KIND_FLOAT,
  varlen: k.KIND_TEXT,
  uuid: k.KIND_UUID,
};

/** Null when there is no column, or some column's order is more than that of its bytes: numerics, intervals, and as a sort key char(n), arrays, jsonb. */
export function plainOrder(layout: RowLayout, keys: SortKey[]): OrderColumn[] | null {
  const places = placesOf(layout);
  const isBytes = (col: number) => layout.phys[col] !== 'varlen' || varlenOrder(layout.types[col].oid) === 'bytes';
  if (
    layout.types.length === 0 ||
    !layout.phys.every((phys) => phys in KINDS) ||
    !keys.every(({ col }) => isBytes(col))
  )
    return null;
  const rest = [...layout.types.keys()]
    .filter((col) => layout.phys[col] === 'f64' || !keys.some((key) => key.col === col))
    .map((col) => ({ col, desc: false, nullsFirst: false }));
  return [...keys, ...rest].map(({ col, desc, nullsFirst }, i) => {
    const isLook = i >= keys.length && layout.phys[col] === 'f64';
    return { col, kind: isLook ? k.KIND_FLOAT_LOOK : KINDS[layout.phys[col]], ...places[col], desc, nullsFirst };
  });
}

/** The order of rows of state and rows of these columns, as the kernels read it; gives its address. */
export function writeOrder(columns: OrderColumn[], batch: Column[], arena: Arena): number {
  const order = arena.alloc(columns.length * k.ORDER_BYTES);
  columns.forEach(({ col, kind, offset, width, flag, desc, nullsFirst }, i) => {
    const at = (order + i * k.ORDER_BYTES) >>> 2;
    U32[at + k.ORDER_KIND / 4] = kind;
    U32[at + k.ORDER_OFFSET / 4] = offset;
    U32[at + k.ORDER_FLAG / 4] = flag;
    U32[at + k.ORDER_DESC / 4] = desc ? 1 : 0;
    U32[at + k.ORDER_NULLS_FIRST / 4] = nullsFirst ? 1 : 0;
    U32[at + k.ORDER_DATA / 4] = batch[col].data;
    U32[at + k.ORDER_VALID / 4] = batch[col].valid;
    U32[at + k.ORDER_SHIFT / 4] = Math.log2(width);
  });
  return order;
}
