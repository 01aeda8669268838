/**
 * Rows kept in order within partitions: for top-N, window functions, retractable min/max, sessions.
 *
 *   partition table slot:  partition key | u32 run, u32 count, u32 capacity, u32 spare
 *   run:                   count u32 addresses of entries, in order
 *   entry (heap block):    | i32 weight | u32 spare | row |
 *
 * Order: the sort keys, then all columns, so equal entries are one entry with a summed weight. Finding the place is a binary search,
 * O(log n) compares; making room moves at most n addresses of 4 bytes.
 */
import type { Batch } from '../batch/batch.ts';
import { I32, U8, U32 } from '../batch/memory.ts';
import type { SortKey } from '../plan.ts';
import type { ColType } from '../types.ts';
import { Heap } from './heap.ts';
import { type RowCompare, type RowOps, rowCompare, rowOps } from './row_ops.ts';
import { RowTable } from './row_table.ts';

const ENTRY_HEADER = 8;
const RUN = 0;
const COUNT = 1;
const CAPACITY = 2;

export class OrderedIndex {
  readonly heap = new Heap();
  readonly partitions: RowTable;
  readonly rows: RowOps;
  readonly compare: RowCompare;
  readonly entryBytes: number;
  readonly rowOffset = ENTRY_HEADER;
  readonly #partition: number[];
  #entries = 0;

  /** `partition` and the sort keys are column positions of `types`; `userBytes` extra payload bytes a partition (multiple of 8). */
  constructor(types: ColType[], partition: number[], order: SortKey[], userBytes = 0) {
    this.#partition = partition;
    this.partitions = new RowTable(
      partition.map((c) => types[c]),
      16 + userBytes,
      'sql',
      this.heap,
    );
    this.rows = rowOps(types, 'identity');
    this.compare = rowCompare(this.rows.layout, order, true);
    this.entryBytes = ENTRY_HEADER + this.rows.layout.stride;
  }

  /** Number of distinct stored rows. */
  get size(): number {
    return this.#entries;
  }

  get bytes(): number {
    return this.heap.liveBytes;
  }

  /** Byte offset of the user payload of a partition slot. */
  get userOffset(): number {
    return this.partitions.payloadOffset + 16;
  }

  /** Fixes the delta's columns; partition slots stay where they are until the next begin(). */
  begin(delta: Batch): void {
    this.partitions.begin(
      this.#partition.map((c) => delta.columns[c]),
      delta.n,
    );
    this.rows.bind(delta.columns);
  }

  /** Slot of the partition of a bound row, made when missing (`partitions.inserted` tells). */
  partitionOf(row: number): number {
    return this.partitions.findOrInsert(row);
  }

  countOf(slot: number): number {
    return U32[((slot + this.partitions.payloadOffset) >>> 2) + COUNT];
  }

  /** Address of entry i of a partition; its row lies at + rowOffset. */
  entry(slot: number, i: number): number {
    return U32[(U32[((slot + this.partitions.payloadOffset) >>> 2) + RUN] >>> 2) + i];
  }

  weightOf(entry: number): number {
    return I32[entry >>> 2];
  }

  /** First position whose entry is not before `row` (a row address) in the full order. */
  lowerBound(slot: number, row: number): number {
    const payload = (slot + this.partitions.payloadOffset) >>> 2;
    const run = U32[payload + RUN] >>> 2;
    let low = 0;
    let high = U32[payload + COUNT];
    while (low < high) {
      const mid = (low + high) >>> 1;
      if (this.compare(U32[run + mid] + ENTRY_HEADER, row) < 0) low = mid + 1;
      else high = mid;
    }
    return low;
  }

  /** Adds `weight` to the bound row in its partition; returns the position it has (or had, when its weight became 0). */
  add(slot: number, row: number, weight: number): number {
    const entry = this.heap.alloc(this.entryBytes);
    this.rows.store(row, entry + ENTRY_HEADER, this.heap);
    const position = this.lowerBound(slot, entry + ENTRY_HEADER);
    const payload = (slot + this.partitions.payloadOffset) >>> 2;
    const count = U32[payload + COUNT];
    if (position < count) {
      const existing = this.entry(slot, position);
      if (this.compare(existing + ENTRY_HEADER, entry + ENTRY_HEADER) === 0) {
        this.#freeEntry(entry);
        const sum = I32[existing >>> 2] + weight;
        I32[existing >>> 2] = sum;
        if (sum === 0) this.#removeAt(payload, position, existing);
        return position;
      }
    }
    I32[entry >>> 2] = weight;
    this.#insertAt(payload, position, entry);
    return position;
  }

  #insertAt(payload: number, position: number, entry: number): void {
    const count = U32[payload + COUNT];
    let run = U32[payload + RUN];
    if (count === U32[payload + CAPACITY]) {
      const capacity = Heap.roundUp(Math.max(16, count * 8)) / 4;
      const bigger = this.heap.alloc(capacity * 4);
      if (count > 0) {
        U8.copyWithin(bigger, run, run + count * 4);
        this.heap.free(run, U32[payload + CAPACITY] * 4);
      }
      run = bigger;
      U32[payload + RUN] = run;
      U32[payload + CAPACITY] = capacity;
    }
    const at = (run >>> 2) + position;
    if (position < count) U32.copyWithin(at + 1, at, (run >>> 2) + count);
    U32[at] = entry;
    U32[payload + COUNT] = count + 1;
    this.#entries++;
  }

  #removeAt(payload: number, position: number, entry: number): void {
    const count = U32[payload + COUNT];
    const run = U32[payload + RUN] >>> 2;
    U32.copyWithin(run + position, run + position + 1, run + count);
    U32[payload + COUNT] = count - 1;
    this.#entries--;
    this.#freeEntry(entry);
  }

  #freeEntry(entry: number): void {
    this.rows.free(entry + ENTRY_HEADER, this.heap);
    this.heap.free(entry, this.entryBytes);
  }

  /** Removes the partition if it has no entries left. */
  dropIfEmpty(slot: number): boolean {
    const payload = (slot + this.partitions.payloadOffset) >>> 2;
    if (U32[payload + COUNT] !== 0) return false;
    if (U32[payload + CAPACITY] !== 0) this.heap.free(U32[payload + RUN], U32[payload + CAPACITY] * 4);
    this.partitions.remove(slot);
    return true;
  }

  endTick(): void {
    this.heap.endTick();
  }

  release(): void {
    this.partitions.release();
    this.#entries = 0;
  }
}
