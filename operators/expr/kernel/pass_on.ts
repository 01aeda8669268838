/** The end of a map kernel: columns that are only passed on are shared with the input when every row was kept, else picked by the numbers of the rows that were. */
import { type Batch, type Column, retyped, withoutValidity } from '../../batch/batch.ts';
import type { BatchBuilder } from '../../batch/builder.ts';
import { kernels } from '../../kernels/index.ts';
import { PHYS_WIDTH } from '../../types.ts';

/** `passed`: output column -> input column. `rows`: address of the number of the input's row for each row put out. */
export function passOn(passed: ReadonlyMap<number, number>) {
  /** By output column. */
  const from: (number | undefined)[] = [];
  for (const [k, id] of passed) from[k] = id;
  return (input: Batch, out: BatchBuilder, rows: number): Batch => {
    const all = out.n === input.n;
    const columns: Column[] = [];
    for (let k = 0; k < out.columns.length; k++) {
      const column = out.columns[k];
      const id = from[k];
      if (id === undefined) columns.push(column);
      else if (all) columns.push(retyped(input.columns[id], column.type));
      else columns.push(picked(input.columns[id], column, rows, out.n));
    }
    return { n: out.n, columns, weights: all ? input.weights : out.weights };
  };
}

/** Rows of an input's column, in an output's. */
function picked({ data, valid }: Column, to: Column, rows: number, n: number): Column {
  kernels.gatherColumn(rows, n, PHYS_WIDTH[to.phys], data, valid, to.data, to.valid);
  return valid === 0 ? withoutValidity(to) : to;
}
