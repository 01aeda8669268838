/** VALUES, and the one empty row of a SELECT without FROM: all rows at the first tick, nothing afterwards. */
import type { Batch } from './batch/batch.ts';
import { BatchBuilder, emptyBatch } from './batch/builder.ts';
import { SqlError } from './errors.ts';
import { bindExpr } from './expr/interpret.ts';
import type { Expr } from './expr/ir.ts';
import type { Tick } from './operator.ts';
import { StatelessOperator } from './stateless.ts';
import type { ColType } from './types.ts';

export class ConstantOperator extends StatelessOperator {
  readonly #types: ColType[];
  readonly #rows: Expr[][];

  constructor(rows: Expr[][], types: ColType[]) {
    super();
    this.#types = types;
    this.#rows = rows;
  }

  step(_inputs: Batch[], tick: Tick): Batch {
    if (!tick.first) return emptyBatch(this.#types);
    const out = new BatchBuilder(this.#types, tick.arena, this.#rows.length);
    for (const row of this.#rows) {
      try {
        out.pushDatums(
          row.map((e) => bindExpr(e)([], tick.evalContext)),
          1,
        );
      } catch (error) {
        if (!(error instanceof SqlError)) throw error;
        tick.errors.report(error, [], 1);
      }
    }
    return out.build();
  }
}
