/**
 * SQL inside a PL/pgSQL block: texts are parsed and planned once, and run in the transaction of the DO statement with the block's variables as parameters. Rows are taken whole
 * before anything is done with them, so what a loop's body changes its query does not see, as in PostgreSQL.
 */
import { readRow } from '../../../operators/batch/builder.ts';
import type { Datum } from '../../../operators/datum.ts';
import { SqlError, unsupported } from '../../../operators/errors.ts';
import { evaluate } from '../../../operators/expr/interpret.ts';
import { inputText } from '../../../operators/expr/io/registry.ts';
import type { ColType } from '../../../operators/types.ts';
import { commandTag } from '../../../planner/parse/command_tag.ts';
import { parse } from '../../../planner/parse/parse.ts';
import { coerceExpr } from '../../../planner/types/coerce.ts';
import type { PreparedStatement, ResultColumn, SessionContext } from '../../engine.ts';
import type { TidemarkEngine } from '../engine.ts';
import { sessionWith } from '../session_with.ts';
import type { Typed, Variables } from './variables.ts';

export interface Ran {
  /** Null: it gives no rows. */
  columns: ResultColumn[] | null;
  rows: Datum[][];
  /** Rows given or changed. */
  count: number;
  /** SELECT, INSERT, ...: those that set FOUND. */
  isQuery: boolean;
}

interface Planned {
  plan: PreparedStatement;
  names: ReadonlyMap<string, number>;
}

/** Rows taken from a result at a time. */
const CHUNK = 1000;
const QUERIES = ['select', 'modifying_select', 'insert', 'update', 'delete', 'merge'];
/** What only a session can do, and what would not end. */
const NOT_HERE = [
  'transaction',
  'declare_cursor',
  'fetch',
  'subscribe',
  'set',
  'reset',
  'show',
  'prepare',
  'execute',
  'deallocate',
  'discard',
  'copy',
];

export class Statements {
  readonly #engine: TidemarkEngine;
  readonly #session: SessionContext;
  readonly #signal: AbortSignal;
  readonly #variables: Variables;
  readonly #planned = new Map<string, Planned>();

  constructor(engine: TidemarkEngine, session: SessionContext, signal: AbortSignal, variables: Variables) {
    this.#engine = engine;
    this.#session = session;
    this.#signal = signal;
    this.#variables = variables;
  }

  /** One statement; names in it may be variables. At most `most` of its rows are taken, if it only reads. */
  async run(text: string, most = Number.POSITIVE_INFINITY): Promise<Ran> {
    const { names } = this.#variables;
    let planned = this.#planned.get(text);
    if (planned?.names !== names || planned.plan.catalogVersion !== this.#engine.catalogVersion) {
      const statements = parse(text);
      if (statements.length !== 1) throw new SqlError('42601', `not one SQL statement: "${text.trim()}"`);
      planned = { plan: this.#plan(statements[0], this.#variables.types, names), names };
      this.#planned.set(text, planned);
    }
    return this.#execute(planned.plan, this.#variables.values, most);
  }

  /** The statements of a text that was made; `using`: its parameters. Gives what the last one did. */
  async runDynamic(text: string, using: Typed[]): Promise<Ran> {
    let ran: Ran = { columns: null, rows: [], count: 0, isQuery: false };
    for (const statement of parse(text)) {
      const plan = this.#plan(
        statement,
        using.map(({ type }) => type.oid),
        new Map(),
      );
      ran = await this.#execute(
        plan,
        using.map(({ value }) => value),
        Number.POSITIVE_INFINITY,
      );
    }
    return ran;
  }

  /** A value as another type, by an explicit cast. */
  async cast({ type, value }: Typed, typeName: string): Promise<Typed> {
    const { columns, rows } = await this.runDynamic(`SELECT CAST($1 AS ${typeName})`, [{ type, value }]);
    return { type: (columns as ResultColumn[])[0].type, value: rows[0][0] };
  }

  /** As a variable takes a value: as a column does, or by its text. */
  async assigned({ type, value }: Typed, to: ColType, typeName: string): Promise<Datum> {
    const { evalContext } = this.#session;
    const inputLiteral = (text: string, as: ColType) => inputText(text, as, evalContext);
    const fitted = coerceExpr({ k: 'const', v: value, t: type }, to, 'assignment', { inputLiteral });
    if (fitted !== null) return evaluate(fitted, [], evalContext);
    return (await this.cast({ type, value }, typeName)).value;
  }

  #plan(statement: ReturnType<typeof parse>[number], types: number[], names: ReadonlyMap<string, number>) {
    if (NOT_HERE.includes(statement.k)) throw unsupported(`${commandTag(statement)} in DO`);
    return this.#engine.prepare(statement, [...types], this.#seen(names));
  }

  #seen(variables: ReadonlyMap<string, number>): SessionContext {
    const session = this.#session;
    const useTemporary = (schema: string | null) => session.useTemporary?.(schema);
    return sessionWith(session, { variables, ...(session.useTemporary === undefined ? {} : { useTemporary }) });
  }

  async #execute(plan: PreparedStatement, params: Datum[], most: number): Promise<Ran> {
    const isQuery = QUERIES.includes(plan.statement.k);
    const result = await this.#engine.execute(plan, params, this.#seen(new Map()), this.#signal);
    if (result.kind === 'command') {
      return { columns: null, rows: [], count: Number(/\d+$/.exec(result.tag)?.[0] ?? 0), isQuery };
    }
    if (result.kind !== 'rows') throw unsupported('COPY in DO');
    const rows: Datum[][] = [];
    const enough = plan.statement.k === 'select' ? most : Number.POSITIVE_INFINITY;
    try {
      while (rows.length < enough) {
        const chunk = await result.rows.next(Math.min(CHUNK, enough - rows.length));
        if (chunk === null) break;
        for (let i = 0; i < chunk.count; i++) rows.push(readRow(chunk.batch, chunk.from + i));
      }
    } finally {
      result.rows.close();
    }
    return { columns: result.columns, rows, count: rows.length, isQuery };
  }
}
