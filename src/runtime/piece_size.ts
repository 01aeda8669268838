/** How many rows at once a long read works on between two pauses: as many as take it a millisecond or two. */
const FIRST_ROWS = 1024;
const PIECE_MS = 1;

export class PieceSize {
  rows = FIRST_ROWS;
  readonly #least: number;
  readonly #greatest: number;
  #worked = 0;
  #since = 0;

  constructor(least: number, greatest: number) {
    this.#least = least;
    this.#greatest = greatest;
  }

  /** Work on a piece begins. */
  begin(): void {
    this.#worked = 0;
    this.goOn();
  }

  /** Others have their turn, which does not count. */
  pause(): void {
    this.#worked += performance.now() - this.#since;
  }

  goOn(): void {
    this.#since = performance.now();
  }

  /** A piece that took less is followed by a larger one, a piece that took more than twice as much by a smaller one. */
  end(): void {
    this.pause();
    if (this.#worked < PIECE_MS) this.rows = Math.min(this.rows * 2, this.#greatest);
    else if (this.#worked > 2 * PIECE_MS) this.rows = Math.max(this.rows >>> 1, this.#least);
  }
}
