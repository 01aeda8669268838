/**
 * How much memory ticks need, from those that were: whether the next one is so far from the limit that it need not be able to be taken back.
 *
 *   need of a tick <= FIXED + rows x greatest bytes a row lately
 *
 * Keeping what a tick overwrites costs a quarter to a half of its time (docs/decisions/0160, 0370), so it is done where it can matter: near the limit, for
 * ticks larger than any lately, and for some ticks after the graph has changed, for nobody knows yet how many rows a new join makes of one.
 */
import { budget } from '../../operators/batch/budget.ts';
import { pages } from '../../operators/batch/pages.ts';

/** Chunks of arenas and tables that any tick may take. */
const FIXED = 8 << 20;
/** What is foreseen, times this, must leave the room that reads have when a tick has ended. */
const MARGIN = 8;
const DECAY = 0.99;
/** Ticks after a change of the graph. */
const UNKNOWN = 8;

export class TickNeed {
  #bytesARow = 0;
  #rows = 0;
  #unknown = UNKNOWN;

  /** The graph has other nodes now. */
  changed(): void {
    this.#unknown = UNKNOWN;
  }

  /** True when a tick with so many rows of input will not meet the limit. */
  isSafe(rows: number): boolean {
    if (this.#unknown > 0 || rows > 2 * this.#rows) return false;
    const used = pages.usedBytes + budget.outsideBytes;
    return used + MARGIN * (FIXED + rows * this.#bytesARow) <= budget.room;
  }

  /** A tick with so many rows has needed so many bytes at most. */
  note(rows: number, bytes: number): void {
    if (this.#unknown > 0) this.#unknown--;
    this.#rows = Math.max(rows, this.#rows * DECAY);
    this.#bytesARow = Math.max((bytes - FIXED) / Math.max(rows, 1), this.#bytesARow * DECAY);
  }
}
