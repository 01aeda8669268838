/**
 * For tests: rows of a query here (bound and run by the reference evaluator) and in PostgreSQL, as sorted texts.
 */
import type { PGlite } from '@electric-sql/pglite';
import type { Datum } from '../../operators/datum.ts';
import { SqlError } from '../../operators/errors.ts';
import { inputText, outputText } from '../../operators/expr/io/index.ts';
import { OID } from '../../operators/types.ts';
import type { CatalogReader } from '../catalog_reader.ts';
import { outputColumns } from '../logical/columns.ts';
import { evaluatePlan } from '../logical/evaluate.ts';
import { parse } from '../parse/parse.ts';
import { bindQuery } from './query.ts';
import { createSql, TABLES, testEnv } from './test_catalog.ts';
import { insertSql } from './test_rows.ts';

export type Tables = Map<number, Datum[][]>;

/** Makes and fills the test tables in PostgreSQL and reads them back as datums. */
export async function loadTables(db: PGlite, catalog: CatalogReader): Promise<Tables> {
  await db.exec("set timezone = 'UTC'");
  await db.exec(createSql());
  await db.exec(insertSql());
  const tables: Tables = new Map();
  const { evalContext } = testEnv(catalog);
  for (const name of Object.keys(TABLES)) {
    const relation = catalog.relation(undefined, name)!;
    const list = relation.columns.map((c) => `"${c.name}"::text`).join(', ');
    const result = await db.query<(string | null)[]>(`select ${list} from "${name}"`, [], { rowMode: 'array' });
    const rows = result.rows.map((r) =>
      r.map((v, i) => (v === null ? null : inputText(v, relation.columns[i].type, evalContext))),
    );
    tables.set(relation.oid, rows);
  }
  return tables;
}

/** The rows as texts, sorted; or one text `error SQLSTATE`. */
export async function rowsThere(db: PGlite, sql: string): Promise<string[]> {
  try {
    const wrapped = `select row_of_result::text from (${sql}) row_of_result`;
    const result = await db.query<[string]>(wrapped, [], { rowMode: 'array' });
    return result.rows.map((r) => r[0]).sort();
  } catch (e) {
    return [`error ${(e as { code: string }).code}`];
  }
}

/** As rowsThere; `failure ...` when something else than a SQL error happens. */
export function rowsHere(catalog: CatalogReader, tables: Tables, sql: string): string[] {
  const env = testEnv(catalog);
  try {
    const [statement] = parse(sql);
    if (statement.k !== 'select') return ['failure: no query'];
    const q = bindQuery(statement.query, env);
    const { rows, errors } = evaluatePlan(q.plan, { tables, context: env.evalContext });
    if (errors.length > 0) return [`error ${errors[0].sqlstate}`];
    const all = outputColumns(q.plan);
    const positions = q.columns.map((c) => all.findIndex((a) => a.id === c.col.id));
    const types = q.columns.map((c) => c.col.type.oid);
    const text = (r: Datum[]): string =>
      outputText({ k: 'record', types, values: positions.map((p) => r[p]) }, OID.record, env.evalContext);
    return rows.map(text).sort();
  } catch (e) {
    if (e instanceof SqlError) return [`error ${e.sqlstate}`];
    return [`failure ${(e as Error).stack}`];
  }
}
