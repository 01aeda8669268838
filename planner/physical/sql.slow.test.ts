/**
 * Queries against PostgreSQL, three ways: the bound plan and the rewritten plan by the reference interpreter, and the dataflow plan by
 * the operators, once in a single tick and once maintained through inserts, updates and deletions that end in the same tables.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { PGlite } from '@electric-sql/pglite';
import type { Datum } from '../../operators/datum.ts';
import { defaultContext } from '../../operators/expr/context.ts';
import { inputText } from '../../operators/expr/io/index.ts';
import { initParser } from '../parse/parse.ts';
import { rewrite } from '../rewrite/index.ts';
import { uniqueIds } from '../rewrite/unique_ids.ts';
import { planQuery } from './index.ts';
import { bindSql, interpret, isMissing, runPlan, type Tables, testLines, testRelation } from './test_sql.ts';
import { verifyPlan } from './verify.ts';

const RELATIONS = [
  testRelation(1, 'r', 'a int4, b int4'),
  testRelation(2, 's', 'c int4, d int4'),
  testRelation(3, 't', 'k int4, e int4, n numeric, x text, ts timestamp, big int8', { key: [0] }),
];
const OIDS = [16, 20, 23, 25, 700, 701, 1114, 1184, 1700, 1007, 1016, 1231];
const rawParsers = Object.fromEntries(OIDS.map((oid) => [oid, (v: string) => v]));

let db: PGlite;
let tables: Tables;

before(async () => {
  await initParser();
  db = await PGlite.create();
  await db.exec(readFileSync(new URL('./testdata/tables.sql', import.meta.url), 'utf8'));
  tables = new Map();
  for (const r of RELATIONS) {
    const { rows } = await db.query<(string | null)[]>(`select * from ${r.name}`, [], {
      rowMode: 'array',
      parsers: rawParsers,
    });
    const read = (v: string | null, i: number): Datum =>
      v === null ? null : inputText(v, r.columns[i].type, defaultContext());
    tables.set(
      r.oid,
      rows.map((row) => row.map(read)),
    );
  }
});

after(() => db.close());

async function postgres(sql: string): Promise<string[]> {
  const { rows } = await db.query<(string | null)[]>(sql, [], { rowMode: 'array', parsers: rawParsers });
  return rows.map((r) => r.map((v) => (v === null ? 'NULL' : String(v))).join(' | ')).sort();
}

/** Everything at once. */
function oneTick(): [number, Datum[], number][][] {
  return [[...tables].flatMap(([oid, rows]) => rows.map((row): [number, Datum[], number] => [oid, row, 1]))];
}

/** Some rows, rows that will go, the rest, deletions: at the end the tables are the same. */
function manyTicks(): [number, Datum[], number][][] {
  const all = oneTick()[0];
  const odd = all.filter((_, i) => i % 2 === 1);
  const even = all.filter((_, i) => i % 2 === 0);
  const gone = even.map(([oid, row]): [number, Datum[], number] => [oid, row.map((v, i) => (i === 0 ? v : null)), 1]);
  const back = gone.map(([oid, row]): [number, Datum[], number] => [oid, row, -1]);
  const again = odd.slice(0, 4);
  return [
    odd,
    gone,
    [],
    again.map(([oid, row]): [number, Datum[], number] => [oid, row, -1]),
    [...back, ...even.slice(0, 3)],
    [...again, ...even.slice(3)],
  ];
}

const CASES = [
  ...testLines('queries.sql').map((sql) => ({ sql, bound: true })),
  ...testLines('guarded.sql').map((sql) => ({ sql, bound: false })),
];

for (const { sql, bound: boundToo } of CASES) {
  test(sql, { timeout: 20_000 }, async (t) => {
    const wanted = await postgres(sql);
    const bound = bindSql(sql, RELATIONS, 'read');
    const cols = bound.columns.map((c) => c.col);
    if (boundToo) assert.deepEqual(interpret(bound.plan, cols, tables), wanted, 'the bound plan');
    const unique = uniqueIds(bound.plan);
    const renamed = cols.map((c) => ({ ...c, id: unique.ids.get(c.id) ?? c.id }));
    const rewritten = rewrite(unique.plan, new Set(renamed.map((c) => c.id)), { mode: 'read' });
    assert.deepEqual(interpret(rewritten, renamed, tables), wanted, 'the rewritten plan');
    for (const mode of ['read', 'view'] as const) {
      const { plan } = planQuery(bindSql(sql, RELATIONS, mode), { mode });
      verifyPlan(plan);
      try {
        assert.deepEqual(
          runPlan(plan, cols.length, RELATIONS, mode === 'read' ? oneTick() : manyTicks()),
          wanted,
          mode,
        );
      } catch (error) {
        if (!isMissing(error)) throw error;
        t.diagnostic(`not run: ${(error as Error).message}`);
      }
    }
  });
}
