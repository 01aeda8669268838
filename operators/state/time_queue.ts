/**
 * A calendar queue: rows that wait until a time of their own has come.
 *
 *   times: a binary heap of int64             rows: by time (ordered_index.ts), equal rows with summed weights
 *
 * A row is put in and taken out once: O(log n) each. A row can be retracted while it waits. Times whose rows were all retracted stay in the
 * heap until they come or until they are more than the live ones.
 */

import { Arena } from '../batch/arena.ts';
import type { Batch } from '../batch/batch.ts';
import { BatchBuilder } from '../batch/builder.ts';
import { I64 } from '../batch/memory.ts';
import type { ColType } from '../types.ts';
import { OrderedIndex, type SavedOrderedIndex } from './ordered_index.ts';

export type SavedTimeQueue = {
  rows: SavedOrderedIndex;
  times: BigInt64Array;
};

export class TimeQueue {
  readonly #rows: OrderedIndex;
  readonly #timeType: ColType;
  readonly #probeArena = new Arena();
  #probe: BatchBuilder | null = null;
  /** Least first; a child is never less than its parent. */
  #heap: bigint[] = [];

  /** `time`: position of an int64 column (timestamp, timestamptz, int8). */
  constructor(types: ColType[], time: number) {
    this.#rows = new OrderedIndex(types, [time], []);
    this.#timeType = types[time];
  }

  get size(): number {
    return this.#rows.size;
  }

  /** Least time of a row, or an earlier one whose rows were taken back; null when there is none. */
  get least(): bigint | null {
    return this.#heap.length === 0 ? null : this.#heap[0];
  }

  get bytes(): number {
    return this.#rows.bytes;
  }

  /** Fixes the batch whose rows are added next. */
  begin(delta: Batch): void {
    this.#rows.begin(delta);
  }

  /** Adds `weight` to the bound row, which waits for `time`, the value of its time column. */
  add(row: number, weight: number, time: bigint): void {
    const slot = this.#rows.partitionOf(row);
    if (this.#rows.partitions.inserted) this.#push(time);
    this.#rows.add(slot, row, weight);
    this.#rows.dropIfEmpty(slot);
  }

  /** Takes out every row whose time is at or before `now`: address of the row, valid until the end of the tick, and weight. */
  takeUntil(now: bigint, visit: (address: number, weight: number) => void): void {
    const { runs, partitions } = this.#rows;
    while (this.#heap.length > 0 && this.#heap[0] <= now) {
      const time = this.#pop();
      const slot = this.#find(time);
      if (slot === 0) continue;
      const head = this.#rows.head(slot);
      for (let i = 0; i < runs.count(head); i++) {
        const entry = runs.entry(head, i);
        visit(entry + runs.rowOffset, runs.weight(entry));
      }
      runs.free(head);
      partitions.remove(slot);
    }
  }

  #find(time: bigint): number {
    if (this.#probe === null) {
      this.#probe = new BatchBuilder([this.#timeType], this.#probeArena, 1);
      this.#probe.addRow(1);
    }
    this.#probe.setDatum(0, 0, time);
    this.#rows.partitions.bind(this.#probe.columns);
    return this.#rows.partitions.find(0);
  }

  #push(time: bigint): void {
    if (this.#heap.length > 2 * this.#rows.partitions.size + 64) this.#rebuild();
    else this.#siftUp(time);
  }

  /** The heap of the times that still have rows. */
  #rebuild(): void {
    this.#heap = [];
    const { partitions } = this.#rows;
    partitions.forEach((slot) => {
      this.#siftUp(I64[(slot + partitions.rowOffset) / 8]);
    });
  }

  #siftUp(time: bigint): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(time);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent] <= time) break;
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = time;
  }

  #pop(): bigint {
    const heap = this.#heap;
    const least = heap[0];
    const last = heap.pop() as bigint;
    if (heap.length === 0) return least;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1] < heap[child]) child++;
      if (heap[child] >= last) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = last;
    return least;
  }

  endTick(): void {
    this.#rows.endTick();
  }

  save(): SavedTimeQueue {
    return { rows: this.#rows.save(), times: BigInt64Array.from(this.#heap) };
  }

  load(saved: SavedTimeQueue): void {
    this.#rows.load(saved.rows);
    this.#heap = Array.from(saved.times);
  }

  release(): void {
    this.#rows.release();
    this.#probeArena.release();
    this.#probe = null;
    this.#heap = [];
  }
}
