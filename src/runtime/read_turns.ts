/**
 * Long reads share the dataflow thread with ticks and clients: each works for some milliseconds, then lets others go on.
 *
 *   turn of the event loop:  | a tick | what clients sent | one slice of one long read |
 *
 * Waiting reads are served in the order in which they came, one a turn, so that many of them delay a tick no more than one does.
 */
import { turn } from '../../operators/turn.ts';

const SLICE_MS = 2;

const waiting: (() => void)[] = [];
let scheduled = false;

function serve(): void {
  scheduled = false;
  waiting.shift()?.();
  if (waiting.length > 0) schedule();
}

function schedule(): void {
  if (scheduled) return;
  scheduled = true;
  setImmediate(serve);
}

export class ReadTurns {
  readonly #signal: AbortSignal | null;
  #start = performance.now();

  /** `signal`: the statement's cancellation. */
  constructor(signal: AbortSignal | null) {
    this.#signal = signal;
  }

  /** Milliseconds of the present slice. */
  get elapsed(): number {
    return performance.now() - this.#start;
  }

  /** Goes through work with a pause wherever it stops. A cancel ends it also where it does not (turn.ts). */
  async through(work: Iterable<void>): Promise<void> {
    const steps = work[Symbol.iterator]();
    try {
      while (turn.of(this.#signal, () => steps.next()).done !== true) await this.pause();
    } finally {
      steps.return?.();
    }
  }

  /** Resolves at once while the slice lasts, else in this read's next turn. Throws when the statement was cancelled meanwhile. */
  async pause(): Promise<void> {
    if (this.elapsed < SLICE_MS) return;
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
      schedule();
    });
    this.#signal?.throwIfAborted();
    this.#start = performance.now();
  }
}
