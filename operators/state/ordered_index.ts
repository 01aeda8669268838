/**
 * Rows kept in order within partitions: for top-N, window functions, sessions.
 *
 *   partition table slot:  partition key | head of the partition's ordered run | the operator's own bytes
 */
import type { Batch } from '../batch/batch.ts';
import type { SortKey } from '../plan.ts';
import type { ColType } from '../types.ts';
import { Heap } from './heap.ts';
import { OrderedRuns, type SavedOrderedRuns } from './ordered_runs.ts';
import { RowTable, type SavedRowTable } from './row_table.ts';

export type SavedOrderedIndex = {
  partitions: SavedRowTable;
  runs: SavedOrderedRuns;
};

export class OrderedIndex {
  readonly heap = new Heap();
  readonly partitions: RowTable;
  readonly runs: OrderedRuns;
  readonly #partition: number[];

  /** `partition` and the sort keys are column positions of `types`; `userBytes`: the operator's bytes a partition (multiple of 8). */
  constructor(types: ColType[], partition: number[], order: SortKey[], userBytes = 0) {
    this.#partition = partition;
    this.partitions = new RowTable(
      partition.map((c) => types[c]),
      OrderedRuns.HEAD + userBytes,
      'sql',
      this.heap,
    );
    this.runs = new OrderedRuns(types, order, this.heap);
  }

  /** Number of distinct stored rows. */
  get size(): number {
    return this.runs.size;
  }

  get bytes(): number {
    return this.heap.liveBytes;
  }

  /** Fixes the delta's columns; partition slots stay where they are until the next begin(). */
  begin(delta: Batch): void {
    this.partitions.begin(
      this.#partition.map((c) => delta.columns[c]),
      delta.n,
    );
    this.runs.bind(delta.columns);
  }

  /** Slot of the partition of a bound row, made when missing (`partitions.inserted` tells). */
  partitionOf(row: number): number {
    return this.partitions.findOrInsert(row);
  }

  /** Head of the ordered run of a partition slot. */
  head(slot: number): number {
    return slot + this.partitions.payloadOffset;
  }

  /** Address of the operator's own bytes of a partition slot. */
  user(slot: number): number {
    return slot + this.partitions.payloadOffset + OrderedRuns.HEAD;
  }

  /** Adds `weight` to the bound row in its partition; returns its position in the run. */
  add(slot: number, row: number, weight: number): number {
    return this.runs.add(this.head(slot), row, weight);
  }

  /** Removes the partition if it has no entries left. */
  dropIfEmpty(slot: number): boolean {
    if (this.runs.count(this.head(slot)) !== 0) return false;
    this.partitions.remove(slot);
    return true;
  }

  endTick(): void {
    this.heap.endTick();
  }

  save(): SavedOrderedIndex {
    return { partitions: this.partitions.save(), runs: this.runs.save() };
  }

  load(saved: SavedOrderedIndex): void {
    this.partitions.load(saved.partitions);
    this.runs.load(saved.runs);
  }

  release(): void {
    this.partitions.release();
  }
}
