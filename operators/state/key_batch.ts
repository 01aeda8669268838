/**
 * Columns of a batch for the kernels that look all its rows up in a RowTable (kernels/assembly/keys.ts) or store them at once (index_rows.ts).
 *
 * Types whose `=` is more than equal bytes (floats, intervals, char(n), numerics unless scales count) are not for them: `canPack` tells, and RowTable goes
 * row by row then, as it does for a batch with a numeric beyond 64 bits (KEYS_ODD).
 */
import type { Arena } from '../batch/arena.ts';
import type { Column } from '../batch/batch.ts';
import { U32 } from '../batch/memory.ts';
import { kernels } from '../kernels/index.ts';
import * as k from '../kernels/key_layout.ts';
import { type ColType, OID, physOf } from '../types.ts';
import type { Heap } from './heap.ts';
import type { RowLayout } from './row_layout.ts';
import { deepCopy, deepCopyLong, type Equality } from './row_ops.ts';

/** The kernels have a bit a column. */
const MOST_COLUMNS = 32;

/** Whether rows of these types are equal exactly when their packed bytes, and their long texts, are. */
export function canPack(types: ColType[], equality: Equality): boolean {
  const isPlain = ({ oid }: ColType) => {
    const phys = physOf(oid);
    if (phys === 'numeric') return equality === 'identity';
    return phys !== 'f64' && phys !== 'interval' && oid !== OID.bpchar;
  };
  return types.length > 0 && types.length <= MOST_COLUMNS && types.every(isPlain);
}

/** Columns of `n` rows, packed and hashed: the record that the kernels read. `weights`: byte address, 0 for rows that all count. */
export function packKeys(layout: RowLayout, columns: Column[], n: number, weights: number, arena: Arena): number {
  const { types, stride, valid, wide, texts, numerics } = layout;
  const record = arena.alloc(k.KEYS_BYTES);
  const list = writeColumns(layout, columns, arena);
  const at = record >>> 2;
  U32[at + k.KEYS_COLUMNS / 4] = list;
  U32[at + k.KEYS_COLUMN_COUNT / 4] = types.length;
  U32[at + k.KEYS_ROWS / 4] = n;
  U32[at + k.KEYS_STRIDE / 4] = stride;
  U32[at + k.KEYS_VALID / 4] = valid;
  U32[at + k.KEYS_WIDE / 4] = wide;
  U32[at + k.KEYS_TEXTS / 4] = texts;
  U32[at + k.KEYS_NUMERICS / 4] = numerics;
  U32[at + k.KEYS_PACKED / 4] = arena.alloc(n * stride);
  U32[at + k.KEYS_HASHES / 4] = arena.alloc(n * 4);
  U32[at + k.KEYS_WEIGHTS / 4] = weights;
  U32[at + k.KEYS_SKIP_NULLS / 4] = 0;
  U32[at + k.KEYS_SLOTS / 4] = arena.alloc(n * 4);
  U32[at + k.KEYS_FRESH / 4] = arena.alloc(n * 4);
  U32[at + k.KEYS_MADE / 4] = 0;
  U32[at + k.KEYS_REUSED / 4] = 0;
  U32[at + k.KEYS_LONG / 4] = 0;
  U32[at + k.KEYS_ODD / 4] = 0;
  kernels.packKeys(record);
  return record;
}

/** Columns of a batch, and where their values lie in a row of state, as the kernels read them. */
function writeColumns({ phys, widths, offsets }: RowLayout, columns: Column[], arena: Arena): number {
  const list = arena.alloc(phys.length * k.KEY_COLUMN_BYTES);
  for (let i = 0; i < phys.length; i++) {
    const at = (list + i * k.KEY_COLUMN_BYTES) >>> 2;
    U32[at + k.KEY_COLUMN_WIDTH / 4] = widths[i];
    U32[at + k.KEY_COLUMN_TEXT / 4] = phys[i] === 'varlen' ? 1 : phys[i] === 'numeric' ? 2 : 0;
    U32[at + k.KEY_COLUMN_DATA / 4] = columns[i].data;
    U32[at + k.KEY_COLUMN_VALID / 4] = columns[i].valid;
    U32[at + k.KEY_COLUMN_AT / 4] = offsets[i];
  }
  return list;
}

/**
 * RowOps.store() of all n rows of a batch: to the addresses at word address `rows`, 0 for a row that is not stored. The places are announced. Without a heap
 * as storeShallow().
 */
export function storeRows(
  layout: RowLayout,
  columns: Column[],
  n: number,
  rows: number,
  heap: Heap | null,
  arena: Arena,
): void {
  const { phys, valid, stride, wide } = layout;
  if (phys.length === 0) return;
  const list = writeColumns(layout, columns, arena);
  const outside = arena.alloc(n * wide * 4);
  const count = kernels.storeRows(list, phys.length, n, valid, stride, rows * 4, outside, arena.alloc(n * 8));
  if (heap !== null) ownLong(outside, count, heap);
}

/** Gives slots, at an address, copies of their own of what lies outside of them: long texts, and numerics, whose address is given plus 1. */
export function ownLong(slots: number, count: number, heap: Heap): void {
  for (let i = 0; i < count; i++) {
    i = heap.ownTexts(slots, i, count);
    if (i === count) return;
    const slot = U32[(slots >>> 2) + i];
    if ((slot & 1) === 0) deepCopyLong(slot, heap);
    else deepCopy('numeric', slot - 1, heap);
  }
}
