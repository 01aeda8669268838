/**
 * Free blocks of a heap (heap.ts) that lie side by side become one, so that blocks of other sizes can be cut of it:
 *
 *   a chunk, a bit for 8 bytes:   111011 000 11 0 1111 000      of free lists by size   ->   runs   ->   cut again from the largest size down
 *                                                 ^ 8 bytes that no block can have: the rest of a run. Between two free blocks it is free, too
 *
 * Cost: two looks at each free block, and the bits. Lists are in order of address then.
 */
import { PAGE_BYTES } from '../batch/memory.ts';
import { BLOCK_SIZES, sizeClass } from './block_sizes.ts';
import { eachFree, push } from './free_lists.ts';
import type { Chunk } from './heap_chunks.ts';

/** Every block begins at a multiple of it, and the smallest has two. */
export const UNIT = 8;
const UNITS_A_PAGE = PAGE_BYTES / UNIT;

/** By page: its number among the pages of the chunks that are looked at, and 1; 0: it is of none. */
const numbers = new Uint32Array(65536);

/** Merges the free blocks of these chunks. Takes out of the lists, and gives, the chunks of which every block is free, unless they may not go. */
export function mergeBlocks(freeLists: Uint32Array, chunks: Chunk[], mayGo: (chunk: Chunk) => boolean): Chunk[] {
  let pages = 0;
  for (const { address, pages: count } of chunks)
    for (let i = 0, page = address / PAGE_BYTES; i < count; i++) numbers[page + i] = ++pages;
  const bits = new Uint32Array((pages * UNITS_A_PAGE) / 32);
  /** Blocks in the first chunk of the heap's neighbour. */
  const elsewhere: number[] = [];
  eachFree(freeLists, (address, size) => {
    const number = numbers[address >>> 16];
    if (number === 0) elsewhere.push(address, size);
    else setBits(bits, ((number - 1) * PAGE_BYTES + (address & (PAGE_BYTES - 1))) / UNIT, size / UNIT);
  });
  for (const { address, pages: count } of chunks) numbers.fill(0, address / PAGE_BYTES, address / PAGE_BYTES + count);
  freeLists.fill(0);
  for (let i = 0; i < elsewhere.length; i += 2) push(freeLists, sizeClass(elsewhere[i + 1]), elsewhere[i]);
  const whole: Chunk[] = [];
  // From the last one to the first: what is pushed last is taken first.
  for (let i = chunks.length - 1, end = pages * UNITS_A_PAGE; i >= 0; i--) {
    const chunk = chunks[i];
    const first = end - chunk.pages * UNITS_A_PAGE;
    const { runs, free, crumbs } = runsOf(bits, first, end);
    end = first;
    chunk.unused -= crumbs * UNIT;
    if (free * UNIT + chunk.unused === chunk.pages * PAGE_BYTES && mayGo(chunk)) {
      whole.push(chunk);
      continue;
    }
    for (let at = runs.length - 2; at >= 0; at -= 2)
      cut(freeLists, chunk.address + (runs[at] - first) * UNIT, (runs[at + 1] - runs[at]) * UNIT);
  }
  return whole;
}

function setBits(bits: Uint32Array, from: number, count: number): void {
  const end = from + count;
  for (let at = from; at < end; ) {
    const bit = at & 31;
    const n = Math.min(32 - bit, end - at);
    bits[at >>> 5] |= n === 32 ? -1 : ((1 << n) - 1) << bit;
    at += n;
  }
}

/** First and end of each run of bits that are set, of which no more than one bit lies between, or before the first or behind the last; how many bits that are, and how many of them lay between. */
function runsOf(bits: Uint32Array, from: number, end: number): { runs: number[]; free: number; crumbs: number } {
  const runs: number[] = [];
  let free = 0;
  let crumbs = 0;
  for (let at = next(bits, from, end, 0); at < end; ) {
    const stop = next(bits, at, end, -1);
    const last = runs.length - 1;
    const before = last < 0 ? from : runs[last];
    free += stop - at;
    if (at - before === 1) crumbs++;
    if (last >= 0 && at - before === 1) runs[last] = stop;
    else runs.push(at - before === 1 ? before : at, stop);
    at = next(bits, stop, end, 0);
  }
  if (runs.length > 0 && runs[runs.length - 1] === end - 1) {
    crumbs++;
    runs[runs.length - 1] = end;
  }
  return { runs, free: free + crumbs, crumbs };
}

/** The first bit from `at` on, before `end`, that is not as those of `flip` are, which is 0 or -1; `end` when there is none. */
function next(bits: Uint32Array, at: number, end: number, flip: number): number {
  let word = at >>> 5;
  let rest = (bits[word] ^ flip) & (-1 << (at & 31));
  for (const last = end >>> 5; rest === 0; rest = bits[word] ^ flip) if (++word >= last) return end;
  return (word << 5) + 31 - Math.clz32(rest & -rest);
}

/** Blocks of so many bytes from an address on, the largest at its end; gives the bytes that are too few for one. */
export function cut(freeLists: Uint32Array, address: number, bytes: number): number {
  let left = bytes;
  while (left > UNIT) {
    let cls = BLOCK_SIZES.length - 1;
    if (left < BLOCK_SIZES[cls]) {
      cls = sizeClass(left);
      if (BLOCK_SIZES[cls] > left) cls--;
    }
    if (left - BLOCK_SIZES[cls] === UNIT) cls--;
    left -= BLOCK_SIZES[cls];
    push(freeLists, cls, address + left);
  }
  return left;
}

/** The class of the largest free block, from `least` on; -1: there is none. */
export function largestFree(freeLists: Uint32Array, least: number): number {
  let cls = BLOCK_SIZES.length - 1;
  while (cls >= least && freeLists[cls] === 0) cls--;
  return cls >= least ? cls : -1;
}
