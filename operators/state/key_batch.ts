/**
 * Key columns of a batch for the kernels that look all rows of a batch up in a RowTable at once (kernels/assembly/keys.ts).
 *
 * Types whose `=` is more than equal bytes (floats, numerics, intervals, char(n)) are not for them: `canPack` tells, and RowTable goes row by row then.
 */
import type { Arena } from '../batch/arena.ts';
import type { Column } from '../batch/batch.ts';
import { U32 } from '../batch/memory.ts';
import { kernels } from '../kernels/index.ts';
import * as k from '../kernels/key_layout.ts';
import { type ColType, OID, PHYS_WIDTH, physOf } from '../types.ts';
import type { RowLayout } from './row_layout.ts';

/** The kernels have a bit a column. */
const MOST_COLUMNS = 32;

/** Whether rows of these types are equal exactly when their packed bytes, and their long texts, are. */
export function canPack(types: ColType[]): boolean {
  const isPlain = ({ oid }: ColType) => {
    const phys = physOf(oid);
    return phys !== 'f64' && phys !== 'numeric' && phys !== 'interval' && oid !== OID.bpchar;
  };
  return types.length > 0 && types.length <= MOST_COLUMNS && types.every(isPlain);
}

/** Columns of `n` rows, packed and hashed: the record that the kernels read. `weights`: byte address, 0 for rows that all count. */
export function packKeys(layout: RowLayout, columns: Column[], n: number, weights: number, arena: Arena): number {
  const { types, phys, offsets, stride, valid } = layout;
  const record = arena.allocZeroed(k.KEYS_BYTES);
  const list = arena.alloc(types.length * k.KEY_COLUMN_BYTES);
  let wide = 0;
  let texts = 0;
  for (let i = 0; i < types.length; i++) {
    const at = (list + i * k.KEY_COLUMN_BYTES) >>> 2;
    const width = PHYS_WIDTH[phys[i]];
    const text = phys[i] === 'varlen';
    U32[at + k.KEY_COLUMN_WIDTH / 4] = width;
    U32[at + k.KEY_COLUMN_TEXT / 4] = text ? 1 : 0;
    U32[at + k.KEY_COLUMN_DATA / 4] = columns[i].data;
    U32[at + k.KEY_COLUMN_VALID / 4] = columns[i].valid;
    U32[at + k.KEY_COLUMN_AT / 4] = offsets[i];
    if (width !== 16) continue;
    wide++;
    if (text) texts |= 1 << (offsets[i] / 16);
  }
  const at = record >>> 2;
  U32[at + k.KEYS_COLUMNS / 4] = list;
  U32[at + k.KEYS_COLUMN_COUNT / 4] = types.length;
  U32[at + k.KEYS_ROWS / 4] = n;
  U32[at + k.KEYS_STRIDE / 4] = stride;
  U32[at + k.KEYS_VALID / 4] = valid;
  U32[at + k.KEYS_WIDE / 4] = wide;
  U32[at + k.KEYS_TEXTS / 4] = texts;
  U32[at + k.KEYS_PACKED / 4] = arena.alloc(n * stride);
  U32[at + k.KEYS_HASHES / 4] = arena.alloc(n * 4);
  U32[at + k.KEYS_WEIGHTS / 4] = weights;
  U32[at + k.KEYS_SLOTS / 4] = arena.alloc(n * 4);
  U32[at + k.KEYS_FRESH / 4] = arena.alloc(n * 4);
  kernels.packKeys(record);
  return record;
}
