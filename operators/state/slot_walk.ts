/**
 * Goes through the slots of a row table between ticks, a stretch at a time while the table goes on changing: from the beginning again when its slots have moved.
 * So every slot is seen that was there when the walk began, and some twice.
 */
import type { RowTable } from './row_table.ts';

export class SlotWalk {
  readonly #table: RowTable;
  #cursor = 0;
  /** How often the slots had moved when the cursor was set. */
  #moves = 0;

  constructor(table: RowTable) {
    this.#table = table;
  }

  begin(): void {
    this.#cursor = 0;
  }

  /** Calls back with up to `most` more slots; true at the end. */
  next(most: number, visit: (slot: number) => void): boolean {
    this.#look();
    return this.#goOn(this.#table.visitFrom(this.#cursor, most, visit));
  }

  /** The same with all of them at once: from one address to another, used or not; `work` gives the address to go on from. */
  nextStretch(most: number, work: (start: number, end: number) => number): boolean {
    this.#look();
    return this.#goOn(this.#table.stretchFrom(this.#cursor, most, work));
  }

  #look(): void {
    if (this.#moves !== this.#table.moves) this.#cursor = 0;
    this.#moves = this.#table.moves;
  }

  #goOn(at: number): boolean {
    this.#cursor = Math.max(at, 0);
    return at < 0;
  }
}
