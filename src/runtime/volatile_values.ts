/**
 * The values of a volatile DEFAULT, and of serial and identity columns: another in each row, equal rows included; and of columns that are generated of it.
 *
 * What a transaction has written and not committed gets values, too: a row that it adds one of its own, a row that it takes away that of the row which goes.
 */
import type { Arena } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { batchFromRows, readRow, weightOf } from '../../operators/batch/builder.ts';
import type { Datum } from '../../operators/datum.ts';
import { evaluate } from '../../operators/expr/interpret.ts';
import type { EvalContext } from '../../operators/expr/ir.ts';
import type { CountedColumns } from './counted_columns.ts';
import { StoredRelation } from './stored_relation.ts';
import type { TableDraft } from './table_draft.ts';

export class VolatileValues {
  /** What gives the rows, which have NULL there, their values. */
  readonly delta: Batch;
  readonly #types: StoredRelation['types'];
  readonly #volatile: TableDraft['volatile'];
  readonly #counted: CountedColumns['next'];
  readonly #context: EvalContext;
  /** By the row with NULLs: rows with values, of the table and of the transaction; those that it has taken away are out. */
  #ofTable: Map<string, Datum[][]> | null = null;
  readonly #ofTransaction = new Map<string, Datum[][]>();

  constructor(
    { volatile }: TableDraft,
    { next }: CountedColumns,
    stored: StoredRelation,
    context: EvalContext,
    arena: Arena,
  ) {
    this.#counted = next;
    this.#types = stored.types;
    this.#volatile = volatile;
    this.#context = context;
    const before = stored.snapshot(arena);
    const rows: Datum[][] = [];
    const weights: number[] = [];
    for (let i = 0; i < before.n; i++) {
      const row = readRow(before, i);
      const weight = weightOf(before, i);
      rows.push(row);
      weights.push(-weight);
      for (let copy = 0; copy < weight; copy++) {
        rows.push(this.#filled(row));
        weights.push(1);
      }
    }
    this.delta = batchFromRows(this.#types, rows, arena, weights);
  }

  #filled(row: Datum[]): Datum[] {
    const filled = [...row];
    for (const [position, next] of this.#counted) filled[position] = next();
    for (const [position, value] of this.#volatile) filled[position] = evaluate(value, filled, this.#context);
    return filled;
  }

  /** The rows with their values, apart; release() them. */
  rows(before: StoredRelation, arena: Arena): StoredRelation {
    const rows = new StoredRelation(this.#types);
    rows.apply(before.snapshot(arena));
    rows.apply(this.delta);
    rows.endTick();
    return rows;
  }

  /** A delta of a transaction, which has NULL there, with values; its deltas come in the order in which it wrote them. */
  pending(delta: Batch, arena: Arena): Batch {
    const rows: Datum[][] = [];
    const weights: number[] = [];
    // A row that changes within a delta goes before it comes: what goes is of before.
    for (const sign of [-1, 1]) {
      for (let i = 0; i < delta.n; i++) {
        const row = readRow(delta, i);
        for (let copies = weightOf(delta, i) * sign; copies > 0; copies--) {
          rows.push(sign < 0 ? this.#taken(row) : this.#added(row));
          weights.push(sign);
        }
      }
    }
    return batchFromRows(this.#types, rows, arena, weights);
  }

  #added(row: Datum[]): Datum[] {
    const filled = this.#filled(row);
    put(this.#ofTransaction, rowText(row), filled);
    return filled;
  }

  /** As it is where there is none: that does not fit the table, which COMMIT finds. */
  #taken(row: Datum[]): Datum[] {
    const text = rowText(row);
    this.#ofTable ??= this.#byRow();
    return this.#ofTransaction.get(text)?.pop() ?? this.#ofTable.get(text)?.pop() ?? row;
  }

  #byRow(): Map<string, Datum[][]> {
    const byRow = new Map<string, Datum[][]>();
    let text = '';
    for (let i = 0; i < this.delta.n; i++) {
      const row = readRow(this.delta, i);
      if (weightOf(this.delta, i) < 0) text = rowText(row);
      else put(byRow, text, row);
    }
    return byRow;
  }
}

function put(rows: Map<string, Datum[][]>, text: string, row: Datum[]): void {
  const same = rows.get(text);
  if (same === undefined) rows.set(text, [row]);
  else same.push(row);
}

/** The same for the same row alone: 1.0 and 1.00 are not, nor are 0 and -0. */
function rowText(row: Datum[]): string {
  return JSON.stringify(row, (_, value) => {
    if (typeof value !== 'number' && typeof value !== 'bigint') return value;
    return Object.is(value, -0) ? '-0' : `${value}`;
  });
}
