/**
 * The same statements in a session here and in PostgreSQL (PGlite): rows as text, errors with their fields and notices have to be the same.
 *
 *   script(`CREATE TABLE t (a int); ...`)     statements end with ; at the end of a line
 */
import assert from 'node:assert/strict';
import { PGlite, types } from '@electric-sql/pglite';
import { readRow } from '../../operators/batch/builder.ts';
import { SqlError } from '../../operators/errors.ts';
import { outputText } from '../../operators/expr/io/index.ts';
import { parse } from '../../planner/parse/parse.ts';
import type { SessionContext } from '../../src/engine.ts';
import { PgCatalog } from '../../src/postgres/catalog/pg_catalog.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { localSession } from '../../src/runtime/script.ts';
import { openEngine } from './harness.ts';

interface Outcome {
  rows?: (string | null)[][];
  error?: Record<string, string | undefined>;
  notices: string[];
}

const asText = Object.fromEntries(Object.values(types).map((oid) => [oid, (text: string) => text]));

export class AgainstPostgres {
  readonly engine: TidemarkEngine;
  readonly #postgres: PGlite;
  readonly #session: SessionContext;
  #notices: string[] = [];
  #inBlock = false;

  private constructor(engine: TidemarkEngine, postgres: PGlite) {
    this.engine = engine;
    this.#postgres = postgres;
    this.#session = {
      ...localSession(engine),
      notice: (_severity, _sqlstate, message) => this.#notices.push(message),
    };
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
      const [ours, theirs] = [await this.#here(sql), await this.#there(sql)];
      assert.deepEqual(ours, theirs, sql);
    }
  }

  async #here(sql: string): Promise<Outcome> {
    this.#notices = [];
    try {
      const rows = await this.#run(sql);
      return { ...(rows.length > 0 ? { rows } : {}), notices: this.#notices };
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
      if (statement.kind === 'commit') await session.transaction.commit();
      if (statement.kind === 'rollback') session.transaction.rollback();
      if (statement.kind === 'savepoint') session.transaction.savepoint(statement.name ?? '');
      if (statement.kind === 'rollback_to') session.transaction.rollbackTo(statement.name ?? '');
      this.#inBlock = !['commit', 'rollback'].includes(statement.kind);
      if (!this.#inBlock || statement.kind === 'begin') session.transaction = this.engine.begin();
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
    const { rows, columns } = result;
    const all: (string | null)[][] = [];
    for (let chunk = await rows.next(1000); chunk !== null; chunk = await rows.next(1000)) {
      for (let i = 0; i < chunk.count; i++) {
        const row = readRow(chunk.batch, chunk.from + i);
        all.push(row.map((d, c) => (d === null ? null : outputText(d, columns[c].type.oid, session.evalContext))));
      }
    }
    rows.close();
    return all;
  }

  async #there(sql: string): Promise<Outcome> {
    const notices: string[] = [];
    const onNotice = (notice: { message?: string }) => notices.push(notice.message ?? '');
    try {
      const [result] = await this.#postgres.exec(sql, { rowMode: 'array', parsers: asText, onNotice });
      const rows = (result?.rows ?? []) as unknown as (string | null)[][];
      return { ...(rows.length > 0 ? { rows } : {}), notices };
    } catch (error) {
      const { code, message, detail, hint, table, column, constraint } = error as Record<string, string | undefined>;
      return { error: { code, message, detail, hint, table, column, constraint }, notices };
    }
  }
}
