/**
 * Rows kept in order, many runs of one layout. A run's head is 16 bytes in its owner's slot: a list of the addresses of its entries, in order (address_list.ts).
 *
 *   entry (heap block): | i32 weight | u32 spare | row |
 *
 * Order: the sort keys, then all columns, so equal rows are one entry with a summed weight. Finding a place is a binary search, O(log n)
 * compares. A run whose last entry goes gives its memory back.
 */
import type { Column } from '../batch/batch.ts';
import { I32 } from '../batch/memory.ts';
import { fittingWeight } from '../batch/weight.ts';
import type { SortKey } from '../plan.ts';
import type { ColType } from '../types.ts';
import { AddressList } from './address_list.ts';
import type { Heap } from './heap.ts';
import { type RowCompare, type RowOps, rowCompare, rowOps } from './row_ops.ts';
import { touch } from './write_marks.ts';

const ENTRY_HEADER = 8;

export type SavedOrderedRuns = {
  entries: number;
};

export class OrderedRuns {
  /** Bytes of a run's head. */
  static readonly HEAD = AddressList.HEAD;
  readonly heap: Heap;
  readonly rows: RowOps;
  readonly compare: RowCompare;
  readonly entryBytes: number;
  readonly rowOffset = ENTRY_HEADER;
  readonly #list: AddressList;
  #entries = 0;
  /** The row whose place is looked for. */
  #row = 0;
  readonly #isBefore = (entry: number) => this.compare(entry + ENTRY_HEADER, this.#row) < 0;

  constructor(types: ColType[], order: SortKey[], heap: Heap) {
    this.heap = heap;
    this.#list = new AddressList(heap);
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
    return this.#list.count(head);
  }

  /** Address of entry i; its row lies at + rowOffset. */
  entry(head: number, i: number): number {
    return this.#list.at(head, i);
  }

  weight(entry: number): number {
    return I32[entry >>> 2];
  }

  /** First position whose entry is not before the row at this address. */
  lowerBound(head: number, row: number): number {
    this.#row = row;
    return this.#list.prefix(head, this.#isBefore);
  }

  /** How many entries from the first on pass the test of their row's address; those that pass stand before all others. */
  prefix(head: number, passes: (row: number) => boolean): number {
    return this.#list.prefix(head, (entry) => passes(entry + ENTRY_HEADER));
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
        const sum = fittingWeight(I32[existing >>> 2] + weight);
        touch(existing);
        I32[existing >>> 2] = sum;
        if (sum === 0) {
          this.#list.removeAt(head, position);
          this.#entries--;
          this.#freeEntry(existing);
        }
        return position;
      }
    }
    I32[entry >>> 2] = weight;
    this.#list.insert(head, position, entry);
    this.#entries++;
    return position;
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
    for (let i = 0; i < count; i++) this.#freeEntry(this.entry(head, i));
    this.#entries -= count;
    this.#list.dropFirst(head, count);
  }

  /** Keeps the first `count` entries. */
  truncate(head: number, count: number): void {
    const old = this.count(head);
    if (old <= count) return;
    for (let i = count; i < old; i++) this.#freeEntry(this.entry(head, i));
    this.#entries -= old - count;
    this.#list.truncate(head, count);
  }

  /** The heap is saved by its owner. */
  save(): SavedOrderedRuns {
    return { entries: this.#entries };
  }

  load(saved: SavedOrderedRuns): void {
    this.#list.forget();
    this.#entries = saved.entries;
  }
}
