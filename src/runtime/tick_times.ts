/** How long ticks took: of all since the start, and of each of the last. */
const MOST_KEPT = 1000;

export class TickTimes {
  count = 0;
  milliseconds = 0;
  /** Newest last, in milliseconds. */
  readonly recent: number[] = [];

  /** A tick has run since then; gives when it ended. Both by performance.now(). */
  took(start: number): number {
    const end = performance.now();
    this.count++;
    this.milliseconds += end - start;
    this.recent.push(end - start);
    if (this.recent.length > MOST_KEPT) this.recent.splice(0, MOST_KEPT / 2);
    return end;
  }
}
