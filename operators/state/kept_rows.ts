/**
 * The rows that an operator keeps of each partition, each in a block of its own (top_one.ts, top_few.ts), with their way to the cold store:
 *
 *   partition's slot, in memory:   ... | addresses of its rows, one behind the other        some of them perhaps a count of them
 *   all of them cold:              ... | address of a part (cold_parts.ts) + 1, which is odd | of no meaning
 *
 * A partition goes as a whole and comes back as a whole, in the tick whose delta has a row of it (thawAll): whether that row is shown, only the rows that are there can tell. One that a
 * watermark lets go is not read. Rows and their long values have a heap of their own, so that its pages come back when they go.
 */
import type { Arena } from '../batch/arena.ts';
import { budget } from '../batch/budget.ts';
import { U32 } from '../batch/memory.ts';
import { kernels } from '../kernels/index.ts';
import { PACK_ONE } from '../kernels/pack_layout.ts';
import { Chill } from './chill.ts';
import { ColdParts, type SavedColdParts, withPages } from './cold_parts.ts';
import type { ColdState } from './cold_state.ts';
import { type ColdStore, cold } from './cold_store.ts';
import { Heap } from './heap.ts';
import { isAbandoning } from './heap_pages.ts';
import { isLeaving } from './leaving.ts';
import type { RowOps } from './row_ops.ts';
import type { RowTable } from './row_table.ts';
import type { SavedHeap } from './saved.ts';
import { touch, touchRange } from './write_marks.ts';

export type SavedKeptRows = { heap: SavedHeap; cold: SavedColdParts };

/** Where in the bytes of a partition its rows are. */
export interface RowsPlace {
  /** Byte offset of the first address. */
  list: number;
  /** Byte offset of their number; null: there is one. */
  count: number | null;
}

export class KeptRows implements ColdState {
  readonly heap: Heap;
  readonly #ops: RowOps;
  readonly #stride: number;
  readonly #table: RowTable;
  /** Word offset in a payload of the first address. */
  readonly #list: number;
  readonly #count: number | null;
  readonly #parts: ColdParts;
  readonly #chill: Chill;

  constructor(ops: RowOps, table: RowTable, { list, count }: RowsPlace) {
    const { layout } = ops;
    this.#ops = ops;
    this.#stride = layout.stride;
    this.#table = table;
    this.#list = list / 4;
    this.#count = count === null ? null : count / 4;
    this.heap = new Heap(table.heap);
    this.#parts = new ColdParts(layout, table.heap);
    this.#chill = new Chill({
      keys: table,
      heap: this.heap,
      layout,
      weightAt: 0,
      isSigned: () => false,
      list,
      listCount: count ?? PACK_ONE,
      sendPacked: (out, keys, end) => this.#parts.makePacked(out, keys, end, this.#setCold),
      sendOne: (payload, all) => this.#sendOne(payload, all),
      stay: (payload) => this.#stay(payload),
    });
  }

  /** Of rows in memory, with their long values. */
  get bytes(): number {
    return this.heap.liveBytes;
  }

  get coldBytes(): number {
    return this.#parts.bytes;
  }

  get runBytes(): number {
    return this.heap.pageBytes;
  }

  get chilling(): boolean {
    return this.heap.emptying;
  }

  get sparse(): boolean {
    return this.#chill.sparse;
  }

  /** Frees a row in memory. */
  free(row: number): void {
    this.#ops.free(row, this.heap);
    this.heap.free(row, this.#stride);
  }

  #payloadOf(slot: number): number {
    return (slot + this.#table.payloadOffset) >>> 2;
  }

  #isCold(payload: number): boolean {
    return (U32[payload + this.#list] & 1) !== 0;
  }

  #countOf(payload: number): number {
    if (this.#count !== null) return U32[payload + this.#count];
    return U32[payload + this.#list] === 0 ? 0 : 1;
  }

  #partOf(payload: number) {
    return this.#parts.at(U32[payload + this.#list] - 1);
  }

  readonly #setCold = (payload: number, part: number): void => {
    const at = payload + this.#list;
    touch(at * 4);
    U32[at] = part + 1;
  };

  /** Brings the rows of n slots' partitions back that are cold; the slots are at a word address, 0 for none. */
  thawAll(slots: number, n: number, arena: Arena): void {
    if (!this.#parts.any) return;
    for (let i = slots; i < slots + n; i++) {
      if (U32[i] === 0) continue;
      const payload = this.#payloadOf(U32[i]);
      if (this.#isCold(payload)) this.#thaw(payload, arena);
    }
  }

  #thaw(payload: number, arena: Arena): void {
    const part = this.#partOf(payload);
    const run = this.#parts.read(part, arena.alloc(part.bytes));
    const list = payload + this.#list;
    touchRange(list * 4, part.entries * 4);
    for (let i = 0; i < part.entries; i++) {
      const row = this.heap.alloc(this.#stride);
      kernels.copyBytes(row, run + i * this.#stride, this.#stride);
      this.#parts.values.own(row, 1, this.heap);
      U32[list + i] = row;
    }
    this.#parts.drop(part);
  }

  /** Calls back with the rows of a partition in order; cold ones are read into the arena. */
  forEach(slot: number, arena: Arena, visit: (row: number, i: number) => void): void {
    const payload = this.#payloadOf(slot);
    if (!this.#isCold(payload)) {
      for (let i = 0, n = this.#countOf(payload); i < n; i++) visit(U32[payload + this.#list + i], i);
      return;
    }
    const part = this.#partOf(payload);
    const run = this.#parts.read(part, arena.alloc(part.bytes));
    for (let i = 0; i < part.entries; i++) visit(run + i * this.#stride, i);
  }

  /** The partition is going: its rows go, those that are cold unread. Gives how many they were. */
  drop(slot: number): number {
    const payload = this.#payloadOf(slot);
    const count = this.#countOf(payload);
    if (this.#isCold(payload)) this.#parts.drop(this.#partOf(payload));
    else for (let i = 0; i < count; i++) this.free(U32[payload + this.#list + i]);
    return count;
  }

  chill(bytes: number): number {
    if (cold.store === null) return 0;
    this.#endAll();
    return budget.beyond(() => this.#chill.slice(bytes));
  }

  compact(slots: number): void {
    this.#endAll();
    budget.beyond(() => this.#chill.compact(slots));
  }

  visitCold(cursor: number, slots: number, visit: (place: number, bytes: number) => number): number {
    if (!this.#parts.any) return -1;
    return this.#table.visitFrom(cursor, slots, (slot) => {
      const payload = this.#payloadOf(slot);
      if (this.#isCold(payload)) this.#parts.visit(this.#partOf(payload), visit);
    });
  }

  #isPartLeaving(payload: number, count: number): boolean {
    for (let i = payload + this.#list; i < payload + this.#list + count; i++)
      if (isLeaving(U32[i]) || this.#parts.values.areLeaving(U32[i], 1)) return true;
    return false;
  }

  /** What is too much for packRuns(). */
  #sendOne(payload: number, all: boolean): number {
    const count = this.#countOf(payload);
    if (count === 0 || this.#isCold(payload) || (!all && !this.#isPartLeaving(payload, count))) return 0;
    const { values } = this.#parts;
    const rows = Array.from(U32.subarray(payload + this.#list, payload + this.#list + count));
    const bytes = rows.reduce((sum, row) => sum + values.bytesOf(row, 1), count * this.#stride);
    const part = this.#parts.make(bytes, count, 0, (store) => this.#write(store, rows, bytes));
    for (const row of rows) this.free(row);
    this.#setCold(payload, part);
    return bytes;
  }

  #write(store: ColdStore, rows: number[], bytes: number): number {
    const stride = this.#stride;
    let place = 0;
    withPages([bytes], (scratch) => {
      const run = scratch(bytes);
      for (let i = 0; i < rows.length; i++) kernels.copyBytes(run + i * stride, rows[i], stride);
      this.#parts.values.pack(run, rows.length, run + rows.length * stride, run);
      place = store.write(run, [bytes]);
    });
    return place;
  }

  #stay(payload: number): void {
    const count = this.#countOf(payload);
    if (this.#isCold(payload)) return;
    for (let i = payload + this.#list; i < payload + this.#list + count; i++) {
      const row = U32[i];
      if (isLeaving(row)) {
        const to = this.heap.alloc(this.#stride);
        kernels.copyBytes(to, row, this.#stride);
        touch(i * 4);
        U32[i] = to;
        this.heap.free(row, this.#stride);
      } else touchRange(row, this.#stride);
      this.#parts.values.copy(U32[i], 1, this.heap, isLeaving, (address, bytes) => this.heap.free(address, bytes));
    }
  }

  #endAll(): void {
    this.#table.endTick();
    this.endTick();
  }

  endTick(): void {
    this.heap.endTick();
  }

  save(): SavedKeptRows {
    return { heap: this.heap.save(), cold: this.#parts.save() };
  }

  load({ heap, cold: parts }: SavedKeptRows): void {
    this.heap.load(heap);
    this.#parts.load(parts);
  }

  /** Before the table gives its memory back. */
  release(): void {
    // What is made anew still has them.
    if (this.#parts.any && !isAbandoning()) {
      this.#table.forEach((slot) => {
        const payload = this.#payloadOf(slot);
        if (this.#isCold(payload)) this.#parts.drop(this.#partOf(payload));
      });
    }
    this.#parts.load({ parts: 0, bytes: 0 });
    this.heap.release();
  }
}
