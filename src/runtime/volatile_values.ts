/** The values of a volatile DEFAULT: another in each row, equal rows included. */
import type { Arena } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { batchFromRows, readRow, weightOf } from '../../operators/batch/builder.ts';
import type { Datum } from '../../operators/datum.ts';
import { evaluate } from '../../operators/expr/interpret.ts';
import type { EvalContext } from '../../operators/expr/ir.ts';
import { StoredRelation } from './stored_relation.ts';
import type { TableDraft } from './table_draft.ts';

export class VolatileValues {
  /** What gives the rows, which have NULL there, their values. */
  readonly delta: Batch;
  readonly #types: StoredRelation['types'];

  constructor({ volatile }: TableDraft, stored: StoredRelation, context: EvalContext, arena: Arena) {
    this.#types = stored.types;
    const before = stored.snapshot(arena);
    const rows: Datum[][] = [];
    const weights: number[] = [];
    for (let i = 0; i < before.n; i++) {
      const row = readRow(before, i);
      const weight = weightOf(before, i);
      rows.push(row);
      weights.push(-weight);
      for (let copy = 0; copy < weight; copy++) {
        const filled = [...row];
        for (const [position, value] of volatile) filled[position] = evaluate(value, [], context);
        rows.push(filled);
        weights.push(1);
      }
    }
    this.delta = batchFromRows(this.#types, rows, arena, weights);
  }

  /** The rows with their values, apart; release() them. */
  rows(before: StoredRelation, arena: Arena): StoredRelation {
    const rows = new StoredRelation(this.#types);
    rows.apply(before.snapshot(arena));
    rows.apply(this.delta);
    rows.endTick();
    return rows;
  }
}
