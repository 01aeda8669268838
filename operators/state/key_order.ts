/**
 * The keys of an index in their order: what a hash table does not know and reads of ranges ask for.
 *
 *   index's keys --build()--> sorted, some hundred thousand at a time --> list: addresses of copies of the keys, in order (address_list.ts)
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
import { checked } from '../batch/pages.ts';
import { ownPayloads } from '../batch/payloads.ts';
import { sortedRowList } from '../batch/sorted_rows.ts';
import type { Datum } from '../datum.ts';
import { kernels } from '../kernels/index.ts';
import type { SortKey } from '../plan.ts';
import { turn } from '../turn.ts';
import type { ColType } from '../types.ts';
import { AddressList } from './address_list.ts';
import { Heap } from './heap.ts';
import type { KeyedIndex } from './keyed_index.ts';
import { placesOf, rowLayout } from './row_layout.ts';
import { type RowCompare, type RowOps, rowCompare, rowOps } from './row_ops.ts';

/** Keys that are looked at a time; few in debug builds. */
const PIECE = checked ? 32 : 1024;
/** So many are sorted together before they go into the list. */
const BATCH = checked ? 128 : 1 << 18;
/** A key that comes in order is looked for so far behind the one before it. */
const NEAR = 8;
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
  /** Brings the keys of the index into the list, until all were seen; and how often its slots had moved when it looked last. */
  #work: Generator<void, void> | null = null;
  #isSeen = false;
  #moves: number;
  readonly #order: SortKey[];
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
    this.#order = this.types.map((_, col) => ({ col, desc: false, nullsFirst: false }));
    this.#compares = [0, ...this.types.map((_, i) => i + 1)].map((n) =>
      rowCompare(layout, this.#order.slice(0, n), false),
    );
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
    return this.#isSeen && this.waiting <= FEW;
  }

  /** A piece of what is left to do, of a millisecond or two. Between two ticks. */
  build(): void {
    this.#whole(() => {
      if (this.#isSeen) this.#settle(PIECE);
      else {
        this.#work ??= this.#all();
        if (this.#work.next().done === true) this.#isSeen = true;
      }
    });
  }

  /** Brings the index's keys into the list, BATCH at a time: that is what has to lie beside it meanwhile. */
  *#all(): Generator<void, void> {
    for (let cursor = 0; cursor >= 0; ) {
      const arena = new Arena();
      try {
        const pieces: Batch[] = [];
        for (let n = 0; n < BATCH && cursor >= 0; n += PIECE) {
          // Where slots have moved, those that were not seen yet may lie anywhere.
          if (this.#index.keys.moves !== this.#moves) cursor = 0;
          const { piece, next } = this.#piece(cursor, arena);
          pieces.push(piece);
          cursor = next;
          yield;
        }
        yield* this.#takeSorted(pieces, arena);
      } finally {
        arena.release();
      }
    }
  }

  /** Keys of the index from a place on, with their long values, and the place behind them. */
  #piece(from: number, arena: Arena): { piece: Batch; next: number } {
    const { keys } = this.#index;
    this.#moves = keys.moves;
    const { n, rows, next } = keys.rowsFrom(from, PIECE, arena);
    const { phys } = keys.ops.layout;
    const columns = placesOf(keys.ops.layout).map(({ offset, width, flag }, i) => {
      const column = { type: this.types[i], phys: phys[i], data: arena.alloc(n * width), valid: arena.alloc(n) };
      kernels.loadColumn(rows * 4, n, offset, width, flag, column.data, column.valid);
      ownPayloads(phys[i], column.data, column.valid, n, arena);
      return column;
    });
    const weights = arena.alloc(n * 4);
    I32.fill(1, weights >>> 2, (weights >>> 2) + n);
    return { piece: { n, columns, weights }, next };
  }

  *#takeSorted(pieces: Batch[], arena: Arena): Generator<void, void> {
    const sorted = yield* sortedRowList(pieces, this.types, this.#order, arena);
    const n = pieces.reduce((sum, piece) => sum + piece.n, 0);
    const out = new BatchBuilder(this.types, arena, PIECE);
    for (let first = 0; first < n; first += PIECE) {
      out.n = 0;
      for (let i = first; i < Math.min(n, first + PIECE); i++)
        sorted.ops.load(sorted.address(i), out.columns, out.addRow(1));
      this.#take(out.build(), 0, out.n);
      yield;
    }
  }

  /** Brings what has come into the list: all keys are in it afterwards. Between two ticks. */
  settle(): void {
    this.#whole(() => this.#settle(Number.POSITIVE_INFINITY));
  }

  /** Work that is not ended in the midst (turn.ts): a list has nothing that takes back half of an insertion, and a generator that has thrown says that it is done. */
  #whole(work: () => void): void {
    turn.shield(1);
    try {
      work();
    } finally {
      turn.shield(-1);
    }
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
    let near = -1;
    for (const row of rows) {
      const position = this.#placeOf(row, near);
      near = position;
      if (position < this.count && compare(this.#list.at(this.#head, position), row) === 0) this.#free(row);
      else this.#list.insert(this.#head, position, row);
    }
    this.#heap.endTick();
  }

  /** Where a row stands or has to: not before `near`, and most often near to it. */
  #placeOf(row: number, near: number): number {
    const compare = this.#compares[this.types.length];
    const { count } = this;
    if (count === 0 || compare(this.#list.at(this.#head, count - 1), row) < 0) return count;
    // The last one is not before the row: it ends the search.
    if (near >= 0)
      for (let i = near; i < near + NEAR; i++) if (compare(this.#list.at(this.#head, i), row) >= 0) return i;
    return this.#position(row, this.types.length, this.#isBefore);
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

  /**
   * A tick is about to bring these rows to the index: keys that it does not have are noted. Until all slots were seen, so are those that it has: a key that goes and comes back in one tick may
   * have another slot then, one that was passed already.
   */
  note(delta: Batch, arena: Arena): void {
    const { keys, keyColumns } = this.#index;
    const columns = keyColumns.map((c) => delta.columns[c]);
    keys.bind(columns);
    const { slots } = keys.findAll({ n: delta.n, weights: 0, skipNulls: false }, arena);
    const fresh: number[] = [];
    for (let row = 0; row < delta.n; row++)
      if (I32[(delta.weights >>> 2) + row] > 0 && (!this.#isSeen || U32[slots + row] === 0)) fresh.push(row);
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
    this.#work?.return();
    this.#heap.release();
    this.#tailArena.release();
  }
}
