/**
 * The clock of a session. A point read of some microseconds looks at it four times (when its transaction began, when it ran, what pg_stat_activity shows of
 * that), so it stands while messages are answered that take no longer; whatever goes on in a later turn finds it running.
 */
export class HeldClock {
  readonly #clock: () => bigint;
  #held = false;
  /** null: not looked at since hold(). */
  #now: bigint | null = null;

  constructor(clock: () => bigint) {
    this.#clock = clock;
  }

  readonly now = (): bigint => {
    if (!this.#held) return this.#clock();
    if (this.#now === null) this.#now = this.#clock();
    return this.#now;
  };

  /** Stands still at the moment when it is next looked at, until release(). */
  hold(): void {
    this.#held = true;
    this.#now = null;
  }

  release(): void {
    this.#held = false;
  }
}
