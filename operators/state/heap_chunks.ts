/** The pages of a heap (heap.ts), taken some at a time, and which of them are closed: nothing is handed out of those any more, what is freed there is counted alone. */
import { budget } from '../batch/budget.ts';
import { PAGE_BYTES } from '../batch/memory.ts';
import { markPages } from './leaving.ts';

/** Pages taken at once grow with the heap so that thousands of small heaps stay small, and are a small share of a small limit. */
export const FIRST_CHUNK_PAGES = 1;
const MAX_CHUNK_PAGES = 64;
const CHUNK_SHARE = 1 / 256;

export function mostChunkPages(): number {
  return budget.pagesOf(CHUNK_SHARE, MAX_CHUNK_PAGES);
}

export interface Chunk {
  address: number;
  pages: number;
  /** Bytes at its end that were never handed out when the next chunk was begun. */
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

/** Position of the chunk that holds the address, of chunks in order of address; -1: none does. */
export function chunkOf(chunks: Chunk[], address: number): number {
  let low = 0;
  let high = chunks.length - 1;
  while (low < high) {
    const mid = (low + high + 1) >>> 1;
    if (chunks[mid].address <= address) low = mid;
    else high = mid - 1;
  }
  const chunk = chunks[low];
  return chunk !== undefined && address >= chunk.address && address < chunk.address + chunk.pages * PAGE_BYTES
    ? low
    : -1;
}
