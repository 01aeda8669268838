/**
 * The directory of a hash table (row_table.ts): from the hash of a row to its slot. Open addressing, linear probing, at most 70 % full.
 *
 *   entry:   | u32 hash | u32 address of the slot, 0: empty |
 *
 * Where a hash is looked for first: home.ts. Kernels know it (kernels/assembly/directory.ts). Growing copies 8 bytes a row, in order: the index of an entry of a directory twice as large is about
 * twice as large. Where an entry goes, those behind it close up: rows that come and go all the time leave nothing behind.
 */
import { U32 } from '../batch/memory.ts';
import { kernels } from '../kernels/index.ts';
import { ENTRY_BYTES, ENTRY_EMPTY } from '../kernels/table_layout.ts';
import type { Heap } from './heap.ts';
import { homeOf } from './home.ts';
import { isLeaving } from './leaving.ts';
import type { Moved, SlotPool } from './slot_pool.ts';
import { touch, touchRange } from './write_marks.ts';

const LEAST_ENTRIES = 2;
/** How full a directory is at most, and one that is made anew. */
const MOST_FULL = 0.7;
const GROWN_FULL = 0.5;

export type SavedDirectory = {
  address: number;
  entries: number;
  used: number;
};

export class Directory {
  readonly #heap: Heap;
  address = 0;
  entries = 0;
  /** Entries with a slot; kernels change it. */
  used = 0;

  constructor(heap: Heap) {
    this.#heap = heap;
  }

  get mask(): number {
    return this.entries - 1;
  }

  /** Empty entries that may be filled. */
  get room(): number {
    return Math.max(0, Math.floor(this.entries * MOST_FULL) - this.used);
  }

  /** Makes room for a row at least. */
  grow(): void {
    if (this.room === 0) this.#rehash(entriesFor(this.used + 1));
  }

  /** The slot of this hash for which the test holds, or 0. */
  find(hash: number, isIt: (slot: number) => boolean): number {
    const { address, mask } = this;
    for (let index = homeOf(hash, mask), tried = 0; tried < this.entries; index = (index + 1) & mask, tried++) {
      const entry = (address + index * ENTRY_BYTES) >>> 2;
      const slot = U32[entry + 1];
      if (slot === ENTRY_EMPTY) return 0;
      if (U32[entry] === hash && isIt(slot)) return slot;
    }
    return 0;
  }

  /** Calls back with every slot of this hash; the callback may remove it. */
  forEach(hash: number, visit: (slot: number) => void): void {
    if (this.entries === 0) return;
    for (let index = homeOf(hash, this.mask); ; ) {
      const at = this.#at(index) >>> 2;
      const slot = U32[at + 1];
      if (slot === ENTRY_EMPTY) return;
      if (U32[at] === hash) visit(slot);
      // Where it was removed, another entry may stand in its place.
      if (U32[at + 1] === slot) index++;
    }
  }

  /** forEach() for n hashes at an address, whose memory is used up; slots have so many bytes. Slots of equal hashes come once for each. */
  forEachOf(hashes: number, n: number, slotBytes: number, visit: (slot: number) => void): void {
    if (this.entries === 0) return;
    const found = kernels.hashesFound(this.address, this.mask, hashes, n, slotBytes);
    for (let i = hashes >>> 2, last = i + found; i < last; i++) this.forEach(U32[i], visit);
  }

  #at(index: number): number {
    return this.address + (index & this.mask) * ENTRY_BYTES;
  }

  /** Enters a slot, for which there is room. */
  add(hash: number, slot: number): void {
    let index = homeOf(hash, this.mask);
    while (U32[(this.#at(index) >>> 2) + 1] !== ENTRY_EMPTY) index++;
    const at = this.#at(index);
    touchRange(at, ENTRY_BYTES);
    U32[at >>> 2] = hash;
    U32[(at >>> 2) + 1] = slot;
    this.used++;
  }

  remove(hash: number, slot: number): void {
    if (kernels.removeEntry(this.address, this.mask, hash, slot) === 0) throw noEntry();
    this.used--;
  }

  #set(index: number, slot: number): void {
    const at = this.#at(index) + 4;
    touch(at);
    U32[at >>> 2] = slot;
  }

  /** Takes n used slots at an address out and gives them to the pool. */
  removeAll(slots: number, n: number, pool: SlotPool): void {
    if (n === 0) return;
    if (kernels.removeSlots(this.address, this.mask, slots, n, pool.unused) === 0) throw noEntry();
    pool.unused = U32[(slots >>> 2) + n - 1];
    this.used -= n;
  }

  /** removeAll(), but that their entries stay, of which nobody may take any notice until renew(). */
  leaveOut(slots: number, n: number, pool: SlotPool): void {
    if (n === 0) return;
    kernels.giveSlots(slots, n, pool.unused);
    pool.unused = U32[(slots >>> 2) + n - 1];
    this.used -= n;
  }

  /** Enters the slots anew that are in use, of so many bytes, as many as there were: they lie elsewhere. `share`: of the entries at least so many stay. */
  renew(pool: SlotPool, slotBytes: number, share: 0 | 0.5 | 1): void {
    this.#replace(this.used === 0 ? 0 : Math.max(this.entries * share, entriesFor(this.used)));
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
    const address = entries === 0 ? 0 : this.#heap.alloc(entries * ENTRY_BYTES);
    if (this.address !== 0) this.#heap.free(this.address, this.entries * ENTRY_BYTES);
    this.address = address;
    this.entries = entries;
  }

  save(): SavedDirectory {
    return { address: this.address, entries: this.entries, used: this.used };
  }

  load({ address, entries, used }: SavedDirectory): void {
    this.address = address;
    this.entries = entries;
    this.used = used;
  }

  /** The heap gives everything back. */
  forget(): void {
    this.load({ address: 0, entries: 0, used: 0 });
  }
}

function noEntry(): Error {
  return new Error('directory: a slot that is taken out has no entry');
}

function entriesFor(rows: number): number {
  let entries = LEAST_ENTRIES;
  while (entries * GROWN_FULL < rows) entries *= 2;
  return entries;
}
