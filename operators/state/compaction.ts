/**
 * Takes what is left in sparse chunks of a table's heap (row_table.ts) elsewhere, so that their pages are free for everybody:
 *
 *   chunks:  | x  x   x | xxxxxxxx | x x      |   ->   | xxxxxxxx | xxxxx
 *   table:   place 0 ...... cursor ...... end         a slot with a long value in a chunk that is leaving gets a copy of it
 *
 * For tables whose heap has nothing but the slots and their long values. Runs of keyed indexes: chill.ts. Between two ticks, a slice a call.
 *
 * Cost: a look at every slot a pass, and what is left in chunks that are at most half full; a pass is due when half of the heap is holes.
 */
import { budget } from '../batch/budget.ts';
import { isLeaving } from './leaving.ts';
import { LongValues } from './long_values.ts';
import type { RowTable } from './row_table.ts';
import { SlotWalk } from './slot_walk.ts';
import { isUndoable } from './undo_log.ts';
import { touchLarge } from './write_marks.ts';

export class TableCompaction {
  readonly #table: RowTable;
  readonly #values: LongValues;
  readonly #walk: SlotWalk;

  constructor(table: RowTable) {
    this.#table = table;
    this.#walk = new SlotWalk(table);
    this.#values = new LongValues(table.ops.layout);
  }

  /** Whether there is something to do; the slots move at the beginning of a pass only. */
  get due(): 'begin' | 'go on' | null {
    const { heap } = this.#table;
    if (heap.emptying) return 'go on';
    return heap.isSparse || this.#table.isThin ? 'begin' : null;
  }

  /** Looks at so many slots. */
  slice(slots: number): void {
    if (isUndoable()) throw new Error('chunks are emptied between ticks only');
    budget.beyond(() => this.#slice(slots));
  }

  #slice(slots: number): void {
    const table = this.#table;
    const { heap } = table;
    if (!heap.emptying) {
      table.shrink();
      if (!heap.emptySparse()) return;
      table.leave();
      this.#walk.begin();
    }
    const isEnd = this.#walk.next(slots, (slot) => {
      const row = slot + table.rowOffset;
      if (!this.#values.areLeaving(row, 1)) return;
      touchLarge(slot, table.payloadOffset);
      this.#values.copy(row, 1, heap, isLeaving, (address, bytes) => heap.free(address, bytes));
    });
    if (isEnd) heap.endEmptying();
    else heap.endTick();
  }
}
