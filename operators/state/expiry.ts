/**
 * When state dies: hashes of keys by the time at which something under them is dead. A calendar of buckets.
 *
 *   [start, end) of times      ->   run of u32 hashes in the owner's heap              ... | | | |  |  |  |   |   |   |     |     |
 *                                                                                      watermark        wider the farther away
 *
 * An entry is a hint, not a link: its owner looks the hash up and tests what it finds, so slots may move (a table that grows) and rows may go
 * before their time without telling the calendar. 4 bytes an entry; O(1) to add and to take.
 * A bucket is as wide as a 32nd of its distance from the watermark when it was made, so there are a few hundred whatever the times are, and a
 * row is let go late by at most that share of its life (and LEAST_WIDTH), never early. Trap: one that is added later may go to a bucket that was made when its
 * time was farther away (`#recent`, `#last`), and then waits for the end of that one.
 */

import { F64, U32 } from '../batch/memory.ts';
import { kernels } from '../kernels/index.ts';
import { roundUp } from './block_sizes.ts';
import type { Heap } from './heap.ts';
import { touch, touchLarge } from './write_marks.ts';

const BUCKETS_A_DOUBLING = 32;
/** Least width of a bucket in microseconds; widths are powers of two, so that dividing by them is exact. */
const LEAST_WIDTH = 2 ** 16;
const RECENT = 16;
const FIRST_BYTES = 16;
const GROWTH = 5 / 4;
const SPARE_ENTRIES = 1024;
const CALL_ENTRIES = 8192;

interface Bucket {
  start: number;
  end: number;
  address: number;
  /** Bytes reserved. */
  bytes: number;
  count: number;
}

/** Five numbers a bucket: start, end, address, bytes, count. */
export type SavedExpiry = { near: number; counts: boolean; buckets: Float64Array };

export class Expiry {
  readonly #heap: Heap;
  /** By start and width, for buckets of different widths may start alike. */
  readonly #buckets = new Map<number, Bucket>();
  /** The last watermark; before there is one, the first time. */
  #near = Number.NaN;
  #leastEnd = Number.POSITIVE_INFINITY;
  #size = 0;
  /** Since the last take(). */
  #added = 0;
  /** Where the last entries went, by time: the next ones mostly go there too. */
  #recent: (Bucket | undefined)[] = [];
  /** It counts its entries only; what is over is found by looking at everything. Changed while it is empty. */
  counts = false;
  /** Where the last one went. */
  #last: Bucket | null = null;

  constructor(heap: Heap) {
    this.#heap = heap;
  }

  /** Number of entries, those whose row went before its time included. */
  get size(): number {
    return this.#size;
  }

  /** More entries are stale than these rows warrant: the owner clears the calendar and adds its rows anew, once in so many changes. */
  isStale(rows: number): boolean {
    return this.#size > 2 * rows + SPARE_ENTRIES;
  }

  /** Something under the key with this hash is dead once the watermark is above `time`. NaN: never. */
  add(time: number, hash: number): void {
    if (Number.isNaN(time)) return;
    const place = Math.floor(time / LEAST_WIDTH) & (RECENT - 1);
    let bucket = this.#recent[place];
    if (bucket === undefined || time < bucket.start || time >= bucket.end) {
      bucket = this.#bucketOf(time);
      this.#recent[place] = bucket;
    }
    this.#last = bucket;
    this.#added++;
    this.#size++;
    if (this.counts) {
      bucket.count++;
      return;
    }
    if (bucket.count * 4 === bucket.bytes) this.#grow(bucket);
    const at = bucket.address + bucket.count * 4;
    touch(at);
    U32[at >>> 2] = hash;
    bucket.count++;
  }

  /** add() for n times, at an index of F64, of what stands in slots (row_table.ts), whose addresses are at a word address; 0: not to be added. */
  addAll(times: number, slots: number, n: number): void {
    for (let i = 0; i < n; ) {
      if (U32[slots + i] !== 0) this.add(F64[times + i], U32[U32[slots + i] >>> 2]);
      i = this.#addLike(times * 8, 0, slots, i, n);
    }
  }

  /** addAll() where each slot has its time, at this offset. */
  addSlots(slots: number, n: number, at: number): void {
    for (let i = 0; i < n; ) {
      const slot = U32[slots + i];
      if (slot !== 0) this.add(F64[(slot + at) / 8], U32[slot >>> 2]);
      i = this.#addLike(0, at, slots, i, n);
    }
  }

  /** Adds those behind slot `i`, which was added, that go to the same bucket; gives the number of the first that was not. */
  #addLike(times: number, at: number, slots: number, i: number, n: number): number {
    const first = i + 1;
    const bucket = this.#last;
    if (first === n || bucket === null) return first;
    const { start, end, address, bytes, count } = bucket;
    const room = bytes / 4 - count;
    const next = this.counts
      ? kernels.lastLike(times, first, n, start, end)
      : kernels.fillBucket(slots * 4, first, n, times, at, start, end, address + count * 4, room);
    bucket.count += next - first;
    this.#added += next - first;
    this.#size += next - first;
    return next;
  }

  #bucketOf(time: number): Bucket {
    if (Number.isNaN(this.#near)) this.#near = time;
    const share = Math.abs(time - this.#near) / BUCKETS_A_DOUBLING;
    const width = share <= LEAST_WIDTH ? LEAST_WIDTH : 2 ** Math.floor(Math.log2(share));
    const start = Math.floor(time / width) * width;
    let bucket = this.#buckets.get(keyOf(start, width));
    if (bucket === undefined) {
      const end = start + width;
      const bytes = this.counts ? 0 : FIRST_BYTES;
      bucket = { start, end, address: bytes === 0 ? 0 : this.#heap.alloc(bytes), bytes, count: 0 };
      this.#buckets.set(keyOf(start, width), bucket);
      if (end < this.#leastEnd) this.#leastEnd = end;
    }
    return bucket;
  }

  #grow(bucket: Bucket): void {
    const bytes = roundUp(bucket.bytes * GROWTH);
    const address = this.#heap.alloc(bytes);
    kernels.copyBytes(address, bucket.address, bucket.bytes);
    this.#heap.free(bucket.address, bucket.bytes);
    bucket.address = address;
    bucket.bytes = bytes;
  }

  /**
   * Takes out entries whose bucket is all below `watermark`: each hash once for a stretch of a bucket, with the number of its entries there. At most
   * CALL_ENTRIES and twice what was added since the last call, so that a window of a million groups does not stop everything; false: there
   * is more to take.
   */
  take(watermark: number, visit: (hash: number, entries: number) => void): boolean {
    return this.takeStretches(watermark, (address, count) => {
      const hashes = U32.slice(address >>> 2, (address >>> 2) + count).sort();
      for (let i = 0; i < count; ) {
        let next = i + 1;
        while (next < count && hashes[next] === hashes[i]) next++;
        visit(hashes[i], next - i);
        i = next;
      }
    });
  }

  /** Whether nothing is over by this watermark, so that take() has nothing to do. */
  isBefore(watermark: number): boolean {
    if (watermark === Number.NEGATIVE_INFINITY) return true;
    if (watermark >= this.#leastEnd) return false;
    this.#near = watermark;
    this.#added = 0;
    return true;
  }

  /** Where entries are counted only: drops the buckets that are all below `watermark`, and gives how many entries they had. */
  takeCounted(watermark: number): number {
    this.#near = watermark;
    this.#added = 0;
    this.#leastEnd = Number.POSITIVE_INFINITY;
    let sum = 0;
    for (const [key, bucket] of this.#buckets) {
      if (bucket.end <= watermark) {
        sum += bucket.count;
        this.#drop(key, bucket);
      } else if (bucket.end < this.#leastEnd) this.#leastEnd = bucket.end;
    }
    this.#size -= sum;
    return sum;
  }

  /** As take(), a stretch at once: the address of its hashes, in no order. Their memory is the callback's until it returns, and announced. */
  takeStretches(watermark: number, visit: (address: number, count: number) => void): boolean {
    if (this.isBefore(watermark)) return true;
    this.#near = watermark;
    let left = CALL_ENTRIES + 2 * this.#added;
    this.#added = 0;
    this.#leastEnd = Number.POSITIVE_INFINITY;
    for (const [key, bucket] of this.#buckets) {
      if (bucket.end <= watermark) {
        const count = Math.min(bucket.count, left);
        bucket.count -= count;
        this.#size -= count;
        left -= count;
        if (count > 0) {
          const address = bucket.address + bucket.count * 4;
          touchLarge(address, count * 4);
          visit(address, count);
        }
        if (bucket.count === 0) {
          this.#drop(key, bucket);
          continue;
        }
      }
      if (bucket.end < this.#leastEnd) this.#leastEnd = bucket.end;
    }
    return watermark < this.#leastEnd;
  }

  #drop(key: number, bucket: Bucket): void {
    this.#buckets.delete(key);
    if (bucket.bytes > 0) this.#heap.free(bucket.address, bucket.bytes);
    this.#recent = [];
    this.#last = null;
  }

  save(): SavedExpiry {
    const buckets = [...this.#buckets.values()].flatMap((b) => [b.start, b.end, b.address, b.bytes, b.count]);
    return { near: this.#near, counts: this.counts, buckets: Float64Array.from(buckets) };
  }

  load({ near, counts, buckets }: SavedExpiry): void {
    this.forget();
    this.#near = near;
    this.counts = counts;
    for (let i = 0; i < buckets.length; i += 5) {
      const [start, end, address, bytes, count] = buckets.subarray(i, i + 5);
      this.#buckets.set(keyOf(start, end - start), { start, end, address, bytes, count });
      this.#leastEnd = Math.min(this.#leastEnd, end);
      this.#size += count;
    }
  }

  /** Forgets all entries; the owner adds those that still hold. */
  clear(): void {
    for (const { address, bytes } of this.#buckets.values()) if (bytes > 0) this.#heap.free(address, bytes);
    this.forget();
  }

  /** The heap gives everything back. */
  forget(): void {
    this.#buckets.clear();
    this.#leastEnd = Number.POSITIVE_INFINITY;
    this.#size = 0;
    this.#recent = [];
    this.#last = null;
  }
}

/** A start is a multiple of LEAST_WIDTH, so the width's exponent fits below it. */
function keyOf(start: number, width: number): number {
  return start + Math.log2(width);
}
