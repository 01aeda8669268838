/**
 * The integral of a relation that never takes a row back: its rows one behind the other, without a hash.
 *
 *   chunk of 4096 rows:  | row with its weight | row ...          place = number of the row, chunk = place / 4096
 *   on disk:             parts of 256 rows (cold_parts.ts), oldest first; those of a chunk are linked, and the chunk's word is the newest one's address + 1
 *
 *   place 0 ...... on disk ...... cold ...... in memory ...... rows
 *
 * Rows that are equal are several rows here; as a Z-set that is the same. A row never moves, so a scan needs to know only how many there were when it
 * began. What goes to disk are the oldest rows, and they never come back: a scan reads a part into its arena. Rows and their long values have a heap of their own,
 * whose oldest pages are emptied (heap.ts); what must leave these and is no whole part yet moves to others.
 *
 * State: a row and its weight; of a part on disk 16 bytes. Cost: a copy of each row by a kernel (key_batch.ts); nothing is looked up.
 */
import { Arena } from '../batch/arena.ts';
import type { Batch } from '../batch/batch.ts';
import { budget } from '../batch/budget.ts';
import { I32, U32 } from '../batch/memory.ts';
import { kernels } from '../kernels/index.ts';
import type { ColType } from '../types.ts';
import { ColdParts, type Part, type SavedColdParts, withPages } from './cold_parts.ts';
import type { ColdState } from './cold_state.ts';
import { type ColdStore, cold } from './cold_store.ts';
import { Heap } from './heap.ts';
import { isAbandoning } from './heap_pages.ts';
import { storeRows } from './key_batch.ts';
import { isLeaving } from './leaving.ts';
import type { RowStore, RowsFound, VisitRow } from './relation_store.ts';
import { rowLayout } from './row_layout.ts';
import { type RowOps, rowOps } from './row_ops.ts';
import type { SavedHeap } from './saved.ts';
import { isUndoable } from './undo_log.ts';
import { touchLarge } from './write_marks.ts';

const CHUNK_SHIFT = 12;
const CHUNK_ROWS = 1 << CHUNK_SHIFT;
/** Rows that lie together on disk. */
const PART_ROWS = 256;
/** A pass empties at least this share of the heap. */
const SHARE = 1 / 4;
/** A piece of a scan ends when it has read so much from disk: rows may be long. */
const MOST_READ = 1 << 20;

export type SavedRowLog = {
  chunks: number[];
  rows: number;
  heap: SavedHeap;
  cold: number;
  newest: number;
  parts: SavedColdParts;
  partsHeap: SavedHeap;
};

export class RowLog implements RowStore, ColdState {
  readonly ops: RowOps;
  readonly negative = 0;
  readonly sparse = false;
  /** Rows in memory and their long values. */
  readonly #heap = new Heap();
  readonly #partsHeap = new Heap();
  readonly #parts: ColdParts;
  readonly #stride: number;
  readonly #weightAt: number;
  #chunks: number[] = [];
  #rows = 0;
  /** The first so many rows are on disk: whole parts. */
  #cold = 0;
  /** The newest part of the chunk of which only the first ones are there; 0: there is no such chunk. */
  #newest = 0;

  constructor(types: ColType[]) {
    const layout = rowLayout(types, 1);
    this.ops = rowOps(types, 'identity', layout);
    this.#stride = layout.stride;
    this.#weightAt = layout.words;
    this.#parts = new ColdParts(layout, this.#partsHeap);
  }

  get size(): number {
    return this.#rows;
  }

  get bytes(): number {
    return this.#heap.liveBytes + this.#partsHeap.liveBytes;
  }

  get coldBytes(): number {
    return this.#parts.bytes;
  }

  get runBytes(): number {
    return this.#heap.pageBytes;
  }

  get chilling(): boolean {
    return this.#heap.emptying;
  }

  get end(): number {
    return this.#rows;
  }

  apply(delta: Batch): void {
    const scratch = new Arena();
    try {
      const places = scratch.alloc(delta.n * 4) >>> 2;
      const weights = delta.weights >>> 2;
      for (let row = 0; row < delta.n; ) row = this.#place(row, delta.n, weights, places);
      storeRows(this.ops.layout, delta.columns, delta.n, places, this.#heap, scratch, delta.weights);
    } finally {
      scratch.release();
    }
  }

  /** Gives rows from `row` on places in the present chunk; returns the first that found no room in it. */
  #place(row: number, n: number, weights: number, places: number): number {
    const used = this.#rows & (CHUNK_ROWS - 1);
    if (used === 0 && this.#rows >>> CHUNK_SHIFT === this.#chunks.length)
      this.#chunks.push(this.#heap.alloc(CHUNK_ROWS * this.#stride));
    const stride = this.#stride;
    let at = this.#addressOf(this.#rows);
    const end = at + Math.min(CHUNK_ROWS - used, n - row) * stride;
    touchLarge(at, end - at);
    const room = (end - at) / stride;
    if (kernels.allPositive((weights + row) * 4, room) !== 0) {
      kernels.placeInLog(at, stride, room, (places + row) * 4);
      this.#rows += room;
      return row + room;
    }
    for (; at < end && row < n; row++) {
      const weight = I32[weights + row];
      if (weight < 0) throw new Error('a row is taken back from a relation that never takes one back');
      U32[places + row] = weight === 0 ? 0 : at;
      if (weight === 0) continue;
      at += stride;
      this.#rows++;
    }
    return row;
  }

  /** Of a row in memory. */
  #addressOf(place: number): number {
    return this.#chunks[place >>> CHUNK_SHIFT] + (place & (CHUNK_ROWS - 1)) * this.#stride;
  }

  visitFrom(from: number, most: number, end: number, arena: Arena, visit: VisitRow): number {
    const enough = arena.bytes + MOST_READ;
    const to = Math.min(from + most, end);
    const stride = this.#stride;
    let place = from;
    while (place < to && arena.bytes < enough) {
      const isCold = place < this.#cold;
      let at = isCold ? this.#read(place, arena) : this.#addressOf(place);
      // What was read of a part is given whole.
      const until = Math.min(isCold ? end : to, endOfPart(place));
      for (; place < until; place++, at += stride) visit(at, I32[(at + this.#weightAt) >>> 2]);
    }
    return place >= end ? -1 : place;
  }

  rowsFrom(from: number, most: number, end: number, arena: Arena): RowsFound {
    const room = Math.min(most + PART_ROWS, end - from);
    const rows = arena.alloc(room * 4) >>> 2;
    const words = arena.alloc(room * 4) >>> 2;
    let n = 0;
    const next = this.visitFrom(from, most, end, arena, (row, weight) => {
      U32[rows + n] = row;
      I32[words + n++] = weight;
    });
    return { n, rows, words, next };
  }

  /** Reads the part of a row that is on disk into the arena; gives where the row is. */
  #read(place: number, arena: Arena): number {
    const part = this.#partOf(place);
    return this.#parts.read(part, arena.alloc(part.bytes)) + (place & (PART_ROWS - 1)) * this.#stride;
  }

  #partOf(place: number): Part {
    const chunk = place >>> CHUNK_SHIFT;
    const isWhole = (chunk + 1) << CHUNK_SHIFT <= this.#cold;
    let part = this.#parts.at(isWhole ? this.#chunks[chunk] - 1 : this.#newest);
    const last = (isWhole ? CHUNK_ROWS : this.#cold & (CHUNK_ROWS - 1)) / PART_ROWS - 1;
    for (let i = last - Math.floor((place & (CHUNK_ROWS - 1)) / PART_ROWS); i > 0; i--)
      part = this.#parts.at(part.before);
    return part;
  }

  chill(bytes: number): number {
    if (cold.store === null) return 0;
    if (isUndoable()) throw new Error('rows go to disk between ticks only');
    return budget.beyond(() => this.#slice(bytes));
  }

  #slice(bytes: number): number {
    const heap = this.#heap;
    const before = heap.pageBytes;
    const isNew = !heap.emptying;
    if (isNew && !heap.empty(Math.max(bytes, before * SHARE))) return heap.pageBytes < before ? 1 : 0;
    let sent = 0;
    let isLeft = heap.isLeft;
    while (isLeft && sent < bytes) {
      const hasPart = this.#cold + PART_ROWS <= this.#rows;
      if (hasPart) sent += this.#send();
      else this.#stay();
      heap.endTick();
      isLeft = hasPart && heap.isLeft;
    }
    if (!isLeft) heap.endEmptying();
    // Nothing but rows that are no part yet has moved: that is of no use again.
    if (sent === 0 && isNew && heap.pageBytes >= before) return 0;
    return Math.max(sent, 1);
  }

  /** Sends the oldest rows that are in memory; gives their bytes. */
  #send(): number {
    const { values } = this.#parts;
    const run = this.#addressOf(this.#cold);
    const bytes = PART_ROWS * this.#stride + values.bytesOf(run, PART_ROWS);
    const part = this.#parts.make(bytes, PART_ROWS, this.#newest, (store) => this.#write(store, run, bytes));
    values.free(run, PART_ROWS, this.#heap);
    this.#newest = part;
    this.#cold += PART_ROWS;
    if ((this.#cold & (CHUNK_ROWS - 1)) !== 0) return bytes;
    const chunk = (this.#cold >>> CHUNK_SHIFT) - 1;
    this.#heap.free(this.#chunks[chunk], CHUNK_ROWS * this.#stride);
    this.#chunks[chunk] = part + 1;
    this.#newest = 0;
    return bytes;
  }

  #write(store: ColdStore, run: number, bytes: number): number {
    const fixed = PART_ROWS * this.#stride;
    let place = 0;
    withPages([bytes], (scratch) => {
      const copy = scratch(bytes);
      kernels.copyBytes(copy, run, fixed);
      this.#parts.values.pack(copy, PART_ROWS, copy + fixed, copy);
      place = store.write(copy, [bytes]);
    });
    return place;
  }

  /** Gives the rows that are left another place, where they lie in what is leaving. */
  #stay(): void {
    const chunk = this.#cold >>> CHUNK_SHIFT;
    if (chunk === this.#chunks.length) return;
    const rows = this.#rows - this.#cold;
    const address = this.#chunks[chunk];
    const bytes = CHUNK_ROWS * this.#stride;
    if (isLeaving(address)) {
      const to = this.#heap.alloc(bytes);
      this.#chunks[chunk] = to;
      const offset = (this.#cold & (CHUNK_ROWS - 1)) * this.#stride;
      kernels.copyBytes(to + offset, address + offset, rows * this.#stride);
      this.#heap.free(address, bytes);
    }
    const run = this.#addressOf(this.#cold);
    touchLarge(run, rows * this.#stride);
    this.#parts.values.copy(run, rows, this.#heap, isLeaving, (value, length) => this.#heap.free(value, length));
  }

  compact(): void {
    // Rows never go, so nothing is sparse.
  }

  /** A slot is a part here. */
  visitCold(cursor: number, slots: number, visit: (place: number, bytes: number) => number): number {
    const parts = this.#cold / PART_ROWS;
    const end = Math.min(parts, cursor + slots);
    for (let i = cursor; i < end; i++) this.#parts.visit(this.#partOf(i * PART_ROWS), visit);
    return end === parts ? -1 : end;
  }

  endTick(): void {
    this.#heap.endTick();
    this.#partsHeap.endTick();
  }

  save(): SavedRowLog {
    return {
      chunks: [...this.#chunks],
      rows: this.#rows,
      heap: this.#heap.save(),
      cold: this.#cold,
      newest: this.#newest,
      parts: this.#parts.save(),
      partsHeap: this.#partsHeap.save(),
    };
  }

  load({ chunks, rows, heap, cold: coldRows, newest, parts, partsHeap }: SavedRowLog): void {
    this.#heap.load(heap);
    this.#partsHeap.load(partsHeap);
    this.#parts.load(parts);
    this.#chunks = [...chunks];
    this.#rows = rows;
    this.#cold = coldRows;
    this.#newest = newest;
  }

  release(): void {
    // What is made anew still has them.
    if (!isAbandoning())
      for (let place = 0; place < this.#cold; place += PART_ROWS) this.#parts.drop(this.#partOf(place));
    this.#parts.load({ parts: 0, bytes: 0 });
    this.#heap.release();
    this.#partsHeap.release();
    this.#chunks = [];
    this.#rows = 0;
    this.#cold = 0;
    this.#newest = 0;
  }
}

function endOfPart(place: number): number {
  return (place | (PART_ROWS - 1)) + 1;
}
