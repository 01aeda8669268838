/**
 * A stretch of one partition in window order, every row as often as its weight says: what window calls are computed over.
 *
 *   position in the view   0 .. n - 1            peers of i: [peersStart(i), peersEnd(i)), their number: groupOf(i)
 *
 * The view also is a batch: the input's columns, then the position, by which order-sensitive aggregates keep window order.
 */
import type { Arena } from '../batch/arena.ts';
import type { Batch, Column } from '../batch/batch.ts';
import { BatchBuilder } from '../batch/builder.ts';
import { I32, U8 } from '../batch/memory.ts';
import type { OrderedRuns } from '../state/ordered_runs.ts';
import type { RowCompare } from '../state/row_ops.ts';
import { type ColType, colType, OID } from '../types.ts';

/** Types of a view's batch, given those of the input. */
export function viewTypes(types: ColType[]): ColType[] {
  return [...types, colType(OID.int4)];
}

export class PartitionView {
  readonly n: number;
  readonly batch: Batch;
  readonly #starts: number[] = [];
  readonly #groups: number[] = [];

  /** Entries from .. to - 1 of the run. `types`: those of viewTypes(). */
  constructor(
    runs: OrderedRuns,
    head: number,
    from: number,
    to: number,
    peers: RowCompare,
    types: ColType[],
    arena: Arena,
  ) {
    let n = 0;
    for (let i = from; i < to; i++) n += Math.max(0, runs.weight(runs.entry(head, i)));
    this.n = n;
    const builder = new BatchBuilder(types, arena, n);
    const position = builder.columns[types.length - 1];
    let at = 0;
    let previous = 0;
    for (let i = from; i < to; i++) {
      const row = runs.entry(head, i) + runs.rowOffset;
      const weight = runs.weight(runs.entry(head, i));
      if (weight <= 0) continue;
      if (previous === 0 || peers(previous, row) !== 0) this.#starts.push(at);
      previous = row;
      for (let w = 0; w < weight; w++, at++) {
        runs.rows.load(row, builder.columns, builder.addRow(1));
        U8[position.valid + at] = 1;
        I32[(position.data >>> 2) + at] = at;
        this.#groups.push(this.#starts.length - 1);
      }
    }
    this.batch = builder.build();
  }

  get columns(): Column[] {
    return this.batch.columns;
  }

  /** Number of the row's group of peers, from 0. */
  groupOf(i: number): number {
    return this.#groups[i];
  }

  get groups(): number {
    return this.#starts.length;
  }

  /** First position of a group; n for a group after the last, 0 before the first. */
  groupStart(group: number): number {
    if (group < 0) return 0;
    return group >= this.#starts.length ? this.n : this.#starts[group];
  }

  peersStart(i: number): number {
    return this.#starts[this.#groups[i]];
  }

  peersEnd(i: number): number {
    return this.groupStart(this.#groups[i] + 1);
  }
}
