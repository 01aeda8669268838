/**
 * Where the columns of a row of a keyed index lie (keyed_index.ts):
 *
 *   key's slot:  | header | key columns | payload |        entry:  | the other columns, key columns whose equals may look different | weight |
 *
 * The rows of a key have the same key. Where equal values of a type are the same bytes (hasOneForm(); not of numerics, 1.0 = 1.00), a key column lies in the
 * slot, and where rows only come it lies nowhere else. Rows that may be retracted have all columns: they are looked for by them.
 */
import type { Column } from '../batch/batch.ts';
import { type ColType, physOf } from '../types.ts';
import { canPack } from './key_batch.ts';
import { placesOf, type RowLayout, type SlotPlace } from './row_layout.ts';
import { twoRowLoader } from './row_ops.ts';

/** Writes columns of a row, whose key has this slot, into row `row` of the columns. */
export type EntryLoad = (slot: number, entry: number, columns: Column[], row: number) => void;

/** Whether equal values of the two types are the same bytes. */
export function haveSameBytes(a: ColType, b: ColType): boolean {
  return physOf(a.oid) === physOf(b.oid) && hasOneForm(a) && hasOneForm(b);
}

/** Equal values of the type are the same bytes. */
export function hasOneForm(type: ColType): boolean {
  return physOf(type.oid) !== 'f64' && canPack([type], 'sql');
}

/** The columns that entries have; `needed` are among them. */
export function columnsOfEntries(
  types: ColType[],
  keyColumns: number[],
  appendOnly: boolean,
  needed: number[],
): number[] {
  const all = types.map((_, c) => c);
  if (!appendOnly) return all;
  return all.filter((c) => needed.includes(c) || !keyColumns.includes(c) || !hasOneForm(types[c]));
}

export class EntryColumns {
  /** The columns that an entry has. */
  readonly kept: number[];
  /** Where in an entry each column lies; null: in the slot. */
  readonly places: (SlotPlace | null)[];
  /** Where in the slot a key column lies; null: the column is none. */
  readonly keyPlaces: (SlotPlace | null)[];
  readonly #keyColumns: number[];
  readonly #entry: RowLayout;
  readonly #slot: RowLayout;

  /** `entry`: of the columns `kept`. `key`: of the key's row, which begins at `keyAt` of its slot. */
  constructor(count: number, kept: number[], keyColumns: number[], entry: RowLayout, key: RowLayout, keyAt: number) {
    this.kept = kept;
    this.#keyColumns = keyColumns;
    this.#entry = entry;
    this.#slot = { ...key, offsets: key.offsets.map((offset) => offset + keyAt), valid: key.valid + keyAt };
    const places = placesOf(entry);
    this.places = Array.from({ length: count }, (_, c) => places[kept.indexOf(c)] ?? null);
    const keyPlaces = placesOf(this.#slot);
    this.keyPlaces = Array.from({ length: count }, (_, c) => keyPlaces[keyColumns.indexOf(c)] ?? null);
  }

  /** Loads these columns of a row. */
  loader(columns: number[]): EntryLoad {
    return twoRowLoader(
      columns.map((c) =>
        this.places[c] === null
          ? { layout: this.#slot, column: this.#keyColumns.indexOf(c), row: 'first' }
          : { layout: this.#entry, column: this.kept.indexOf(c), row: 'second' },
      ),
    );
  }

  /** Of a batch of rows, those that entries have. */
  of(columns: Column[]): Column[] {
    return this.kept.map((c) => columns[c]);
  }
}
