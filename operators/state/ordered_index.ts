/**
 * Rows kept in order within partitions: for top-N, window functions, sessions.
 *
 *   partition table slot:  partition key | head of the partition's ordered run | the operator's own bytes
 */
import type { Batch } from '../batch/batch.ts';
import type { Retention, SortKey } from '../plan.ts';
import type { ColType } from '../types.ts';
import { Deadline, type Watermarks } from './deadline.ts';
import { Expiry, type SavedExpiry } from './expiry.ts';
import { Heap } from './heap.ts';
import { OrderedRuns, type SavedOrderedRuns } from './ordered_runs.ts';
import { RowTable, type SavedRowTable } from './row_table.ts';
import { TableRetention } from './table_retention.ts';

export type SavedOrderedIndex = {
  partitions: SavedRowTable;
  runs: SavedOrderedRuns;
  retention: SavedExpiry | undefined;
};

export class OrderedIndex {
  readonly heap = new Heap();
  readonly partitions: RowTable;
  readonly runs: OrderedRuns;
  readonly #partition: number[];
  readonly #retention: TableRetention | null = null;
  readonly #runRetention: { deadline: Deadline; expiry: Expiry } | null = null;

  /**
   * `partition` and the sort keys are column positions of `types`; `userBytes`: the operator's bytes a partition (multiple of 8). `frees`: over
   * partition columns, when whole partitions die, or over the first sort key, when the rows of a partition die in order.
   */
  constructor(types: ColType[], partition: number[], order: SortKey[], userBytes = 0, frees?: Retention[]) {
    this.#partition = partition;
    this.partitions = new RowTable(
      partition.map((c) => types[c]),
      OrderedRuns.HEAD + userBytes,
      'sql',
      this.heap,
    );
    this.runs = new OrderedRuns(types, order, this.heap);
    if (frees === undefined || frees.every((f) => partition.includes(f.column))) {
      this.#retention = TableRetention.of(this.partitions, frees, partition);
    } else {
      this.#runRetention = { deadline: new Deadline(this.runs.rows.layout, frees), expiry: new Expiry(this.heap) };
    }
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
    const slot = this.partitions.findOrInsert(row);
    if (this.partitions.inserted) this.#retention?.note(slot);
    return slot;
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
    const head = this.head(slot);
    if (this.#runRetention === null) return this.runs.add(head, row, weight);
    const entries = this.runs.size;
    const position = this.runs.add(head, row, weight);
    if (this.runs.size > entries) this.#note(slot, position);
    return position;
  }

  #note(slot: number, position: number): void {
    const { deadline, expiry } = this.#runRetention!;
    if (expiry.isStale(this.runs.size)) {
      expiry.clear();
      this.partitions.forEach((other) => {
        for (let i = this.runs.count(this.head(other)) - 1; i >= 0; i--) this.#noteEntry(other, i, deadline, expiry);
      });
    } else this.#noteEntry(slot, position, deadline, expiry);
  }

  #noteEntry(slot: number, position: number, deadline: Deadline, expiry: Expiry): void {
    const row = this.runs.entry(this.head(slot), position) + this.runs.rowOffset;
    expiry.add(deadline.of(row), this.partitions.hashOf(slot));
  }

  /** Removes the partition if it has no entries left. */
  dropIfEmpty(slot: number): boolean {
    if (this.runs.count(this.head(slot)) !== 0) return false;
    this.partitions.remove(slot);
    return true;
  }

  /**
   * Forgets the partitions that no change can touch any more; or of the partitions that had rows die, the first ones: `goes` tells how many, given
   * the run's head and how many rows are dead. False: there are more.
   */
  free(watermarks: Watermarks, goes: (head: number, dead: number) => number = (_, dead) => dead): boolean {
    if (this.#retention !== null) {
      return this.#retention.free(watermarks, (slot) => {
        this.runs.free(this.head(slot));
        this.partitions.remove(slot);
      });
    }
    if (this.#runRetention === null) return true;
    const { deadline, expiry } = this.#runRetention;
    const watermark = deadline.watermark(watermarks);
    const isDead = (row: number) => deadline.of(row) < watermark;
    return expiry.take(watermark, (hash) => {
      this.partitions.forEachOfHash(hash, (slot) => {
        const head = this.head(slot);
        this.runs.dropFirst(head, goes(head, this.runs.prefix(head, isDead)));
        this.dropIfEmpty(slot);
      });
    });
  }

  endTick(): void {
    this.heap.endTick();
  }

  save(): SavedOrderedIndex {
    const retention = this.#retention ?? this.#runRetention?.expiry;
    return { partitions: this.partitions.save(), runs: this.runs.save(), retention: retention?.save() };
  }

  load(saved: SavedOrderedIndex): void {
    this.partitions.load(saved.partitions);
    this.runs.load(saved.runs);
    const retention = this.#retention ?? this.#runRetention?.expiry;
    if (saved.retention !== undefined) retention?.load(saved.retention);
  }

  release(): void {
    this.#retention?.release();
    this.#runRetention?.expiry.forget();
    this.partitions.release();
  }
}
