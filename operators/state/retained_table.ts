/**
 * A table (row_table.ts) of an operator, with what frees its rows (table_retention.ts) where something does.
 */
import type { Arena } from '../batch/arena.ts';
import type { Batch, Column } from '../batch/batch.ts';
import type { Retention } from '../plan.ts';
import type { Watermarks } from './deadline.ts';
import type { Located } from './located.ts';
import type { RowTable } from './row_table.ts';
import type { Saved } from './saved.ts';
import { TableRetention } from './table_retention.ts';

export class RetainedTable {
  readonly table: RowTable;
  readonly #columns: number[];
  /** Those of the delta that is looked up. */
  readonly #values: Column[] = [];
  /** Null: no row is ever freed. */
  readonly retention: TableRetention | null;

  /** `columns`: the input columns that the table's rows are made of. */
  constructor(table: RowTable, retentions: Retention[] | undefined, columns: number[]) {
    this.table = table;
    this.#columns = columns;
    this.retention = TableRetention.of(table, retentions, columns);
  }

  /** The table's row of every row of the delta, found or made, and what is new known to what frees it. */
  locate({ n, columns, weights }: Batch, arena: Arena): Located {
    const values = this.#values;
    for (let i = 0; i < this.#columns.length; i++) values[i] = columns[this.#columns[i]];
    this.table.begin(values, n);
    const located = this.table.findOrInsertAll({ n, weights, skipNulls: false }, arena);
    this.retention?.noteFresh(located, arena);
    return located;
  }

  /** Removes dead rows, after `letGo` has taken what they hold. False: there are more. */
  free(watermarks: Watermarks, letGo?: (slot: number) => void): boolean {
    if (this.retention === null) return true;
    if (letGo === undefined) return this.retention.free(watermarks, null);
    return this.retention.free(watermarks, (slot) => {
      letGo(slot);
      this.table.remove(slot);
    });
  }

  state() {
    return { rows: this.table.size, bytes: this.table.bytes };
  }

  save() {
    return { table: this.table.save(), retention: this.retention?.save() };
  }

  load(saved: Saved): void {
    const { table, retention } = saved as ReturnType<typeof this.save>;
    this.table.load(table);
    if (retention !== undefined) this.retention?.load(retention);
  }

  release(): void {
    this.retention?.release();
    this.table.release();
  }
}
