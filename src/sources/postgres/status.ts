/** Tells a slot how far all is kept here: what is before it, the database may forget. The disk is asked before that is said, and nobody waits for it. */
import { statusUpdate } from './changes.ts';
import type { UpstreamSession } from './session.ts';

interface Progress {
  /** All that committed before there has been read. */
  readonly received: bigint;
  /** All that committed before there has been taken by ticks; null: there is no such place. */
  settled(): bigint | null;
}

export class Status {
  readonly #progress: Progress;
  readonly #session: UpstreamSession;
  readonly #durable: () => Promise<void>;
  #kept = 0n;
  #waiting = false;

  constructor(progress: Progress, session: UpstreamSession, durable: () => Promise<void>) {
    this.#progress = progress;
    this.#session = session;
    this.#durable = durable;
  }

  say(): void {
    const settled = this.#progress.settled();
    if (!this.#waiting && settled !== null && settled > this.#kept) {
      this.#waiting = true;
      void this.#durable()
        .then(
          () => {
            this.#kept = settled;
            this.#send();
          },
          // The log has failed, and says so itself.
          () => undefined,
        )
        .finally(() => {
          this.#waiting = false;
        });
    }
    this.#send();
  }

  #send(): void {
    const { received } = this.#progress;
    this.#session.say(statusUpdate(received > this.#kept ? received : this.#kept, this.#kept));
  }
}
