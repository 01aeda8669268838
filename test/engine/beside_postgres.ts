/** One engine and one PostgreSQL (PGlite) that are given the same statements: what they return, and what their tables hold, must be the same. */
import assert from 'node:assert/strict';
import { PGlite } from '@electric-sql/pglite';
import { SqlError } from '../../operators/errors.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { openEngine, sql } from './harness.ts';

export class BesidePostgres {
  readonly engine: TidemarkEngine;
  readonly #db: PGlite;

  private constructor(engine: TidemarkEngine, db: PGlite) {
    this.engine = engine;
    this.#db = db;
  }

  static async open(statements: string[]): Promise<BesidePostgres> {
    const both = new BesidePostgres(await openEngine(), await PGlite.create());
    for (const statement of statements) await both.same(statement);
    return both;
  }

  async close(): Promise<void> {
    await this.engine.close();
    await this.#db.close();
  }

  /** Rows as text, or SQLSTATE and message. */
  async here(query: string): Promise<string> {
    try {
      return asText(query, await sql(this.engine, query));
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      return `${error.sqlstate} ${error.message.replace(/^line 1: /, '')}`;
    }
  }

  async there(query: string): Promise<string> {
    try {
      return asText(query, (await this.#db.query<unknown[]>(query, [], { rowMode: 'array' })).rows);
    } catch (error) {
      const { code, message } = error as { code: string; message: string };
      return `${code} ${message}`;
    }
  }

  async same(query: string): Promise<void> {
    assert.equal(await this.here(query), await this.there(query), query);
  }

  /** Rows of these tables, and of a view here and its query there. */
  async sameRows(after: string, tables: string[], views: Record<string, string> = {}): Promise<void> {
    const queries = [...tables.map((t) => [t, `SELECT * FROM ${t}`]), ...Object.entries(views)];
    for (const [name, query] of queries) {
      assert.equal(await this.here(`SELECT * FROM ${name}`), await this.there(query), `${name} after ${after}`);
    }
  }
}

/** In an order of their own where the query gives none, as that of RETURNING is nobody's promise. */
function asText(query: string, rows: unknown[][]): string {
  const lines = rows.map((r) => JSON.stringify(r.map((v) => (v === null ? null : String(v)))));
  return (query.includes('ORDER BY') ? lines : lines.sort()).join(' ');
}
