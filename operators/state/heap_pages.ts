/**
 * Where the pages go that a heap (heap.ts) gives back:
 *
 *   to the allocator                      as a rule, and in a tick those that it took itself
 *   to those who wait for the tick's end  others in a tick that may be taken back: then the heap has them again
 *   nowhere                               while heaps end whose owners are made anew and take the same pages over (abandon)
 */
import { PAGE_BYTES } from '../batch/memory.ts';
import { pages } from '../batch/pages.ts';
import { isFresh } from './undo_log.ts';
import { forgetPages, type PageRun } from './write_marks.ts';

/** Pages that a tick lets go which may still be taken back: they stay until it has ended. */
let waiting: PageRun[] = [];
/** Of heaps whose owner is made anew; null when heaps really end. */
let abandoned: PageRun[] | null = null;

export function giveBack(address: number, count: number): void {
  const start = address / PAGE_BYTES;
  if (abandoned !== null) abandoned.push({ start, count });
  else if (!isFresh(start)) waiting.push({ start, count });
  else giveBackNow(address, count);
}

function giveBackNow(address: number, count: number): void {
  forgetPages(address, count);
  pages.release(address, count);
}

/** The tick has ended: what it let go is free. When it was taken back it has let nothing go. */
export function endWaiting(takenBack: boolean): void {
  const runs = waiting;
  waiting = [];
  if (!takenBack) for (const { start, count } of runs) giveBack(start * PAGE_BYTES, count);
}

/** True while the pieces that are released are made anew: what they have is not theirs to give back. */
export function isAbandoning(): boolean {
  return abandoned !== null;
}

/** Ends heaps whose pages others take over, but for those that `kept` does not have: they are given back. */
export function abandon(kept: PageRun[], release: () => void): void {
  abandoned = [];
  try {
    release();
  } finally {
    const runs = abandoned;
    abandoned = null;
    const starts = new Set(kept.map((run) => run.start));
    for (const { start, count } of runs) if (!starts.has(start)) giveBackNow(start * PAGE_BYTES, count);
  }
}
