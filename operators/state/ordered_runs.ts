/**
 * Rows kept in order, many runs of one layout. A run's head is 16 bytes in its owner's slot:
 *
 *   head:   | u32 addresses, u32 count, u32 capacity, u32 spare |      all zero is the empty run
 *   addresses: count u32, of entries in order;       entry (heap block): | i32 weight | u32 spare | row |
 *
 * Order: the sort keys, then all columns, so equal rows are one entry with a summed weight. Finding a place is a binary search, O(log n)
 * compares; making room moves at most n addresses of 4 bytes. A run whose last entry goes gives its memory back.
 */
import type { Column } from '../batch/batch.ts';
import { I32, U32 } from '../batch/memory.ts';
import { kernels } from '../kernels/index.ts';
import type { SortKey } from '../plan.ts';
import type { ColType } from '../types.ts';
import { Heap } from './heap.ts';
import { type RowCompare, type RowOps, rowCompare, rowOps } from './row_ops.ts';
import { touch, touchLarge, touchRange } from './write_marks.ts';

const ENTRY_HEADER = 8;
const RUN = 0;
const COUNT = 1;
const CAPACITY = 2;

export type SavedOrderedRuns = {
  entries: number;
};

export class OrderedRuns {
  /** Bytes of a run's head. */
  static readonly HEAD = 16;
  readonly heap: Heap;
  readonly rows: RowOps;
  readonly compare: RowCompare;
  readonly entryBytes: number;
  readonly rowOffset = ENTRY_HEADER;
  #entries = 0;

  constructor(types: ColType[], order: SortKey[], heap: Heap) {
    this.heap = heap;
    this.rows = rowOps(types, 'identity');
    this.compare = rowCompare(this.rows.layout, order, true);
    this.entryBytes = ENTRY_HEADER + this.rows.layout.stride;
  }

  /** Number of entries in all runs. */
  get size(): number {
    return this.#entries;
  }

  bind(columns: Column[]): void {
    this.rows.bind(columns);
  }

  count(head: number): number {
    return U32[(head >>> 2) + COUNT];
  }

  /** Address of entry i; its row lies at + rowOffset. */
  entry(head: number, i: number): number {
    return U32[(U32[(head >>> 2) + RUN] >>> 2) + i];
  }

  weight(entry: number): number {
    return I32[entry >>> 2];
  }

  /** First position whose entry is not before the row at this address. */
  lowerBound(head: number, row: number): number {
    const at = head >>> 2;
    const run = U32[at + RUN] >>> 2;
    let low = 0;
    let high = U32[at + COUNT];
    while (low < high) {
      const mid = (low + high) >>> 1;
      if (this.compare(U32[run + mid] + ENTRY_HEADER, row) < 0) low = mid + 1;
      else high = mid;
    }
    return low;
  }

  /** How many entries from the first on pass the test of their row's address; those that pass stand before all others. */
  prefix(head: number, passes: (row: number) => boolean): number {
    let low = 0;
    let high = this.count(head);
    while (low < high) {
      const mid = (low + high) >>> 1;
      if (passes(this.entry(head, mid) + ENTRY_HEADER)) low = mid + 1;
      else high = mid;
    }
    return low;
  }

  /** Adds `weight` to the bound row; returns the position it has (or had, when its weight became 0). */
  add(head: number, row: number, weight: number): number {
    const entry = this.heap.alloc(this.entryBytes);
    this.rows.store(row, entry + ENTRY_HEADER, this.heap);
    const position = this.lowerBound(head, entry + ENTRY_HEADER);
    if (position < this.count(head)) {
      const existing = this.entry(head, position);
      if (this.compare(existing + ENTRY_HEADER, entry + ENTRY_HEADER) === 0) {
        this.#freeEntry(entry);
        const sum = I32[existing >>> 2] + weight;
        touch(existing);
        I32[existing >>> 2] = sum;
        if (sum === 0) this.#removeAt(head >>> 2, position, existing);
        return position;
      }
    }
    I32[entry >>> 2] = weight;
    this.#insertAt(head >>> 2, position, entry);
    return position;
  }

  #insertAt(at: number, position: number, entry: number): void {
    const count = U32[at + COUNT];
    let run = U32[at + RUN];
    touchHead(at);
    if (count === U32[at + CAPACITY]) {
      const capacity = Heap.roundUp(Math.max(16, count * 8)) / 4;
      const bigger = this.heap.alloc(capacity * 4);
      if (count > 0) {
        kernels.copyBytes(bigger, run, count * 4);
        this.heap.free(run, U32[at + CAPACITY] * 4);
      }
      run = bigger;
      U32[at + RUN] = run;
      U32[at + CAPACITY] = capacity;
    }
    const word = (run >>> 2) + position;
    touchLarge(word * 4, (count + 1 - position) * 4);
    if (position < count) kernels.copyBytes((word + 1) * 4, word * 4, (count - position) * 4);
    U32[word] = entry;
    U32[at + COUNT] = count + 1;
    this.#entries++;
  }

  #removeAt(at: number, position: number, entry: number): void {
    const count = U32[at + COUNT];
    const run = U32[at + RUN] >>> 2;
    touchHead(at);
    if (position < count - 1) touchLarge((run + position) * 4, (count - 1 - position) * 4);
    kernels.copyBytes((run + position) * 4, (run + position + 1) * 4, (count - 1 - position) * 4);
    U32[at + COUNT] = count - 1;
    this.#entries--;
    this.#freeEntry(entry);
    if (count === 1) this.#freeAddresses(at);
  }

  #freeAddresses(at: number): void {
    if (U32[at + CAPACITY] !== 0) this.heap.free(U32[at + RUN], U32[at + CAPACITY] * 4);
    U32[at + RUN] = 0;
    U32[at + CAPACITY] = 0;
  }

  #freeEntry(entry: number): void {
    this.rows.free(entry + ENTRY_HEADER, this.heap);
    this.heap.free(entry, this.entryBytes);
  }

  /** Gives the whole run back. */
  free(head: number): void {
    this.truncate(head, 0);
  }

  /** Gives the first `count` entries back. */
  dropFirst(head: number, count: number): void {
    const at = head >>> 2;
    const left = U32[at + COUNT] - count;
    if (count === 0) return;
    if (left === 0) {
      this.free(head);
      return;
    }
    for (let i = 0; i < count; i++) this.#freeEntry(this.entry(head, i));
    this.#entries -= count;
    const run = U32[at + RUN];
    touchHead(at);
    touchLarge(run, left * 4);
    kernels.copyBytes(run, run + count * 4, left * 4);
    U32[at + COUNT] = left;
  }

  /** Keeps the first `count` entries. */
  truncate(head: number, count: number): void {
    const at = head >>> 2;
    const old = U32[at + COUNT];
    if (old <= count) return;
    for (let i = old - 1; i >= count; i--) this.#freeEntry(this.entry(head, i));
    this.#entries -= old - count;
    touchHead(at);
    U32[at + COUNT] = count;
    if (count === 0) this.#freeAddresses(at);
  }

  /** The heap is saved by its owner. */
  save(): SavedOrderedRuns {
    return { entries: this.#entries };
  }

  load(saved: SavedOrderedRuns): void {
    this.#entries = saved.entries;
  }
}

/** `at`: word address of a head. */
function touchHead(at: number): void {
  touchRange(at * 4, OrderedRuns.HEAD);
}
