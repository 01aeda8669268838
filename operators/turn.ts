/**
 * How a turn of this thread is ended from outside while it lasts: a statement that is cancelled, times out or whose client is gone stops where it is.
 *
 *   turn.of(signal, work)        work is done for a statement, in one go, without the event loop
 *     ... turn.look() ... look() ... look() -> every LOOK_MS: hear(signal), which asks the other threads what came -> signal aborted -> throws Interrupted
 *
 * look() stands wherever memory may end (batch/budget.ts) and in loops that need none: between the nodes of a tick, the rounds of a recursion, in the pairs of a join. So what is
 * thrown there is taken back as at the end of memory: a tick by its undo (state/undo.ts), a read and a view that is being filled by letting go what they made. What must not fail
 * (the end of a tick, giving back) cannot be ended: shield().
 *
 * Cost of look(): nothing where no statement works, else that of asking for the time, some 30 ns. Trap: work of several turns (await) is one of() for each.
 */
import { performance } from 'node:perf_hooks';

const LOOK_MS = 5;

/** Not an SqlError, for it must never pass for an error of a row; `reason` is what the statement fails with. */
export class Interrupted extends Error {
  readonly reason: unknown;

  constructor(reason: unknown) {
    super('interrupted');
    this.name = 'Interrupted';
    this.reason = reason;
  }
}

/** Made when somebody looks for the first time: most work is over by then. */
export type LateSignal = () => AbortSignal;

export class Turn {
  /** Of the statement for which the present work is done; null: nobody may end it. */
  #signal: AbortSignal | LateSignal | null = null;
  #next = 0;
  #shields = 0;
  /** Hears what has come for the statement of this signal meanwhile, and aborts that where it has to end. */
  hear: (signal: AbortSignal) => void = () => undefined;
  /** For tests: 0 hears at each look. */
  lookMs = LOOK_MS;

  of<T>(signal: AbortSignal | LateSignal | null, work: () => T): T {
    const outer = this.#signal;
    if (outer === null) this.#next = performance.now() + this.lookMs;
    this.#signal = signal;
    try {
      return work();
    } finally {
      this.#signal = outer;
    }
  }

  /** Throws when the statement has to end. */
  look(): void {
    if (this.#signal === null || this.#shields > 0) return;
    const now = performance.now();
    if (now < this.#next) return;
    this.#next = now + this.lookMs;
    if (typeof this.#signal === 'function') this.#signal = this.#signal();
    const signal = this.#signal;
    this.hear(signal);
    if (signal.aborted) throw new Interrupted(signal.reason);
  }

  /** The last look before what cannot be taken back: an end that somebody on the way has not let through. */
  check(): void {
    const signal = this.#signal;
    if (signal === null || typeof signal === 'function' || this.#shields > 0) return;
    if (signal.aborted) throw new Interrupted(signal.reason);
  }

  /** From here on, until the same with -1, nothing is ended. */
  shield(by: 1 | -1): void {
    this.#shields += by;
  }
}

export const turn = new Turn();
