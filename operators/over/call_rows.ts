/** The rows that window functions put out: those of a partition's view, each with what every call says of it. A row for which a call fails is reported and left out. */
import { type BatchBuilder, readRow } from '../batch/builder.ts';
import { type RowCopy, rowCopy } from '../batch/row_copy.ts';
import { SqlError } from '../errors.ts';
import type { Tick } from '../operator.ts';
import type { ColType } from '../types.ts';
import type { PartitionView } from './partition_view.ts';
import type { WindowEvaluator } from './window_call.ts';

export class CallRows {
  readonly #calls: WindowEvaluator[];
  /** Columns of the input, which are before those of the calls. */
  readonly #width: number;
  readonly #copy: RowCopy;

  constructor(calls: WindowEvaluator[], inputTypes: ColType[]) {
    this.#calls = calls;
    this.#width = inputTypes.length;
    this.#copy = rowCopy(inputTypes);
  }

  begin(view: PartitionView): void {
    this.#copy.bind(view.columns);
    for (const call of this.#calls) call.begin(view);
  }

  /** Adds row i of the view. Rows are asked for in ascending order. */
  write(view: PartitionView, i: number, weight: number, out: BatchBuilder, tick: Tick): void {
    const width = this.#width;
    const row = out.addRow(weight);
    this.#copy.copy(i, out.columns, row);
    try {
      for (let c = 0; c < this.#calls.length; c++) this.#calls[c].write(view, i, out, width + c, row, tick);
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      out.n = row;
      tick.errors.report(error, readRow(view.batch, i).slice(0, width), weight);
    }
  }

  end(): void {
    for (const call of this.#calls) call.end();
  }

  release(): void {
    for (const call of this.#calls) call.release();
  }
}
