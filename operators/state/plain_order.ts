/** Orders that a kernel can compare rows by (kernels/assembly/row_order.ts): sort keys, then all columns, as rowCompare() has them. */
import * as k from '../kernels/top_layout.ts';
import type { SortKey } from '../plan.ts';
import { placesOf, type RowLayout } from './row_layout.ts';
import { varlenOrder } from './row_ops.ts';

export interface OrderColumn {
  kind: number;
  offset: number;
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
    .filter((col) => !keys.some((key) => key.col === col))
    .map((col) => ({ col, desc: false, nullsFirst: false }));
  return [...keys, ...rest].map(({ col, desc, nullsFirst }) => {
    const { offset, flag } = places[col];
    return { kind: KINDS[layout.phys[col]], offset, flag, desc, nullsFirst };
  });
}
