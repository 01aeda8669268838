/**
 * DISTINCT inside an aggregate: passes a value on when its weight in the group leaves 0 (+1) or returns to 0 (-1).
 *
 * State: one entry a (group key, arguments) with its weight. O(1) a row.
 */
import type { Batch } from '../batch/batch.ts';
import { F64 } from '../batch/memory.ts';
import { RowTable, type SavedRowTable } from '../state/row_table.ts';
import type { ColType } from '../types.ts';

export class DistinctFilter {
  readonly #columns: number[];
  readonly #table: RowTable;

  /** `columns`: the group's key columns and the arguments, as input columns. */
  constructor(columns: number[], inputTypes: ColType[]) {
    this.#columns = columns;
    this.#table = new RowTable(
      columns.map((c) => inputTypes[c]),
      8,
      'sql',
    );
  }

  get size(): number {
    return this.#table.size;
  }

  get bytes(): number {
    return this.#table.bytes;
  }

  begin(delta: Batch): void {
    this.#table.begin(
      this.#columns.map((c) => delta.columns[c]),
      delta.n,
    );
  }

  /** +1, -1 or 0: how the presence of the row's value in its group changes. */
  flip(row: number, weight: number): number {
    const slot = this.#table.findOrInsert(row);
    const at = (slot + this.#table.payloadOffset) / 8;
    const before = F64[at];
    const after = before + weight;
    F64[at] = after;
    if (after === 0) this.#table.remove(slot);
    return (after > 0 ? 1 : 0) - (before > 0 ? 1 : 0);
  }

  endTick(): void {
    this.#table.endTick();
  }

  save(): SavedRowTable {
    return this.#table.save();
  }

  load(saved: SavedRowTable): void {
    this.#table.load(saved);
  }

  release(): void {
    this.#table.release();
  }
}
