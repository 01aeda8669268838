/**
 * The end of a map kernel: columns that are only passed on are shared with the input when every row was kept, else picked by the numbers of the rows that were.
 *
 * A map puts out the same batch in each tick; where its columns lie is what changes.
 */
import type { Batch } from '../../batch/batch.ts';
import type { BatchBuilder } from '../../batch/builder.ts';
import { kernels } from '../../kernels/index.ts';
import { widthOf } from '../../types.ts';

/**
 * `passed`: output column -> input column; `copied`: their values are in what comes out already, but not which of them are NULL. `rows`: address of the number of the
 * input's row for each row put out.
 */
export function passOn(passed: ReadonlyMap<number, number>, copied = false) {
  const outputs = [...passed.keys()];
  const inputs = [...passed.values()];
  let computed: BatchBuilder['columns'] | null = null;
  let made: Batch = { n: 0, columns: [], weights: 0 };
  return (input: Batch, out: BatchBuilder, rows: number): Batch => {
    const own = out.columns;
    if (own !== computed) {
      computed = own;
      made = {
        n: 0,
        columns: own.map((column, k) => (passed.has(k) ? { ...column } : column)),
        weights: 0,
        net: false,
      };
    }
    const { n } = out;
    made.n = n;
    made.net = false;
    if (n === 0) return made;
    const all = n === input.n;
    for (let i = 0; i < outputs.length; i++) {
      const k = outputs[i];
      const column = made.columns[k];
      const { data, valid } = input.columns[inputs[i]];
      column.data = all ? data : own[k].data;
      column.valid = all || valid === 0 ? valid : own[k].valid;
      if (all) continue;
      if (!copied) kernels.gatherColumn(rows, n, widthOf(column.phys), data, valid, column.data, column.valid);
      else if (valid !== 0) kernels.gatherColumn(rows, n, 1, valid, 0, column.valid, 0);
    }
    made.weights = all ? input.weights : out.weights;
    return made;
  };
}
