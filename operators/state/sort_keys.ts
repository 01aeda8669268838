/**
 * The order of rowCompare() with all columns as ties, as far as the first bytes of a row tell it: what kernels sort records by (kernels/assembly/sort_keys.ts).
 *
 *   sort keys, then all other columns, and of floats which 0 is -0, up to the first whose equal values may be different rows: a numeric (1.0 and 1.00), an interval, an array
 *
 * Rows with the same bytes have to be compared by rowCompare(). Most often there are few: 24 bytes are a text, a time and a number.
 */
import type { Arena } from '../batch/arena.ts';
import type { Batch, Column } from '../batch/batch.ts';
import { isValid } from '../batch/builder.ts';
import { I64, U8, U16, U32 } from '../batch/memory.ts';
import { NUMERIC_SMALL, NUMERIC_WIDE, readSlot, varlenForm } from '../batch/slots.ts';
import type { Decimal } from '../datum.ts';
import { kernels } from '../kernels/index.ts';
import * as k from '../kernels/sort_layout.ts';
import type { SortKey } from '../plan.ts';
import { type ColType, OID, type Phys, physOf } from '../types.ts';
import { varlenOrder } from './row_ops.ts';

interface KeyColumn extends SortKey {
  kind: number;
  last: boolean;
}

const KINDS: Partial<Record<Phys, number>> = {
  i64: k.SORT_INT64,
  i32: k.SORT_INT32,
  u32: k.SORT_UINT32,
  bool: k.SORT_BOOL,
  f64: k.SORT_FLOAT,
  uuid: k.SORT_UUID,
  numeric: k.SORT_NUMERIC,
};

/** What bytes the values of a sort key have; null: none. */
function keyKind({ oid }: ColType): number | null {
  const phys = physOf(oid);
  if (phys !== 'varlen') return KINDS[phys] ?? null;
  const order = varlenOrder(oid);
  if (order === 'bpchar') return k.SORT_PADDED;
  return order === 'bytes' ? bytesKind(oid) : null;
}

function bytesKind(oid: number): number {
  return varlenForm(oid) === 'text' ? k.SORT_TEXT : k.SORT_BYTES;
}

/** The same of a column that breaks ties: by its bytes, whatever its type. */
function tieKind({ oid }: ColType): number | null {
  const phys = physOf(oid);
  return phys === 'varlen' ? bytesKind(oid) : (KINDS[phys] ?? null);
}

function keyColumns(types: ColType[], keys: SortKey[]): KeyColumn[] {
  const columns: KeyColumn[] = [];
  for (const key of keys) {
    const kind = keyKind(types[key.col]);
    if (kind === null) return columns;
    columns.push({ ...key, kind, last: false });
  }
  for (const [col, type] of types.entries()) {
    const kind = tieKind(type);
    const isNumeric = kind === k.SORT_NUMERIC;
    const tie = { col, desc: false, nullsFirst: false, last: isNumeric };
    const isKey = keys.some((key) => key.col === col);
    // Equal ones may look different.
    if (kind === null || (isKey && isNumeric)) return columns;
    if (!isKey || type.oid === OID.bpchar) columns.push({ ...tie, kind });
    if (kind === k.SORT_FLOAT) columns.push({ ...tie, kind: k.SORT_ZERO });
  }
  return columns;
}

export class SortKeys {
  readonly #columns: KeyColumn[];

  constructor(types: ColType[], keys: SortKey[]) {
    // Each has a byte at the least.
    this.#columns = keyColumns(types, keys).slice(0, k.KEY_BYTES);
  }

  /** Writes the records of the batch's rows; `to` has room for them and for RECORD_SLACK bytes more. */
  write(batch: Batch, piece: number, to: number, arena: Arena): void {
    kernels.sortRecords(this.#bound(batch, arena), this.#columns.length, batch.n, piece, to);
  }

  /** The same of rows that are not after the record `last` by their bytes, of piece 0; gives how many there are. */
  writeUpTo(batch: Batch, last: number, to: number, arena: Arena): number {
    return kernels.sortRecordsUpTo(this.#bound(batch, arena), this.#columns.length, batch.n, last, to);
  }

  #bound({ columns, n }: Batch, arena: Arena): number {
    const bound = arena.alloc(this.#columns.length * k.COLUMN_BYTES);
    this.#columns.forEach(({ col, kind, desc, nullsFirst, last }, i) => {
      const column = columns[col];
      const at = (bound + i * k.COLUMN_BYTES) >>> 2;
      U32[at + k.COLUMN_KIND / 4] = kind;
      U32[at + k.COLUMN_DESC / 4] = desc ? 1 : 0;
      U32[at + k.COLUMN_NULLS_FIRST / 4] = nullsFirst ? 1 : 0;
      U32[at + k.COLUMN_DATA / 4] = kind === k.SORT_NUMERIC ? shortNumerics(column, n, arena) : column.data;
      U32[at + k.COLUMN_VALID / 4] = column.valid;
      U32[at + k.COLUMN_LAST / 4] = last ? 1 : 0;
    });
    return bound;
  }
}

/** Digits of a wide numeric that are looked at: more than a key has. */
const DIGITS = 17;
/** A numeric of a scale below has no other order for the kernel. */
const LEAST_SCALE = -0x7000;

/** The column's slots with only the first digits of wide numerics, which then lie in their slots. */
function shortNumerics(column: Column, n: number, arena: Arena): number {
  const { data, valid, type } = column;
  if (kernels.wideBytes(data, valid, n) === 0) return data;
  const short = arena.alloc(n * 16);
  kernels.copyBytes(short, data, n * 16);
  for (let row = 0; row < n; row++) {
    const slot = short + row * 16;
    if (U8[slot + 10] !== NUMERIC_WIDE || !isValid(column, row)) continue;
    const { m, s } = readSlot('numeric', type.oid, slot) as Decimal;
    const digits = (m < 0n ? -m : m).toString();
    const first = BigInt(digits.slice(0, DIGITS));
    I64[slot / 8] = m < 0n ? -first : first;
    U16[(slot + 8) >>> 1] = Math.max(s - Math.max(digits.length - DIGITS, 0), LEAST_SCALE);
    U8[slot + 10] = NUMERIC_SMALL;
    U8[slot + 11] = /[1-9]/.test(digits.slice(DIGITS)) ? 1 : 0;
    U32[(slot + 12) >>> 2] = 0;
  }
  return short;
}
