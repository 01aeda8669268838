/**
 * The integral of a relation that never takes a row back: its rows one behind the other, without a hash.
 *
 *   chunk: 4096 times | i32 weight | pad | row |        place = number of the row, chunk = place / 4096
 *
 * Rows that are equal are several rows here; as a Z-set that is the same. A row never moves, so a scan needs to know only how many there were when it
 * began. State: a row and 8 bytes. Cost: a copy of each row by a kernel (key_batch.ts); nothing is looked up.
 */
import { Arena } from '../batch/arena.ts';
import type { Batch } from '../batch/batch.ts';
import { I32, U32 } from '../batch/memory.ts';
import { kernels } from '../kernels/index.ts';
import type { ColType } from '../types.ts';
import { Heap } from './heap.ts';
import { storeRows } from './key_batch.ts';
import type { RowStore, RowsFound } from './relation_store.ts';
import { type RowOps, rowOps } from './row_ops.ts';
import type { SavedHeap } from './saved.ts';
import { touchLarge } from './write_marks.ts';

const HEADER = 8;
const CHUNK_SHIFT = 12;
const CHUNK_ROWS = 1 << CHUNK_SHIFT;

export type SavedRowLog = {
  chunks: number[];
  rows: number;
  heap: SavedHeap;
};

export class RowLog implements RowStore {
  readonly ops: RowOps;
  readonly negative = 0;
  readonly #heap = new Heap();
  readonly #stride: number;
  #chunks: number[] = [];
  #rows = 0;

  constructor(types: ColType[]) {
    this.ops = rowOps(types, 'identity');
    this.#stride = HEADER + this.ops.layout.stride;
  }

  get size(): number {
    return this.#rows;
  }

  get bytes(): number {
    return this.#heap.liveBytes;
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
      storeRows(this.ops.layout, delta.columns, delta.n, places, this.#heap, scratch);
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
    if (kernels.allOne((weights + row) * 4, room) !== 0) {
      kernels.placeInLog(at, stride, room, (places + row) * 4);
      this.#rows += room;
      return row + room;
    }
    for (; at < end && row < n; row++) {
      const weight = I32[weights + row];
      if (weight < 0) throw new Error('a row is taken back from a relation that never takes one back');
      if (weight === 0) {
        U32[places + row] = 0;
        continue;
      }
      I32[at >>> 2] = weight;
      I32[(at >>> 2) + 1] = 0;
      U32[places + row] = at + HEADER;
      at += stride;
      this.#rows++;
    }
    return row;
  }

  #addressOf(place: number): number {
    return this.#chunks[place >>> CHUNK_SHIFT] + (place & (CHUNK_ROWS - 1)) * this.#stride;
  }

  forEach(visit: (rowAddress: number, weight: number) => void): void {
    this.visitFrom(0, this.#rows, this.#rows, visit);
  }

  visitFrom(from: number, most: number, end: number, visit: (rowAddress: number, weight: number) => void): number {
    const to = Math.min(from + most, end);
    for (let place = from; place < to; place++) {
      const at = this.#addressOf(place);
      visit(at + HEADER, I32[at >>> 2]);
    }
    return to === end ? -1 : to;
  }

  rowsFrom(from: number, most: number, end: number, arena: Arena): RowsFound {
    const n = Math.min(most, end - from);
    const rows = arena.alloc(n * 4) >>> 2;
    const words = arena.alloc(n * 4) >>> 2;
    let i = 0;
    const next = this.visitFrom(from, n, end, (row, weight) => {
      U32[rows + i] = row;
      I32[words + i++] = weight;
    });
    return { n, rows, words, next };
  }

  endTick(): void {
    this.#heap.endTick();
  }

  save(): SavedRowLog {
    return { chunks: [...this.#chunks], rows: this.#rows, heap: this.#heap.save() };
  }

  load({ chunks, rows, heap }: SavedRowLog): void {
    this.#heap.load(heap);
    this.#chunks = [...chunks];
    this.#rows = rows;
  }

  release(): void {
    this.#heap.release();
    this.#chunks = [];
    this.#rows = 0;
  }
}
