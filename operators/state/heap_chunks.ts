/** The pages of a heap (heap.ts), taken some at a time, and which of them are closed: nothing is handed out of those any more, what is freed there is counted alone. */
import { budget } from '../batch/budget.ts';
import { PAGE_BYTES } from '../batch/memory.ts';
import { markPages } from './leaving.ts';
import type { SavedHeap } from './saved.ts';

/** Pages taken at once grow with the heap so that thousands of small heaps stay small, and are a small share of a small limit. */
export const FIRST_CHUNK_PAGES = 1;
const MAX_CHUNK_PAGES = 64;
const CHUNK_SHARE = 1 / 256;
/** Fewer bytes of holes are not worth a look. */
export const LEAST_HOLES = 2 * PAGE_BYTES;
/** Much is free: a third of what is held. */
const MANY_HOLES = 1 / 2;

export function mostChunkPages(): number {
  return budget.pagesOf(CHUNK_SHARE, MAX_CHUNK_PAGES);
}

export interface Chunk {
  address: number;
  pages: number;
  /** Bytes between its blocks, or at its end, that are too few for one. */
  unused: number;
  /** Bytes of blocks in use, of one that is closed. */
  live: number;
}

/** Closed chunks of all heaps, by page. */
export const closed: (Chunk | undefined)[] = new Array(65536).fill(undefined);

export function setClosed(chunk: Chunk, is: boolean): void {
  closed.fill(is ? chunk : undefined, chunk.address / PAGE_BYTES, chunk.address / PAGE_BYTES + chunk.pages);
  if (!is) markPages(chunk.address, chunk.pages, 0);
}

/** How many quarters of a closed chunk are in use. */
export function quarters({ live, pages }: Chunk): number {
  return Math.ceil((live * 4) / (pages * PAGE_BYTES));
}

/** Whether the address lies in the chunk. */
export function holds({ address, pages }: Chunk, at: number): boolean {
  return at >= address && at < address + pages * PAGE_BYTES;
}

/** Whether in those that are not closed much is free. `live`: bytes of blocks in all of them; `atHand`: bytes from which blocks are being cut. */
export function hasHoles(chunks: Chunk[], closedCount: number, live: number, atHand: number): boolean {
  let held = 0;
  let inOpen = live;
  for (let i = 0; i < chunks.length; i++) {
    if (i < closedCount) inOpen -= chunks[i].live;
    else held += chunks[i].pages * PAGE_BYTES;
  }
  const holes = held - inOpen - atHand;
  return holes >= LEAST_HOLES && holes >= inOpen * MANY_HOLES;
}

/** As they were saved (heap_saves.ts). */
export function chunksOf({ heapPages, unused, closed: lives }: SavedHeap): Chunk[] {
  const chunks: Chunk[] = [];
  for (let i = 0; i < unused.length; i++)
    chunks.push({
      address: heapPages[i * 2] * PAGE_BYTES,
      pages: heapPages[i * 2 + 1],
      unused: unused[i],
      live: lives[i] ?? 0,
    });
  return chunks;
}
