/**
 * Whole meaning: every query of testdata/queries.sql is bound, its plan is run by the reference evaluator, and the rows are compared
 * with PostgreSQL's over the same tables. Order is left out (a plan is a bag); queries that depend on the clock, or are
 * marked `describe only`, are skipped.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { PGlite } from '@electric-sql/pglite';
import type { Datum } from '../../operators/datum.ts';
import { SqlError } from '../../operators/errors.ts';
import { inputText, outputText } from '../../operators/expr/io/index.ts';
import { OID } from '../../operators/types.ts';
import type { CatalogReader } from '../catalog_reader.ts';
import { outputColumns } from '../logical/columns.ts';
import { evaluatePlan } from '../logical/evaluate.ts';
import { parse } from '../parse/parse.ts';
import { bindQuery } from './query.ts';
import { createSql, initParser, TABLES, testCatalog, testEnv } from './test_catalog.ts';
import { insertSql } from './test_rows.ts';

let db: PGlite;
const tables = new Map<number, Datum[][]>();
let catalog: CatalogReader;

before(async () => {
  await initParser();
  catalog = testCatalog();
  db = await PGlite.create();
  await db.exec("set timezone = 'UTC'");
  await db.exec(createSql());
  await db.exec(insertSql());
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
});

after(() => db.close());

/** Not fixed by the data: the clock, the session, parameters, system columns, random values. */
const OPEN =
  /\$\d|now\(|current_|local|random|clock_|session_user|\buser\b|version\(|tableoid|regclass|pg_typeof|pg_backend|'now'|gen_random|describe only/i;

function lines(file: string): string[] {
  return readFileSync(new URL(`./testdata/${file}`, import.meta.url), 'utf8')
    .split('\n')
    .filter((l) => l.trim() !== '' && !l.startsWith('--') && !OPEN.test(l));
}

/** The rows as texts, sorted; or the error's SQLSTATE. */
async function there(sql: string): Promise<string[]> {
  try {
    const result = await db.query<[string]>(`select row_of_result::text from (${sql}) row_of_result`, [], {
      rowMode: 'array',
    });
    return result.rows.map((r) => r[0]).sort();
  } catch (e) {
    return [`error ${(e as { code: string }).code}`];
  }
}

function here(sql: string): string[] {
  const env = testEnv(catalog);
  try {
    const [statement] = parse(sql);
    assert.ok(statement.k === 'select');
    const q = bindQuery(statement.query, env);
    const { rows, errors } = evaluatePlan(q.plan, { tables, context: env.evalContext });
    if (errors.length > 0) return [`error ${errors[0].sqlstate}`];
    const all = outputColumns(q.plan);
    const positions = q.columns.map((c) => all.findIndex((a) => a.id === c.col.id));
    const types = q.columns.map((c) => c.col.type.oid);
    return rows
      .map((r) => outputText({ k: 'record', types, values: positions.map((p) => r[p]) }, OID.record, env.evalContext))
      .sort();
  } catch (e) {
    if (e instanceof SqlError) return [`error ${e.sqlstate}`];
    return [`failure ${(e as Error).stack}`];
  }
}

test('queries.sql: same rows as PostgreSQL', { timeout: 120_000 }, async () => {
  const wrong: string[] = [];
  for (const sql of lines('queries.sql')) {
    const [ours, theirs] = [here(sql), await there(sql)];
    if (ours.join('\n') === theirs.join('\n')) continue;
    wrong.push(`${sql}\n  here:  ${ours.slice(0, 6).join(' ; ')}\n  there: ${theirs.slice(0, 6).join(' ; ')}`);
  }
  assert.equal(wrong.length, 0, `${wrong.length} queries differ\n${wrong.join('\n')}`);
});
