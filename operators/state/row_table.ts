/**
 * A hash table of rows, each in a slot that stays where it is:
 *
 *   directory:  | u32 hash | u32 address of the slot, 0 empty |      open addressing, linear probing, at most 70 % full
 *   slot:       | u32 hash | u8 state | validity of 3 columns | row | payload |    one behind the other in chunks (slot_pool.ts)
 *
 * The key is the whole row (of `types`); the payload is what the operator keeps with it (accumulators, a weight, a run).
 * A probe that finds nothing touches one cache line, one that finds its row one or two more; batches read ahead, so that these overlap. A table that
 * grows copies 8 bytes a row. Bytes a row: the slot, a 16th of it at most, and 12 to 23 (docs/decisions/0276).
 *
 * Removal is immediate, and the slot may be another row's at once; long values and payload runs are freed by the caller through the heap. Slots move in
 * begin() and settle(), where the table has become small, in shrink() and in leave() only.
 */
import { Arena } from '../batch/arena.ts';
import type { Column } from '../batch/batch.ts';
import { I32, U8, U32 } from '../batch/memory.ts';
import { kernels } from '../kernels/index.ts';
import * as k from '../kernels/key_layout.ts';
import { SLOT_LEAVING, SLOT_STATE, SLOT_USED } from '../kernels/table_layout.ts';
import type { ColType } from '../types.ts';
import type { SlotTime } from './deadline.ts';
import { Directory, type SavedDirectory } from './directory.ts';
import { Heap } from './heap.ts';
import { canPack, KeyRecord, ownLong } from './key_batch.ts';
import type { KeyRows, Located } from './located.ts';
import { slotLayout } from './row_layout.ts';
import { type Equality, type RowOps, rowOps } from './row_ops.ts';
import type { SavedHeap } from './saved.ts';
import { type SavedSlotPool, SlotPool } from './slot_pool.ts';
import { touch, touchRange } from './write_marks.ts';

const HEADER = k.HEADER_BYTES;
/** A table is thin when less than this share of its slots is in use, and very thin. */
const THIN = 8;
const VERY_THIN = 16;
/** No table is thin that has as few. */
const FEW_PLACES = 64;
/** Of the places of a table of which half are not in use so many stay: a window that has gone is followed by another one. */
const STAYING_SHARE = 0.65;
/** Where one in so many places or more is swept, the directory is made anew. */
const RENEWED_SHARE = 3;
/** A table of more places gives none up: a tick would wait for it. */
const MOST_PLACES = 1 << 15;

export type RemoveSlot = (slot: number) => void;
/** RemoveSlot for n slots at an address, with memory for as long as it runs. */
export type RemoveSlots = (slots: number, n: number, scratch: Arena) => void;

export type SavedRowTable = {
  directory: SavedDirectory;
  slots: SavedSlotPool;
  heap: SavedHeap;
};

export class RowTable {
  readonly ops: RowOps;
  readonly heap: Heap;
  /** Byte offset of the row and of the payload from the slot's address. */
  readonly rowOffset = HEADER;
  readonly payloadOffset: number;
  readonly #stride: number;
  /** What is touched in a slot that was found: its payload, and at least a byte. */
  readonly #touchedFrom: number;
  readonly #touchedBytes: number;
  #slots: SlotPool;
  readonly #directory: Directory;
  #bound: Column[] = [];
  /** The row operations know the bound columns. */
  #isBound = false;
  /** The row that is looked for. */
  #row = 0;
  readonly #isIt = (slot: number) => this.holds(slot) && this.ops.equal(this.#row, slot + HEADER);
  /** The kernels can look its keys up. */
  readonly #packs: boolean;
  readonly #keys: KeyRecord;
  /** The directory has entries of slots that are not in use any more: from sweepDead() to settle(). */
  #isSwept = false;
  /** No key has bytes outside of its slot. */
  readonly #plain: boolean;
  /** What keys have there is texts. */
  readonly #textOnly: boolean;
  /** Byte offsets in a slot of the key's varlens. */
  readonly #texts: number[];
  /** True when the last findOrInsert made a new row; its payload is zero. */
  inserted = false;

  /** payloadBytes must be a multiple of 8. */
  constructor(types: ColType[], payloadBytes: number, equality: Equality, heap = new Heap()) {
    this.ops = rowOps(types, equality, slotLayout(types));
    this.heap = heap;
    this.payloadOffset = HEADER + this.ops.layout.stride;
    this.#stride = this.payloadOffset + payloadBytes;
    this.#slots = new SlotPool(this.#stride, heap);
    this.#directory = new Directory(heap);
    this.#touchedBytes = Math.max(1, payloadBytes);
    this.#touchedFrom = this.#stride - this.#touchedBytes;
    this.#packs = canPack(types, equality);
    this.#keys = new KeyRecord(this.ops.layout, equality);
    const { phys, offsets } = this.ops.layout;
    this.#plain = phys.every((p) => p !== 'varlen' && p !== 'numeric');
    this.#textOnly = !this.#plain && !phys.includes('numeric');
    this.#texts = offsets.filter((_, i) => phys[i] === 'varlen').map((offset) => HEADER + offset);
  }

  get size(): number {
    return this.#directory.used;
  }

  /** Bytes of the table and of its heap. */
  get bytes(): number {
    return this.heap.liveBytes;
  }

  /** bind(), where a step begins that adds n rows at most: slots of the tick before have no readers, and those of a table that has become small move together. */
  begin(columns: Column[], n: number): void {
    this.bind(columns);
    if ((this.size + n) * VERY_THIN < this.#slots.places) this.shrink();
  }

  /** Fixes the columns that are looked up. */
  bind(columns: Column[]): void {
    this.#bound = columns;
    this.#isBound = false;
  }

  /** Before one of the bound rows is looked at alone: kernels, by which most batches go, read the columns where they are. */
  #bindRows(): void {
    if (this.#isBound) return;
    this.ops.bind(this.#bound);
    this.#isBound = true;
  }

  /** Whether the key of a bound row has a NULL. */
  hasNull(row: number): boolean {
    this.#bindRows();
    return this.ops.hasNull(row);
  }

  /** find() for all rows of the bound columns. */
  findAll(rows: KeyRows, arena: Arena): Located {
    if (!this.#packs || this.size === 0) return this.#eachRow(rows, arena, (row) => this.find(row));
    const keys = this.#record(rows, arena);
    this.showTo(keys);
    if (kernels.findKeys(keys) === 0) return this.#eachRow(rows, arena, (row) => this.find(row));
    return this.#locate(keys, { slots: 0, fresh: 0, made: 0 });
  }

  /** findOrInsert() for all rows of the bound columns. */
  findOrInsertAll(rows: KeyRows, arena: Arena): Located {
    if (!this.#packs) return this.#eachRow(rows, arena, (row) => this.findOrInsert(row));
    const keys = this.#record(rows, arena);
    this.lend(keys);
    for (;;) {
      if (kernels.findOrInsertKeys(keys) === 0) return this.#eachRow(rows, arena, (row) => this.findOrInsert(row));
      if (U32[(keys + k.KEYS_FROM) >>> 2] === rows.n) return this.takeIn(keys, arena);
      this.makeRoom(keys);
    }
  }

  /** findOrInsertAll() by a kernel that found or made the slots itself: what it says of that in a record of keys, into `located`. */
  takeIn(keys: number, arena: Arena, located: Located = { slots: 0, fresh: 0, made: 0 }): Located {
    this.#takePlace(keys);
    const at = keys >>> 2;
    this.#locate(keys, located);
    const long = U32[at + k.KEYS_LONG / 4];
    if (long > 0) this.#ownTexts(located, long, arena);
    return located;
  }

  /** Whether kernels can look its keys up. */
  get packs(): boolean {
    return this.#packs;
  }

  /** Lets a kernel make slots: writes where they are, and for how many there is room, into a record of keys (key_layout.ts). */
  lend(keys: number): void {
    if (this.#directory.entries === 0) this.#directory.grow();
    this.#slots.announceUnused();
    this.showTo(keys);
  }

  /** Tells a kernel where the table is, in a record of keys (key_layout.ts). */
  showTo(keys: number): void {
    const at = keys >>> 2;
    const directory = this.#directory;
    const slots = this.#slots;
    U32[at + k.KEYS_DIRECTORY / 4] = directory.address;
    U32[at + k.KEYS_MASK / 4] = directory.mask;
    U32[at + k.KEYS_USED / 4] = directory.used;
    U32[at + k.KEYS_ROOM / 4] = directory.room;
    U32[at + k.KEYS_UNUSED / 4] = slots.unused;
    U32[at + k.KEYS_NEXT / 4] = slots.next;
    U32[at + k.KEYS_END / 4] = slots.end;
  }

  #takePlace(keys: number): void {
    const at = keys >>> 2;
    this.#directory.used = U32[at + k.KEYS_USED / 4];
    this.#slots.unused = U32[at + k.KEYS_UNUSED / 4];
    this.#slots.next = U32[at + k.KEYS_NEXT / 4];
  }

  /** A kernel that was given the record of keys has no room for the next row. */
  makeRoom(keys: number): void {
    this.#takePlace(keys);
    this.#directory.grow();
    this.#slots.grow();
    this.lend(keys);
  }

  /** What kernels are told of a batch, but where the table is. */
  #record({ n, weights, skipNulls }: KeyRows, arena: Arena): number {
    const keys = this.#keys.write(this.#bound, n, weights, arena);
    const at = keys >>> 2;
    U32[at + k.KEYS_SKIP_NULLS / 4] = skipNulls ? 1 : 0;
    U32[at + k.KEYS_SLOT_BYTES / 4] = this.#stride;
    U32[at + k.KEYS_PAYLOAD / 4] = this.payloadOffset;
    return keys;
  }

  #locate(keys: number, located: Located): Located {
    const at = keys >>> 2;
    located.slots = U32[at + k.KEYS_SLOTS / 4] >>> 2;
    located.fresh = U32[at + k.KEYS_FRESH / 4] >>> 2;
    located.made = U32[at + k.KEYS_MADE / 4];
    return located;
  }

  /** The slots just made show the batch's long texts: they get their own copies. */
  #ownTexts({ slots, fresh, made }: Located, long: number, arena: Arena): void {
    const list = arena.alloc(long * 4);
    const n = kernels.longTexts(slots * 4, fresh * 4, made, this.#textPlaces(arena), this.#texts.length, list);
    ownLong(list, n, this.heap);
  }

  /** Byte offsets in a slot of the key's varlens, as kernels read them. */
  #textPlaces(arena: Arena): number {
    const places = arena.alloc(this.#texts.length * 4);
    for (let i = 0; i < this.#texts.length; i++) U32[(places >>> 2) + i] = this.#texts[i];
    return places;
  }

  #eachRow({ n, weights, skipNulls }: KeyRows, arena: Arena, slotOf: (row: number) => number): Located {
    const slots = arena.alloc(n * 4) >>> 2;
    const fresh = arena.alloc(n * 4) >>> 2;
    let made = 0;
    for (let row = 0; row < n; row++) {
      if ((weights !== 0 && I32[(weights >>> 2) + row] === 0) || (skipNulls && this.hasNull(row))) {
        U32[slots + row] = 0;
        continue;
      }
      this.inserted = false;
      U32[slots + row] = slotOf(row);
      if (this.inserted) U32[fresh + made++] = row;
    }
    return { slots, fresh, made };
  }

  /** Slot address of the bound row's equal, inserted when missing. The caller may write its payload until the end of the tick. */
  findOrInsert(row: number): number {
    this.#bindRows();
    const hash = this.ops.hash(row);
    const found = this.#find(row, hash);
    this.inserted = found === 0;
    if (found !== 0) {
      touchRange(found + this.#touchedFrom, this.#touchedBytes);
      return found;
    }
    this.#directory.grow();
    this.#slots.grow();
    const slot = this.#slots.take();
    touchRange(slot, this.#stride);
    U32[slot >>> 2] = hash;
    U32[(slot >>> 2) + 1] = SLOT_USED;
    this.ops.store(row, slot + HEADER, this.heap);
    for (let at = slot + this.payloadOffset; at < slot + this.#stride; at += 4) U32[at >>> 2] = 0;
    this.#directory.add(hash, slot);
    return slot;
  }

  /** Slot address of the bound row's equal, or 0. */
  find(row: number): number {
    if (this.size === 0) return 0;
    this.#bindRows();
    return this.#find(row, this.ops.hash(row));
  }

  #find(row: number, hash: number): number {
    this.#row = row;
    return this.#directory.find(hash, this.#isIt);
  }

  /** Whether a slot has a row. */
  holds(slot: number): boolean {
    return U8[slot + SLOT_STATE] === SLOT_USED;
  }

  /** Says that a slot's row is about to be taken out by removeDeadAll(): holds() is false from now on. False when it was said, or the slot has none. */
  leaves(slot: number): boolean {
    if (!this.holds(slot)) return false;
    touch(slot + SLOT_STATE);
    U8[slot + SLOT_STATE] = SLOT_LEAVING;
    return true;
  }

  /** The hash of the row in a slot. */
  hashOf(slot: number): number {
    return U32[slot >>> 2];
  }

  /** Calls back with every slot whose row has this hash; the callback may remove it. */
  forEachOfHash(hash: number, visit: (slot: number) => void): void {
    this.#directory.forEach(hash, (slot) => {
      if (this.holds(slot)) visit(slot);
    });
  }

  /** forEachOfHash() for n hashes at an address, whose memory is used up. Slots of equal hashes come once for each. */
  forEachOfHashes(hashes: number, n: number, visit: (slot: number) => void): void {
    this.#directory.forEachOf(hashes, n, this.#stride, (slot) => {
      if (this.holds(slot)) visit(slot);
    });
  }

  /** Takes the row out; its long values are freed at the end of the tick. */
  remove(slot: number): void {
    this.ops.free(slot + HEADER, this.heap);
    this.#directory.remove(U32[slot >>> 2], slot);
    this.#slots.give(slot);
  }

  /** remove() for n slots at an address. */
  removeAll(slots: number, n: number): void {
    if (!this.#plain) for (let i = slots >>> 2, end = i + n; i < end; i++) this.ops.free(U32[i] + HEADER, this.heap);
    this.#directory.removeAll(slots, n, this.#slots);
  }

  /** removeAll() for slots that nobody shows any more: their long texts can be given back at once. The list is put in another order. */
  removeDeadAll(slots: number, n: number, arena: Arena): void {
    let freed = 0;
    if (this.#textOnly && this.heap.canLend) {
      const places = this.#textPlaces(arena);
      freed = this.heap.lend((heap) => kernels.freeTexts(slots, n, places, this.#texts.length, heap));
    }
    if (!this.#plain)
      for (let i = (slots >>> 2) + freed, end = (slots >>> 2) + n; i < end; i++)
        this.ops.free(U32[i] + HEADER, this.heap);
    if (this.#isSwept) this.#directory.leaveOut(slots, n, this.#slots);
    else this.#directory.removeAll(slots, n, this.#slots);
  }

  /** Where kernels find the slots (assembly/directory.ts). Not to be kept. */
  get place(): { directory: number; mask: number; slotBytes: number } {
    const { address, mask } = this.#directory;
    return { directory: address, mask, slotBytes: this.#stride };
  }

  /**
   * Takes rows out that have one of n hashes at an address, whose memory is used up, and are dead by the time in their slot. Every row has an entry of its
   * own in what the hashes come from. `remove`: called to let go what they keep elsewhere and take them out; null: there is nothing of that kind.
   */
  removeDead(
    hashes: number,
    n: number,
    { at, flag, lag }: SlotTime,
    watermark: number,
    remove: RemoveSlots | null,
  ): void {
    if (this.size === 0) return;
    const { directory, mask, slotBytes } = this.place;
    const dead = kernels.deadSlots(directory, mask, hashes, n, slotBytes, at, flag, lag, watermark);
    this.#takeOut(hashes, dead, remove, new Arena());
  }

  #takeOut(slots: number, n: number, remove: RemoveSlots | null, scratch: Arena): void {
    if (n > 0 && remove === null) this.removeDeadAll(slots, n, scratch);
    else if (n > 0) remove?.(slots, n, scratch);
    scratch.release();
  }

  /** Its slots, in use or not. */
  get places(): number {
    return this.#slots.places;
  }

  /** removeDead() of all rows, without their hashes. settle() has to follow: until then the directory is good for finding what is there, no row may be made. */
  sweepDead({ at, flag, lag }: SlotTime, watermark: number, remove: RemoveSlots | null): void {
    if (this.size === 0) return;
    const scratch = new Arena();
    const slots = scratch.alloc(this.size * 4);
    let dead = 0;
    this.#slots.eachRange((from, end) => {
      dead += kernels.sweepSlots(from, end, this.#stride, at, flag, lag, watermark, slots + dead * 4);
    });
    this.#isSwept ||= dead * RENEWED_SHARE >= this.places;
    this.#takeOut(slots, dead, remove, scratch);
  }

  /** Calls back with every slot, in the order of places. The table must not change meanwhile, except by remove(). */
  forEach(visit: (slot: number) => void): void {
    this.visitFrom(0, Number.POSITIVE_INFINITY, visit);
  }

  /** How often the slots have moved. */
  moves = 0;

  /** Number of a slot in the order of places, for scans that stop between ticks. Places hold until the slots move. */
  placeOf(slot: number): number {
    return this.#slots.placeOf(slot);
  }

  /** Whether it has far more slots than it needs. */
  get isThin(): boolean {
    return this.#slots.places > FEW_PLACES && this.size * THIN < this.#slots.places;
  }

  /** Gives up slots that it does not need: those in use move together. Not within a step. */
  shrink(): void {
    if (this.isThin) this.#moveTogether(this.size, 0);
  }

  /**
   * A watermark has taken rows: when at most half of its places are in use, about a third of them goes. A table that follows windows would have room for its fullest moment
   * otherwise, which may be twice what it needs for most of the time. Costs at most a move for each row that went. Not within a step.
   */
  settle(): void {
    const { places } = this.#slots;
    const isFull = places === 0 || this.size * 2 > places || places > MOST_PLACES;
    if (!isFull && places > FEW_PLACES) this.#moveTogether(Math.ceil(places * STAYING_SHARE), 0.5);
    else if (!isFull) this.#moveTogether(this.size, 0);
    else if (this.#isSwept) this.#directory.renew(this.#slots, this.#stride, 1);
    this.#isSwept = false;
  }

  /** To a pool with so much room, and of the directory this share. */
  #moveTogether(room: number, share: 0 | 0.5): void {
    this.#slots = this.#slots.together(this.size, room);
    this.#directory.renew(this.#slots, this.#stride, share);
    this.moves++;
  }

  /** Takes elsewhere what lies where nothing may stay. */
  leave(): void {
    this.#directory.leave();
    const moved = this.#slots.leave();
    if (moved.length === 0) return;
    this.#directory.follow(moved);
    this.moves++;
  }

  /** Calls back with up to `most` slots from place `from` on; gives the place to go on from, -1 at the end. */
  visitFrom(from: number, most: number, visit: (slot: number) => void): number {
    return this.#slots.visitFrom(from, most, visit);
  }

  /** Gives `work` up to `most` slots at a time, used or not: from one address to another. It gives the address to go on from; -1 at the end. */
  stretchFrom(from: number, most: number, work: (start: number, end: number) => number): number {
    return this.#slots.stretchFrom(from, most, work);
  }

  /**
   * visitFrom() at once: the addresses of the rows, with `payloadOffset` the first word of their payloads, and the place to go on from. Word
   * addresses in the arena.
   */
  rowsFrom(from: number, most: number, arena: Arena): { n: number; rows: number; words: number; next: number } {
    return this.#slots.rowsFrom(from, most, this.rowOffset, this.payloadOffset, arena);
  }

  endTick(): void {
    this.heap.endTick();
  }

  /** With the heap, also what others keep in it. */
  save(): SavedRowTable {
    return {
      directory: this.#directory.save(),
      slots: this.#slots.save(),
      heap: this.heap.save(),
    };
  }

  load(saved: SavedRowTable): void {
    this.heap.load(saved.heap);
    this.moves++;
    this.#directory.load(saved.directory);
    this.#slots.load(saved.slots);
  }

  release(): void {
    this.heap.release();
    this.#slots.forget();
    this.#directory.forget();
  }
}
