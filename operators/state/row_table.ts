/**
 * An open-addressing hash table whose slots hold the row itself:
 *
 *   slot: | u32 hash | u32 state (0 empty, 1 used, 2 deleted) | row | payload |
 *
 * The key is the whole row (of `types`); the payload is what the operator keeps with it (accumulators, a weight, a run).
 * One probe touches one or two cache lines. Linear probing, at most 70 % full, doubles and halves.
 *
 * Slots move when the table is resized, which happens only in `begin(n)` and takeAll(): between two of these, addresses stay valid while at most n
 * rows are inserted. Removal is immediate; long values and payload runs are freed by the caller through the heap.
 */
import { Arena } from '../batch/arena.ts';
import type { Column } from '../batch/batch.ts';
import { I32, U32 } from '../batch/memory.ts';
import { kernels } from '../kernels/index.ts';
import * as k from '../kernels/key_layout.ts';
import type { ColType } from '../types.ts';
import { Heap, isLeaving } from './heap.ts';
import { canPack, KeyRecord, ownLong } from './key_batch.ts';
import { type Equality, type RowOps, rowOps } from './row_ops.ts';
import type { SavedHeap } from './saved.ts';
import { touch, touchRange } from './write_marks.ts';

const HEADER = 8;
const EMPTY = 0;
const USED = 1;
const DELETED = 2;
const MIN_CAPACITY = 16;
const MOST_FULL = 0.7;
/** A table with fewer rows than this share of its slots is smaller after shrink(). */
const THIN = 8;

/** Which rows of a batch findAll() and findOrInsertAll() leave out. */
export interface KeyRows {
  n: number;
  /** Byte address of the rows' weights: rows of weight 0 are left out. 0: none is. */
  weights: number;
  /** Rows with a NULL in the key are left out. */
  skipNulls: boolean;
}

/** Where the rows of a batch have their slots. */
export interface Located {
  /** Word address: each row's slot, 0 for a row that is left out or was not found. */
  slots: number;
  /** Word address: the numbers of the rows that made a slot, whose payload is zero. */
  fresh: number;
  made: number;
}

/** Where a slot has the time by which it is dead, as assembly/row_table.ts reads it. */
export interface SlotTime {
  at: number;
  flag: number;
  lag: number;
}

export type RemoveSlot = (slot: number) => void;
/** RemoveSlot for n slots at an address, with memory for as long as it runs. */
export type RemoveSlots = (slots: number, n: number, scratch: Arena) => void;

export type SavedRowTable = {
  table: number;
  capacity: number;
  used: number;
  deleted: number;
  heap: SavedHeap;
};

export class RowTable {
  readonly ops: RowOps;
  readonly heap: Heap;
  /** Byte offset of the row and of the payload from the slot's address. */
  readonly rowOffset = HEADER;
  readonly payloadOffset: number;
  readonly #stride: number;
  readonly #payloadBytes: number;
  /** What is touched in a slot that was found: its payload, and at least a byte. */
  readonly #touchedFrom: number;
  readonly #touchedBytes: number;
  #table = 0;
  #capacity = 0;
  #used = 0;
  #deleted = 0;
  #room = 0;
  #bound: Column[] = [];
  /** The kernels can look its keys up. */
  readonly #packs: boolean;
  readonly #keys: KeyRecord;
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
    this.ops = rowOps(types, equality);
    this.heap = heap;
    this.payloadOffset = HEADER + this.ops.layout.stride;
    this.#payloadBytes = payloadBytes;
    this.#stride = this.payloadOffset + payloadBytes;
    this.#touchedBytes = Math.max(1, payloadBytes);
    this.#touchedFrom = this.#stride - this.#touchedBytes;
    this.#packs = canPack(types, equality);
    this.#keys = new KeyRecord(this.ops.layout);
    const { phys, offsets } = this.ops.layout;
    this.#plain = phys.every((p) => p !== 'varlen' && p !== 'numeric');
    this.#textOnly = !this.#plain && !phys.includes('numeric');
    this.#texts = offsets.filter((_, i) => phys[i] === 'varlen').map((offset) => HEADER + offset);
  }

  get size(): number {
    return this.#used;
  }

  /** Bytes of the table and of its heap. */
  get bytes(): number {
    return this.heap.liveBytes;
  }

  /** Fixes the columns and makes sure that `n` inserts will not move any slot. `known`: so many rows of the columns are of them, and may be there already. */
  begin(columns: Column[], n: number, known = 0): void {
    this.bind(columns);
    if (this.#mayMove(n)) {
      const news = n - this.#present(known);
      if (this.#mayMove(news)) this.#rehash(this.#capacityFor(news));
    }
    this.#room = n;
  }

  /** How many of the first bound rows the table has: only what it lacks needs room, so deletes never make it grow. */
  #present(rows: number): number {
    if (this.#used === 0 || rows === 0) return 0;
    const scratch = new Arena();
    try {
      const { slots } = this.findAll({ n: rows, weights: 0, skipNulls: false }, scratch);
      let count = 0;
      for (let row = 0; row < rows; row++) if (U32[slots + row] !== 0) count++;
      return count;
    } finally {
      scratch.release();
    }
  }

  /** Fixes the columns that find() and findAll() look up. */
  bind(columns: Column[]): void {
    this.ops.bind(columns);
    this.#bound = columns;
  }

  /** find() for all rows of the bound columns. */
  findAll(rows: KeyRows, arena: Arena): Located {
    if (!this.#packs || this.#capacity === 0) return this.#eachRow(rows, arena, (row) => this.find(row));
    const keys = this.#record(rows, arena);
    if (kernels.findKeys(keys) === 0) return this.#eachRow(rows, arena, (row) => this.find(row));
    return this.#located(keys);
  }

  /** findOrInsert() for all rows of the bound columns; begin() made room. */
  findOrInsertAll(rows: KeyRows, arena: Arena): Located {
    if (!this.#packs) return this.#eachRow(rows, arena, (row) => this.findOrInsert(row));
    const keys = this.#record(rows, arena);
    if (kernels.findOrInsertKeys(keys) === 0) return this.#eachRow(rows, arena, (row) => this.findOrInsert(row));
    return this.takeIn(keys, arena);
  }

  /**
   * begin() and findOrInsertAll() with room for the keys that are new, not for as many as there are rows: where it ends the slots move, and the rows so far
   * are looked up once more. The table doubles, so that is twice for a row at most.
   */
  takeAll(columns: Column[], rows: KeyRows, arena: Arena): Located {
    const { n } = rows;
    this.bind(columns);
    const keys = this.#packs ? this.#record(rows, arena) : 0;
    if (keys !== 0) kernels.packKeys(keys);
    const at = keys >>> 2;
    if (keys === 0 || U32[at + k.KEYS_ODD / 4] !== 0) {
      this.begin(columns, n, n);
      return this.#eachRow(rows, arena, (row) => this.findOrInsert(row));
    }
    if (this.#unused <= 0 || this.#used + n < this.#capacity / 16) this.#rehash(this.#capacityFor(1));
    for (let made = 0, reused = 0; ; ) {
      this.writePlace(keys);
      U32[at + k.KEYS_ROOM / 4] = made + this.#unused;
      kernels.takeKeys(keys);
      this.#used += U32[at + k.KEYS_MADE / 4] - made;
      this.#deleted -= U32[at + k.KEYS_REUSED / 4] - reused;
      if (U32[at + k.KEYS_FROM / 4] === n) return this.#owned(keys, arena);
      made = U32[at + k.KEYS_MADE / 4];
      reused = U32[at + k.KEYS_REUSED / 4];
      this.#rehash(this.#capacityFor(1));
    }
  }

  /** How many slots can be taken before there are too many. */
  get #unused(): number {
    return Math.floor(this.#capacity * MOST_FULL) - this.#used - this.#deleted;
  }

  /** findOrInsertAll() by a kernel that found or made the slots itself: what it says of that in a record of keys. */
  takeIn(keys: number, arena: Arena): Located {
    const made = U32[(keys + k.KEYS_MADE) >>> 2];
    this.#used += made;
    this.#deleted -= U32[(keys + k.KEYS_REUSED) >>> 2];
    this.#room -= made;
    if (this.#room < 0) throw new Error('row table: more rows inserted than begin() allowed');
    return this.#owned(keys, arena);
  }

  /** What was found, after long texts of slots that were made got their own copies. */
  #owned(keys: number, arena: Arena): Located {
    const located = this.#located(keys);
    const long = U32[(keys + k.KEYS_LONG) >>> 2];
    if (long > 0) this.#ownTexts(located, long, arena);
    return located;
  }

  /** Whether kernels can look its keys up. */
  get packs(): boolean {
    return this.#packs;
  }

  /** Writes where the slots are into a record of keys (key_layout.ts). */
  writePlace(keys: number): void {
    U32[(keys + k.KEYS_TABLE) >>> 2] = this.#table;
    U32[(keys + k.KEYS_MASK) >>> 2] = this.#capacity - 1;
  }

  #record({ n, weights, skipNulls }: KeyRows, arena: Arena): number {
    const keys = this.#keys.write(this.#bound, n, weights, arena);
    const at = keys >>> 2;
    U32[at + k.KEYS_SKIP_NULLS / 4] = skipNulls ? 1 : 0;
    this.writePlace(keys);
    U32[at + k.KEYS_SLOT_BYTES / 4] = this.#stride;
    U32[at + k.KEYS_PAYLOAD / 4] = this.payloadOffset;
    return keys;
  }

  #located(keys: number): Located {
    const at = keys >>> 2;
    return {
      slots: U32[at + k.KEYS_SLOTS / 4] >>> 2,
      fresh: U32[at + k.KEYS_FRESH / 4] >>> 2,
      made: U32[at + k.KEYS_MADE / 4],
    };
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
      if ((weights !== 0 && I32[(weights >>> 2) + row] === 0) || (skipNulls && this.ops.hasNull(row))) {
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
    const hash = this.ops.hash(row);
    const mask = this.#capacity - 1;
    let index = hash & mask;
    let free = 0;
    for (;;) {
      const slot = this.#table + index * this.#stride;
      const state = U32[(slot >>> 2) + 1];
      if (state === EMPTY) {
        if (this.#room-- <= 0) throw new Error('row table: more rows inserted than begin() allowed');
        const target = free === 0 ? slot : free;
        if (free !== 0) this.#deleted--;
        touchRange(target, this.#stride);
        U32[target >>> 2] = hash;
        U32[(target >>> 2) + 1] = USED;
        this.ops.store(row, target + HEADER, this.heap);
        for (let at = target + this.payloadOffset; at < target + this.#stride; at += 4) U32[at >>> 2] = 0;
        this.#used++;
        this.inserted = true;
        return target;
      }
      if (state === USED) {
        if (U32[slot >>> 2] === hash && this.ops.equal(row, slot + HEADER)) {
          this.inserted = false;
          touchRange(slot + this.#touchedFrom, this.#touchedBytes);
          return slot;
        }
      } else if (free === 0) free = slot;
      index = (index + 1) & mask;
    }
  }

  /** Slot address of the bound row's equal, or 0. */
  find(row: number): number {
    if (this.#capacity === 0) return 0;
    const hash = this.ops.hash(row);
    const mask = this.#capacity - 1;
    let index = hash & mask;
    for (;;) {
      const slot = this.#table + index * this.#stride;
      const state = U32[(slot >>> 2) + 1];
      if (state === EMPTY) return 0;
      if (state === USED && U32[slot >>> 2] === hash && this.ops.equal(row, slot + HEADER)) return slot;
      index = (index + 1) & mask;
    }
  }

  /** Whether a slot has a row. */
  holds(slot: number): boolean {
    return U32[(slot >>> 2) + 1] === USED;
  }

  /** Says that a slot's row is about to be taken out by removeDeadAll(): holds() is false from now on. False when it was said, or the slot has none. */
  leaves(slot: number): boolean {
    if (U32[(slot >>> 2) + 1] !== USED) return false;
    touch(slot + 4);
    U32[(slot >>> 2) + 1] = DELETED;
    return true;
  }

  /** The hash of the row in a slot. */
  hashOf(slot: number): number {
    return U32[slot >>> 2];
  }

  /** Calls back with every slot whose row has this hash; the callback may remove it. */
  forEachOfHash(hash: number, visit: (slot: number) => void): void {
    if (this.#capacity === 0) return;
    const mask = this.#capacity - 1;
    for (let index = hash & mask; ; index = (index + 1) & mask) {
      const slot = this.#table + index * this.#stride;
      const state = U32[(slot >>> 2) + 1];
      if (state === EMPTY) return;
      if (state === USED && U32[slot >>> 2] === hash) visit(slot);
    }
  }

  /** forEachOfHash() for n hashes at an address, whose memory is used up. Slots of equal hashes come once for each. */
  forEachOfHashes(hashes: number, n: number, visit: (slot: number) => void): void {
    if (this.#capacity === 0) return;
    kernels.slotsOfHashes(this.#table, this.#capacity - 1, this.#stride, hashes, n);
    const end = this.#table + this.#capacity * this.#stride;
    for (let i = hashes >>> 2, last = i + n; i < last; i++) {
      let slot = U32[i];
      if (slot === 0) continue;
      const hash = U32[slot >>> 2];
      for (; U32[(slot >>> 2) + 1] !== EMPTY; ) {
        if (U32[(slot >>> 2) + 1] === USED && U32[slot >>> 2] === hash) visit(slot);
        slot += this.#stride;
        if (slot === end) slot = this.#table;
      }
    }
  }

  /** Takes the row out; its long values are freed at the end of the tick. */
  remove(slot: number): void {
    this.ops.free(slot + HEADER, this.heap);
    touch(slot + 4);
    U32[(slot >>> 2) + 1] = DELETED;
    this.#used--;
    this.#deleted++;
    // A probe goes no further than an empty slot, so one in front of it need not say that it was deleted.
    const next =
      slot + this.#stride === this.#table + this.#capacity * this.#stride ? this.#table : slot + this.#stride;
    if (U32[(next >>> 2) + 1] !== EMPTY) return;
    this.#deleted -= kernels.emptyBefore(this.#table, this.#capacity - 1, this.#stride, slot);
  }

  /** remove() for n slots at an address. */
  removeAll(slots: number, n: number): void {
    if (!this.#plain) {
      for (let i = slots >>> 2, end = i + n; i < end; i++) this.remove(U32[i]);
      return;
    }
    this.#takeOut(slots, n);
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
    this.#takeOut(slots, n);
  }

  #takeOut(slots: number, n: number): void {
    const emptied = kernels.removeSlots(this.#table, this.#capacity - 1, this.#stride, slots, n);
    this.#used -= n;
    this.#deleted += n - emptied;
  }

  /** Where kernels find the slots: the first, what a hash is cut to, bytes from one to the next. Not to be kept: slots move. */
  get place(): { table: number; mask: number; stride: number } {
    return { table: this.#table, mask: this.#capacity - 1, stride: this.#stride };
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
    if (this.#capacity === 0) return;
    const args = [this.#table, this.#capacity - 1, this.#stride, hashes, n, at, flag, lag, watermark] as const;
    if (remove === null && this.#plain) {
      const counts = kernels.removeDead(...args);
      const emptied = Math.floor(counts / 4294967296);
      const removed = counts - emptied * 4294967296;
      this.#used -= removed;
      this.#deleted += removed - emptied;
      return;
    }
    const dead = kernels.deadSlots(...args);
    if (dead === 0) return;
    const scratch = new Arena();
    if (remove === null) this.removeDeadAll(hashes, dead, scratch);
    else remove(hashes, dead, scratch);
    scratch.release();
  }

  /** Calls back with every slot, in table order. The table must not change meanwhile, except by remove(). */
  forEach(visit: (slot: number) => void): void {
    const end = this.#table + this.#capacity * this.#stride;
    for (let slot = this.#table; slot < end; slot += this.#stride) {
      if (U32[(slot >>> 2) + 1] === USED) visit(slot);
    }
  }

  /** How often the slots have moved. */
  moves = 0;

  /** Place of a slot in table order, for scans that stop between ticks. Places hold until the slots move. */
  placeOf(slot: number): number {
    return (slot - this.#table) / this.#stride;
  }

  /** True when begin() for the rows of a batch would move the slots. */
  movesFor(columns: Column[], n: number): boolean {
    if (!this.#mayMove(n)) return false;
    this.bind(columns);
    return this.#mayMove(n - this.#present(n));
  }

  #mayMove(n: number): boolean {
    const needed = this.#used + this.#deleted + n;
    if (needed <= this.#capacity * MOST_FULL && this.#used + n >= this.#capacity / 16) return false;
    return this.#capacityFor(n) !== this.#capacity || this.#deleted > 0;
  }

  #capacityFor(n: number): number {
    let capacity = MIN_CAPACITY;
    while (capacity * 0.5 < this.#used + n) capacity *= 2;
    return capacity;
  }

  /** Whether it has far more slots than it needs. */
  get isThin(): boolean {
    return this.#capacity > MIN_CAPACITY && this.#used * THIN < this.#capacity;
  }

  /** Gives up slots that it does not need. Between two ticks. */
  shrink(): void {
    if (this.isThin) this.#rehash(this.#capacityFor(0));
  }

  /** Takes the slots elsewhere when they lie where nothing may stay. */
  leave(): void {
    if (this.#table !== 0 && isLeaving(this.#table)) this.#rehash(this.#capacity);
  }

  /** Calls back with up to `most` slots from place `from` on; gives the place to go on from, -1 at the end. */
  visitFrom(from: number, most: number, visit: (slot: number) => void): number {
    let left = most;
    for (let place = from; place < this.#capacity; place++) {
      const slot = this.#table + place * this.#stride;
      if (U32[(slot >>> 2) + 1] !== USED) continue;
      if (left-- === 0) return place;
      visit(slot);
    }
    return -1;
  }

  /**
   * visitFrom() at once: the addresses of the rows, with `payloadOffset` the first word of their payloads, and the place to go on from. Word
   * addresses in the arena.
   */
  rowsFrom(from: number, most: number, arena: Arena): { n: number; rows: number; words: number; next: number } {
    const rows = arena.alloc(most * 4);
    const words = arena.alloc(most * 4);
    const count = arena.alloc(4);
    const { payloadOffset, rowOffset } = this;
    const next = kernels.usedSlots(
      this.#table,
      this.#capacity,
      this.#stride,
      from,
      most,
      rowOffset,
      payloadOffset,
      rows,
      words,
      count,
    );
    return { n: U32[count >>> 2], rows: rows >>> 2, words: words >>> 2, next: next === this.#capacity ? -1 : next };
  }

  #rehash(capacity: number): void {
    const stride = this.#stride;
    this.moves++;
    const old = this.#table;
    const oldCapacity = this.#capacity;
    const table = this.heap.alloc(capacity * stride);
    kernels.rehash(old, oldCapacity, table, capacity, stride);
    if (old !== 0) this.heap.free(old, oldCapacity * stride);
    this.#table = table;
    this.#capacity = capacity;
    this.#deleted = 0;
  }

  endTick(): void {
    this.heap.endTick();
  }

  /** With the heap, also what others keep in it. */
  save(): SavedRowTable {
    return {
      table: this.#table,
      capacity: this.#capacity,
      used: this.#used,
      deleted: this.#deleted,
      heap: this.heap.save(),
    };
  }

  load(saved: SavedRowTable): void {
    this.heap.load(saved.heap);
    this.moves++;
    this.#table = saved.table;
    this.#capacity = saved.capacity;
    this.#used = saved.used;
    this.#deleted = saved.deleted;
  }

  release(): void {
    this.heap.release();
    this.#table = 0;
    this.#capacity = 0;
    this.#used = 0;
    this.#deleted = 0;
  }

  get payloadBytes(): number {
    return this.#payloadBytes;
  }
}
