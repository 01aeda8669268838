/**
 * The directory of a hash table (row_table.ts): from the hash of a row to its slot. Open addressing, linear probing, at most 70 % full.
 *
 *   entry:   | u32 hash | u32 address of the slot; 0: empty, 1: its row was taken out |
 *
 * Kernels know it (kernels/assembly/directory.ts). Growing copies 8 bytes a row, in order: an entry of a directory twice as large is where it was, or as
 * far behind the middle.
 */
import { U32 } from '../batch/memory.ts';
import { kernels } from '../kernels/index.ts';
import { ENTRY_BYTES, ENTRY_DELETED, ENTRY_EMPTY } from '../kernels/table_layout.ts';
import { type Heap, isLeaving } from './heap.ts';
import type { Moved, SlotPool } from './slot_pool.ts';
import { touch, touchRange } from './write_marks.ts';

const LEAST_ENTRIES = 16;
const MOST_FULL = 0.7;

export type SavedDirectory = {
  address: number;
  entries: number;
  used: number;
  deleted: number;
};

export class Directory {
  readonly #heap: Heap;
  address = 0;
  entries = 0;
  /** Entries with a slot, and those whose row was taken out; kernels change both. */
  used = 0;
  deleted = 0;

  constructor(heap: Heap) {
    this.#heap = heap;
  }

  get mask(): number {
    return this.entries - 1;
  }

  /** Empty entries that may be filled. */
  get room(): number {
    return Math.max(0, Math.floor(this.entries * MOST_FULL) - this.used - this.deleted);
  }

  /** Makes room for a row at least. */
  grow(): void {
    if (this.room === 0) this.#rehash(entriesFor(this.used + 1));
  }

  /** The slot of this hash for which the test holds, or 0. */
  find(hash: number, isIt: (slot: number) => boolean): number {
    const { address, mask } = this;
    for (let index = hash & mask, tried = 0; tried < this.entries; index = (index + 1) & mask, tried++) {
      const entry = (address + index * ENTRY_BYTES) >>> 2;
      const slot = U32[entry + 1];
      if (slot === ENTRY_EMPTY) return 0;
      if (slot !== ENTRY_DELETED && U32[entry] === hash && isIt(slot)) return slot;
    }
    return 0;
  }

  /** Calls back with every slot of this hash; the callback may remove it. `from`: the address of the entry to begin with. */
  forEach(hash: number, visit: (slot: number) => void, from = this.#at(hash)): void {
    if (this.entries === 0) return;
    const end = this.address + this.entries * ENTRY_BYTES;
    for (let at = from; U32[(at >>> 2) + 1] !== ENTRY_EMPTY; ) {
      const slot = U32[(at >>> 2) + 1];
      if (slot !== ENTRY_DELETED && U32[at >>> 2] === hash) visit(slot);
      at += ENTRY_BYTES;
      if (at === end) at = this.address;
    }
  }

  /** forEach() for n hashes at an address, whose memory is used up; slots have so many bytes. Slots of equal hashes come once for each. */
  forEachOf(hashes: number, n: number, slotBytes: number, visit: (slot: number) => void): void {
    if (this.entries === 0) return;
    kernels.entriesOfHashes(this.address, this.mask, hashes, n, slotBytes);
    for (let i = hashes >>> 2, last = i + n; i < last; i++)
      if (U32[i] !== 0) this.forEach(U32[U32[i] >>> 2], visit, U32[i]);
  }

  #at(index: number): number {
    return this.address + (index & this.mask) * ENTRY_BYTES;
  }

  /** Enters a slot, for which there is room. */
  add(hash: number, slot: number): void {
    let index = hash;
    while (U32[(this.#at(index) >>> 2) + 1] > ENTRY_DELETED) index++;
    const at = this.#at(index);
    if (U32[(at >>> 2) + 1] === ENTRY_DELETED) this.deleted--;
    touchRange(at, ENTRY_BYTES);
    U32[at >>> 2] = hash;
    U32[(at >>> 2) + 1] = slot;
    this.used++;
  }

  remove(hash: number, slot: number): void {
    let index = hash;
    for (let tried = 0; U32[(this.#at(index) >>> 2) + 1] !== slot; tried++, index++)
      if (tried >= this.entries) throw new Error(`directory: it has no entry for the slot at ${slot}`);
    this.used--;
    this.deleted++;
    this.#set(index, ENTRY_DELETED);
    // A probe goes no further than an empty entry, so one in front of it need not say that its row was taken out.
    if (U32[(this.#at(index + 1) >>> 2) + 1] !== ENTRY_EMPTY) return;
    for (; U32[(this.#at(index) >>> 2) + 1] === ENTRY_DELETED; index--) {
      this.#set(index, ENTRY_EMPTY);
      this.deleted--;
    }
  }

  #set(index: number, slot: number): void {
    const at = this.#at(index) + 4;
    touch(at);
    U32[at >>> 2] = slot;
  }

  /** Takes n used slots at an address out and gives them to the pool. */
  removeAll(slots: number, n: number, pool: SlotPool): void {
    if (n === 0) return;
    const emptied = kernels.removeSlots(this.address, this.mask, slots, n, pool.unused);
    pool.unused = U32[(slots >>> 2) + n - 1];
    this.used -= n;
    this.deleted += n - emptied;
  }

  /** Enters the slots anew that are in use, of so many bytes, as many as there were: they lie elsewhere. */
  renew(pool: SlotPool, slotBytes: number): void {
    this.#replace(entriesFor(this.used));
    kernels.fillBytes(this.address, 0, this.entries * ENTRY_BYTES);
    pool.eachRange((from, end) => kernels.enterSlots(this.address, this.mask, from, end, slotBytes));
  }

  /** Slots have moved. */
  follow(moved: Moved[]): void {
    for (const { from, to, bytes } of moved)
      for (let i = 0; i < this.entries; i++) {
        const slot = U32[(this.#at(i) >>> 2) + 1];
        if (slot >= from && slot < from + bytes) this.#set(i, slot + to - from);
      }
  }

  /** Goes elsewhere when it lies where nothing may stay. */
  leave(): void {
    if (this.address !== 0 && isLeaving(this.address)) this.#rehash(this.entries);
  }

  #rehash(entries: number): void {
    const { address, entries: before } = this;
    this.#replace(entries);
    kernels.rehash(address, before, this.address, entries);
  }

  /** The new one's bytes may be anything. */
  #replace(entries: number): void {
    const address = this.#heap.alloc(entries * ENTRY_BYTES);
    if (this.address !== 0) this.#heap.free(this.address, this.entries * ENTRY_BYTES);
    this.address = address;
    this.entries = entries;
    this.deleted = 0;
  }

  save(): SavedDirectory {
    return { address: this.address, entries: this.entries, used: this.used, deleted: this.deleted };
  }

  load({ address, entries, used, deleted }: SavedDirectory): void {
    this.address = address;
    this.entries = entries;
    this.used = used;
    this.deleted = deleted;
  }

  /** The heap gives everything back. */
  forget(): void {
    this.load({ address: 0, entries: 0, used: 0, deleted: 0 });
  }
}

function entriesFor(rows: number): number {
  let entries = LEAST_ENTRIES;
  while (entries * 0.5 < rows) entries *= 2;
  return entries;
}
