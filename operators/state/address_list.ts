/**
 * Lists of addresses, read and changed by position. A list's head is 16 bytes in its owner's memory, all zero for the empty list:
 *
 *   short (at most LEAF):  head | u32 addresses, u32 count, u32 capacity, 0 |                        addresses: count u32
 *   long:                  head | u32 directory, u32 count, u32 capacity, u32 leaves |               directory: | u32 leaf, u32 count | for each leaf in order
 *
 * An insertion moves half a leaf at most. A leaf that is full is split, or begun anew where addresses come at the end; one that has few joins a neighbour.
 * Finding a position goes over the directory, 500 to 1,000 leaves for a million addresses, from the leaf that was found last.
 */

import { U32 } from '../batch/memory.ts';
import { checked } from '../batch/pages.ts';
import { kernels } from '../kernels/index.ts';
import { roundUp } from './block_sizes.ts';
import type { Heap } from './heap.ts';
import { touchLarge, touchRange } from './write_marks.ts';

/** Addresses in a leaf at most; few in debug builds, so that all tests have long lists. */
export const LEAF = checked ? 16 : 2048;
const LEAF_BYTES = LEAF * 4;
/** A leaf with fewer joins a neighbour, when both together are not more than MOST_JOINED. */
const FEW = LEAF / 4;
const MOST_JOINED = (LEAF / 4) * 3;
const LEAST_CAPACITY = 4;

const RUN = 0;
const COUNT = 1;
const CAPACITY = 2;
const LEAVES = 3;

export class AddressList {
  /** Bytes of a head. */
  static readonly HEAD = 16;
  readonly #heap: Heap;
  /** The leaf that #locate() found: the directory of its list, its number, and the position of its first address. */
  #directory = 0;
  #leaf = 0;
  #start = 0;

  constructor(heap: Heap) {
    this.#heap = heap;
  }

  count(head: number): number {
    return U32[(head >>> 2) + COUNT];
  }

  at(head: number, i: number): number {
    const at = head >>> 2;
    const run = U32[at + RUN] >>> 2;
    if (U32[at + LEAVES] === 0) return U32[run + i];
    const leaf = this.#locate(head, i);
    return U32[(U32[run + leaf * 2] >>> 2) + i - this.#start];
  }

  /** How many addresses from the first on pass; those that pass stand before all others. */
  prefix(head: number, passes: (address: number) => boolean): number {
    const at = head >>> 2;
    const run = U32[at + RUN] >>> 2;
    const leaves = U32[at + LEAVES];
    if (leaves === 0) return prefixOf(run, U32[at + COUNT], passes);
    let low = 0;
    let high = leaves;
    // The last leaf whose first address passes has the end of the prefix.
    while (low < high) {
      const mid = (low + high) >>> 1;
      if (passes(U32[U32[run + mid * 2] >>> 2])) low = mid + 1;
      else high = mid;
    }
    if (low === 0) return 0;
    this.#toLeaf(head, low - 1);
    const leaf = run + (low - 1) * 2;
    return this.#start + prefixOf(U32[leaf] >>> 2, U32[leaf + 1], passes);
  }

  /** Puts an address at position i, before the one that is there. */
  insert(head: number, i: number, address: number): void {
    const at = head >>> 2;
    touchHead(head);
    const count = U32[at + COUNT];
    if (U32[at + LEAVES] === 0) {
      if (count === LEAF) this.#toLong(at);
      else {
        if (count === U32[at + CAPACITY]) this.#widen(at, count * 4, Math.max(LEAST_CAPACITY, count * 2) * 4, 4);
        insertAt(U32[at + RUN], count, i, address);
        U32[at + COUNT] = count + 1;
        return;
      }
    }
    this.#insertIntoLeaf(head, i, address);
    U32[at + COUNT] = count + 1;
  }

  #insertIntoLeaf(head: number, i: number, address: number): void {
    const at = head >>> 2;
    // A place between two leaves is the end of the first.
    let leaf = this.#locate(head, i === 0 ? 0 : i - 1);
    if (U32[this.#entry(at, leaf) + 1] === LEAF) {
      const isEnd = i === U32[at + COUNT];
      this.#split(at, leaf, isEnd ? LEAF : LEAF / 2);
      leaf = isEnd ? this.#toLeaf(head, leaf + 1) : this.#locate(head, i === 0 ? 0 : i - 1);
    }
    const entry = this.#entry(at, leaf);
    touchRange(entry * 4, 8);
    insertAt(U32[entry], U32[entry + 1], i - this.#start, address);
    U32[entry + 1]++;
  }

  removeAt(head: number, i: number): void {
    const at = head >>> 2;
    touchHead(head);
    if (U32[at + LEAVES] === 0) removeAt(U32[at + RUN], U32[at + COUNT], i);
    else {
      const leaf = this.#locate(head, i);
      const entry = this.#entry(at, leaf);
      touchRange(entry * 4, 8);
      removeAt(U32[entry], U32[entry + 1], i - this.#start);
      if (--U32[entry + 1] < FEW) this.#join(at, leaf);
    }
    U32[at + COUNT]--;
    if (U32[at + COUNT] === 0) this.#freeAll(at);
  }

  /** Takes the first n addresses away. */
  dropFirst(head: number, n: number): void {
    const at = head >>> 2;
    if (n === 0) return;
    touchHead(head);
    const left = U32[at + COUNT] - n;
    if (left === 0) {
      this.#freeAll(at);
      return;
    }
    if (U32[at + LEAVES] === 0) dropFirst(U32[at + RUN], U32[at + COUNT], n);
    else {
      const leaf = this.#locate(head, n);
      const rest = n - this.#start;
      this.#removeLeaves(at, 0, leaf);
      const first = this.#entry(at, 0);
      touchRange(first * 4, 8);
      dropFirst(U32[first], U32[first + 1], rest);
      U32[first + 1] -= rest;
    }
    U32[at + COUNT] = left;
    this.#toShort(at);
  }

  /** Keeps the first n addresses. */
  truncate(head: number, n: number): void {
    const at = head >>> 2;
    if (n >= U32[at + COUNT]) return;
    touchHead(head);
    if (n === 0) {
      this.#freeAll(at);
      return;
    }
    if (U32[at + LEAVES] > 0) {
      const leaf = this.#locate(head, n - 1);
      const last = this.#entry(at, leaf);
      touchRange(last * 4, 8);
      U32[last + 1] = n - this.#start;
      this.#removeLeaves(at, leaf + 1, U32[at + LEAVES]);
    }
    U32[at + COUNT] = n;
    this.#toShort(at);
  }

  /** Word address of a leaf's entry in the directory. */
  #entry(at: number, leaf: number): number {
    return (U32[at + RUN] >>> 2) + leaf * 2;
  }

  /** The leaf that has position i; #start is that of its first address. */
  #locate(head: number, i: number): number {
    const directory = U32[(head >>> 2) + RUN];
    const run = directory >>> 2;
    if (this.#directory !== directory || i < this.#start) {
      this.#directory = directory;
      this.#leaf = 0;
      this.#start = 0;
    }
    let leaf = this.#leaf;
    let start = this.#start;
    for (let n = U32[run + leaf * 2 + 1]; i >= start + n; n = U32[run + leaf * 2 + 1]) {
      start += n;
      leaf++;
    }
    this.#leaf = leaf;
    this.#start = start;
    return leaf;
  }

  /** Goes to a leaf by its number. */
  #toLeaf(head: number, leaf: number): number {
    const directory = U32[(head >>> 2) + RUN];
    const run = directory >>> 2;
    const known = this.#directory === directory && this.#leaf <= leaf;
    let start = known ? this.#start : 0;
    for (let l = known ? this.#leaf : 0; l < leaf; l++) start += U32[run + l * 2 + 1];
    this.#directory = directory;
    this.#leaf = leaf;
    this.#start = start;
    return leaf;
  }

  /** What is known of leaves is of the past: they have changed, here or by a tick that was taken back. */
  forget(): void {
    this.#directory = 0;
  }

  /** More room for what RUN points to, of which `used` bytes are in use; `unit`: bytes that CAPACITY counts. */
  #widen(at: number, used: number, bytes: number, unit: number): void {
    const room = roundUp(bytes);
    const wider = this.#heap.alloc(room);
    if (used > 0) kernels.copyBytes(wider, U32[at + RUN], used);
    if (U32[at + CAPACITY] > 0) this.#heap.free(U32[at + RUN], U32[at + CAPACITY] * unit);
    U32[at + RUN] = wider;
    U32[at + CAPACITY] = room / unit;
  }

  /** A short list that is full becomes the one leaf of a long one. */
  #toLong(at: number): void {
    const leaf = U32[at + RUN];
    U32[at + RUN] = 0;
    U32[at + CAPACITY] = 0;
    this.#widen(at, 0, 8 * LEAST_CAPACITY, 8);
    const entry = U32[at + RUN] >>> 2;
    U32[entry] = leaf;
    U32[entry + 1] = LEAF;
    U32[at + LEAVES] = 1;
    this.forget();
  }

  /** The one leaf that is left of a long list becomes a short one. */
  #toShort(at: number): void {
    this.forget();
    if (U32[at + LEAVES] !== 1) return;
    const directory = U32[at + RUN];
    const leaf = U32[directory >>> 2];
    this.#heap.free(directory, U32[at + CAPACITY] * 8);
    U32[at + RUN] = leaf;
    U32[at + CAPACITY] = LEAF;
    U32[at + LEAVES] = 0;
  }

  /** Gives what a leaf has from `kept` on to a new leaf behind it. */
  #split(at: number, leaf: number, kept: number): void {
    const leaves = U32[at + LEAVES];
    if (leaves === U32[at + CAPACITY]) this.#widen(at, leaves * 8, leaves * 16, 8);
    const entry = this.#entry(at, leaf);
    const behind = (leaves - leaf - 1) * 8;
    touchLarge(entry * 4, 16 + behind);
    if (behind > 0) kernels.copyBytes(entry * 4 + 16, entry * 4 + 8, behind);
    const added = this.#heap.alloc(LEAF_BYTES);
    const moved = U32[entry + 1] - kept;
    if (moved > 0) kernels.copyBytes(added, U32[entry] + kept * 4, moved * 4);
    U32[entry + 1] = kept;
    U32[entry + 2] = added;
    U32[entry + 3] = moved;
    U32[at + LEAVES] = leaves + 1;
    this.forget();
  }

  /** A leaf with few addresses and a neighbour that has room become one; one without any goes. */
  #join(at: number, leaf: number): void {
    const first = leaf > 0 ? leaf - 1 : leaf;
    const entry = this.#entry(at, first);
    const [kept, added] = [U32[entry + 1], U32[entry + 3]];
    if (U32[this.#entry(at, leaf) + 1] === 0) this.#removeLeaves(at, leaf, leaf + 1);
    else if (kept + added > MOST_JOINED) return;
    else {
      const end = U32[entry] + kept * 4;
      touchLarge(end, added * 4);
      kernels.copyBytes(end, U32[entry + 2], added * 4);
      touchRange(entry * 4, 8);
      U32[entry + 1] = kept + added;
      this.#removeLeaves(at, first + 1, first + 2);
    }
    this.#toShort(at);
  }

  /** Takes leaves from .. to - 1 out of the directory. */
  #removeLeaves(at: number, from: number, to: number): void {
    this.forget();
    if (from === to) return;
    for (let leaf = from; leaf < to; leaf++) this.#heap.free(U32[this.#entry(at, leaf)], LEAF_BYTES);
    const behind = (U32[at + LEAVES] - to) * 8;
    const place = this.#entry(at, from) * 4;
    if (behind > 0) {
      touchLarge(place, behind);
      kernels.copyBytes(place, this.#entry(at, to) * 4, behind);
    }
    U32[at + LEAVES] -= to - from;
  }

  #freeAll(at: number): void {
    const long = U32[at + LEAVES] > 0;
    if (long) this.#removeLeaves(at, 0, U32[at + LEAVES]);
    this.#heap.free(U32[at + RUN], U32[at + CAPACITY] * (long ? 8 : 4));
    for (let word = at; word < at + 4; word++) U32[word] = 0;
  }
}

function prefixOf(run: number, count: number, passes: (address: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const mid = (low + high) >>> 1;
    if (passes(U32[run + mid])) low = mid + 1;
    else high = mid;
  }
  return low;
}

function insertAt(run: number, count: number, i: number, address: number): void {
  const place = run + i * 4;
  const behind = (count - i) * 4;
  touchLarge(place, behind + 4);
  if (behind > 0) kernels.copyBytes(place + 4, place, behind);
  U32[place >>> 2] = address;
}

function removeAt(run: number, count: number, i: number): void {
  const place = run + i * 4;
  const behind = (count - 1 - i) * 4;
  if (behind === 0) return;
  touchLarge(place, behind);
  kernels.copyBytes(place, place + 4, behind);
}

function dropFirst(run: number, count: number, n: number): void {
  if (n === 0) return;
  touchLarge(run, (count - n) * 4);
  kernels.copyBytes(run, run + n * 4, (count - n) * 4);
}

function touchHead(head: number): void {
  touchRange(head, AddressList.HEAD);
}
