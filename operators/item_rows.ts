/**
 * unnest(), jsonb_array_elements() and jsonb_array_elements_text() by columns: a kernel (kernels/assembly/items.ts) makes rows of the items of all arrays of a batch, and stops where it cannot do one.
 */
import type { Column } from './batch/batch.ts';
import { I32, U32 } from './batch/memory.ts';
import { varlenForm } from './batch/slots.ts';
import type { ExpandedRows } from './expanded_rows.ts';
import { kernels } from './kernels/index.ts';
import * as layout from './kernels/items_layout.ts';
import { type ColType, type Phys, physOf } from './types.ts';

const KINDS: Partial<Record<Phys, number>> = {
  bool: layout.ITEM_BOOL,
  i32: layout.ITEM_I32,
  i64: layout.ITEM_I64,
  f64: layout.ITEM_F64,
  numeric: layout.ITEM_NUMERIC,
};

/** What the kernel calls the items that the function makes; null where it does not know them. */
export function itemKind(fn: string, { oid }: ColType): number | null {
  if (fn === 'jsonb_array_elements(jsonb)') return layout.ITEM_JSON;
  if (fn === 'jsonb_array_elements_text(jsonb)') return layout.ITEM_JSON_TEXT;
  if (fn !== 'unnest(anyarray)') return null;
  if (physOf(oid) === 'varlen') return varlenForm(oid) === 'composite' ? null : layout.ITEM_VARLEN;
  return KINDS[physOf(oid)] ?? null;
}

/** Rows that the kernel makes without a look at who waits. */
const MOST_ROWS = 65536;

export class ItemRows {
  readonly #words: number;
  readonly #rows: ExpandedRows;
  readonly #item: number;
  readonly #ordinality: boolean;

  /** `memory`: ITEMS_BYTES bytes; `item`: number of the column that items go to, before that of their numbers. */
  constructor(
    memory: number,
    arrays: Column,
    n: number,
    kind: number,
    rows: ExpandedRows,
    { item, left, ordinality }: { item: number; left: boolean; ordinality: boolean },
  ) {
    this.#words = memory >>> 2;
    this.#rows = rows;
    this.#item = item;
    this.#ordinality = ordinality;
    U32.fill(0, this.#words, this.#words + (layout.ITEMS_BYTES >>> 2));
    this.#set(layout.ITEMS_ROWS, n);
    this.#set(layout.ITEMS_DATA, arrays.data);
    this.#set(layout.ITEMS_VALID, arrays.valid);
    this.#set(layout.ITEMS_LEFT, left ? 1 : 0);
    this.#set(layout.ITEMS_KIND, kind);
  }

  #set(place: number, value: number): void {
    U32[this.#words + (place >>> 2)] = value;
  }

  #get(place: number): number {
    return U32[this.#words + (place >>> 2)];
  }

  /** The row that the kernel was at, and how many items of it there are already. */
  get row(): number {
    return this.#get(layout.ITEMS_ROW);
  }

  get given(): number {
    return this.#get(layout.ITEMS_ORDINAL);
  }

  /** Goes on until room or rows end, or a row is odd: one of ITEMS_DONE, ITEMS_FULL, ITEMS_ODD. */
  go(): number {
    const { out, from, room } = this.#rows;
    const column = out.columns[this.#item];
    const number = this.#ordinality ? out.columns[this.#item + 1] : null;
    this.#set(layout.ITEMS_OUT, out.n);
    this.#set(layout.ITEMS_ROOM, Math.min(room, out.n + MOST_ROWS));
    this.#set(layout.ITEMS_FROM, from);
    this.#set(layout.ITEMS_ITEM, column.data);
    this.#set(layout.ITEMS_ITEM_VALID, column.valid);
    this.#set(layout.ITEMS_NUMBER, number?.data ?? 0);
    this.#set(layout.ITEMS_NUMBER_VALID, number?.valid ?? 0);
    const reason = kernels.itemRows(this.#words * 4);
    out.n = this.#get(layout.ITEMS_OUT);
    return reason;
  }

  /** The row that it was at has been done. */
  pass(): void {
    I32[this.#words + (layout.ITEMS_ROW >>> 2)]++;
    this.#set(layout.ITEMS_AT, 0);
  }
}
