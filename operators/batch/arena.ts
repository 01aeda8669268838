/**
 * A bump allocator for what dies together: one tick's batches, one query's result. Nothing is freed alone; reset() forgets
 * everything and keeps the first chunk unless it is large, release() gives all pages back.
 *
 * Cost: a few instructions an allocation. Every address is 16-byte aligned.
 */
import { kernels } from '../kernels/index.ts';
import { budget } from './budget.ts';
import { PAGE_BYTES, U8 } from './memory.ts';
import { checked, pages } from './pages.ts';

interface Chunk {
  address: number;
  pages: number;
}

/** Of a small limit a chunk is a small share. */
const MOST_CHUNK_PAGES = 16;
const CHUNK_SHARE = 1 / 256;

/** More than this is not reckoned with in integers of 32 bits, which would make a small size of 4 GiB and a bit. */
const MOST_INTEGER_BYTES = 0x7fff0000;

function chunkPages(most: number): number {
  return budget.pagesOf(CHUNK_SHARE, most);
}

export class Arena {
  #chunks: Chunk[] = [];
  #next = 0;
  #end = 0;
  /** Of the first chunk, which reset() keeps unless it is large; 0: there is none. */
  #first = 0;
  #firstEnd = 0;
  #isLarge = false;
  readonly #mostPages: number;

  /** `mostPages`: of a chunk, but for what is larger; few, where little is kept for long. */
  constructor(mostPages = MOST_CHUNK_PAGES) {
    this.#mostPages = mostPages;
  }

  /** `bytes` bytes at a 16-byte aligned address, contents unspecified. */
  alloc(bytes: number): number {
    if (bytes > MOST_INTEGER_BYTES) return this.#grow(Math.ceil(bytes / 16) * 16);
    const size = (bytes + 15) & ~15;
    const address = this.#next;
    if (address + size > this.#end) return this.#grow(size);
    this.#next = address + size;
    return address;
  }

  allocZeroed(bytes: number): number {
    const address = this.alloc(bytes);
    kernels.fillBytes(address, 0, bytes);
    return address;
  }

  /** Copies bytes in and returns their address. */
  copyIn(bytes: Uint8Array): number {
    const address = this.alloc(bytes.length);
    U8.set(bytes, address);
    return address;
  }

  /** Of `bytes` bytes at `address` only the first `used` are needed: the others are given back, if nothing was allocated since. */
  trim(address: number, bytes: number, used: number): void {
    if (address + ((bytes + 15) & ~15) === this.#next) this.#next = address + ((used + 15) & ~15);
  }

  #grow(size: number): number {
    const usual = chunkPages(this.#mostPages);
    const count = Math.max(usual, Math.ceil(size / PAGE_BYTES));
    const address = pages.allocate(count);
    this.#chunks.push({ address, pages: count });
    if (this.#chunks.length === 1) {
      this.#first = address;
      this.#firstEnd = address + count * PAGE_BYTES;
      this.#isLarge = count > usual;
    }
    this.#next = address + size;
    this.#end = address + count * PAGE_BYTES;
    return address;
  }

  /** Bytes of pages held. */
  get bytes(): number {
    let total = 0;
    for (const chunk of this.#chunks) total += chunk.pages * PAGE_BYTES;
    return total;
  }

  reset(): void {
    if (this.#isLarge) {
      this.release();
      return;
    }
    if (this.#chunks.length > 1) {
      for (let i = 1; i < this.#chunks.length; i++) pages.release(this.#chunks[i].address, this.#chunks[i].pages);
      this.#chunks.length = 1;
    }
    this.#next = this.#first;
    this.#end = this.#firstEnd;
    if (checked) U8.fill(0xdb, this.#next, this.#end);
  }

  release(): void {
    for (const chunk of this.#chunks) pages.release(chunk.address, chunk.pages);
    this.#chunks = [];
    this.#next = 0;
    this.#end = 0;
    this.#first = 0;
    this.#firstEnd = 0;
    this.#isLarge = false;
  }
}

/** Runs with an arena that is given back afterwards. */
export function withScratch<T>(use: (arena: Arena) => T): T {
  const arena = new Arena();
  try {
    return use(arena);
  } finally {
    arena.release();
  }
}
