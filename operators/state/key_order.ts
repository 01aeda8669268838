/**
 * The keys of an index in their order: what a hash table does not know and reads of ranges ask for.
 *
 *   index's keys --build()--> sorted pieces --merge--> list: addresses of copies of the keys, in order (address_list.ts)
 *   keys that ticks bring  --> tail, as they come ----settle()---^
 *
 * It is no part of what is saved: it can be let go at any time and made again. All that it promises is that every key of the index is in the list or in the tail. A key that has gone stays
 * until a reader finds no rows of it, so a tick that is taken back leaves nothing to be put right: it wrote into the tail's own arena alone, and its keys are those of no rows.
 * Slots of the index may move and rows may go to disk: it knows keys by their values.
 *
 * Order: each column ascending, NULLs last, as rowCompare() has it. Memory: a copy of the key and 4 bytes. Cost: O(log n) compares a new key, half a leaf moved; one that is greater than all: O(1).
 */
import { Arena } from '../batch/arena.ts';
import type { Batch } from '../batch/batch.ts';
import { BatchBuilder, batchFromRows } from '../batch/builder.ts';
import { I32, U32 } from '../batch/memory.ts';
import type { Datum } from '../datum.ts';
import type { ColType } from '../types.ts';
import { AddressList } from './address_list.ts';
import { Heap } from './heap.ts';
import type { KeyedIndex } from './keyed_index.ts';
import { rowLayout } from './row_layout.ts';
import { type RowCompare, type RowOps, rowCompare, rowOps } from './row_ops.ts';

/** Keys of the index that are looked at a time. */
const PIECE = 1024;
/** So many keys of the tail are brought into the list at once. */
const FEW = 2048;

export class KeyOrder {
  readonly types: ColType[];
  readonly #index: KeyedIndex;
  readonly #heap = new Heap();
  readonly #list: AddressList;
  readonly #head: number;
  readonly #ops: RowOps;
  /** By the number of leading columns that are compared. */
  readonly #compares: RowCompare[];
  /** Where to go on in the index; -1: all its keys were seen. */
  #cursor = 0;
  /** How often its slots had moved when the cursor was set. */
  #moves: number;
  readonly #tailArena = new Arena();
  #tail: Batch[] = [];
  #tailRows = 0;
  /** Of the first batch of the tail. */
  #settled = 0;
  /** The row that is looked for, its bytes for a bound, and how many columns are compared. */
  readonly #bound: number;
  #row = 0;
  #columns = 0;
  readonly #isBefore = (entry: number) => this.#compares[this.#columns](entry, this.#row) < 0;
  readonly #isUpTo = (entry: number) => this.#compares[this.#columns](entry, this.#row) <= 0;

  constructor(index: KeyedIndex) {
    this.#index = index;
    this.types = index.keyColumns.map((c) => index.types[c]);
    this.#moves = index.keys.moves;
    const layout = rowLayout(this.types);
    this.#ops = rowOps(this.types, 'sql', layout);
    const keys = this.types.map((_, col) => ({ col, desc: false, nullsFirst: false }));
    this.#compares = [0, ...keys.map(({ col }) => col + 1)].map((n) => rowCompare(layout, keys.slice(0, n), false));
    this.#list = new AddressList(this.#heap);
    this.#head = this.#heap.alloc(AddressList.HEAD);
    for (let word = this.#head >>> 2; word < (this.#head + AddressList.HEAD) >>> 2; word++) U32[word] = 0;
    this.#bound = this.#heap.alloc(layout.stride);
  }

  /** Keys of the list, some of which may have gone. */
  get count(): number {
    return this.#list.count(this.#head);
  }

  /** Keys that have come and are not in the list yet. */
  get waiting(): number {
    return this.#tailRows - this.#settled;
  }

  get bytes(): number {
    return this.#heap.pageBytes + this.#tailArena.bytes;
  }

  /** Whether settle() does little. */
  get isNearlyReady(): boolean {
    return this.#cursor < 0 && this.waiting <= FEW;
  }

  /** A piece of what is left to do. Between two ticks. */
  build(): void {
    if (this.#cursor < 0) this.#settle(PIECE);
    else this.#walk();
  }

  #walk(): void {
    const { keys } = this.#index;
    // Where slots have moved, those that were not seen yet may lie anywhere.
    if (keys.moves !== this.#moves) this.#cursor = 0;
    this.#moves = keys.moves;
    const arena = new Arena();
    try {
      const out = new BatchBuilder(this.types, arena, PIECE);
      this.#cursor = keys.visitFrom(this.#cursor, PIECE, (slot) => {
        keys.ops.load(slot + keys.rowOffset, out.columns, out.addRow(1));
      });
      const found = out.build();
      this.#take(found, 0, found.n);
    } finally {
      arena.release();
    }
  }

  /** Brings what has come into the list: all keys are in it afterwards. Between two ticks. */
  settle(): void {
    this.#settle(Number.POSITIVE_INFINITY);
  }

  #settle(most: number): void {
    let left = Math.min(most, this.waiting);
    if (this.#tailRows === 0) return;
    // Batches are whole again when all of them are in.
    for (let from = this.#settled, first = 0; left > 0; ) {
      const batch = this.#tail[first];
      if (from >= batch.n) {
        from -= batch.n;
        first++;
        continue;
      }
      const n = Math.min(left, batch.n - from);
      this.#take(batch, from, n);
      this.#settled += n;
      left -= n;
      from += n;
    }
    if (this.waiting > 0) return;
    this.#tail = [];
    this.#tailRows = 0;
    this.#settled = 0;
    this.#tailArena.reset();
  }

  /** Keys into the list, those that it has left out. */
  #take({ columns }: Batch, first: number, n: number): void {
    const { stride } = this.#ops.layout;
    this.#ops.bind(columns);
    const compare = this.#compares[this.types.length];
    const rows: number[] = [];
    for (let i = 0; i < n; i++) {
      const row = this.#heap.alloc(stride);
      this.#ops.store(first + i, row, this.#heap);
      rows.push(row);
    }
    rows.sort(compare);
    for (const row of rows) {
      const end = this.count;
      const isLast = end === 0 || compare(this.#list.at(this.#head, end - 1), row) < 0;
      const position = isLast ? end : this.#position(row, this.types.length, this.#isBefore);
      if (!isLast && compare(this.#list.at(this.#head, position), row) === 0) this.#free(row);
      else this.#list.insert(this.#head, position, row);
    }
    this.#heap.endTick();
  }

  #free(row: number): void {
    this.#ops.free(row, this.#heap);
    this.#heap.free(row, this.#ops.layout.stride);
  }

  #position(row: number, columns: number, isBefore: (entry: number) => boolean): number {
    this.#row = row;
    this.#columns = columns;
    return this.#list.prefix(this.#head, isBefore);
  }

  /** A tick is about to bring these rows to the index: keys that it does not have are noted. */
  note(delta: Batch, arena: Arena): void {
    const { keys, keyColumns } = this.#index;
    const columns = keyColumns.map((c) => delta.columns[c]);
    keys.bind(columns);
    const { slots } = keys.findAll({ n: delta.n, weights: 0, skipNulls: false }, arena);
    const fresh: number[] = [];
    for (let row = 0; row < delta.n; row++)
      if (U32[slots + row] === 0 && I32[(delta.weights >>> 2) + row] > 0) fresh.push(row);
    if (fresh.length === 0) return;
    const out = new BatchBuilder(this.types, this.#tailArena, fresh.length);
    for (const row of fresh) {
      const to = out.addRow(1);
      for (let c = 0; c < columns.length; c++) out.copyDeep(c, to, columns[c], row);
    }
    this.#tail.push(out.build());
    this.#tailRows += fresh.length;
  }

  /** How many keys stand before those that begin with these values; with `through`, those are counted, too. */
  before(values: Datum[], through: boolean): number {
    if (values.length === 0) return through ? this.count : 0;
    const arena = new Arena();
    try {
      const whole = this.types.map((_, i) => values[i] ?? null);
      this.#ops.bind(batchFromRows(this.types, [whole], arena).columns);
      this.#ops.storeShallow(0, this.#bound);
      return this.#position(this.#bound, values.length, through ? this.#isUpTo : this.#isBefore);
    } finally {
      arena.release();
    }
  }

  /** The end of the keys that have the first columns in common with the one at a position, to either side: where the first one stands that follows them, or they begin. */
  endOfGroup(position: number, columns: number, backward: boolean): number {
    const row = this.#list.at(this.#head, position);
    return this.#position(row, columns, backward ? this.#isBefore : this.#isUpTo);
  }

  /** Keys from one position to another, in order; long values are the list's own. */
  keys(from: number, to: number, arena: Arena): Batch {
    const out = new BatchBuilder(this.types, arena, Math.max(1, to - from));
    for (let i = from; i < to; i++) this.#ops.load(this.#list.at(this.#head, i), out.columns, out.addRow(1));
    return out.build();
  }

  /** Takes keys out of which the index has no rows: their positions, ascending. */
  forget(positions: number[]): void {
    for (let i = positions.length - 1; i >= 0; i--) {
      this.#free(this.#list.at(this.#head, positions[i]));
      this.#list.removeAt(this.#head, positions[i]);
    }
    this.#heap.endTick();
  }

  release(): void {
    this.#heap.release();
    this.#tailArena.release();
  }
}
