/**
 * Rows of a table as they are after an ALTER of its columns: each column of the new row is an expression over the old one. A row's new form hangs on its old one alone,
 * so that a delta of old rows is a delta of new ones.
 */
import type { Arena } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { Dataflow } from '../../operators/dataflow.ts';
import type { EvalContext, Expr } from '../../operators/expr/ir.ts';
import { turn } from '../../operators/turn.ts';
import type { ColType } from '../../operators/types.ts';

const OLD_ROWS = 0;

export class RowRewrite {
  readonly types: ColType[];
  readonly #dataflow: Dataflow;
  readonly #context: EvalContext;
  readonly #signal: AbortSignal;

  /** `values`: by column of the new rows, over positions of the old ones. `signal`: the statement's. */
  constructor(before: ColType[], values: Expr[], context: EvalContext, signal: AbortSignal) {
    this.#signal = signal;
    this.types = values.map(({ t }) => t);
    this.#context = context;
    const columns = before.map((_, i) => i);
    const names = (types: ColType[]) => types.map((_, i) => String(i));
    this.#dataflow = new Dataflow({
      nodes: [
        { op: 'source', relation: OLD_ROWS, columns, inputs: [], types: before, names: names(before) },
        { op: 'map', filter: null, project: values, inputs: [0], types: this.types, names: names(this.types) },
      ],
      root: 1,
    });
  }

  /** Gives `use` the new form of these rows, in the arena. A row that has none is an error. */
  run<T>(rows: Batch, arena: Arena, use: (rewritten: Batch) => T): T {
    const { now } = this.#context;
    const tick = { number: 0n, arena, evalContext: this.#context, errors: FAILS, now, watermark: () => null };
    try {
      return use(turn.of(this.#signal, () => this.#dataflow.step(() => rows, tick)));
    } finally {
      this.#dataflow.endTick();
    }
  }

  release(): void {
    this.#dataflow.release();
  }
}

const FAILS = {
  report(error: Error): never {
    throw error;
  },
};
