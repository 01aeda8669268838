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
import type { RowList } from '../batch/sorted_rows.ts';
import type { RowCompare } from '../state/row_ops.ts';
import { type ColType, colType, OID } from '../types.ts';

/** Types of a view's batch, given those of the input. */
export function viewTypes(types: ColType[]): ColType[] {
  return [...types, colType(OID.int4)];
}

export class PartitionView {
  n = 0;
  readonly #rows: RowList;
  readonly #peers: RowCompare;
  readonly #builder: BatchBuilder;
  /** Of the row that was added last; 0: none. */
  #previous = 0;
  #starts: number[] = [];
  #groups: number[] = [];

  /** Of rows of the list. `types`: those of viewTypes(). */
  constructor(rows: RowList, peers: RowCompare, types: ColType[], arena: Arena) {
    this.#rows = rows;
    this.#peers = peers;
    this.#builder = new BatchBuilder(types, arena, 1);
  }

  /** Begins anew, with n rows, by their weights, which add() brings in. What it was before must not be looked at any more. */
  begin(n: number, arena: Arena): void {
    this.n = n;
    this.#builder.begin(arena, n);
    this.#previous = 0;
    this.#starts = [];
    this.#groups = [];
  }

  /** Adds rows from .. to - 1 of the list, which come after those that are there. */
  add(from: number, to: number): void {
    const { columns } = this.#builder;
    const position = columns[columns.length - 1];
    const { ops } = this.#rows;
    for (let i = from; i < to; i++) {
      const row = this.#rows.address(i);
      const weight = this.#rows.weight(i);
      if (weight <= 0) continue;
      if (this.#previous === 0 || this.#peers(this.#previous, row) !== 0) this.#starts.push(this.#builder.n);
      this.#previous = row;
      for (let w = 0; w < weight; w++) {
        const at = this.#builder.addRow(1);
        ops.load(row, columns, at);
        U8[position.valid + at] = 1;
        I32[(position.data >>> 2) + at] = at;
        this.#groups.push(this.#starts.length - 1);
      }
    }
  }

  get batch(): Batch {
    return this.#builder.build();
  }

  get columns(): Column[] {
    return this.#builder.columns;
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
