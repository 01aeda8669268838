/** How many rows at once a long read works on between two pauses: as many as take it a millisecond or two. */
const FIRST_ROWS = 1024;
const PIECE_MS = 1;

export class PieceSize {
  rows = FIRST_ROWS;
  readonly #least: number;
  readonly #greatest: number;

  constructor(least: number, greatest: number) {
    this.#least = least;
    this.#greatest = greatest;
  }

  /** A piece that took less is followed by a larger one, a piece that took more than twice as much by a smaller one. */
  took(milliseconds: number): void {
    if (milliseconds < PIECE_MS) this.rows = Math.min(this.rows * 2, this.#greatest);
    else if (milliseconds > 2 * PIECE_MS) this.rows = Math.max(this.rows >>> 1, this.#least);
  }
}
