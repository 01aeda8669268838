/** What every window call is: an evaluator over a view of the partition. */
import type { BatchBuilder } from '../batch/builder.ts';
import type { Tick } from '../operator.ts';
import type { Reach } from './frame.ts';
import type { PartitionView } from './partition_view.ts';

export interface WindowEvaluator {
  /** Rows around a change whose value may change. */
  readonly reach: Reach;
  begin(view: PartitionView): void;
  /** Writes the call's value for row i of the view. Rows are asked for in ascending order. Throws SqlError when it fails. */
  write(view: PartitionView, i: number, out: BatchBuilder, column: number, row: number, tick: Tick): void;
  end(): void;
  release(): void;
}
