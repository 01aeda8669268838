/** UNION ALL: the sum of Z-sets.   out = delta1 + delta2 + ...   Linear, stateless, one copy of the rows when more than one input moves. */
import type { Batch } from './batch/batch.ts';
import { BatchBuilder, emptyBatch, weightOf } from './batch/builder.ts';
import type { Tick } from './operator.ts';
import { StatelessOperator } from './stateless.ts';
import type { ColType } from './types.ts';

export class UnionOperator extends StatelessOperator {
  readonly #types: ColType[];

  constructor(types: ColType[]) {
    super();
    this.#types = types;
  }

  step(inputs: Batch[], tick: Tick): Batch {
    const moved = inputs.filter((input) => input.n > 0);
    if (moved.length === 0) return emptyBatch(this.#types);
    if (moved.length === 1) return moved[0];
    const out = new BatchBuilder(
      this.#types,
      tick.arena,
      moved.reduce((sum, input) => sum + input.n, 0),
    );
    for (const input of moved) {
      for (let i = 0; i < input.n; i++) {
        const row = out.addRow(weightOf(input, i));
        for (let c = 0; c < this.#types.length; c++) out.copySlot(c, row, input.columns[c], i);
      }
    }
    return out.build();
  }
}
