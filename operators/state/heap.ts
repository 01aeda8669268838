/**
 * The heap of one piece of operator state: runs of rows and bytes of long values, in size classes.
 *
 * Classes are 16, 32, 48, 64, then four steps per doubling up to 64 KiB (at most 25 % waste); larger blocks take whole pages.
 * A free list a class is threaded through the freed blocks. Dropping the state gives all pages back at once; so does, now and then, freeing most of it:
 * pages of which every block is free go back when as much was freed as a quarter of what the heap holds.
 *
 * A batch of this tick may still show bytes that the state has let go (varlen slots are shallow copies), so free() only queues a
 * block; endTick() makes queued blocks reusable.
 *
 * Writes are announced to write_marks.ts: alloc() touches the whole block, so what is written into it in the same tick needs no touch().
 */
import { PAGE_BYTES, U8, U32 } from '../batch/memory.ts';
import { checked, pages } from '../batch/pages.ts';
import type { SavedHeap } from './saved.ts';
import { isFresh } from './undo_log.ts';
import { forgetPages, type PageRun, tookPages, touch, touchLarge, touchRange } from './write_marks.ts';

const CLASS_SIZES: number[] = [16, 32, 48, 64];
for (let base = 64; base < PAGE_BYTES; base *= 2) {
  for (let step = 1; step <= 4; step++) CLASS_SIZES.push(base + (base / 4) * step);
}

/** Class of a size, for sizes up to 64 KiB, by 16-byte units. */
const CLASS_OF = new Uint8Array(PAGE_BYTES / 16 + 1);
for (let units = 1, cls = 0; units < CLASS_OF.length; units++) {
  while (CLASS_SIZES[cls] < units * 16) cls++;
  CLASS_OF[units] = cls;
}

/** Pages taken at once grow with the heap so that thousands of small heaps stay small. */
const FIRST_CHUNK_PAGES = 1;
const MAX_CHUNK_PAGES = 64;

interface Chunk {
  address: number;
  pages: number;
  /** Bytes at its end that were never handed out when the next chunk was begun. */
  unused: number;
}

const LEAST_TRIM_BYTES = 1 << 20;
/** Looks for pages to give back when this share of what it holds was freed. */
const TRIM_SHARE = 4;

export class Heap {
  readonly #freeLists = new Uint32Array(CLASS_SIZES.length);
  /** The present one, of which new blocks are cut, is the last. */
  readonly #chunks: Chunk[] = [];
  readonly #large = new Map<number, number>();
  #next = 0;
  #end = 0;
  #chunkPages = FIRST_CHUNK_PAGES;
  #live = 0;
  #queued: number[] = [];
  /** Bytes of blocks freed since the heap looked for pages to give back. */
  #freed = 0;

  /** Bytes in live blocks, rounded to their class. */
  get liveBytes(): number {
    return this.#live;
  }

  /** Bytes that a block of this size really gets. */
  static roundUp(bytes: number): number {
    if (bytes > PAGE_BYTES) return Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;
    return CLASS_SIZES[CLASS_OF[(bytes + 15) >>> 4]];
  }

  alloc(bytes: number): number {
    if (bytes > PAGE_BYTES) return this.#allocLarge(bytes);
    const cls = CLASS_OF[(bytes + 15) >>> 4];
    const size = CLASS_SIZES[cls];
    this.#live += size;
    const head = this.#freeLists[cls];
    if (head !== 0) {
      this.#freeLists[cls] = U32[head >>> 2];
      touchRange(head, size);
      return head;
    }
    const address = this.#next;
    if (address + size <= this.#end) {
      this.#next = address + size;
      touchRange(address, size);
      return address;
    }
    return this.#refill(size);
  }

  /** Frees at endTick(). `bytes` must be what alloc() was asked for. */
  free(address: number, bytes: number): void {
    this.#queued.push(address, bytes);
  }

  endTick(): void {
    const queued = this.#queued;
    if (queued.length === 0) return;
    for (let i = 0; i < queued.length; i += 2) this.#freeNow(queued[i], queued[i + 1]);
    this.#queued = [];
    if (this.#freed >= LEAST_TRIM_BYTES && this.#freed * TRIM_SHARE >= this.#chunkBytes()) this.#trim();
  }

  #chunkBytes(): number {
    return this.#chunks.reduce((sum, chunk) => sum + chunk.pages * PAGE_BYTES, 0);
  }

  /** Gives back the chunks of which every block is free. O(free blocks): as many as were freed since the last time, to a factor. */
  #trim(): void {
    this.#freed = 0;
    const chunks = [...this.#chunks].sort((a, b) => a.address - b.address);
    const free = new Float64Array(chunks.length);
    const present = this.#chunks.at(-1);
    this.#eachFree((address, size) => {
      free[chunkOf(chunks, address)] += size;
    });
    const goes = chunks.map((chunk, i) => chunk !== present && free[i] + chunk.unused === chunk.pages * PAGE_BYTES);
    if (!goes.includes(true)) return;
    this.#freeLists.forEach((head, cls) => {
      let last = 0;
      for (let at = head; at !== 0; at = U32[at >>> 2]) {
        if (goes[chunkOf(chunks, at)]) continue;
        if (last === 0) this.#freeLists[cls] = at;
        else if (U32[last >>> 2] !== at) {
          touch(last);
          U32[last >>> 2] = at;
        }
        last = at;
      }
      if (last === 0) this.#freeLists[cls] = 0;
      else if (U32[last >>> 2] !== 0) {
        touch(last);
        U32[last >>> 2] = 0;
      }
    });
    const gone = new Set(chunks.filter((_, i) => goes[i]));
    for (const chunk of gone) giveBack(chunk.address, chunk.pages);
    this.#chunks.splice(0, this.#chunks.length, ...this.#chunks.filter((chunk) => !gone.has(chunk)));
  }

  #eachFree(visit: (address: number, size: number) => void): void {
    this.#freeLists.forEach((head, cls) => {
      for (let at = head; at !== 0; at = U32[at >>> 2]) visit(at, CLASS_SIZES[cls]);
    });
  }

  #freeNow(address: number, bytes: number): void {
    if (bytes > PAGE_BYTES) {
      const count = this.#large.get(address);
      if (count === undefined) throw new Error(`heap block freed twice at ${address}`);
      this.#large.delete(address);
      this.#live -= count * PAGE_BYTES;
      giveBack(address, count);
      return;
    }
    const cls = CLASS_OF[(bytes + 15) >>> 4];
    const size = CLASS_SIZES[cls];
    this.#live -= size;
    this.#freed += size;
    if (checked) {
      touchRange(address, size);
      U8.fill(0xdb, address, address + size);
    }
    touch(address);
    U32[address >>> 2] = this.#freeLists[cls];
    this.#freeLists[cls] = address;
  }

  #allocLarge(bytes: number): number {
    const count = Math.ceil(bytes / PAGE_BYTES);
    const address = pages.allocate(count);
    tookPages(address, count);
    touchLarge(address, bytes);
    this.#large.set(address, count);
    this.#live += count * PAGE_BYTES;
    return address;
  }

  #refill(size: number): number {
    const count = Math.max(this.#chunkPages, Math.ceil(size / PAGE_BYTES));
    const address = pages.allocate(count);
    tookPages(address, count);
    touchRange(address, size);
    this.#chunkPages = Math.min(this.#chunkPages * 2, MAX_CHUNK_PAGES);
    const present = this.#chunks.at(-1);
    if (present !== undefined) present.unused = this.#end - this.#next;
    this.#chunks.push({ address, pages: count, unused: 0 });
    this.#next = address + size;
    this.#end = address + count * PAGE_BYTES;
    return address;
  }

  save(): SavedHeap {
    const list = (runs: [address: number, count: number][]) =>
      Uint32Array.from(runs.flatMap(([address, count]) => [address / PAGE_BYTES, count]));
    return {
      heapPages: list(this.#chunks.map((chunk) => [chunk.address, chunk.pages])),
      unused: this.#chunks.map((chunk) => chunk.unused),
      largePages: list([...this.#large]),
      freeLists: this.#freeLists.slice(),
      queued: this.#queued.slice(),
      next: this.#next,
      end: this.#end,
      chunkPages: this.#chunkPages,
      live: this.#live,
    };
  }

  /** Takes over pages that are reserved and filled already. Pages that it took since it was saved itself, in a tick that is taken back, go. */
  load(saved: SavedHeap): void {
    const { heapPages, largePages } = saved;
    const kept = new Set<number>();
    for (const list of [heapPages, largePages]) for (let i = 0; i < list.length; i += 2) kept.add(list[i] * PAGE_BYTES);
    for (const chunk of this.#chunks) if (!kept.has(chunk.address)) giveBack(chunk.address, chunk.pages);
    for (const [address, count] of this.#large) if (!kept.has(address)) giveBack(address, count);
    this.#chunks.length = 0;
    this.#large.clear();
    for (let i = 0; i < heapPages.length; i += 2)
      this.#chunks.push({ address: heapPages[i] * PAGE_BYTES, pages: heapPages[i + 1], unused: saved.unused[i / 2] });
    for (let i = 0; i < largePages.length; i += 2) this.#large.set(largePages[i] * PAGE_BYTES, largePages[i + 1]);
    this.#freeLists.set(saved.freeLists);
    this.#queued = saved.queued.slice();
    this.#next = saved.next;
    this.#end = saved.end;
    this.#chunkPages = saved.chunkPages;
    this.#live = saved.live;
  }

  release(): void {
    for (const chunk of this.#chunks) giveBack(chunk.address, chunk.pages);
    for (const [address, count] of this.#large) giveBack(address, count);
    this.#chunks.length = 0;
    this.#large.clear();
    this.#freeLists.fill(0);
    this.#queued = [];
    this.#next = 0;
    this.#end = 0;
    this.#live = 0;
    this.#chunkPages = FIRST_CHUNK_PAGES;
  }
}

/** Position of the chunk that holds the address, of chunks in order of address. */
function chunkOf(chunks: Chunk[], address: number): number {
  let low = 0;
  let high = chunks.length - 1;
  while (low < high) {
    const mid = (low + high + 1) >>> 1;
    if (chunks[mid].address <= address) low = mid;
    else high = mid - 1;
  }
  return low;
}

/** Pages that a tick lets go which may still be taken back: they stay until it has ended. */
let waiting: PageRun[] = [];
/** Of heaps whose owner is made anew; null when heaps really end. */
let abandoned: PageRun[] | null = null;

function giveBack(address: number, count: number): void {
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
