/** PostgreSQL (PGlite) with the rows that Tidemark accepted, and the comparison of a view with the oracle's query. */
import assert from 'node:assert/strict';
import { PGlite } from '@electric-sql/pglite';
import { defaultContext } from '../../operators/expr/context.ts';
import { outputText } from '../../operators/expr/io/index.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { runScript } from '../../src/runtime/script.ts';
import { ORACLE_TABLES, oracleViews, QUERIES } from './suite.ts';

const context = defaultContext();
/** Every built-in type as the text that PostgreSQL sends. */
const texts = Object.fromEntries(Array.from({ length: 5000 }, (_, oid) => [oid, (text: string) => text]));

/** Rows of a query as text, sorted. */
export type Reader = (sql: string) => Promise<string[]>;

const readerOf = (tidemark: TidemarkEngine | Reader): Reader =>
  typeof tidemark === 'function' ? tidemark : (text) => rowsOf(tidemark, text);

/** Rows of a query on Tidemark, as text. */
export async function rowsOf(engine: TidemarkEngine, sql: string): Promise<string[]> {
  const [result] = await runScript(engine, sql);
  return result.rows
    .map((row) =>
      row.map((d, i) => (d === null ? '\\N' : outputText(d, result.columns[i].type.oid, context))).join('\t'),
    )
    .sort();
}

export class Oracle {
  readonly #db: PGlite;

  private constructor(db: PGlite) {
    this.#db = db;
  }

  static async open(queries = QUERIES): Promise<Oracle> {
    const db = await PGlite.create();
    await db.exec(ORACLE_TABLES);
    for (const name of ['hop_bid', ...queries]) await db.exec(oracleViews.get(name) ?? '');
    return new Oracle(db);
  }

  /** Replaces the oracle's input by what Tidemark accepted up to now. */
  async load(tidemark: TidemarkEngine | Reader): Promise<void> {
    for (const table of ['person', 'auction', 'bid']) {
      const rows = await readerOf(tidemark)(`SELECT * FROM ${table}`);
      const blob = new Blob([rows.map((row) => `${row}\n`).join('')]);
      await this.#db.exec(`TRUNCATE ${table}`);
      await this.#db.query(`COPY ${table} FROM '/dev/blob'`, [], { blob });
    }
  }

  async rows(name: string): Promise<string[]> {
    const result = await this.#db.query(`SELECT * FROM ${name}`, [], { rowMode: 'array', parsers: texts });
    return (result.rows as unknown as (string | null)[][]).map((row) => row.map((v) => v ?? '\\N').join('\t')).sort();
  }

  /** The view holds what the oracle's query gives; row order does not count. */
  async compare(tidemark: TidemarkEngine | Reader, name: string, when: string): Promise<void> {
    const wanted = await this.rows(name);
    const actual = await readerOf(tidemark)(`SELECT * FROM ${name}`);
    const at = actual.findIndex((row, i) => row !== wanted[i]);
    const detail =
      at < 0 && actual.length === wanted.length
        ? ''
        : `\n  got      ${actual[Math.max(at, 0)]}\n  expected ${wanted[Math.max(at, 0)]}`;
    assert.ok(detail === '', `${name} ${when}: ${actual.length} rows, expected ${wanted.length}${detail}`);
  }

  close(): Promise<void> {
    return this.#db.close();
  }
}
