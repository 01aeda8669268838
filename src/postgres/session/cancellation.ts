/**
 * What may end the running statement early: a CancelRequest, a timeout, the end of the connection. One a statement.
 *
 * The engine gets `signal`. The session's own waits go through wait(), one at a time, so that an endless SUBSCRIBE leaves no trail
 * of listeners behind (Promise.race on a long-lived promise would).
 */
import { SqlError } from '../../../operators/errors.ts';
import { StatementSignal } from './statement_signal.ts';

export class Cancellation {
  readonly #signal = new StatementSignal();
  #reason: SqlError | null = null;
  #reject: ((reason: SqlError) => void) | null = null;
  #tooLate = false;
  #endsAt = Number.POSITIVE_INFINITY;

  get signal(): AbortSignal {
    return this.#signal;
  }

  get reason(): SqlError | null {
    return this.#reason;
  }

  /** What the statement did has happened: from now on only the end of the session ends it. */
  tooLate(): void {
    this.#tooLate = true;
  }

  /** Another statement of the same message begins: that can be cancelled. */
  goesOn(): void {
    this.#tooLate = false;
  }

  /** It times out then, by performance.now(). */
  endAt(time: number): void {
    this.#endsAt = time;
  }

  /** Where no timer runs. */
  lookAtClock(): void {
    if (performance.now() >= this.#endsAt) this.timeOut();
  }

  timeOut(): void {
    this.cancel(new SqlError('57014', CANCELLED.statementTimeout));
  }

  /** The first reason stays. */
  cancel(reason: SqlError): void {
    if (this.#reason !== null || (this.#tooLate && reason.fields.severity !== 'FATAL')) return;
    this.#reason = reason;
    this.#reject?.(reason);
    this.#signal.abort(reason);
  }

  /** Throws the reason if there is one. */
  check(): void {
    if (this.#reason !== null) throw this.#reason;
  }

  /** The promise's outcome, or the reason as soon as there is one. The promise's own late failure is then of no interest. */
  wait<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#reason !== null) {
        promise.catch(() => undefined);
        reject(this.#reason);
        return;
      }
      this.#reject = reject;
      promise.then(
        (value) => {
          this.#reject = null;
          resolve(value);
        },
        (error) => {
          this.#reject = null;
          reject(this.#reason ?? error);
        },
      );
    });
  }
}

/** Reasons that PostgreSQL gives. */
export const CANCELLED = {
  user: 'canceling statement due to user request',
  statementTimeout: 'canceling statement due to statement timeout',
} as const;
