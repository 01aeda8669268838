/**
 * The heap of one piece of operator state: runs of rows and bytes of long values, in size classes.
 *
 * Blocks have the sizes of block_sizes.ts; larger ones take whole pages. A free list a size is threaded through the freed blocks (free_lists.ts), new ones are
 * cut of the heap's present chunk of pages (heap_chunks.ts), or, where a third of the heap is free but nothing of the size that is asked for, of a larger free block.
 * Now and then the free blocks that lie side by side are merged (merged_blocks.ts, trim_watch.ts), so that sizes may change in the course of time, and pages of which every block is free go back.
 * Dropping the state gives all pages back at once.
 *
 * A batch of this tick may still show bytes that the state has let go (varlen slots are shallow copies), so free() only queues a
 * block; endTick() makes queued blocks reusable.
 *
 * Chunks can also be emptied on purpose. empty() closes all but the present one: nothing is handed out of them any more, what is freed there is only
 * counted, and a chunk that holds nothing goes back. Of these it chooses some whose owner moves away what is left in them (isLeaving()): so many bytes to make
 * room for others by sending their blocks to disk (empty(), chill.ts), or the sparse ones when memory is short, by moving them together (emptySparse(), compaction.ts).
 *
 * Writes are announced to write_marks.ts: alloc() touches the whole block, so what is written into it in the same tick needs no touch().
 */
import { PAGE_BYTES, U8, U32 } from '../batch/memory.ts';
import { checked, pages } from '../batch/pages.ts';
import { HEAP_END, HEAP_GIVEN, HEAP_LISTS, HEAP_NEXT, HEAP_POISON, HEAP_TAKEN } from '../kernels/heap_layout.ts';
import { kernels } from '../kernels/index.ts';
import { BLOCK_SIZES, sizeClass } from './block_sizes.ts';
import { push, unlink } from './free_lists.ts';
import { FreedQueue } from './freed_queue.ts';
import {
  type Chunk,
  chunksOf,
  closed,
  FIRST_CHUNK_PAGES,
  hasHoles,
  holds,
  LEAST_HOLES,
  mostChunkPages,
  quarters,
  setClosed,
} from './heap_chunks.ts';
import { giveBack } from './heap_pages.ts';
import { HeapSaves } from './heap_saves.ts';
import { isLeaving, markPages } from './leaving.ts';
import { giveRecord, takeRecord } from './lent_records.ts';
import { cut, largestFree, mergeBlocks, UNIT } from './merged_blocks.ts';
import type { SavedHeap } from './saved.ts';
import { TrimWatch } from './trim_watch.ts';
import { tookPages, touchLarge, touchRange, unusedUpTo } from './write_marks.ts';

/** Blocks are cut from free ones that have at least so many bytes. */
const LEAST_CUT = 512;
/** Where much is free, but not at hand, this will do until the end of the tick. */
const LACKED_PAGES = 4;
/** Of what kernels are lent. */
const RECORD_BYTES = HEAP_LISTS + BLOCK_SIZES.length * 4;

export class Heap {
  /** The first free block of each class; in the record that kernels are lent, once there is one. */
  #freeLists: Uint32Array = new Uint32Array(BLOCK_SIZES.length);
  /** 0: no kernel was lent anything yet. */
  #record = 0;
  /** The present one, which is the last, is never given back. */
  readonly #chunks: Chunk[] = [];
  readonly #large = new Map<number, number>();
  /** Where the next block is cut, and where that ends. */
  #next = 0;
  #end = 0;
  /** Nothing ever lay from there to the end. */
  #isUnused = false;
  #chunkPages = FIRST_CHUNK_PAGES;
  #live = 0;
  /** Blocks that endTick() makes reusable. */
  readonly #queue = new FreedQueue();
  /** No free block was large enough, though much was free. */
  #lacked = false;
  /** When to merge free blocks, and look for pages to give back. */
  readonly #watch = new TrimWatch();
  /** The first so many chunks are closed. */
  #closed = 0;
  /** Some closed chunk holds nothing now. */
  #emptied = false;
  #leaving = false;
  /** Bytes of holes that were left when sparse chunks were emptied last. */
  #holesLeft = 0;
  readonly #saves = new HeapSaves();
  readonly #neighbour: Heap | null;

  /** Small blocks of a small heap may lie in the first chunk of its `neighbour`, which lives as long. */
  constructor(neighbour: Heap | null = null) {
    this.#neighbour = neighbour;
  }

  /** Bytes in live blocks, rounded to their class. */
  get liveBytes(): number {
    return this.#live;
  }

  alloc(bytes: number): number {
    if (bytes > PAGE_BYTES) return this.#allocLarge(bytes);
    const cls = sizeClass(bytes);
    const size = BLOCK_SIZES[cls];
    const head = this.#freeLists[cls];
    if (head !== 0) {
      this.#live += size;
      this.#freeLists[cls] = U32[head >>> 2];
      touchRange(head, size);
      return head;
    }
    const address = this.#next;
    if (address + size <= this.#end) {
      this.#live += size;
      this.#next = address + size;
      if ((address + size - 1) >>> 16 !== (address - 1) >>> 16 && this.#isUnused) unusedUpTo(address, this.#end);
      touchRange(address, size);
      return address;
    }
    const refilled = this.#refill(size);
    // Behind it: who is not under undo (state that can be made again) goes on with this heap when there was no page.
    this.#live += size;
    return refilled;
  }

  /**
   * Gives the varlen slots of a list (kernels/assembly/own_texts.ts), from number `from` on, blocks with copies of their texts; gives the number of the first one that is left to
   * the caller.
   */
  ownTexts(list: number, from: number, count: number): number {
    return this.lend((record) => kernels.ownTexts(list, from, count, record));
  }

  /** Whether kernels may give blocks back: only free() knows of closed chunks. */
  get canLend(): boolean {
    return this.#closed === 0;
  }

  /** Lets a kernel take blocks and, at once, not at endTick(), give them back: it gets a record as heap_layout.ts says. */
  lend<T>(work: (record: number) => T): T {
    const result = work(this.beginLending());
    this.endLending();
    return result;
  }

  /** lend() in two parts, where a function a call would be too much: gives the record for the kernel that is called next. */
  beginLending(): number {
    const record = this.#record === 0 ? this.#newRecord() : this.#record;
    if (this.#isUnused) unusedUpTo(this.#next, this.#end);
    const at = record >>> 2;
    U32[at + HEAP_NEXT / 4] = this.#next;
    U32[at + HEAP_END / 4] = this.#end;
    U32[at + HEAP_TAKEN / 4] = 0;
    U32[at + HEAP_GIVEN / 4] = 0;
    return record;
  }

  /** The kernel has returned. */
  endLending(): void {
    const at = this.#record >>> 2;
    this.#next = U32[at + HEAP_NEXT / 4];
    this.#live += U32[at + HEAP_TAKEN / 4] - U32[at + HEAP_GIVEN / 4];
    this.#watch.freed += U32[at + HEAP_GIVEN / 4];
  }

  /** From now on the free lists lie where kernels find them: to copy them there and back would be most of what a kernel costs in a tick of few rows. */
  #newRecord(): number {
    const record = takeRecord(RECORD_BYTES);
    const lists = (record + HEAP_LISTS) >>> 2;
    U32.set(this.#freeLists, lists);
    U32[(record + HEAP_POISON) >>> 2] = checked ? 1 : 0;
    this.#freeLists = U32.subarray(lists, lists + BLOCK_SIZES.length);
    this.#record = record;
    return record;
  }

  #dropRecord(): void {
    if (this.#record === 0) return;
    giveRecord(this.#record, RECORD_BYTES);
    this.#freeLists = new Uint32Array(BLOCK_SIZES.length);
    this.#record = 0;
  }

  /** Frees at endTick(). `bytes` must be what alloc() was asked for. */
  free(address: number, bytes: number): void {
    this.#queue.add(address, bytes);
  }

  /** Frees the blocks from one word address to another, address and bytes each, at once: nobody shows them any more. */
  freeNow(from: number, end: number): void {
    for (let i = from; i < end; i += 2) this.#freeNow(U32[i], U32[i + 1]);
    if (this.#emptied) this.#dropEmpty();
  }

  /** free() of n blocks, whose addresses and bytes are at a word address. */
  freeAll(list: number, n: number): void {
    for (let i = list, end = list + n * 2; i < end; i += 2) this.free(U32[i], U32[i + 1]);
  }

  endTick(): void {
    const { words, length } = this.#queue;
    if (length === 0) return;
    for (let i = 0; i < length; i += 2) this.#freeNow(words[i], words[i + 1]);
    this.#queue.empty();
    if (this.#emptied) this.#dropEmpty();
    if (this.#watch.isNear && this.#watch.isDue(this.#live, this.#chunkBytes(), this.#lacked)) this.#merge();
  }

  /** Bytes of the pages that it has. */
  get pageBytes(): number {
    return this.#chunkBytes() + this.#largePages() * PAGE_BYTES;
  }

  #largePages(): number {
    return [...this.#large.values()].reduce((sum, count) => sum + count, 0);
  }

  #chunkBytes(): number {
    return this.#chunks.reduce((sum, chunk) => sum + chunk.pages * PAGE_BYTES, 0);
  }

  /** Merges free blocks, and gives back the chunks of which every block is free. O(free blocks): as many as were freed since the last time, to a factor. */
  #merge(): void {
    // No block can have 8 bytes, so they must not look like what lies between two.
    if (this.#end - this.#next === UNIT) this.#leave();
    const present = this.#chunks.at(-1);
    const open = this.#chunks.slice(this.#closed).sort((a, b) => a.address - b.address);
    const gone = mergeBlocks(this.#freeLists, open, (chunk) => chunk !== present && !holds(chunk, this.#next));
    this.#watch.looked(this.#live, gone.length > 0);
    this.#lacked = false;
    for (const chunk of gone) {
      this.#chunks.splice(this.#chunks.indexOf(chunk), 1);
      giveBack(chunk.address, chunk.pages);
    }
  }

  /** Blocks are not cut any more from where they were: the rest of it becomes free blocks. */
  #leave(): void {
    const address = this.#next;
    const left = cut(this.#freeLists, address, this.#end - address);
    if (left > 0) {
      const chunk = this.#chunks.find((c) => holds(c, address));
      if (chunk !== undefined) chunk.unused += left;
    }
    this.#next = 0;
    this.#end = 0;
    this.#isUnused = false;
  }

  /** Where much is free of which no block of this size can be had, blocks are cut from the largest free one. */
  #reuse(size: number): boolean {
    const live = this.#live - this.#largePages() * PAGE_BYTES;
    if (!hasHoles(this.#chunks, this.#closed, live, this.#end - this.#next)) return false;
    const cls = largestFree(this.#freeLists, sizeClass(Math.max(size, LEAST_CUT)));
    if (cls < 0) {
      this.#lacked = true;
      return false;
    }
    const address = this.#freeLists[cls];
    this.#freeLists[cls] = U32[address >>> 2];
    this.#leave();
    this.#next = address;
    this.#end = address + BLOCK_SIZES[cls];
    return true;
  }

  /** Whether chunks are being emptied. */
  get emptying(): boolean {
    return this.#leaving;
  }

  /**
   * Closes all chunks but the present one, and that too when `bytes` is infinite or it is the only one. Chooses closed chunks of so many bytes, those with
   * the least in them first, of those that are about as full the oldest, and of the blocks with pages of their own as large a share: they are leaving. False when there are none. Between two ticks.
   */
  empty(bytes: number): boolean {
    if (this.#leaving) throw new Error('chunks are being emptied already');
    this.endTick();
    const share = Math.min(1, bytes / Math.max(1, this.pageBytes));
    this.#close(bytes === Number.POSITIVE_INFINITY || this.#chunks.length === 1);
    const wanted = this.#chunkBytes() * share;
    let taken = 0;
    for (const { address, pages: count } of this.#chunks
      .slice(0, this.#closed)
      .sort((a, b) => quarters(a) - quarters(b))) {
      if (taken >= wanted) break;
      taken += count * PAGE_BYTES;
      markPages(address, count, 1);
      this.#leaving = true;
    }
    let left = this.#largePages() * share;
    for (const [address, count] of this.#large) {
      if (left <= 0) break;
      left -= count;
      markPages(address, count, 1);
      this.#leaving = true;
    }
    return this.#leaving;
  }

  /** Whether something lies still in what is leaving. */
  get isLeft(): boolean {
    return this.#chunks.some(({ address }) => isLeaving(address)) || [...this.#large.keys()].some(isLeaving);
  }

  /** Whether at least half of its chunks is free, and emptying those that have least in them would give pages back. */
  get isSparse(): boolean {
    const held = this.#chunkBytes() - (this.#end - this.#next);
    const holes = held - (this.#live - this.#largePages() * PAGE_BYTES);
    return holes >= LEAST_HOLES && holes * 2 >= held && holes - this.#holesLeft >= LEAST_HOLES;
  }

  /** Closes all chunks; those that are at most half full are leaving. False when there are none. Between two ticks. */
  emptySparse(): boolean {
    if (this.#leaving) throw new Error('chunks are being emptied already');
    this.endTick();
    this.#close(true);
    let left = 0;
    let moves = 0;
    for (const { address, pages: count, live } of this.#chunks) {
      const bytes = count * PAGE_BYTES;
      if (live * 2 > bytes) {
        left += bytes - live;
        continue;
      }
      moves += live;
      markPages(address, count, 1);
      this.#leaving = true;
    }
    this.#holesLeft = left;
    // The next chunk takes what moves, and is no larger than that.
    this.#chunkPages = Math.max(FIRST_CHUNK_PAGES, Math.min(Math.ceil(moves / PAGE_BYTES), mostChunkPages()));
    return this.#leaving;
  }

  #close(all: boolean): void {
    const open = this.#chunks.slice(this.#closed, all ? undefined : -1);
    if (open.length === 0) return;
    if (all || !holds(this.#chunks[this.#chunks.length - 1], this.#next)) this.#leave();
    for (const chunk of open) {
      chunk.live = chunk.pages * PAGE_BYTES - chunk.unused;
      setClosed(chunk, true);
    }
    this.#closed += open.length;
    unlink(this.#freeLists, (address, size) => {
      const chunk = closed[address >>> 16];
      if (chunk === undefined) return false;
      chunk.live -= size;
      return true;
    });
    this.#dropEmpty();
  }

  /** The owner has moved away what was leaving. */
  endEmptying(): void {
    this.endTick();
    for (const { address } of this.#chunks)
      if (isLeaving(address)) throw new Error('something lies in pages that were to be given back');
    for (const [address, count] of this.#large) markPages(address, count, 0);
    this.#leaving = false;
  }

  /** Gives back the closed chunks that hold nothing. */
  #dropEmpty(): void {
    this.#emptied = false;
    const empty = this.#chunks.slice(0, this.#closed).filter((chunk) => chunk.live === 0);
    for (const chunk of empty) {
      setClosed(chunk, false);
      this.#chunks.splice(this.#chunks.indexOf(chunk), 1);
      giveBack(chunk.address, chunk.pages);
    }
    this.#closed -= empty.length;
    // A heap that was emptied begins small again: many of them at once would take what they all gave back.
    this.#chunkPages = Math.max(FIRST_CHUNK_PAGES, Math.min(this.#chunkBytes() / PAGE_BYTES, mostChunkPages()));
  }

  #freeNow(address: number, bytes: number): void {
    if (bytes > PAGE_BYTES) {
      const count = this.#large.get(address);
      if (count === undefined) throw new Error(`heap block freed twice at ${address}`);
      this.#large.delete(address);
      this.#live -= count * PAGE_BYTES;
      markPages(address, count, 0);
      giveBack(address, count);
      return;
    }
    const cls = sizeClass(bytes);
    const size = BLOCK_SIZES[cls];
    this.#live -= size;
    if (checked) {
      touchRange(address, size);
      U8.fill(0xdb, address, address + size);
    }
    const chunk = closed[address >>> 16];
    if (chunk !== undefined) {
      chunk.live -= size;
      if (chunk.live === 0) this.#emptied = true;
      return;
    }
    this.#watch.freed += size;
    push(this.#freeLists, cls, address);
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

  /** A block of the first chunk, for a neighbour that is small; 0: there is no room. */
  #lend(size: number): number {
    if (this.#chunks.length === 0) this.#addChunk(FIRST_CHUNK_PAGES);
    const address = this.#next;
    if (this.#chunks.length > 1 || address + size > this.#end) return 0;
    this.#next = address + size;
    return address;
  }

  #refill(size: number): number {
    const lent = this.#chunks.length > 0 || this.#neighbour === null ? 0 : this.#neighbour.#lend(size);
    if (lent !== 0) {
      touchRange(lent, size);
      return lent;
    }
    if (!this.#reuse(size)) this.#addChunk(this.#lacked ? LACKED_PAGES : this.#chunkPages);
    const address = this.#next;
    touchRange(address, size);
    this.#next = address + size;
    return address;
  }

  #addChunk(count: number): void {
    const address = pages.allocate(count);
    tookPages(address, count);
    if (!this.#lacked) this.#chunkPages = Math.min(this.#chunkPages * 2, mostChunkPages());
    this.#leave();
    this.#chunks.push({ address, pages: count, unused: 0, live: 0 });
    this.#next = address;
    this.#end = address + count * PAGE_BYTES;
    this.#isUnused = true;
  }

  save(): SavedHeap {
    return this.#saves.of(this.#chunks, this.#closed, this.#large, this.#freeLists, {
      queued: this.#queue.save(),
      next: this.#next,
      end: this.#end,
      chunkPages: this.#chunkPages,
      live: this.#live,
    });
  }

  /** Takes over pages that are reserved and filled already. Pages that it took since it was saved itself, in a tick that is taken back, go. */
  load(saved: SavedHeap): void {
    const { heapPages, largePages } = saved;
    this.#forgetMarks();
    const kept = new Set<number>();
    for (const list of [heapPages, largePages]) for (let i = 0; i < list.length; i += 2) kept.add(list[i] * PAGE_BYTES);
    for (const chunk of this.#chunks) if (!kept.has(chunk.address)) giveBack(chunk.address, chunk.pages);
    for (const [address, count] of this.#large) if (!kept.has(address)) giveBack(address, count);
    this.#chunks.splice(0, this.#chunks.length, ...chunksOf(saved));
    this.#large.clear();
    this.#closed = saved.closed.length;
    for (const chunk of this.#chunks.slice(0, this.#closed)) setClosed(chunk, true);
    for (let i = 0; i < largePages.length; i += 2) this.#large.set(largePages[i] * PAGE_BYTES, largePages[i + 1]);
    this.#freeLists.set(saved.freeLists);
    this.#queue.load(saved.queued);
    this.#next = saved.next;
    this.#end = saved.end;
    this.#isUnused = false;
    this.#chunkPages = saved.chunkPages;
    this.#live = saved.live;
  }

  /** Of chunks that are closed, and of what is leaving. */
  #forgetMarks(): void {
    for (const chunk of this.#chunks.slice(0, this.#closed)) setClosed(chunk, false);
    for (const [address, count] of this.#large) markPages(address, count, 0);
    this.#closed = 0;
    this.#emptied = false;
    this.#leaving = false;
    this.#holesLeft = 0;
  }

  release(): void {
    this.#forgetMarks();
    for (const chunk of this.#chunks) giveBack(chunk.address, chunk.pages);
    for (const [address, count] of this.#large) giveBack(address, count);
    this.#chunks.length = 0;
    this.#large.clear();
    this.#dropRecord();
    this.#freeLists.fill(0);
    this.#queue.empty();
    this.#next = 0;
    this.#end = 0;
    this.#isUnused = false;
    this.#lacked = false;
    this.#live = 0;
    this.#chunkPages = FIRST_CHUNK_PAGES;
  }
}
