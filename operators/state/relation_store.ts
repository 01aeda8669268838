/**
 * The integral of a relation: each distinct row once, with its weight. What a view, a table or DISTINCT keeps.
 *
 * `apply` adds a delta and can report the weights before and after, which is all that DISTINCT, set operations and consolidation need.
 * A row whose weight is 0 is not stored. A negative weight is kept (a retraction may come before its row within several ticks of
 * a source with errors) and is shown by `negative`.
 */
import type { Batch } from '../batch/batch.ts';
import { I32 } from '../batch/memory.ts';
import type { ColType } from '../types.ts';
import type { Equality } from './row_ops.ts';
import { RowTable, type SavedRowTable } from './row_table.ts';

export type SavedRelationStore = {
  negative: number;
  table: SavedRowTable;
};

export class RelationStore {
  readonly table: RowTable;
  negative = 0;

  constructor(types: ColType[], equality: Equality = 'identity') {
    this.table = new RowTable(types, 8, equality);
  }

  get size(): number {
    return this.table.size;
  }

  get bytes(): number {
    return this.table.bytes;
  }

  apply(delta: Batch, changed?: (row: number, before: number, after: number, slot: number) => void): void {
    const table = this.table;
    table.begin(delta.columns, delta.n);
    const weights = delta.weights >>> 2;
    for (let row = 0; row < delta.n; row++) {
      const weight = I32[weights + row];
      if (weight === 0) continue;
      const slot = table.findOrInsert(row);
      const at = (slot + table.payloadOffset) >>> 2;
      const before = I32[at];
      const after = before + weight;
      if (before < 0 && after >= 0) this.negative--;
      if (before >= 0 && after < 0) this.negative++;
      I32[at] = after;
      if (changed !== undefined) changed(row, before, after, slot);
      if (after === 0) table.remove(slot);
    }
  }

  /** Weight of a stored row. */
  weightAt(slot: number): number {
    return I32[(slot + this.table.payloadOffset) >>> 2];
  }

  /** Address of a stored row's slots. */
  rowAt(slot: number): number {
    return slot + this.table.rowOffset;
  }

  forEach(visit: (rowAddress: number, weight: number) => void): void {
    this.table.forEach((slot) => {
      visit(this.rowAt(slot), this.weightAt(slot));
    });
  }

  endTick(): void {
    this.table.endTick();
  }

  save(): SavedRelationStore {
    return { negative: this.negative, table: this.table.save() };
  }

  load(saved: SavedRelationStore): void {
    this.negative = saved.negative;
    this.table.load(saved.table);
  }

  release(): void {
    this.table.release();
    this.negative = 0;
  }
}
