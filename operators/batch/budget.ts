/**
 * How much memory this thread may take (--memory-limit): the pages of state and batches, and what others hold outside of them.
 *
 *   0 ---- chilled ---- chill ---- resume ---- hold -------- room ------- limit ............. all of the shared memory
 *          enough has   old state  sources go   sources     what stays    no page is          what must not fail (the end of a tick,
 *          gone         goes to    on again     are held    may be taken  handed out          giving back) may go into this
 *                       disk
 *
 * What stays after a statement ends below `room`, so that a read always has the last part to work in. What makes room (DELETE, TRUNCATE) may go
 * beyond the limit, or what is in use when that is more, by a quarter while it does so, whatever stays: it is the only way out of a full memory.
 * An allocation beyond the limit throws OutOfMemory; who runs a tick or a statement takes back what was done (state/undo.ts). A statement that was cancelled ends in the same way (turn.ts).
 */
import { OutOfMemory } from '../errors.ts';
import { turn } from '../turn.ts';
import { PAGE_BYTES } from './memory.ts';

/** Shares of the limit. */
const CHILLED = 0.7;
const CHILL = 0.75;
const RESUME = 0.8;
const HOLD = 0.85;
const ROOM = 0.88;
/** How far what makes room may go, and how far at least. */
const WIDER_SHARE = 1 / 4;
const LEAST_WIDER_BYTES = 16 << 20;
/** What reads have at least; what sources and a checkpoint hold at a time lies there too. */
const LEAST_ROOM_BYTES = 6 << 20;

export class Budget {
  #limit = Number.POSITIVE_INFINITY;
  #suspended = 0;
  /** Those that make room, and what they go beyond. */
  readonly #widened: { base: number }[] = [];
  #making = 0;
  /** Until where all may go when more is in use than the limit allows. */
  #floor = 0;
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

  /** Pages that are so large a share of the limit: at least one, and not more than `most`. */
  pagesOf(share: number, most: number): number {
    return Math.max(1, Math.min(most, Math.floor((this.#limit * share) / PAGE_BYTES)));
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
    turn.look();
    const total = used + this.#outsideBytes + bytes;
    if (total > this.peak) this.peak = total;
    if (total > this.#most && this.#suspended === 0) throw new OutOfMemory(bytes, this.#limit);
  }

  get #most(): number {
    const first = this.#widened[0];
    if (first === undefined) return Math.max(this.#limit, this.#floor);
    return first.base + Math.max(this.#limit * WIDER_SHARE, LEAST_WIDER_BYTES);
  }

  /** At the end of what may grow state from `before` to `after` bytes: throws when that leaves too little for others to work in. */
  checkRoom(before: number, after: number): void {
    if (after <= before || this.#suspended > 0 || this.#making > 0 || after + this.#outsideBytes <= this.room) return;
    throw new OutOfMemory(after + this.#outsideBytes - this.room, this.#limit);
  }

  /** A start has brought back more state than the limit allows, of which the pages have so many bytes: reads have their room all the same. */
  settle(used: number): void {
    this.#floor = used + this.#outsideBytes + LEAST_ROOM_BYTES;
  }

  /** Runs what must not fail for want of memory: it may go beyond the limit. */
  beyond<T>(work: () => T): T {
    this.goBeyond();
    try {
      return work();
    } finally {
      this.comeBack();
    }
  }

  /** beyond() from here until comeBack(). */
  goBeyond(): void {
    this.#suspended++;
    turn.shield(1);
  }

  comeBack(): void {
    this.#suspended--;
    turn.shield(-1);
  }

  /** Until the function that it gives is called, there is more to work with than the `used` bytes of pages, to make room. */
  widen(used: number): () => void {
    const first = this.#widened[0];
    // Several at once share what there is.
    const base = first === undefined ? Math.max(this.#limit, used + this.#outsideBytes) : first.base;
    const wider = { base };
    this.#widened.push(wider);
    return () => {
      this.#widened.splice(this.#widened.indexOf(wider), 1);
    };
  }

  /** Runs what makes room, with more to work with than the `used` bytes of pages: whatever it leaves is right. */
  makeRoom<T>(used: number, work: () => T): T {
    const narrow = this.widen(used);
    this.#making++;
    try {
      return work();
    } finally {
      this.#making--;
      narrow();
    }
  }

  /** From now on, until the function that it gives is called, the limit does not hold: recovery. */
  suspend(): () => void {
    this.goBeyond();
    return () => this.comeBack();
  }
}

export const budget = new Budget();
