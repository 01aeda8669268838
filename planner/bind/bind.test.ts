/**
 * Logical plans of the binder against testdata/plans.txt, and what PostgreSQL cannot be asked: windows, ASOF joins, views.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { SqlError } from '../../operators/errors.ts';
import { OID } from '../../operators/types.ts';
import type { CatalogReader } from '../catalog_reader.ts';
import { outputColumns } from '../logical/columns.ts';
import type { BoundQuery } from '../logical/plan.ts';
import { printLogical } from '../logical/print.ts';
import { freeIds } from '../logical/tree.ts';
import { parse } from '../parse/parse.ts';
import { bindQuery, bindScalar } from './index.ts';
import { initParser, testCatalog, testEnv } from './test_catalog.ts';

const GOLDEN = new URL('./testdata/plans.txt', import.meta.url);

let catalog: CatalogReader;

before(async () => {
  await initParser();
  catalog = testCatalog();
});

function bind(sql: string, mode: 'view' | 'read' = 'read'): BoundQuery {
  const [statement] = parse(sql);
  assert.ok(statement.k === 'select');
  return bindQuery(statement.query, testEnv(catalog, mode));
}

interface Golden {
  title: string;
  sql: string;
  plan: string;
}

function readGolden(): { head: string; cases: Golden[] } {
  const [head, ...blocks] = readFileSync(GOLDEN, 'utf8').split(/^== /m);
  const cases = blocks.map((b) => {
    const [title, sql, ...plan] = b.trimEnd().split('\n');
    return { title, sql, plan: plan.join('\n') };
  });
  return { head, cases };
}

/** The plan, and the delivery order when there is one. */
function planText(sql: string): string {
  const q = bind(sql);
  const order = q.order.map((o) => `#${o.id}${o.desc ? ' desc' : ''}`).join(', ');
  return printLogical(q.plan) + (order ? `\norder by ${order}` : '');
}

test('plans are as recorded', () => {
  const { head, cases } = readGolden();
  const now = cases.map((c) => ({ ...c, plan: planText(c.sql) }));
  if (process.env.UPDATE_GOLDEN) {
    writeFileSync(GOLDEN, head + now.map((c) => `== ${c.title}\n${c.sql}\n${c.plan}\n`).join('\n'));
    return;
  }
  for (const [i, c] of cases.entries()) assert.equal(now[i].plan, c.plan, `${c.title}: ${c.sql}`);
});

test('a plan has no free columns and gives every result column', () => {
  for (const { sql } of readGolden().cases) {
    const q = bind(sql);
    assert.deepEqual([...freeIds(q.plan)], [], sql);
    const ids = new Set(outputColumns(q.plan).map((c) => c.id));
    for (const { col } of q.columns) assert.ok(ids.has(col.id), sql);
    for (const o of q.order) assert.ok(ids.has(o.id), sql);
  }
});

/** Code, text and position of the error that binding gives. */
function refusal(body: () => unknown): string {
  try {
    body();
  } catch (e) {
    assert.ok(e instanceof SqlError, String(e));
    return `${e.sqlstate} ${e.message} at ${e.fields.position}`;
  }
  return 'accepted';
}

test('refusals of the streaming dialect', () => {
  const cases: [sql: string, error: string][] = [
    [
      "select * from tumble(bid, date_time, interval '1 month')",
      '0A000 the size of TUMBLE must not have months: they differ in length at 47',
    ],
    ["select * from tumble(bid, nosuch, '1 day')", '42703 column "nosuch" does not exist at 27'],
    [
      "select * from tumble(bid, price, '1 day')",
      '42804 the time column of TUMBLE must be type timestamp or timestamp with time zone, not type bigint at 27',
    ],
    ["select * from tumble(bid, date_time, '-1 day')", '22023 the size of TUMBLE must be greater than zero at 38'],
    ["select * from tumble(nosuch, date_time, '1 day')", '42P01 relation "nosuch" does not exist at 22'],
    ['select * from tumble(bid, date_time)', '42883 TUMBLE takes (relation, time column, size[, offset]) at 15'],
    [
      "select * from cumulate(bid, date_time, '7 hours', '1 day')",
      '22023 the size of CUMULATE must be a multiple of its step at 51',
    ],
    [
      'select * from bid b asof join auction a on a.id = b.auction',
      '42601 ASOF JOIN needs exactly one condition left.time >= right.time (or >) at 44',
    ],
    [
      'select * from bid b join t for system_time as of b.date_time on t.a = b.auction',
      '0A000 FOR SYSTEM_TIME AS OF needs a stream with a WATERMARK, which "t" is not at undefined',
    ],
  ];
  for (const [sql, error] of cases)
    assert.equal(
      refusal(() => bind(sql)),
      error,
      sql,
    );
});

test('a view refuses volatile functions, a read does not', () => {
  for (const call of ['random()', 'clock_timestamp()', 'gen_random_uuid()', 'timeofday()']) {
    assert.match(
      refusal(() => bind(`select ${call} from t`, 'view')),
      /^0A000 function \w+ is volatile/,
    );
    assert.equal(
      refusal(() => bind(`select ${call} from t`)),
      'accepted',
    );
  }
  assert.equal(
    refusal(() => bind('select now() from t where d > current_timestamp', 'view')),
    'accepted',
  );
});

test('a view has no delivery order; a read names the columns it is sorted by', () => {
  assert.deepEqual(bind('select a from t order by b', 'view').order, []);
  const q = bind('select a from t order by b desc');
  assert.equal(q.order.length, 1);
  assert.equal(q.columns.length, 1);
  assert.notEqual(q.order[0].id, q.columns[0].col.id);
});

test('dependencies hold views and what they read', () => {
  const names = bind('select * from v2').dependencies.map((oid) => catalog.relationByOid(oid)!.name);
  assert.deepEqual(names.sort(), ['t', 'u', 'v', 'v2']);
});

test('result columns know the table column they come from', () => {
  const t = catalog.relation(undefined, 't')!;
  const origins = bind('select b, s.a, a + 1 from (select a, b from t) s').columns.map((c) => c.origin);
  assert.deepEqual(origins, [{ relation: t.oid, attnum: 2 }, { relation: t.oid, attnum: 1 }, undefined]);
});

test('AS OF goes into the bound query where the caller can read so, and is refused elsewhere', () => {
  const [statement] = parse('select a from t as of 42');
  assert.ok(statement.k === 'select');
  const { asOf } = bindQuery(statement.query, { ...testEnv(catalog), allowAsOf: true });
  assert.deepEqual(asOf, { k: 'const', v: 42, t: { oid: OID.int4, typmod: -1 } });
  assert.match(
    refusal(() => bind('select a from t as of 42')),
    /^0A000 reading AS OF/,
  );
});

/** The value of `select <expression>` as a node, with its text. */
function node(expression: string) {
  const [statement] = parse(`select ${expression}`);
  assert.ok(statement.k === 'select');
  return [statement.query.select.targetList[0].ResTarget.val, statement.text] as const;
}

test('bindScalar binds defaults and options', () => {
  const env = testEnv(catalog);
  const target = { oid: OID.numeric, typmod: -1 };
  const bound = bindScalar(...node('1 + 1'), env, { target, place: 'default' });
  assert.equal(bound.t.oid, OID.numeric);
  assert.match(
    refusal(() => bindScalar(...node('sum(1)'), env, { place: 'default' })),
    /^42803 .* DEFAULT expressions/,
  );
  assert.match(
    refusal(() => bindScalar(...node('(select 1)'), env, { place: 'default' })),
    /^0A000 cannot use subquery/,
  );
  assert.match(
    refusal(() => bindScalar(...node('a'), env, { place: 'default' })),
    /^0A000 cannot use column reference/,
  );
  assert.match(
    refusal(() => bindScalar(...node("'x'::text"), env, { target, place: 'default' })),
    /^42804 /,
  );
});

test('a deep expression is an error, not a crash', () => {
  const deep = `select ${'case when true then '.repeat(900)}1${' end'.repeat(900)}`;
  assert.match(
    refusal(() => bind(deep)),
    /^54001|accepted/,
  );
});

test('the branch of CASE that does not convert is named', () => {
  const refuses = (sql: string, sqlstate: string, message: string) => {
    assert.throws(() => bind(sql), { sqlstate, message }, sql);
  };
  const cannot = (what: string, from: string, to: string) => `${what} could not convert type ${from} to ${to}`;
  const json = "CASE WHEN true THEN '{}'::json";
  const jsonb = "'{}'::jsonb";
  refuses(`SELECT ${json} ELSE ${jsonb} END`, '42846', cannot('CASE/WHEN', 'json', 'jsonb'));
  refuses(`SELECT ${json} WHEN false THEN ${jsonb} END`, '42846', cannot('CASE/WHEN', 'jsonb', 'json'));
  refuses(`SELECT coalesce(${jsonb}, '{}'::json)`, '42846', cannot('COALESCE', 'json', 'jsonb'));
  refuses(`SELECT ARRAY[${jsonb}, '{}'::json]`, '42846', cannot('ARRAY', 'json', 'jsonb'));
  refuses('SELECT CASE WHEN true THEN 1 ELSE true END', '42804', 'CASE types boolean and integer cannot be matched');
});
