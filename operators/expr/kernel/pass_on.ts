/** The end of a map kernel: columns that are only passed on are shared with the input when every row was kept, else picked by the numbers of the rows that were. */
import { type Batch, retyped, withoutValidity } from '../../batch/batch.ts';
import type { BatchBuilder } from '../../batch/builder.ts';
import { kernels } from '../../kernels/index.ts';
import { PHYS_WIDTH } from '../../types.ts';

/** `passed`: output column -> input column. `rows`: address of the number of the input's row for each row put out. */
export function passOn(passed: ReadonlyMap<number, number>) {
  return (input: Batch, out: BatchBuilder, rows: number): Batch => {
    if (out.n === input.n) {
      const columns = out.columns.map((column, k) => {
        const id = passed.get(k);
        return id === undefined ? column : retyped(input.columns[id], column.type);
      });
      return { n: input.n, columns, weights: input.weights };
    }
    const columns = out.columns.map((column, k) => {
      const id = passed.get(k);
      if (id === undefined) return column;
      const { data, valid } = input.columns[id];
      kernels.gatherColumn(rows, out.n, PHYS_WIDTH[column.phys], data, valid, column.data, column.valid);
      return valid === 0 ? withoutValidity(column) : column;
    });
    return { n: out.n, columns, weights: out.weights };
  };
}
