/**
 * Views of the same queries, made by sessions with other settings (TimeZone, DateStyle, IntervalStyle, extra_float_digits, bytea_output): each is what
 * PostgreSQL gives its own session for its query, whichever view was made first, before and after the rows, and after a kill. And times that plain
 * views, functions and defaults say: they mean to all readers what they meant to who wrote them.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PGlite, types } from '@electric-sql/pglite';
import type { EvalContext } from '../../operators/expr/ir.ts';
import { parse } from '../../planner/parse/parse.ts';
import { MemoryDisk } from '../../src/durable/testing/memory_disk.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { localSession } from '../../src/runtime/local_session.ts';
import { openOn } from '../durable/over_restarts.ts';
import { drain, seeded } from './harness.ts';

type Settings = Pick<EvalContext, 'timeZone' | 'dateStyle' | 'intervalStyle' | 'extraFloatDigits' | 'byteaOutput'> &
  Partial<Pick<EvalContext, 'searchPath'>>;

const SETTINGS: Settings[] = [
  { timeZone: 'UTC', dateStyle: 'ISO, MDY', intervalStyle: 'postgres', extraFloatDigits: 1, byteaOutput: 'hex' },
  {
    timeZone: 'America/New_York',
    dateStyle: 'SQL, DMY',
    intervalStyle: 'iso_8601',
    extraFloatDigits: -5,
    byteaOutput: 'escape',
  },
];

const TABLE = `CREATE TABLE t (id int PRIMARY KEY, ts timestamp, tz timestamptz, d date, i interval, f float8, b bytea, x text, y text, r tstzrange,
  j jsonb, a timestamptz[])`;
const ROWS = `INSERT INTO t VALUES
  (1, '2024-03-10 01:30', '2024-03-10 06:30Z', '2024-03-10', '1 day 02:03:04', 0.1, '\\x00ff41', '2024-03-10 02:30', '01/02/2024',
    '[2024-03-10 05:00Z, 2024-03-11 04:00Z)', '{"t": "2024-03-10T01:30:00", "f": 0.1}', '{2024-03-10 06:30Z}'),
  (2, '2024-03-10 00:00', '2024-03-10 00:00Z', '2024-03-09', '1 mon', 1.2345678901234567, '\\x41', '2024-03-10 00:00+05', '03/04/2024',
    '[2024-03-09 18:30Z, 2024-03-10 18:30Z]', '{"t": "2024-03-10"}', '{2024-03-09 18:30Z, NULL}'),
  (3, '2024-03-10 05:30', '2024-03-10 05:00Z', '2024-03-10', '-3 hours', 1e10, NULL, '2024-03-11', '05/06/2024', '(,)',
    '{"t": "2024-03-10T05:30:00+05:30"}', '{}'),
  (4, '2024-03-11 00:00', '2024-03-11 04:00Z', '2024-03-11', '1 day', 3.3333333333333335, '\\x0a', '2024-11-03 01:30', '12/11/2024', 'empty',
    '{"t": "2024-03-11"}', NULL)`;

const QUERIES = [
  'SELECT id, tz::text, tz::date, ts::timestamptz, x::timestamptz, y::date FROM t',
  'SELECT id, d::text, i::text, f::text, b::text FROM t',
  'SELECT id, tz::text, tz = ANY (a), ts = ANY (a), array_to_string(a, $$,$$) FROM t',
  'SELECT a.id, b.id FROM t a JOIN t b ON a.ts = b.tz',
  'SELECT a.id, b.id FROM t a LEFT JOIN t b ON a.d < b.tz AND a.id = b.id',
  'SELECT a.id, b.id FROM t a FULL JOIN t b ON a.ts = b.tz',
  'SELECT id FROM t WHERE ts NOT IN (SELECT tz FROM t)',
  'SELECT id FROM t WHERE (ts, id) < (tz, id)',
  'SELECT id FROM t WHERE (id, ts) IN (SELECT id, tz FROM t)',
  'SELECT id FROM t a WHERE NOT EXISTS (SELECT FROM t b WHERE b.id = a.id AND b.d = a.tz::date)',
  'SELECT ts FROM t UNION SELECT tz FROM t',
  'SELECT tz FROM t EXCEPT SELECT ts FROM t',
  'SELECT coalesce(tz, ts), greatest(tz, ts), CASE WHEN id > 2 THEN tz ELSE d END FROM t',
  "SELECT id, tz + interval '1 day', tz + i, date_trunc('day', tz), extract(hour FROM tz), age(tz, ts) FROM t",
  "SELECT id, to_char(tz, 'HH24 TZ'), concat(tz, f), format('%s %s', tz, f), t::text FROM t",
  "SELECT id, g FROM t, generate_series(tz, tz + interval '2 days', interval '1 day') g",
  'SELECT id, r::text, lower(r)::date, r @> ts::timestamptz FROM t',
  'SELECT id, to_json(tz), to_jsonb(f), jsonb_build_object($$a$$, tz), row_to_json(t), to_jsonb(t) FROM t',
  'SELECT json_agg(tz ORDER BY id), jsonb_agg(f ORDER BY id), json_object_agg(id, tz) FROM t',
  'SELECT id % 2, jsonb_object_agg(tz, id) FROM t GROUP BY id % 2',
  'SELECT id, json_agg(tz) OVER (ORDER BY id ROWS 1 PRECEDING) FROM t',
  "SELECT array_agg(tz::text ORDER BY id), string_agg(d::text, ',' ORDER BY d) FROM t",
  'SELECT tz::date, count(*), max(tz::time) FROM t GROUP BY tz::date HAVING tz::date > d_of(1)',
  "SELECT id, count(*) OVER (ORDER BY tz RANGE BETWEEN interval '1 day' PRECEDING AND CURRENT ROW) FROM t",
  'SELECT DISTINCT ON (tz::date) id FROM t ORDER BY tz::date, id',
  'SELECT a.id, q.id FROM t a, LATERAL (SELECT b.id FROM t b WHERE b.d < a.tz ORDER BY b.tz::time, b.id LIMIT 1) q',
  "WITH RECURSIVE r(t, n) AS (SELECT min(tz), 0 FROM t UNION ALL SELECT t + interval '1 day', n + 1 FROM r WHERE n < 3) SELECT t, t::date, n FROM r",
  "SELECT id, jsonb_path_query_first_tz(j, '$.t.datetime()') FROM t",
  'SELECT id, q.t FROM t, jsonb_to_record(j) AS q(t timestamptz)',
  'SELECT id, q.t FROM t, jsonb_to_recordset(jsonb_build_array(j)) AS q(t timestamptz)',
  "SELECT id, q.t FROM t, json_table(j, '$' COLUMNS (t timestamptz PATH '$.t')) q",
  "SELECT id, json_value(j, '$.t' RETURNING timestamptz), (j ->> 't')::timestamptz FROM t",
  "SELECT id, to_timestamp(x, 'YYYY-MM-DD HH24:MI'), make_timestamptz(2024, 3, id, 1, 2, 3), tz AT TIME ZONE 'UTC' FROM t",
  "SELECT id, '2024-03-10'::timestamptz, '01/02/2024'::date FROM t WHERE tz >= '2024-03-10'",
].map((query) => query.replace('d_of(1)', "'2024-01-02'"));

const asText = Object.fromEntries([...Object.values(types), 1009, 1185].map((oid) => [oid, (text: string) => text]));
const inOrder = (rows: unknown[][]) => rows.map((row) => JSON.stringify(row)).sort();

async function here(engine: TidemarkEngine, settings: Settings, sql: string): Promise<string[]> {
  const session = localSession(engine, undefined, settings);
  const result = await engine.execute(engine.prepare(parse(sql)[0], [], session), [], session, AbortSignal.any([]));
  if (result.kind !== 'rows') {
    await session.transaction.commit();
    return [];
  }
  try {
    return inOrder(await drain(result, session.evalContext));
  } finally {
    result.rows.close();
  }
}

async function there(postgres: PGlite, settings: Settings, sql: string): Promise<{ rows: string[]; columns: number }> {
  const { timeZone, dateStyle, intervalStyle, extraFloatDigits, byteaOutput } = settings;
  await postgres.exec(`SET TimeZone = '${timeZone}'; SET DateStyle = '${dateStyle}'; SET IntervalStyle = '${intervalStyle}';
    SET extra_float_digits = ${extraFloatDigits}; SET bytea_output = '${byteaOutput}'`);
  const [result] = await postgres.exec(sql, { rowMode: 'array', parsers: asText });
  return { rows: inOrder(result.rows as unknown as unknown[][]), columns: result.fields.length };
}

test('a view is its query under the settings of the session that made it', { timeout: 120_000 }, async () => {
  const { random } = seeded('settings of views');
  const postgres = await PGlite.create();
  const disk = new MemoryDisk();
  let engine = await openOn(disk);
  const [utc] = SETTINGS;
  await here(engine, utc, TABLE);
  await there(postgres, utc, TABLE);
  await there(postgres, utc, ROWS);
  const expected = new Map<string, { settings: Settings; query: string; rows: string[] }>();
  const make = async (at: number) => {
    const query = QUERIES[at];
    for (const i of random(2) === 0 ? [0, 1] : [1, 0]) {
      const { rows, columns } = await there(postgres, SETTINGS[i], query);
      const names = Array.from({ length: columns }, (_, c) => `c${c}`);
      const view = `v${at}_${i}`;
      await here(engine, SETTINGS[i], `CREATE MATERIALIZED VIEW ${view}(${names}) AS ${query}`);
      expected.set(view, { settings: SETTINGS[i], query, rows });
    }
  };
  const same = async (when: string) => {
    for (const [view, { settings, query, rows }] of expected) {
      const label = `${when}: ${settings.timeZone}, ${query}`;
      assert.deepEqual(await here(engine, settings, `SELECT * FROM ${view}`), rows, label);
      assert.deepEqual(await here(engine, settings, query), rows, `read, ${label}`);
    }
  };
  const before = QUERIES.map(() => random(2) === 0);
  for (const [at, first] of before.entries()) if (first) await make(at);
  await here(engine, utc, ROWS);
  for (const [at, first] of before.entries()) if (!first) await make(at);
  await same('live');
  const crashed = disk.crash(() => 0);
  await engine.close();
  engine = await openOn(crashed);
  await same('after a kill');
  await here(engine, SETTINGS[1], 'DELETE FROM t');
  await here(engine, utc, ROWS);
  await same('rows gone and come again');
  await engine.close();
  await postgres.close();
});

const WRITTEN = [
  "CREATE VIEW later AS SELECT id FROM t WHERE d > '10/03/2024'",
  "CREATE VIEW from_midnight AS SELECT id, tz::date AS d FROM t WHERE tz >= '2024-03-10'",
  "CREATE VIEW among AS SELECT id FROM t WHERE tz IN ('2024-03-10', '2024-03-09 19:00') OR tz = ANY ('{2024-03-11}')",
  "CREATE VIEW said AS SELECT timestamptz '2024-03-10' AS a, date '05/06/2024' AS b, interval '-1-2 -3 -4:05:06' AS c, INTERVAL '1' DAY AS e",
  "CREATE VIEW chosen AS SELECT id, CASE WHEN id = 1 THEN d ELSE '05/06/2024' END AS d FROM t UNION ALL SELECT 0, '07/08/2024'",
  "CREATE VIEW listed AS SELECT * FROM (VALUES (date '05/06/2024'), ('07/08/2024')) AS v(d)",
  'CREATE VIEW read_by_reader AS SELECT id, y::date AS d FROM t',
  'CREATE VIEW of_views AS SELECT * FROM from_midnight NATURAL JOIN t WHERE i < interval $$1-0$$',
  "CREATE FUNCTION ends() RETURNS date LANGUAGE sql RETURN date '05/06/2024'",
  "CREATE FUNCTION begins(a date DEFAULT '05/06/2024') RETURNS date LANGUAGE sql AS $$ SELECT a $$",
  "CREATE DOMAIN due AS date DEFAULT '05/06/2024'",
  "CREATE TABLE made (id int, d date DEFAULT '05/06/2024', at timestamptz DEFAULT '2024-03-10', due due)",
  "ALTER TABLE made ADD COLUMN more date DEFAULT '07/08/2024', ALTER id SET DEFAULT date '05/06/2024' - date '01/06/2024'",
];
const READ = [
  ...['later', 'from_midnight', 'among', 'said', 'chosen', 'listed', 'read_by_reader'].map(
    (view) => `SELECT * FROM ${view}`,
  ),
  'SELECT id FROM of_views',
  'SELECT ends(), begins()',
  'SELECT * FROM made',
];

test('times that are written mean what they meant to who wrote them', { timeout: 120_000 }, async () => {
  const postgres = await PGlite.create();
  const [utc, other] = SETTINGS;
  const writer = { ...other, intervalStyle: 'sql_standard' };
  const disk = new MemoryDisk();
  let engine = await openOn(disk);
  for (const sql of [TABLE, ROWS]) {
    await here(engine, utc, sql);
    await there(postgres, utc, sql);
  }
  for (const sql of WRITTEN) {
    await here(engine, writer, sql);
    await there(postgres, writer, sql);
  }
  for (const sql of READ.slice(0, 6))
    await here(engine, utc, `CREATE MATERIALIZED VIEW kept_${sql.split(' ').at(-1)} AS ${sql}`);
  const same = async (when: string) => {
    for (const settings of [utc, writer]) {
      await here(engine, settings, 'INSERT INTO made DEFAULT VALUES');
      await there(postgres, settings, 'INSERT INTO made DEFAULT VALUES');
      for (const sql of READ) {
        const { rows } = await there(postgres, settings, sql);
        assert.deepEqual(await here(engine, settings, sql), rows, `${when}: ${settings.timeZone}, ${sql}`);
      }
    }
    for (const sql of READ.slice(0, 6)) {
      const { rows } = await there(postgres, utc, sql);
      assert.deepEqual(await here(engine, utc, sql.replace('FROM ', 'FROM kept_')), rows, `${when}: kept, ${sql}`);
    }
  };
  await same('live');
  for (const sql of ['ALTER TABLE t RENAME TO u', 'ALTER TABLE u RENAME COLUMN d TO day']) {
    await here(engine, utc, sql);
    await there(postgres, utc, sql);
  }
  await same('renamed');
  const crashed = disk.crash(() => 0);
  await engine.close();
  engine = await openOn(crashed);
  await same('after a kill');
  await here(engine, utc, 'CHECKPOINT');
  await engine.close();
  engine = await openOn(crashed);
  await same('of a checkpoint');
  const apart = { ...utc, searchPath: ['apart'] };
  await here(engine, utc, 'CREATE SCHEMA apart');
  await here(engine, apart, 'CREATE TABLE t (id int)');
  await here(engine, apart, "CREATE VIEW named AS SELECT 't'::regclass = 'apart.t'::regclass AS same");
  assert.deepEqual(await here(engine, utc, 'SELECT * FROM apart.named'), ['["t"]']);
  // What pg_dump writes is read by a session of its own.
  assert.deepEqual(
    await here(engine, utc, "SELECT pg_get_viewdef('from_midnight'::regclass) LIKE '%2024-03-10 05:00:00+00%'"),
    ['["t"]'],
  );
  await engine.close();
  await postgres.close();
});

test('what is shown of conditions, generated columns, indexes and bodies means the same to who runs it again', async () => {
  const [utc, other] = SETTINGS;
  const engine = await openOn(new MemoryDisk());
  const apart = { ...other, searchPath: ['apart', 'public'] };
  for (const sql of [
    'CREATE SCHEMA apart',
    'CREATE TABLE apart.u (id int)',
    `CREATE TABLE made (id int, d date CHECK (d <> '05/06/2024'), at timestamptz, of regclass CHECK (of <> 'u'::regclass),
       n int GENERATED ALWAYS AS (CASE WHEN d < '07/08/2024' THEN 1 ELSE 2 END) STORED)`,
    "CREATE INDEX early ON made ((d - '05/06/2024'::date)) WHERE at < '2024-03-10'",
    "CREATE DOMAIN due AS date CHECK (VALUE > '05/06/2024')",
    `CREATE FUNCTION seen(a timestamptz) RETURNS bigint LANGUAGE sql
       BEGIN ATOMIC SELECT count(*) FROM u WHERE a > '2024-03-10' AND EXISTS (SELECT FROM u WHERE id > 0); END`,
  ])
    await here(engine, apart, sql.replace('CREATE TABLE made', 'CREATE TABLE public.made'));
  const shown = async (sql: string) => (await here(engine, utc, `SELECT ${sql}`)).map((row) => JSON.parse(row)[0]);
  assert.deepEqual(await shown("pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'c'"), [
    "CHECK ((VALUE > '2024-06-05'))",
    "CHECK ((d <> '2024-06-05'))",
    "CHECK ((of <> 'apart.u'::regclass))",
  ]);
  assert.deepEqual(await shown('pg_get_expr(adbin, adrelid) FROM pg_attrdef'), [
    "CASE WHEN d < '2024-08-07' THEN 1 ELSE 2 END",
  ]);
  const [index] = await shown("pg_get_indexdef('early'::regclass)");
  assert.ok(index.includes("'2024-06-05'::date") && index.includes("'2024-03-10 05:00:00+00'"), index);
  const [body] = await shown("pg_get_functiondef('apart.seen'::regproc)");
  const expected = 'FROM apart.u WHERE a > $$2024-03-10 05:00:00+00$$ AND EXISTS (SELECT FROM apart.u WHERE id > 0)';
  assert.ok(body.includes(expected.replaceAll('$$', "'")), body);
  // Bound again, by who reads dates in another way.
  await here(engine, utc, 'ALTER TABLE made DROP COLUMN n');
  await here(engine, utc, 'ALTER TABLE made ALTER COLUMN d TYPE timestamp');
  await here(engine, utc, "INSERT INTO made VALUES (1, '2024-05-06')");
  await assert.rejects(here(engine, utc, "INSERT INTO made VALUES (1, '2024-06-05')"), /made_d_check/);
  await engine.close();
});
