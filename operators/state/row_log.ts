/**
 * The integral of a relation that never takes a row back: its rows one behind the other, without a hash.
 *
 *   chunk of 4096 rows:  | row with its weight | row ...          place = number of the row, chunk = place / 4096
 *   on disk:             parts (cold_parts.ts), oldest first; those of a chunk are linked, and the chunk's word is the newest one's address + 1
 *   part:                rows up to the next place that 256 divides, or fewer of about a megabyte where they are long: who reads one row reads the part
 *
 *   place 0 ...... on disk ...... cold ...... in memory ...... rows
 *
 * Rows that are equal are several rows here; as a Z-set that is the same. A row never moves, so a scan needs to know only how many there were when it
 * began. What goes to disk are the oldest rows, and they never come back: a scan reads a part into its arena. Rows and their long values have a heap of their own,
 * whose oldest pages are emptied (heap.ts); what must leave these and is no whole part yet moves to others.
 *
 * State: a row and its weight; of a part on disk 16 bytes. Cost: a copy of each row by a kernel (key_batch.ts); nothing is looked up.
 */
import { type Arena, withScratch } from '../batch/arena.ts';
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
import { foundBy, type RowStore, type RowsFound, type VisitRow } from './relation_store.ts';
import { rowLayout } from './row_layout.ts';
import { type RowOps, rowOps } from './row_ops.ts';
import type { SavedHeap } from './saved.ts';
import { isUndoable } from './undo_log.ts';
import { touchLarge } from './write_marks.ts';

const CHUNK_SHIFT = 12;
const CHUNK_ROWS = 1 << CHUNK_SHIFT;
/** Rows that lie together on disk at most, and bytes of which more are not sent at once. */
const PART_ROWS = 256;
const PART_BYTES = 1 << 20;
/** A pass empties at least this share of the heap. */
const SHARE = 1 / 4;
/** A piece of a scan ends when it has read so much from disk: rows may be long. */
const MOST_READ = 1 << 20;

/** `first`: the place of its first row. */
type LogPart = Part & { first: number };

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
  /** The first so many rows are on disk. */
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
    withScratch((scratch) => {
      const places = scratch.alloc(delta.n * 4) >>> 2;
      const weights = delta.weights >>> 2;
      for (let row = 0; row < delta.n; ) row = this.#place(row, delta.n, weights, places);
      storeRows(this.ops.layout, delta.columns, delta.n, places, this.#heap, scratch, delta.weights);
    });
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
      const part = place < this.#cold ? this.#partOf(place) : null;
      let at = part === null ? this.#addressOf(place) : this.#read(part, place, arena);
      // What was read of a part is given whole.
      const until = part === null ? Math.min(to, endOfParts(place)) : Math.min(end, part.first + part.entries);
      for (; place < until; place++, at += stride) visit(at, I32[(at + this.#weightAt) >>> 2]);
    }
    return place >= end ? -1 : place;
  }

  rowsFrom(from: number, most: number, end: number, arena: Arena): RowsFound {
    const room = Math.min(most + PART_ROWS, end - from);
    return foundBy(room, arena, (visit) => this.visitFrom(from, most, end, arena, visit));
  }

  /** Reads a part into the arena; gives where the row of this place is. */
  #read(part: LogPart, place: number, arena: Arena): number {
    return this.#parts.read(part, arena.alloc(part.bytes)) + (place - part.first) * this.#stride;
  }

  /** Of a row on disk. */
  #partOf(place: number): LogPart {
    for (const part of this.#partsOf(place >>> CHUNK_SHIFT)) if (part.first <= place) return part;
    throw new Error(`no part has row ${place}`);
  }

  /** The parts of a chunk, newest first. */
  *#partsOf(chunk: number): Iterable<LogPart> {
    const start = chunk << CHUNK_SHIFT;
    let first = Math.min(start + CHUNK_ROWS, this.#cold);
    for (let address = first === start + CHUNK_ROWS ? this.#chunks[chunk] - 1 : this.#newest; first > start; ) {
      const part = this.#parts.at(address);
      address = part.before;
      first -= part.entries;
      yield { ...part, first };
    }
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
      const rows = this.#nextPart();
      if (rows > 0) sent += this.#send(rows);
      else this.#stay();
      heap.endTick();
      isLeft = rows > 0 && heap.isLeft;
    }
    if (!isLeft) heap.endEmptying();
    // Nothing but rows that are no part yet has moved: that is of no use again.
    if (sent === 0 && isNew && heap.pageBytes >= before) return 0;
    return Math.max(sent, 1);
  }

  /** Of how many rows that are in memory, oldest first, the next part is; 0: those that there are, are none yet. */
  #nextPart(): number {
    const isWhole = endOfParts(this.#cold) <= this.#rows;
    const most = Math.min(endOfParts(this.#cold), this.#rows) - this.#cold;
    if (most === 0) return 0;
    const run = this.#addressOf(this.#cold);
    let rows = most;
    while (rows > 1 && this.#bytesOf(run, rows) > PART_BYTES) rows >>>= 1;
    return isWhole || rows < most ? rows : 0;
  }

  #bytesOf(run: number, rows: number): number {
    return rows * this.#stride + this.#parts.values.bytesOf(run, rows);
  }

  /** Sends so many of the oldest rows that are in memory; gives their bytes. */
  #send(rows: number): number {
    const { values } = this.#parts;
    const run = this.#addressOf(this.#cold);
    const bytes = this.#bytesOf(run, rows);
    const part = this.#parts.make(bytes, rows, this.#newest, (store) => this.#write(store, run, rows, bytes));
    values.free(run, rows, this.#heap);
    this.#newest = part;
    this.#cold += rows;
    if ((this.#cold & (CHUNK_ROWS - 1)) !== 0) return bytes;
    const chunk = (this.#cold >>> CHUNK_SHIFT) - 1;
    this.#heap.free(this.#chunks[chunk], CHUNK_ROWS * this.#stride);
    this.#chunks[chunk] = part + 1;
    this.#newest = 0;
    return bytes;
  }

  #write(store: ColdStore, run: number, rows: number, bytes: number): number {
    const fixed = rows * this.#stride;
    let place = 0;
    withPages([bytes], (scratch) => {
      const copy = scratch(bytes);
      kernels.copyBytes(copy, run, fixed);
      this.#parts.values.pack(copy, rows, copy + fixed, copy);
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

  /** A slot is a row here; parts of whole chunks are looked at. */
  visitCold(cursor: number, slots: number, visit: (place: number, bytes: number) => number): number {
    let chunk = cursor >>> CHUNK_SHIFT;
    for (let left = slots; left > 0 && chunk << CHUNK_SHIFT < this.#cold; left -= CHUNK_ROWS, chunk++)
      for (const part of this.#partsOf(chunk)) this.#parts.visit(part, visit);
    return chunk << CHUNK_SHIFT < this.#cold ? chunk << CHUNK_SHIFT : -1;
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
      for (let chunk = 0; chunk << CHUNK_SHIFT < this.#cold; chunk++)
        for (const part of this.#partsOf(chunk)) this.#parts.drop(part);
    this.#parts.load({ parts: 0, bytes: 0 });
    this.#heap.release();
    this.#partsHeap.release();
    this.#chunks = [];
    this.#rows = 0;
    this.#cold = 0;
    this.#newest = 0;
  }
}

/** Behind this place no part that has it goes on. */
function endOfParts(place: number): number {
  return (place | (PART_ROWS - 1)) + 1;
}
