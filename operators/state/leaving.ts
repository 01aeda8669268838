/**
 * The pages that are to hold nothing when the owner of what lies there has looked through what it has (heap.ts): a byte a page, in memory where kernels see them. While
 * nothing is leaving there is no such memory.
 */
import { PAGE_BYTES, U8 } from '../batch/memory.ts';
import { pages } from '../batch/pages.ts';

/** Where the bytes are; 0: nothing is leaving. */
let marks = 0;
let marked = 0;

/** Whether a block lies where its owner has to move it away. */
export function isLeaving(address: number): boolean {
  return marks !== 0 && U8[marks + (address >>> 16)] !== 0;
}

/** Address of a byte a page, not 0 for those that are leaving; 0: none is. */
export function leavingMarks(): number {
  return marks;
}

export function markPages(address: number, count: number, mark: 0 | 1): void {
  if (marks === 0) {
    if (mark === 0) return;
    marks = pages.allocate(1);
    U8.fill(0, marks, marks + PAGE_BYTES);
  }
  const first = marks + address / PAGE_BYTES;
  for (let at = first; at < first + count; at++) {
    marked += mark - U8[at];
    U8[at] = mark;
  }
  if (marked > 0) return;
  pages.release(marks, 1);
  marks = 0;
}
