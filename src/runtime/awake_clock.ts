/**
 * Time that this process was awake, in milliseconds, for time-outs of sources. It is not the wall clock, which may be set, and a process that was
 * stopped (SIGSTOP, a frozen container, a machine that slept) has not looked at its sources meanwhile: then nothing that was waiting has waited.
 */
/** How often it looks. */
const BEAT_MS = 250;
/** A longer gap between two looks was a stop. (Or a very long tick, in which no source was looked at either.) */
const STOP_MS = 2000;

export class AwakeClock {
  readonly #onStop: () => void;
  readonly #elapsed: () => number;
  #last: number;
  #awake = 0;
  #timer: NodeJS.Timeout | null = null;

  /** `onStop` is called when a stop is noticed, before anybody hears of the time after it. `elapsed`: a monotonic clock. */
  constructor(onStop: () => void, elapsed: () => number = () => performance.now()) {
    this.#onStop = onStop;
    this.#elapsed = elapsed;
    this.#last = elapsed();
  }

  /** Milliseconds awake so far. `elapsed`: what the monotonic clock says, where somebody has asked it. */
  now(elapsed = this.#elapsed()): number {
    const gap = elapsed - this.#last;
    this.#last = elapsed;
    if (this.#timer !== null && gap > STOP_MS) this.#onStop();
    else this.#awake += gap;
    return this.#awake;
  }

  /** From now on stops are noticed, and `beat` is called at each look. */
  start(beat: () => void): void {
    if (this.#timer !== null) return;
    this.now();
    this.#timer = setInterval(() => {
      this.now();
      beat();
    }, BEAT_MS);
    this.#timer.unref();
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}
