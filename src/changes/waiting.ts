/**
 * How a follower waits for what comes next: a while, or until something wakes it, or until a tick is on the disk.
 *
 *   sleep(ms, tick) <- wake() of a tick's run | tick durable | the time is over
 *
 * One sleeper at a time. When the disk fails, so does the follower: `failure`.
 */

/** How far ticks are. */
export interface Ticks {
  /** The last that has run. */
  readonly last: bigint;
  /** The last that is on the disk. */
  readonly durable: bigint;
  untilDurable(tick: bigint): Promise<void>;
}

export class Waiting {
  readonly #ticks: Ticks;
  #wake: (() => void) | null = null;
  #waitsForDisk = false;
  #failure: Error | null = null;

  constructor(ticks: Ticks) {
    this.#ticks = ticks;
  }

  /** Why nothing more will come. */
  get failure(): Error | null {
    return this.#failure;
  }

  fail(error: Error): void {
    this.#failure = error;
    this.wake();
  }

  wake(): void {
    this.#wake?.();
  }

  /** Resolves after `ms` milliseconds, which may be Infinity, when woken, or when `tick` is on the disk, if it is not there yet. */
  sleep(ms: number, tick: bigint | null): Promise<void> {
    if (tick !== null && tick > this.#ticks.durable) this.#waitForDisk(tick);
    return new Promise((resolve) => {
      const timer = Number.isFinite(ms) ? setTimeout(() => this.wake(), ms) : null;
      this.#wake = () => {
        this.#wake = null;
        if (timer !== null) clearTimeout(timer);
        resolve();
      };
    });
  }

  #waitForDisk(tick: bigint): void {
    if (this.#waitsForDisk) return;
    this.#waitsForDisk = true;
    this.#ticks.untilDurable(tick).then(
      () => {
        this.#waitsForDisk = false;
        this.wake();
      },
      (error: Error) => this.fail(error),
    );
  }
}
