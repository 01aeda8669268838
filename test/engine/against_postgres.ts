/**
 * The same statements in a session here and in PostgreSQL (PGlite): rows as text, errors with their fields and notices have to be the same.
 *
 *   script(`CREATE TABLE t (a int); ...`)     statements end with ; at the end of a line
 */
import assert from 'node:assert/strict';
import { PGlite, types } from '@electric-sql/pglite';
import { SqlError } from '../../operators/errors.ts';
import { parse } from '../../planner/parse/parse.ts';
import type { SessionContext } from '../../src/engine.ts';
import { PgCatalog } from '../../src/postgres/catalog/pg_catalog.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { localSession } from '../../src/runtime/local_session.ts';
import { drain, openEngine } from './harness.ts';

interface Outcome {
  rows?: (string | null)[][];
  error?: Record<string, string | undefined>;
  notices: string[];
}

const asText = Object.fromEntries(Object.values(types).map((oid) => [oid, (text: string) => text]));

/** Rows in an order of their own where the statement gives none: that of RETURNING is nobody's promise. */
function shown(sql: string, rows: (string | null)[][]): Pick<Outcome, 'rows'> {
  if (rows.length === 0) return {};
  if (/order by/i.test(sql)) return { rows };
  const byText = rows.map((row) => ({ row, text: JSON.stringify(row) }));
  return { rows: byText.sort((a, b) => (a.text < b.text ? -1 : 1)).map(({ row }) => row) };
}

/** What it has is not its own, as in a session of a connection: a copy of its properties would have nothing. */
class TestSession implements SessionContext {
  readonly #local: SessionContext;
  readonly #told: (message: string) => void;

  constructor(engine: TidemarkEngine, told: (message: string) => void) {
    this.#local = localSession(engine);
    this.#told = told;
  }

  get evalContext(): SessionContext['evalContext'] {
    return this.#local.evalContext;
  }

  get searchPath(): string[] {
    return this.#local.searchPath;
  }

  get transaction(): SessionContext['transaction'] {
    return this.#local.transaction;
  }

  set transaction(transaction: SessionContext['transaction']) {
    this.#local.transaction = transaction;
  }

  getSetting(name: string): string | null {
    return this.#local.getSetting(name);
  }

  notice(_severity: string, _sqlstate: string, message: string): void {
    this.#told(message);
  }
}

export class AgainstPostgres {
  readonly engine: TidemarkEngine;
  readonly #postgres: PGlite;
  readonly #session: SessionContext;
  #notices: string[] = [];
  #inBlock = false;

  private constructor(engine: TidemarkEngine, postgres: PGlite) {
    this.engine = engine;
    this.#postgres = postgres;
    this.#session = new TestSession(engine, (message) => this.#notices.push(message));
  }

  static async open(): Promise<AgainstPostgres> {
    const engine = await openEngine();
    engine.system.catalogs = new PgCatalog(engine);
    return new AgainstPostgres(engine, await PGlite.create());
  }

  async close(): Promise<void> {
    await this.engine.close();
    await this.#postgres.close();
  }

  async script(text: string): Promise<void> {
    for (const statement of text.split(/;[ \t]*\n/)) {
      const sql = statement.trim();
      if (sql === '') continue;
      await this.statement(sql);
    }
  }

  async statement(sql: string): Promise<void> {
    assert.deepEqual(await this.here(sql), await this.there(sql), sql);
  }

  /** The rows of these tables, and of views here and their queries there. */
  async sameRows(after: string, tables: string[], views: Record<string, string> = {}): Promise<void> {
    const queries = [...tables.map((t) => [t, `SELECT * FROM ${t}`]), ...Object.entries(views)];
    for (const [name, query] of queries) {
      assert.deepEqual(await this.here(`SELECT * FROM ${name}`), await this.there(query), `${name} after ${after}`);
    }
  }

  async here(sql: string): Promise<Outcome> {
    this.#notices = [];
    try {
      const rows = await this.#run(sql);
      return { ...shown(sql, rows), notices: this.#notices };
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      const { sqlstate: code, message, fields } = error;
      const { detail, hint, table, column, constraint } = fields;
      return { error: { code, message, detail, hint, table, column, constraint }, notices: this.#notices };
    }
  }

  async #run(sql: string): Promise<(string | null)[][]> {
    const [statement] = parse(sql);
    const session = this.#session;
    if (statement.k === 'transaction') {
      try {
        if (statement.kind === 'commit') await session.transaction.commit();
        if (statement.kind === 'rollback') session.transaction.rollback();
        if (statement.kind === 'savepoint') session.transaction.savepoint(statement.name ?? '');
        if (statement.kind === 'rollback_to') session.transaction.rollbackTo(statement.name ?? '');
      } finally {
        // A COMMIT that fails ends its block, too.
        this.#inBlock = !['commit', 'rollback'].includes(statement.kind);
        if (!this.#inBlock || statement.kind === 'begin') session.transaction = this.engine.begin();
      }
      return [];
    }
    try {
      const rows = await this.#rowsOf(sql);
      if (!this.#inBlock) await session.transaction.commit();
      return rows;
    } finally {
      if (!this.#inBlock) {
        session.transaction.rollback();
        session.transaction = this.engine.begin();
      }
    }
  }

  async #rowsOf(sql: string): Promise<(string | null)[][]> {
    const session = this.#session;
    const prepared = this.engine.prepare(parse(sql)[0], [], session);
    const result = await this.engine.execute(prepared, [], session, new AbortController().signal);
    if (result.kind !== 'rows') return [];
    try {
      return await drain(result, session.evalContext);
    } finally {
      result.rows.close();
    }
  }

  async there(sql: string): Promise<Outcome> {
    const notices: string[] = [];
    const onNotice = (notice: { message?: string }) => notices.push(notice.message ?? '');
    try {
      const [result] = await this.#postgres.exec(sql, { rowMode: 'array', parsers: asText, onNotice });
      const rows = (result?.rows ?? []) as unknown as (string | null)[][];
      return { ...shown(sql, rows), notices };
    } catch (error) {
      const { code, message, detail, hint, table, column, constraint } = error as Record<string, string | undefined>;
      return { error: { code, message, detail, hint, table, column, constraint }, notices };
    }
  }
}
