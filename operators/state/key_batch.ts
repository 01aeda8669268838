/**
 * Columns of a batch for the kernels that look all its rows up in a RowTable (kernels/assembly/keys.ts) or store them at once (index_rows.ts).
 *
 * Not for them are intervals and char(n), nor, unless equals that look different count as different, numerics, jsonb, records and arrays of such (`canPack`): RowTable goes row by row then, as it
 * does for a batch with a numeric beyond 64 bits (KEYS_ODD). Floats they compare by value, or by look.
 */
import type { Arena } from '../batch/arena.ts';
import type { Column } from '../batch/batch.ts';
import { U32 } from '../batch/memory.ts';
import { kernels } from '../kernels/index.ts';
import * as k from '../kernels/key_layout.ts';
import { type ColType, OID, type Phys, physOf } from '../types.ts';
import { areEqualsUnlike } from './equal_values.ts';
import type { Heap } from './heap.ts';
import type { RowLayout } from './row_layout.ts';
import { deepCopy, deepCopyLong, type Equality } from './row_ops.ts';

/** The kernels have a bit a column. */
const MOST_COLUMNS = 32;

/** Whether rows of these types are equal exactly when their packed bytes, with floats by their value or look, and their long texts, are. */
export function canPack(types: ColType[], equality: Equality): boolean {
  const isPlain = ({ oid }: ColType) => {
    const phys = physOf(oid);
    if (phys === 'numeric' || areEqualsUnlike(oid)) return equality === 'identity';
    return phys !== 'interval' && oid !== OID.bpchar;
  };
  return types.length > 0 && types.length <= MOST_COLUMNS && types.every(isPlain);
}

/** The record of key columns that the kernels read (kernels/key_layout.ts). What is the same for all batches is written once and copied. */
export class KeyRecord {
  readonly #stride: number;
  readonly #count: number;
  readonly #record: Uint32Array;

  constructor(layout: RowLayout, equality: Equality) {
    this.#stride = layout.stride;
    this.#count = layout.types.length;
    this.#record = new Uint32Array((k.KEYS_BYTES + this.#count * k.KEY_COLUMN_BYTES) / 4);
    writeKeyLayout(this.#record, layout, equality, k.KEYS_BYTES / 4);
  }

  /** The record for `n` rows of columns, with memory for what the kernels make of them. `weights`: byte address, 0 for rows that all count. */
  write(columns: Column[], n: number, weights: number, arena: Arena): number {
    const record = this.#record;
    const keys = arena.alloc(record.length * 4);
    const at = keys >>> 2;
    U32.set(record, at);
    U32[at + k.KEYS_COLUMNS / 4] = keys + k.KEYS_BYTES;
    U32[at + k.KEYS_ROWS / 4] = n;
    U32[at + k.KEYS_PACKED / 4] = packedRows(n, this.#stride, arena);
    U32[at + k.KEYS_HASHES / 4] = arena.alloc(n * 4);
    U32[at + k.KEYS_WEIGHTS / 4] = weights;
    U32[at + k.KEYS_SLOTS / 4] = arena.alloc(n * 4);
    U32[at + k.KEYS_FRESH / 4] = arena.alloc(n * 4);
    let column = at + k.KEYS_BYTES / 4;
    for (let i = 0; i < this.#count; i++, column += k.KEY_COLUMN_BYTES / 4) {
      U32[column + k.KEY_COLUMN_DATA / 4] = columns[i].data;
      U32[column + k.KEY_COLUMN_VALID / 4] = columns[i].valid;
    }
    return keys;
  }
}

/** Memory for n packed rows of so many bytes, from the first one's end of the header on. */
function packedRows(n: number, stride: number, arena: Arena): number {
  return arena.alloc(n * (stride + k.HEADER_BYTES)) + k.HEADER_BYTES;
}

/** The part of a record of keys that is the same for all batches, its columns from word `at` on. */
export function writeKeyLayout(record: Uint32Array, layout: RowLayout, equality: Equality, at: number): void {
  record[k.KEYS_COLUMN_COUNT / 4] = layout.types.length;
  record[k.KEYS_STRIDE / 4] = layout.stride;
  record[k.KEYS_VALID / 4] = layout.valid;
  record[k.KEYS_WIDE / 4] = layout.wide;
  record[k.KEYS_TEXTS / 4] = layout.texts;
  record[k.KEYS_NUMERICS / 4] = layout.numerics;
  record[k.KEYS_NUMBER / 4] = layout.number;
  writeLayout(record, layout, equality, at);
}

function kindOf(phys: Phys, equality: Equality): number {
  if (phys === 'varlen') return k.KEY_KIND_TEXT;
  if (phys === 'f64') return equality === 'sql' ? k.KEY_KIND_FLOAT : k.KEY_KIND_FLOAT_LOOK;
  return phys === 'numeric' ? k.KEY_KIND_NUMERIC : 0;
}

/** Where the values of columns lie in a row of state, as the kernels read them: from word `from` on. */
export function writeLayout(
  record: Uint32Array,
  { phys, widths, offsets }: RowLayout,
  equality: Equality,
  from: number,
): void {
  for (let i = 0, at = from; i < phys.length; i++, at += k.KEY_COLUMN_BYTES / 4) {
    record[at + k.KEY_COLUMN_WIDTH / 4] = widths[i];
    record[at + k.KEY_COLUMN_KIND / 4] = kindOf(phys[i], equality);
    record[at + k.KEY_COLUMN_AT / 4] = offsets[i];
  }
}

/** Where the values of these columns lie, into their records from a word on. */
export function writeAddresses(columns: Column[], which: number[], from: number): void {
  let at = from;
  for (let i = 0; i < which.length; i++, at += k.KEY_COLUMN_BYTES / 4) {
    const { data, valid } = columns[which[i]];
    U32[at + k.KEY_COLUMN_DATA / 4] = data;
    U32[at + k.KEY_COLUMN_VALID / 4] = valid;
  }
}

/** Columns of a batch, and where their values lie in a row of state, as the kernels read them that store rows or tell them apart. */
export function writeColumns({ phys, widths, offsets }: RowLayout, columns: Column[], arena: Arena): number {
  const list = arena.alloc(phys.length * k.KEY_COLUMN_BYTES);
  for (let i = 0; i < phys.length; i++) {
    const at = (list + i * k.KEY_COLUMN_BYTES) >>> 2;
    U32[at + k.KEY_COLUMN_WIDTH / 4] = widths[i];
    U32[at + k.KEY_COLUMN_KIND / 4] = kindOf(phys[i], 'identity');
    U32[at + k.KEY_COLUMN_DATA / 4] = columns[i].data;
    U32[at + k.KEY_COLUMN_VALID / 4] = columns[i].valid;
    U32[at + k.KEY_COLUMN_AT / 4] = offsets[i];
  }
  return list;
}

/**
 * RowOps.store() of all n rows of a batch: to the addresses at word address `rows`, 0 for a row that is not stored. The places are announced. Without a heap
 * as storeShallow(). `weights`: addresses of what goes to the row's first word that is no column's (row_layout.ts); 0: nothing.
 */
export function storeRows(
  layout: RowLayout,
  columns: Column[],
  n: number,
  rows: number,
  heap: Heap | null,
  arena: Arena,
  weights = 0,
): void {
  const { phys, valid, stride, wide, words } = layout;
  if (phys.length === 0 && weights === 0) return;
  const list = writeColumns(layout, columns, arena);
  const outside = arena.alloc(n * wide * 4);
  const count = kernels.storeRows(
    list,
    phys.length,
    n,
    valid,
    stride,
    weights,
    words,
    rows * 4,
    outside,
    arena.alloc(n * 8),
  );
  if (heap !== null) ownLong(outside, count, heap);
}

/**
 * Gives slots, at an address, from number `from` on, copies of their own of what lies outside of them: long texts, and numerics, whose address is given plus 1.
 */
export function ownLong(slots: number, count: number, heap: Heap, from = 0): void {
  for (let i = from; i < count; i++) {
    i = heap.ownTexts(slots, i, count);
    if (i === count) return;
    const slot = U32[(slots >>> 2) + i];
    if ((slot & 1) === 0) deepCopyLong(slot, heap);
    else deepCopy('numeric', slot - 1, heap);
  }
}
