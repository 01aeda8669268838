/**
 * What a heap (heap.ts) saves: in every tick that may be taken back, most of which change little of it. Parts that are as they were when they were saved last are the same objects, which nobody changes:
 * to look costs nanoseconds, and a typed array that is made in each tick half a microsecond and as much again when it is collected.
 */
import { PAGE_BYTES } from '../batch/memory.ts';
import type { Chunk } from './heap_chunks.ts';
import type { SavedHeap } from './saved.ts';

const NO_WORDS = new Uint32Array(0);

export class HeapSaves {
  #heapPages = NO_WORDS;
  #unused: number[] = [];
  #closed: number[] = [];
  #largePages = NO_WORDS;
  #freeLists = NO_WORDS;

  /** Chunks, of which the first so many are closed; blocks with pages of their own; the first free block of each class. */
  of(
    chunks: Chunk[],
    closedCount: number,
    large: Map<number, number>,
    freeLists: Uint32Array,
    { queued, next, end, chunkPages, live }: Pick<SavedHeap, 'queued' | 'next' | 'end' | 'chunkPages' | 'live'>,
  ): SavedHeap {
    if (!this.#hasChunks(chunks, closedCount)) this.#saveChunks(chunks, closedCount);
    if (!this.#hasLarge(large)) this.#largePages = savedLarge(large);
    if (!isSame(this.#freeLists, freeLists)) this.#freeLists = freeLists.slice();
    return {
      heapPages: this.#heapPages,
      unused: this.#unused,
      largePages: this.#largePages,
      freeLists: this.#freeLists,
      queued,
      next,
      end,
      chunkPages,
      live,
      closed: this.#closed,
    };
  }

  #hasChunks(chunks: Chunk[], closedCount: number): boolean {
    if (this.#unused.length !== chunks.length || this.#closed.length !== closedCount) return false;
    for (let i = 0; i < chunks.length; i++) {
      const { address, pages, unused, live } = chunks[i];
      if (this.#heapPages[i * 2] !== address / PAGE_BYTES || this.#heapPages[i * 2 + 1] !== pages) return false;
      if (this.#unused[i] !== unused || (i < closedCount && this.#closed[i] !== live)) return false;
    }
    return true;
  }

  #saveChunks(chunks: Chunk[], closedCount: number): void {
    this.#heapPages = new Uint32Array(chunks.length * 2);
    this.#unused = chunks.map(({ unused }) => unused);
    this.#closed = chunks.slice(0, closedCount).map(({ live }) => live);
    for (let i = 0; i < chunks.length; i++) {
      this.#heapPages[i * 2] = chunks[i].address / PAGE_BYTES;
      this.#heapPages[i * 2 + 1] = chunks[i].pages;
    }
  }

  #hasLarge(large: Map<number, number>): boolean {
    if (this.#largePages.length !== large.size * 2) return false;
    if (large.size === 0) return true;
    let at = 0;
    for (const [address, count] of large) {
      if (this.#largePages[at] !== address / PAGE_BYTES || this.#largePages[at + 1] !== count) return false;
      at += 2;
    }
    return true;
  }
}

/** Address and number of pages of each. */
function savedLarge(large: Map<number, number>): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(large.size * 2);
  let at = 0;
  for (const [address, count] of large) {
    words[at++] = address / PAGE_BYTES;
    words[at++] = count;
  }
  return words;
}

function isSame(saved: Uint32Array, now: Uint32Array): boolean {
  if (saved.length !== now.length) return false;
  for (let i = 0; i < now.length; i++) if (saved[i] !== now[i]) return false;
  return true;
}
