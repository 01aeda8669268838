/**
 * Where heaps (heap.ts) keep what kernels have to know of them: one record a heap that ever lent a kernel anything, as heap_layout.ts says.
 *
 * Records are no state: a heap saves what is in its own. So their pages are neither announced nor put back when a tick is taken back, and which records are
 * free is known here, not in them.
 */
import { PAGE_BYTES, U32 } from '../batch/memory.ts';
import { pages } from '../batch/pages.ts';
import { HEAP_LISTS } from '../kernels/heap_layout.ts';

let taken: number[] = [];
let free: number[] = [];
let used = 0;

/** A record for a heap with so many free lists, which stand in it; all of one size. */
export function takeRecord(freeLists: Uint32Array): { record: number; freeLists: Uint32Array } {
  if (free.length === 0) addPage(HEAP_LISTS + freeLists.length * 4);
  const record = free.pop() as number;
  used++;
  const lists = (record + HEAP_LISTS) >>> 2;
  U32.set(freeLists, lists);
  return { record, freeLists: U32.subarray(lists, lists + freeLists.length) };
}

function addPage(bytes: number): void {
  const page = pages.allocate(1);
  taken.push(page);
  for (let record = page; record + bytes <= page + PAGE_BYTES; record += bytes) free.push(record);
}

export function giveRecord(record: number): void {
  free.push(record);
  if (--used > 0) return;
  for (const page of taken) pages.release(page, 1);
  taken = [];
  free = [];
}
