/**
 * When a heap (heap.ts) looks through its free blocks, to merge them and for pages to give back: it finds nothing where blocks come and go all the time and most are live.
 *
 *   much is free, but no block as large as one that was asked for; an eighth of what it holds was freed since the last look  ->  look
 *   freed since the last look: a quarter of what it holds, and at most half of that is live  ->  look  ->  found none: not before much more was freed, or much less is live
 */

const LEAST_BYTES = 1 << 20;
/** Looks when this share of what it holds was freed since the last time, and at most LIVE_SHARE of it is live. */
const FREED_SHARE = 4;
const LIVE_SHARE = 2;
/** Looks when no block was large enough and this share was freed. */
const FREED_FOR_LACK = 8;
/** After a look that found nothing it looks again when so many times what it holds was freed, or only this share of what was live still is. */
const FREED_AGAIN = 8;
const STILL_LIVE = 3 / 4;

export class TrimWatch {
  /** Bytes of blocks freed since the last look. */
  freed = 0;
  /** What was live when it found none. */
  #fruitless = Number.POSITIVE_INFINITY;

  /** It may be due: to be asked first, for the heap has to count what it holds. */
  get isNear(): boolean {
    return this.freed >= LEAST_BYTES;
  }

  /** `held`: bytes of the heap's chunks. `lacked`: it had to take pages while much was free. */
  isDue(live: number, held: number, lacked: boolean): boolean {
    if (lacked && this.freed * FREED_FOR_LACK >= held) return true;
    if (this.freed * FREED_SHARE < held || live * LIVE_SHARE > held) return false;
    return live <= this.#fruitless * STILL_LIVE || this.freed >= held * FREED_AGAIN;
  }

  /** The heap has looked. */
  looked(live: number, found: boolean): void {
    this.freed = 0;
    this.#fruitless = found ? Number.POSITIVE_INFINITY : live;
  }
}
