/**
 * How much memory this thread may take (--memory-limit): the pages of state and batches, and what others hold outside of them.
 *
 *   0 ---- chilled ---- chill ---- resume ---- hold -------- room ------- limit ............. all of the shared memory
 *          enough has   old state  sources go   sources     what stays    no page is          what must not fail (the end of a tick,
 *          gone         goes to    on again     are held    may be taken  handed out          giving back) may go into this
 *                       disk
 *
 * What stays after a statement ends below `room`, so that a read always has the last part to work in. What makes room (DELETE, TRUNCATE) may go
 * beyond the limit by a quarter while it does so.
 * An allocation beyond the limit throws OutOfMemory; who runs a tick or a statement takes back what was done (state/undo.ts).
 */
import { OutOfMemory } from '../errors.ts';

/** Shares of the limit. */
const CHILLED = 0.7;
const CHILL = 0.75;
const RESUME = 0.85;
const HOLD = 0.9;
const ROOM = 0.94;
const WIDENED = 1.25;
/** What reads and deletes have at least. */
const LEAST_ROOM_BYTES = 4 << 20;

export class Budget {
  #limit = Number.POSITIVE_INFINITY;
  #suspended = 0;
  #widened = 0;
  /** Bytes that are held outside of the pages, by what they are for. */
  readonly #outside = new Map<string, number>();
  #outsideBytes = 0;
  /** Most bytes of pages that were in use. */
  peak = 0;

  /** In bytes; infinite: as much as there is. */
  get limit(): number {
    return this.#limit;
  }

  set limit(bytes: number) {
    this.#limit = bytes;
  }

  /** Above this old state goes to disk, until use is below `chilled`. */
  get chill(): number {
    return this.#limit * CHILL;
  }

  get chilled(): number {
    return this.#limit * CHILLED;
  }

  /** Above this sources are held; below `resume` they go on. */
  get hold(): number {
    return this.#limit * HOLD;
  }

  get resume(): number {
    return this.#limit * RESUME;
  }

  /** What may be in use when a statement or a tick has ended. */
  get room(): number {
    return Math.min(this.#limit * ROOM, this.#limit - LEAST_ROOM_BYTES);
  }

  get outsideBytes(): number {
    return this.#outsideBytes;
  }

  outside(): ReadonlyMap<string, number> {
    return this.#outside;
  }

  /** Counts bytes outside of the pages; negative: they are given back. */
  count(what: string, bytes: number): void {
    this.#outside.set(what, (this.#outside.get(what) ?? 0) + bytes);
    this.#outsideBytes += bytes;
  }

  /** The same, all in all. */
  set(what: string, bytes: number): void {
    const before = this.#outside.get(what) ?? 0;
    if (bytes !== before) this.count(what, bytes - before);
  }

  /** Throws when `bytes` more than the `used` bytes of pages would be too much. */
  check(used: number, bytes: number): void {
    const total = used + this.#outsideBytes + bytes;
    if (total > this.peak) this.peak = total;
    const most = this.#widened > 0 ? this.#limit * WIDENED : this.#limit;
    if (total > most && this.#suspended === 0) throw new OutOfMemory(bytes, this.#limit);
  }

  /** At the end of what may grow state from `before` to `after` bytes: throws when that leaves too little for others to work in. */
  checkRoom(before: number, after: number): void {
    if (after <= before || this.#suspended > 0 || after + this.#outsideBytes <= this.room) return;
    throw new OutOfMemory(after + this.#outsideBytes - this.room, this.#limit);
  }

  /** Runs what must not fail for want of memory: it may go beyond the limit. */
  beyond<T>(work: () => T): T {
    this.#suspended++;
    try {
      return work();
    } finally {
      this.#suspended--;
    }
  }

  /** Until the function that it gives is called, there is more to work with, to make room. */
  widen(): () => void {
    this.#widened++;
    return () => {
      this.#widened--;
    };
  }

  /** From now on, until the function that it gives is called, the limit does not hold: recovery. */
  suspend(): () => void {
    this.#suspended++;
    return () => {
      this.#suspended--;
    };
  }
}

export const budget = new Budget();
