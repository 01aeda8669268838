/**
 * What a field that a message does not have gives: its column's DEFAULT, evaluated once a tick with the tick's clock as now(); NULL without
 * one. A field that is there as JSON null stays NULL, as an explicit NULL does in INSERT.
 *
 * An expression that fails fails every record that needs it, and only those. Volatile expressions never come here: reading a record
 * again at the same clock must give the same row.
 */
import type { Datum } from '../../operators/datum.ts';
import { SqlError } from '../../operators/errors.ts';
import { evaluate } from '../../operators/expr/interpret.ts';
import type { EvalContext, Expr } from '../../operators/expr/ir.ts';

export interface FieldDefault {
  expr: Expr;
  /** Settings of the session that made the relation; `now` is the tick's instead. */
  context: EvalContext;
  /** True when the value can change with the clock. */
  clocked: boolean;
}

export class Defaults {
  readonly #defaults: (FieldDefault | undefined)[];
  readonly #values: (Datum | SqlError)[];
  readonly #any: boolean;
  #now: bigint | null = null;

  constructor(columns: { default?: FieldDefault }[]) {
    this.#defaults = columns.map((column) => column.default);
    this.#values = columns.map(() => null);
    this.#any = this.#defaults.some((d) => d !== undefined);
  }

  /** From now on values are those of this clock. */
  setClock(now: bigint): void {
    if (!this.#any || now === this.#now) return;
    this.#defaults.forEach((d, column) => {
      if (d !== undefined && (d.clocked || this.#now === null)) this.#values[column] = evaluated(d, now);
    });
    this.#now = now;
  }

  /** Throws the expression's SqlError. */
  value(column: number): Datum {
    const value = this.#values[column];
    if (value instanceof SqlError) throw value;
    return value;
  }

  /** True when value() would throw. */
  fails(column: number): boolean {
    return this.#values[column] instanceof SqlError;
  }
}

function evaluated(d: FieldDefault, now: bigint): Datum | SqlError {
  try {
    return evaluate(d.expr, [], { ...d.context, now });
  } catch (error) {
    if (error instanceof SqlError) return error;
    throw error;
  }
}
