/** Rows of COPY FROM become rows of the table: columns that it does not name get their defaults. */
import type { Arena } from '../../operators/batch/arena.ts';
import type { Batch, Column } from '../../operators/batch/batch.ts';
import { BatchBuilder, readDatum } from '../../operators/batch/builder.ts';
import type { Datum } from '../../operators/datum.ts';
import { isChecked } from '../../operators/expr/domain_types.ts';
import { evaluate } from '../../operators/expr/interpret.ts';
import type { EvalContext } from '../../operators/expr/ir.ts';
import { isVolatile } from '../../planner/analyse/functions.ts';
import { bindScalar } from '../../planner/bind/index.ts';
import type { Relation } from '../../planner/catalog_reader.ts';
import type { SessionContext } from '../engine.ts';
import { checkedNull } from './default_value.ts';
import { checkDomains } from './domain_users.ts';
import type { TidemarkEngine } from './engine.ts';

/** A column: of what the client sends, the same for all rows, or made for each. */
type Filling = { k: 'sent'; at: number } | { k: 'fixed'; value: Datum } | { k: 'made'; make: () => Datum };

export class CopyFiller {
  readonly #relation: Relation;
  readonly #fillings: Filling[];
  readonly #isMade: boolean;
  /** Columns that are sent, and whose domains have something to say of them. */
  readonly #checked: number[];
  readonly #context: EvalContext;

  /** `positions`: which columns are sent, in their order. */
  constructor(engine: TidemarkEngine, relation: Relation, positions: number[], session: SessionContext) {
    const env = engine.bindEnv(session, [], 'read');
    this.#relation = relation;
    this.#fillings = relation.columns.map((column, i): Filling => {
      const at = positions.indexOf(i);
      if (at >= 0) return { k: 'sent', at };
      const value = env.columnDefault?.(relation, i) ?? null;
      // What a domain says of it is said of each row, of which there may be none.
      if (value === null)
        return isChecked(column.type)
          ? { k: 'made', make: () => checkedNull(column.type, session.evalContext) }
          : { k: 'fixed', value: null };
      const expr = bindScalar(value.node, value.text, env, { target: column.type, place: 'default' });
      const make = () => evaluate(expr, [], session.evalContext);
      return isVolatile(expr) ? { k: 'made', make } : { k: 'fixed', value: make() };
    });
    this.#checked = positions.filter((i) => isChecked(relation.columns[i].type));
    this.#context = session.evalContext;
    this.#isMade = this.#fillings.some(({ k }) => k === 'made');
  }

  /** One row after the other, as values of defaults may be made in their order. */
  rows(sent: Batch): Datum[][] {
    return Array.from({ length: sent.n }, (_, at) => {
      const row = this.#fillings.map((filling) => {
        if (filling.k === 'sent') return readDatum(sent.columns[filling.at], at);
        return filling.k === 'made' ? filling.make() : filling.value;
      });
      checkDomains(this.#relation, this.#checked, row, this.#context);
      return row;
    });
  }

  /** The same as a batch, of which the columns that are sent are those of the client; null where a default is made for each row. */
  columns({ n, columns, weights }: Batch, arena: Arena): Batch | null {
    if (this.#isMade || this.#checked.length > 0) return null;
    const whole = this.#fillings.map((filling, c): Column => {
      const { type } = this.#relation.columns[c];
      if (filling.k === 'sent') return { ...columns[filling.at], type };
      const same = new BatchBuilder([type], arena, n);
      for (let row = same.addRows(n, 1); row < n; row++)
        same.setDatum(0, row, filling.k === 'fixed' ? filling.value : null);
      return same.columns[0];
    });
    return { n, columns: whole, weights };
  }
}
