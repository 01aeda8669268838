/** The rows of a partition that an ordered index (state/ordered_index.ts) has, as a list: of one partition after the other, without objects for each. */
import type { RowList } from '../batch/sorted_rows.ts';
import type { OrderedRuns } from '../state/ordered_runs.ts';
import type { RowOps } from '../state/row_ops.ts';

export class PartitionRows implements RowList {
  readonly ops: RowOps;
  readonly #runs: OrderedRuns;
  /** Of the partition's run. */
  head = 0;

  constructor(runs: OrderedRuns) {
    this.ops = runs.rows;
    this.#runs = runs;
  }

  address(i: number): number {
    return this.#runs.entry(this.head, i) + this.#runs.rowOffset;
  }

  weight(i: number): number {
    return this.#runs.weight(this.#runs.entry(this.head, i));
  }
}
