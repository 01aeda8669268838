/**
 * Which columns the rows have that an operator keeps of each partition (top_one.ts, top_few.ts): all but those that are the same in all rows of a partition, which are read of its slot.
 *
 *   partition's slot:  | header | partition columns | payload |        row:  | the other columns, partition columns whose equals may look different or by which rows are ordered |
 *
 * As entries of an index (entry_columns.ts). Rows of a partition are compared by what they have: what they do not have is the same.
 */
import type { Column } from '../batch/batch.ts';
import { kernels } from '../kernels/index.ts';
import type { SortKey } from '../plan.ts';
import type { ColType } from '../types.ts';
import { columnsOfEntries, EntryColumns } from './entry_columns.ts';
import type { SlotPlace } from './row_layout.ts';
import { type RowOps, rowOps } from './row_ops.ts';
import type { RowTable } from './row_table.ts';

export class KeptColumns {
  readonly rows: RowOps;
  /** By columns of the rows that are kept. */
  readonly order: SortKey[];
  readonly #columns: EntryColumns;

  /** `table`: of the partitions, by these columns of the input. */
  constructor(types: ColType[], partition: number[], order: SortKey[], table: RowTable) {
    const ordered = order.map(({ col }) => col);
    const some = columnsOfEntries(types, partition, true, ordered);
    const kept = some.length > 0 ? some : types.map((_, c) => c);
    this.rows = rowOps(
      kept.map((c) => types[c]),
      'identity',
    );
    this.order = order.map((key) => ({ ...key, col: kept.indexOf(key.col) }));
    this.#columns = new EntryColumns(
      types.length,
      kept,
      partition,
      this.rows.layout,
      table.ops.layout,
      table.rowOffset,
    );
  }

  /** Of the columns of the input, those that are kept. */
  of(columns: Column[]): Column[] {
    return this.#columns.of(columns);
  }

  /** Writes column c of n rows, whose addresses and whose partitions' slots are at these addresses, from row `first` of `to` on. */
  load(c: number, rows: number, slots: number, n: number, to: Column, first: number): void {
    const kept = this.#columns.places[c];
    const { offset, width, flag } = kept ?? (this.#columns.keyPlaces[c] as SlotPlace);
    kernels.loadColumn(kept === null ? slots : rows, n, offset, width, flag, to.data + first * width, to.valid + first);
  }
}
