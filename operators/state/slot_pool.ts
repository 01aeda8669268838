/**
 * The slots of a hash table (row_table.ts), in chunks, in the order in which they were made; a slot stays where it is until leave().
 *
 *   slot:     | u32 hash | u8 state: 0 not in use, 1 used, 2 leaving | ... | row | payload |           not in use: | u32 next one that is not, or 0 | 0 | ... |
 *   chunks:   | x x x x |  | x x x . x x x x |  | x . x x  ^next     ^end        as large as all before it at first, then a 16th of them
 *
 * A slot's place is its number in this order: scans that stop between ticks go on from there. Slots that were taken out are used first.
 */

import type { Arena } from '../batch/arena.ts';
import { budget } from '../batch/budget.ts';
import { PAGE_BYTES, U8, U32 } from '../batch/memory.ts';
import { kernels } from '../kernels/index.ts';
import { SLOT_UNUSED, SLOT_USED } from '../kernels/table_layout.ts';
import { roundDown, roundUp } from './block_sizes.ts';
import type { Heap } from './heap.ts';
import { isLeaving } from './leaving.ts';
import { touch, unusedUpTo } from './write_marks.ts';

/** Up to so many bytes a pool doubles, then it grows by as many; from where that is more, chunks are this share of it, and at most this one of a memory limit. */
const DOUBLED_BYTES = 512;
const SHARE = 1 / 16;
const LIMIT_SHARE = 1 / 256;
const MOST_PAGES = 64;

/** Numbers of a chunk: its address, its bytes, and the place of its first slot. */
const ADDRESS = 0;
const BYTES = 1;
const FIRST = 2;
const CHUNK_WORDS = 3;

export type SavedSlotPool = {
  chunks: Uint32Array;
  unused: number;
  next: number;
  end: number;
};

/** Where slots lie now that lay elsewhere. */
export interface Moved {
  from: number;
  to: number;
  bytes: number;
}

export class SlotPool {
  readonly #stride: number;
  readonly #heap: Heap;
  /** A list that grows: a typed array of another length costs 3 microseconds and more. */
  #chunks: number[] = [];
  /** The same as it is saved, in every tick that may be taken back; null when it has changed since. */
  #saved: Uint32Array | null = null;
  /** The first slot that is not in use, 0 for none; kernels take and give slots, so these three are anybody's. */
  unused = 0;
  /** Where the next new slot lies in the last chunk, and where it has no more. */
  next = 0;
  end = 0;

  constructor(stride: number, heap: Heap) {
    this.#stride = stride;
    this.#heap = heap;
  }

  /** Number of slots, in use or not. */
  get places(): number {
    const last = this.#chunks.length - CHUNK_WORDS;
    if (last < 0) return 0;
    return this.#chunks[last + FIRST] + (this.next - this.#chunks[last + ADDRESS]) / this.#stride;
  }

  get isFull(): boolean {
    return this.unused === 0 && this.next === this.end;
  }

  /** Makes room for a slot at least. */
  grow(): void {
    if (!this.isFull) return;
    const bytes = this.#chunkBytes();
    const least = roundUp(Math.max(this.#stride, Math.min(bytes, DOUBLED_BYTES)));
    this.#addChunk(bytes > least ? roundDown(bytes) : least);
  }

  /** A chunk of the size of a block. */
  #addChunk(room: number): void {
    const stride = this.#stride;
    const { places } = this;
    const address = this.#heap.alloc(room);
    this.#chunks.push(address, room, places);
    this.#saved = null;
    this.next = address;
    this.end = address + Math.floor(room / stride) * stride;
  }

  #chunkBytes(): number {
    const bytes = this.places * this.#stride;
    const most = budget.pagesOf(LIMIT_SHARE, MOST_PAGES) * PAGE_BYTES;
    return Math.min(Math.max(Math.min(bytes, DOUBLED_BYTES), bytes * SHARE), most);
  }

  /** A slot that was not in use, where there is room. */
  take(): number {
    const slot = this.unused;
    if (slot !== 0) {
      this.unused = U32[slot >>> 2];
      return slot;
    }
    const { next } = this;
    if (next === this.end) throw new Error('slot pool: grow() comes before take()');
    this.announceUnused();
    this.next = next + this.#stride;
    return next;
  }

  /** Nothing of what lies behind the last slot, in pages of its own, has to be kept for a tick that may be taken back. */
  announceUnused(): void {
    if (this.next !== 0) unusedUpTo(this.next, this.end - (this.end % PAGE_BYTES));
  }

  /** The slot is not in use any more. */
  give(slot: number): void {
    touch(slot);
    touch(slot + 4);
    U32[slot >>> 2] = this.unused;
    U32[(slot >>> 2) + 1] = SLOT_UNUSED;
    this.unused = slot;
  }

  #endOf(chunk: number): number {
    if (chunk + CHUNK_WORDS === this.#chunks.length) return this.next;
    const address = this.#chunks[chunk + ADDRESS];
    return address + Math.floor(this.#chunks[chunk + BYTES] / this.#stride) * this.#stride;
  }

  /** Calls back with the slots from one address to another, for each chunk. */
  eachRange(visit: (from: number, end: number) => void): void {
    for (let chunk = 0; chunk < this.#chunks.length; chunk += CHUNK_WORDS)
      visit(this.#chunks[chunk + ADDRESS], this.#endOf(chunk));
  }

  placeOf(slot: number): number {
    const chunks = this.#chunks;
    for (let chunk = 0; chunk < chunks.length; chunk += CHUNK_WORDS) {
      const offset = slot - chunks[chunk + ADDRESS];
      if (offset >= 0 && offset < chunks[chunk + BYTES]) return chunks[chunk + FIRST] + offset / this.#stride;
    }
    throw new Error(`no slot lies at ${slot}`);
  }

  /** The chunk that has the place, its number of words further; the number of words where there is no such place. */
  #chunkAt(place: number): number {
    const chunks = this.#chunks;
    let chunk = 0;
    while (
      chunk < chunks.length &&
      (this.#endOf(chunk) - chunks[chunk + ADDRESS]) / this.#stride <= place - chunks[chunk + FIRST]
    )
      chunk += CHUNK_WORDS;
    return chunk;
  }

  /** Calls back with up to `most` used slots from place `from` on; gives the place to go on from, -1 at the end. */
  visitFrom(from: number, most: number, visit: (slot: number) => void): number {
    const stride = this.#stride;
    let left = most;
    let place = from;
    for (let chunk = this.#chunkAt(from); chunk < this.#chunks.length; chunk += CHUNK_WORDS) {
      let slot = this.#chunks[chunk + ADDRESS] + (place - this.#chunks[chunk + FIRST]) * stride;
      for (; slot < this.#endOf(chunk); slot += stride, place++) {
        if (U8[slot + 4] !== SLOT_USED) continue;
        if (left-- === 0) return place;
        visit(slot);
      }
    }
    return -1;
  }

  /**
   * Calls `work` with the slots from place `from` on, from one address to another and at most so many, which gives the address to go on from. Gives the place of that, -1 at the end.
   */
  stretchFrom(from: number, most: number, work: (start: number, end: number) => number): number {
    const stride = this.#stride;
    const chunks = this.#chunks;
    const chunk = this.#chunkAt(from);
    if (chunk === chunks.length) return -1;
    const [address, first] = [chunks[chunk + ADDRESS], chunks[chunk + FIRST]];
    const start = address + (from - first) * stride;
    const end = this.#endOf(chunk);
    const next = work(start, Math.min(start + most * stride, end));
    return next === end && chunk + CHUNK_WORDS === chunks.length ? -1 : first + (next - address) / stride;
  }

  /**
   * visitFrom() at once: the addresses of the slots `rowOffset` bytes on, with the word at `payload`, and the place to go on from. Word
   * addresses in the arena.
   */
  rowsFrom(
    from: number,
    most: number,
    rowOffset: number,
    payload: number,
    arena: Arena,
  ): { n: number; rows: number; words: number; next: number } {
    const stride = this.#stride;
    const rows = arena.alloc(most * 4);
    const words = arena.alloc(most * 4);
    const count = arena.alloc(4);
    let n = 0;
    let place = from;
    for (let chunk = this.#chunkAt(from); chunk < this.#chunks.length; chunk += CHUNK_WORDS) {
      const [address, first] = [this.#chunks[chunk + ADDRESS], this.#chunks[chunk + FIRST]];
      const start = address + (place - first) * stride;
      const end = this.#endOf(chunk);
      const at = n * 4;
      const next =
        kernels.usedSlots(start, end, stride, most - n, rowOffset, payload, rows + at, words + at, count) >>> 0;
      n += U32[count >>> 2];
      place = first + (next - address) / stride;
      if (next < end) return { n, rows: rows >>> 2, words: words >>> 2, next: place };
    }
    return { n, rows: rows >>> 2, words: words >>> 2, next: -1 };
  }

  /** A pool with those of its slots that are in use, `count` of them, one behind the other, and room for about so many all in all; its own go back to the heap. */
  together(count: number, room: number): SlotPool {
    const stride = this.#stride;
    const pool = new SlotPool(stride, this.#heap);
    let left = count;
    this.eachRange((start, end) => {
      for (let from = start; from < end && left > 0; ) {
        if (pool.isFull) pool.#addRoomFor(Math.max(left, room - pool.places));
        const copied = kernels.copyUsedSlots(from, end, stride, pool.next, pool.end);
        const n = Math.floor(copied / 4294967296);
        from += copied - n * 4294967296;
        pool.next += n * stride;
        left -= n;
      }
    });
    this.free();
    return pool;
  }

  /** A block that these slots fill, and for what is left of them the smallest one. */
  #addRoomFor(slots: number): void {
    const bytes = slots * this.#stride;
    const most = budget.pagesOf(LIMIT_SHARE, MOST_PAGES) * PAGE_BYTES;
    const filled = roundDown(Math.min(bytes, most));
    const isFirst = this.#chunks.length === 0 && filled >= this.#stride;
    this.#addChunk(isFirst || bytes > most ? filled : roundUp(bytes));
  }

  /** Takes chunks elsewhere that lie where nothing may stay. */
  leave(): Moved[] {
    const moved: Moved[] = [];
    const chunks = this.#chunks;
    for (let chunk = 0; chunk < chunks.length; chunk += CHUNK_WORDS) {
      const [from, bytes] = [chunks[chunk + ADDRESS], chunks[chunk + BYTES]];
      if (!isLeaving(from)) continue;
      const to = this.#heap.alloc(bytes);
      kernels.copyBytes(to, from, this.#endOf(chunk) - from);
      this.#heap.free(from, bytes);
      chunks[chunk + ADDRESS] = to;
      moved.push({ from, to, bytes });
      if (chunk + CHUNK_WORDS < chunks.length) continue;
      this.next += to - from;
      this.end += to - from;
    }
    this.#saved = null;
    if (moved.length > 0) this.#relink(moved);
    return moved;
  }

  /** The list of what is not in use goes through the new places. */
  #relink(moved: Moved[]): void {
    this.unused = nowAt(this.unused, moved);
    for (let slot = this.unused; slot !== 0; slot = U32[slot >>> 2]) {
      const next = U32[slot >>> 2];
      const now = nowAt(next, moved);
      if (now === next) continue;
      touch(slot);
      U32[slot >>> 2] = now;
    }
  }

  save(): SavedSlotPool {
    this.#saved ??= Uint32Array.from(this.#chunks);
    return { chunks: this.#saved, unused: this.unused, next: this.next, end: this.end };
  }

  load({ chunks, unused, next, end }: SavedSlotPool): void {
    this.#chunks = Array.from(chunks);
    this.#saved = chunks;
    this.unused = unused;
    this.next = next;
    this.end = end;
  }

  /** Gives its chunks back to the heap. */
  free(): void {
    for (let chunk = 0; chunk < this.#chunks.length; chunk += CHUNK_WORDS)
      this.#heap.free(this.#chunks[chunk + ADDRESS], this.#chunks[chunk + BYTES]);
    this.forget();
  }

  /** The heap gives everything back. */
  forget(): void {
    this.#chunks = [];
    this.#saved = null;
    this.unused = 0;
    this.next = 0;
    this.end = 0;
  }
}

/** Where what was at an address is now. */
function nowAt(address: number, moved: Moved[]): number {
  for (const { from, to, bytes } of moved) if (address >= from && address < from + bytes) return address - from + to;
  return address;
}
