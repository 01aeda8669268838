/**
 * Whether sources have to wait for memory, and how many records a tick may take of them.
 *
 *   use above `hold` -> held ... use below `resume` -> on           (batch/budget.ts has the marks)
 *   a tick did not fit -> it was taken back: the next one takes a quarter of the records; one record does not fit -> held until something was freed
 */
import { budget } from '../../operators/batch/budget.ts';
import { pages } from '../../operators/batch/pages.ts';
import type { TidemarkEngine } from './engine.ts';

/** After a tick of one record that did not fit, so much has to be freed before it is tried again. */
const FREED_BYTES = 1 << 20;
const LOOK_MS = 50;

export class MemoryHold {
  readonly #engine: TidemarkEngine;
  /** Below this use sources go on; null: they are not held. */
  #below: number | null = null;
  #rows = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;
  /** What was counted last: bytes that sources hold, and that wait for the log. */
  #buffered = -1;
  #pending = 0;

  constructor(engine: TidemarkEngine) {
    this.#engine = engine;
  }

  get held(): boolean {
    return this.#below !== null;
  }

  /** Records that the next tick may take of each stream. */
  rows(most: number): number {
    return Math.min(most, this.#rows);
  }

  /** Looks at the use of memory; true while sources have to wait. */
  look(): boolean {
    this.count();
    const used = usedBytes();
    if (this.#below === null) {
      if (used <= budget.hold) return false;
      this.#hold(Math.min(budget.resume, used), `${mega(used)} of ${mega(budget.limit)} MB are in use`);
      return true;
    }
    if (used >= this.#below) return true;
    this.#below = null;
    this.#engine.log('info', `memory: ${mega(used)} of ${mega(budget.limit)} MB are in use: sources go on`);
    return false;
  }

  /** What waits outside of the pages. */
  count(): void {
    const { streams, journal } = this.#engine;
    let bytes = 0;
    for (const stream of streams.list) bytes += stream.source.bufferedBytes();
    const pending = journal === null ? 0 : journal.log.pendingBytes;
    if (bytes === this.#buffered && pending === this.#pending) return;
    this.#buffered = bytes;
    this.#pending = pending;
    budget.set('sources', bytes);
    budget.set('log', pending);
  }

  /** A tick that took at most so many records of each stream has passed. */
  passed(): void {
    this.#rows *= 2;
  }

  /** It did not fit and was taken back. */
  failed(rows: number): void {
    if (rows > 1) {
      this.#rows = Math.max(1, Math.floor(rows / 4));
      return;
    }
    const used = usedBytes();
    this.#hold(
      used - FREED_BYTES,
      `the next record does not fit (${mega(used)} of ${mega(budget.limit)} MB are in use)`,
    );
  }

  #hold(below: number, why: string): void {
    if (this.#below === null) this.#engine.log('warn', `memory: ${why}: sources are held until there is room`);
    this.#below = below;
  }

  /** Calls back soon, to look again. */
  wait(again: () => void): void {
    if (this.#timer !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      again();
    }, LOOK_MS).unref();
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }
}

function usedBytes(): number {
  return pages.usedBytes + budget.outsideBytes;
}

function mega(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
