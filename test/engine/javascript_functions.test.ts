/** Functions in JavaScript in statements and in what is kept up to date: beside the same functions run by Node, and what is refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withScratch } from '../../operators/batch/arena.ts';
import { batchFromRows } from '../../operators/batch/builder.ts';
import { SqlError } from '../../operators/errors.ts';
import { turn } from '../../operators/turn.ts';
import { parse } from '../../planner/parse/parse.ts';
import type { Result } from '../../src/engine.ts';
import { PgCatalog } from '../../src/postgres/catalog/pg_catalog.ts';
import { toSqlError } from '../../src/postgres/session/report_error.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { localSession } from '../../src/runtime/local_session.ts';
import { openEngine, seeded, sql } from './harness.ts';

const { random, seed } = seeded('functions in JavaScript');
const pick = <T>(list: readonly T[]): T => list[random(list.length)];
const QUICK = process.env.TIDEMARK_QUICK === '1';

async function opened(): Promise<TidemarkEngine> {
  const engine = await openEngine();
  engine.system.catalogs = new PgCatalog(engine);
  return engine;
}

/** Rows of the last statement, or the error. */
async function said(engine: TidemarkEngine, text: string): Promise<unknown> {
  try {
    return await sql(engine, text);
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    return `${error.sqlstate} ${error.message.replace(/^line \d+: /, '')}`;
  }
}

const BODIES = [
  'return a + b',
  'if (a % 4 === 0) throw new Error("four " + a); return a - b',
  'return a > 5 ? null : a * b',
  'let s = 0; for (const c of String(a * 7 + (b ?? 0))) s += Number(c); return s',
  'return [a, b, 3].sort((x, y) => x - y)[1]',
  'return a / 2',
  'if (b === null) return undefined; return (a ^ b) & 31',
  'globalThis.n = 1; return a',
  'const m = new Map([[a, b]]); return m.get(a) ?? -1',
  'return /(\\d)$/.exec(String(a))[1] * 2',
];

/** What the function gives, in Node: a number, null, or that it fails. */
function inNode(body: string, a: number, b: number | null): number | null | 'fails' {
  try {
    const frozen = body.replace('globalThis.n = 1', 'throw 1');
    const value = new Function('a', 'b', `"use strict"; ${frozen}`)(a, b);
    if (value === null || value === undefined) return null;
    return Number.isInteger(value) ? value : 'fails';
  } catch {
    return 'fails';
  }
}

test('views over functions are what Node makes of the rows, whatever comes and goes', async () => {
  const engine = await opened();
  const rows = new Map<number, [a: number, b: number | null]>();
  await sql(engine, 'CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL, b int)');
  const bodies = Array.from({ length: 4 }, () => pick(BODIES));
  for (const [i, body] of bodies.entries()) {
    await sql(engine, `CREATE FUNCTION f${i}(a int, b int) RETURNS int LANGUAGE javascript IMMUTABLE AS $$ ${body} $$`);
    await sql(
      engine,
      `CREATE MATERIALIZED VIEW v${i} AS SELECT id, f${i}(a, b) AS r FROM t;
       CREATE MATERIALIZED VIEW w${i} AS SELECT f${i}(a, b) AS r, count(*) AS n FROM t WHERE f${i}(a, b) >= 3 GROUP BY 1`,
    );
  }
  for (let step = 0; step < (QUICK ? 6 : 25); step++) {
    const changes = Array.from({ length: 1 + random(8) }, () => {
      const id = random(40);
      const old = rows.get(id);
      if (old !== undefined && random(3) === 0) {
        rows.delete(id);
        return `DELETE FROM t WHERE id = ${id}`;
      }
      const row: [number, number | null] = [random(12), random(4) === 0 ? null : random(9)];
      rows.set(id, row);
      const [a, b] = [row[0], row[1] ?? 'NULL'];
      return old === undefined
        ? `INSERT INTO t VALUES (${id}, ${a}, ${b})`
        : `UPDATE t SET a = ${a}, b = ${b} WHERE id = ${id}`;
    });
    await sql(engine, changes.join(';'));
    for (const [i, body] of bodies.entries()) {
      const told = `f${i}: ${body}, seed ${seed}`;
      const results = [...rows].map(([id, [a, b]]): [number, number | null | 'fails'] => [id, inNode(body, a, b)]);
      const good = results.filter(([, r]) => r !== 'fails') as [number, number | null][];
      const expected = good.sort(([x], [y]) => x - y).map(([id, r]) => [String(id), r === null ? null : String(r)]);
      assert.deepEqual(await sql(engine, `SELECT id, r FROM v${i} ORDER BY id`), expected, told);
      assert.deepEqual(
        await sql(engine, `SELECT count(*) FROM tidemark.errors('v${i}')`),
        [[String(results.length - good.length)]],
        told,
      );
      const counts = new Map<number, number>();
      for (const [, r] of good) if (r !== null && r >= 3) counts.set(r, (counts.get(r) ?? 0) + 1);
      const groups = [...counts].sort(([x], [y]) => x - y).map((pair) => pair.map(String));
      assert.deepEqual(await sql(engine, `SELECT r, n FROM w${i} ORDER BY r`), groups, told);
    }
  }
});

test('functions stand where expressions may', async () => {
  const engine = await opened();
  await sql(
    engine,
    `CREATE TABLE t (id int PRIMARY KEY, a numeric, c text);
     INSERT INTO t SELECT i, i * 1.5, CASE WHEN i % 2 = 0 THEN 'x' END FROM generate_series(1, 600) i;
     CREATE FUNCTION risk(amount numeric, country text DEFAULT 'x') RETURNS double precision LANGUAGE javascript IMMUTABLE
       AS $$ return Number(amount) * (country === 'x' ? 2 : 1) $$;
     CREATE FUNCTION twice(int) RETURNS int LANGUAGE javascript IMMUTABLE STRICT AS 'return $1 * 2';
     CREATE FUNCTION joined(VARIADIC parts text[]) RETURNS text LANGUAGE javascript IMMUTABLE AS $$ return parts.join('-') $$;
     CREATE DOMAIN small AS int CHECK (VALUE < 10);
     CREATE FUNCTION smaller(a small) RETURNS small LANGUAGE javascript IMMUTABLE AS 'return a * 2';
     CREATE FUNCTION pair(a int, OUT b int) LANGUAGE javascript IMMUTABLE AS 'return a + 1'`,
  );
  assert.deepEqual(
    await said(
      engine,
      `SELECT risk(1.5), risk(1, NULL), risk(country => 'y', amount => 2), joined('a', 'b'), twice(NULL), pair(1)`,
    ),
    [['3', '1', '2', 'a-b', null, '2']],
  );
  assert.deepEqual(
    await said(
      engine,
      `SELECT twice(twice(id)), CASE WHEN id > 0 THEN 1 ELSE twice(2147483647) END FROM t WHERE id = 3`,
    ),
    [['12', '1']],
  );
  assert.deepEqual(await said(engine, 'SELECT sum(twice(id)), max(risk(a, c)) FROM t WHERE twice(id) > 10'), [
    ['360570', '1800'],
  ]);
  assert.deepEqual(await said(engine, 'SELECT twice(twice(id) + twice(id)) AS x FROM t ORDER BY twice(-id) LIMIT 2'), [
    ['4800'],
    ['4792'],
  ]);
  assert.deepEqual(await said(engine, 'SELECT count(*) FROM t x JOIN t y ON twice(x.id) = y.id'), [['300']]);
  assert.equal(
    await said(engine, 'SELECT smaller(4), smaller(5)'),
    '23514 value for domain small violates check constraint "small_check"',
  );
  await sql(
    engine,
    `CREATE TABLE g (a int CHECK (twice(a) < 100), b int GENERATED ALWAYS AS (twice(a)) STORED, c int DEFAULT twice(21));
     INSERT INTO g (a) VALUES (1), (2);
     CREATE INDEX gi ON g (twice(a)) WHERE twice(a) > 2;
     CREATE MATERIALIZED VIEW joins AS SELECT g.a, t.c FROM g JOIN t ON t.id = twice(g.a)`,
  );
  assert.deepEqual(await said(engine, 'SELECT * FROM g WHERE twice(a) = 4'), [['2', '4', '42']]);
  assert.deepEqual(await said(engine, 'SELECT * FROM joins ORDER BY a'), [
    ['1', 'x'],
    ['2', 'x'],
  ]);
  assert.equal(
    await said(engine, 'INSERT INTO g (a) VALUES (50)'),
    '23514 new row for relation "g" violates check constraint "g_a_check"',
  );
  assert.deepEqual(await said(engine, 'UPDATE g SET a = twice(a) RETURNING *'), [
    ['2', '4', '42'],
    ['4', '8', '42'],
  ]);
});

test('calls of constants are constants where they are brief, and give the same where they are not', async () => {
  const engine = await opened();
  await sql(
    engine,
    `CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 600);
     CREATE FUNCTION f(a int) RETURNS int LANGUAGE javascript IMMUTABLE AS 'for (let i = 0; i < a * 100; i++); return a + 1';
     CREATE FUNCTION fails(a int) RETURNS int LANGUAGE javascript IMMUTABLE AS 'throw a'`,
  );
  const plan = async (key: string) =>
    (await sql(engine, `EXPLAIN SELECT * FROM t WHERE id = ${key}`)).flat().join('\n');
  for (const key of ['f(1)', 'f(f(1) + 1) + f(2)', 'f(NULL)']) assert.doesNotMatch(await plan(key), /calls f/, key);
  assert.match(await plan('f(1)'), /lookup \(2\)/);
  for (const key of ['f(500)', 'fails(1)']) assert.match(await plan(key), /calls f/, key);
  assert.deepEqual(await said(engine, 'SELECT id FROM t WHERE id = f(1) OR id = f(500)'), [['2'], ['501']]);
  assert.deepEqual(await said(engine, 'SELECT 1 FROM t WHERE id < 0 AND id = fails(1)'), []);
});

test('volatile arguments are worked out once a row', async () => {
  const engine = await opened();
  await sql(
    engine,
    "CREATE SEQUENCE s; CREATE FUNCTION f(a bigint) RETURNS bigint LANGUAGE javascript IMMUTABLE AS 'return a * 2n'; CREATE TABLE t (a bigint)",
  );
  assert.deepEqual(await said(engine, "SELECT sum(f(nextval('s'))) FROM generate_series(1, 600)"), [['360600']]);
  await sql(engine, "INSERT INTO t SELECT f(nextval('s')) FROM generate_series(1, 300)");
  assert.deepEqual(await said(engine, "SELECT count(DISTINCT a), nextval('s') FROM t"), [['300', '901']]);
});

test('sets of rows stand in FROM', async () => {
  const engine = await opened();
  await sql(
    engine,
    `CREATE TABLE t (id int PRIMARY KEY, s text);
     INSERT INTO t VALUES (1, 'a b'), (2, NULL), (3, 'c');
     CREATE FUNCTION words(s text) RETURNS TABLE (word text, n int) LANGUAGE javascript IMMUTABLE STRICT
       AS $$ return s.split(' ').map((word, n) => ({ word, n })) $$;
     CREATE FUNCTION upto(n int) RETURNS SETOF int LANGUAGE javascript IMMUTABLE
       AS $$ function* all() { for (let i = 0; i < n; i++) yield i } return all() $$;
     CREATE FUNCTION odd(n int) RETURNS TABLE (a int, b int) LANGUAGE javascript IMMUTABLE AS 'return n === 1 ? 5 : n === 2 ? [7] : n === 3 ? undefined : [{ a: 1 }]';
     CREATE FUNCTION evens(n int) RETURNS TABLE (a int) LANGUAGE javascript IMMUTABLE AS 'return [0, { a: 2 }, 2n * 2n]';
     CREATE MATERIALIZED VIEW v AS SELECT id, word FROM t, words(s)`,
  );
  assert.deepEqual(await said(engine, 'SELECT * FROM words($$x y$$) WITH ORDINALITY AS w(q, r, o)'), [
    ['x', '0', '1'],
    ['y', '1', '2'],
  ]);
  assert.deepEqual(await said(engine, 'SELECT id, w.* FROM t LEFT JOIN words(s) w ON true ORDER BY 1, 3'), [
    ['1', 'a', '0'],
    ['1', 'b', '1'],
    ['2', null, null],
    ['3', 'c', '0'],
  ]);
  assert.deepEqual(await said(engine, 'SELECT u FROM upto(3) u'), [['0'], ['1'], ['2']]);
  assert.deepEqual(await said(engine, 'SELECT * FROM upto(0)'), []);
  assert.deepEqual(await said(engine, 'SELECT sum(x) FROM t, upto(t.id) x'), [['4']]);
  assert.deepEqual(await said(engine, 'SELECT * FROM odd(4)'), [['1', null]]);
  assert.deepEqual(await said(engine, 'SELECT * FROM odd(3)'), []);
  assert.equal(
    await said(engine, 'SELECT * FROM odd(1)'),
    '42804 function odd(integer) returned what is no list of rows',
  );
  assert.equal(
    await said(engine, 'SELECT * FROM odd(2)'),
    '42804 function odd(integer) returned a row that is no object',
  );
  assert.deepEqual(await said(engine, 'SELECT * FROM evens(3)'), [['0'], ['2'], ['4']]);
  assert.equal(String(await said(engine, 'SELECT upto(2)')).slice(0, 5), '0A000');
  await sql(engine, "UPDATE t SET s = 'd e f' WHERE id = 2; DELETE FROM t WHERE id = 1");
  assert.deepEqual(await said(engine, 'SELECT * FROM v ORDER BY 1, 2'), [
    ['2', 'd'],
    ['2', 'e'],
    ['2', 'f'],
    ['3', 'c'],
  ]);
});

test('what is refused', async () => {
  const engine = await opened();
  const make = (rest: string) => said(engine, `CREATE FUNCTION f${rest}`);
  await sql(engine, "CREATE TYPE mood AS ENUM ('sad'); CREATE TABLE t (a int)");
  assert.equal(
    await make("() RETURNS int LANGUAGE plv8 AS ''"),
    '0A000 functions in language "plv8" are not supported',
  );
  assert.equal(
    await make('() RETURNS int LANGUAGE javascript RETURN 1'),
    '42P13 inline SQL function body only valid for language SQL',
  );
  assert.equal(await make('() RETURNS int LANGUAGE javascript'), '42P13 no function body specified');
  assert.equal(
    await make("(a mood) RETURNS int LANGUAGE javascript AS ''"),
    '0A000 functions in JavaScript that take or return values of type mood are not supported',
  );
  assert.equal(
    await make("(a int) RETURNS int4range LANGUAGE javascript AS ''"),
    '0A000 functions in JavaScript that take or return values of type int4range are not supported',
  );
  assert.equal(
    await make("(a anyelement) RETURNS int LANGUAGE javascript AS ''"),
    '0A000 functions in JavaScript that take or return values of type anyelement are not supported',
  );
  assert.equal(
    await make("() RETURNS SETOF t LANGUAGE javascript AS ''"),
    '0A000 functions in JavaScript that return rows of a table are not supported',
  );
  assert.equal(
    await make("(OUT a int, OUT b int) LANGUAGE javascript AS ''"),
    '0A000 functions in JavaScript that return a row are not supported',
  );
  assert.equal(
    await make('("a b" int) RETURNS int LANGUAGE javascript AS \'\''),
    '42601 syntax error in JavaScript: parameter "a b" has no name that JavaScript can have',
  );
  assert.match(
    String(await make("(class int) RETURNS int LANGUAGE javascript AS ''")),
    /^42601 syntax error in JavaScript/,
  );
  assert.match(
    String(await make("(a int) RETURNS int LANGUAGE javascript AS '}, (n => () => n++)(0), function () {'")),
    /^42601 /,
  );
  const text = 'CREATE FUNCTION f(a int) RETURNS int LANGUAGE javascript AS $$\n  const b = 1;\n  return a b;\n$$';
  await assert.rejects(sql(engine, text), (error: SqlError) => {
    assert.match(error.message, /syntax error in JavaScript: .* at line 3/);
    assert.equal(
      [...text]
        .slice((error.fields.position as number) - 1)
        .join('')
        .slice(0, 8),
      'return a',
    );
    return error.sqlstate === '42601';
  });
  assert.equal(
    await make("(a int) RETURNS int LANGUAGE javascript AS 'return ('"),
    '42601 syntax error in JavaScript: the body ends too soon',
  );
});

test('what is kept up to date has immutable functions, and keeps their bodies', async () => {
  const engine = await opened();
  await sql(
    engine,
    `CREATE TABLE t (a int); INSERT INTO t VALUES (1);
     CREATE FUNCTION f(a int) RETURNS int LANGUAGE javascript AS 'return a + 1'; CREATE VIEW p AS SELECT f(a) AS b FROM t`,
  );
  assert.deepEqual(await said(engine, 'SELECT f(a), f(2) FROM t'), [['2', '3']]);
  assert.equal(
    await said(engine, 'CREATE MATERIALIZED VIEW v AS SELECT f(a) FROM t'),
    '0A000 function f(integer) is volatile and cannot be used in a view',
  );
  assert.equal(
    await said(engine, 'CREATE MATERIALIZED VIEW v AS SELECT * FROM p'),
    '0A000 function f(integer) is volatile and cannot be used in a view',
  );
  assert.equal(
    await said(engine, 'CREATE INDEX ON t (f(a))'),
    '42P17 functions in index expressions must be marked IMMUTABLE',
  );
  assert.equal(
    await said(engine, 'CREATE INDEX ON t (a) WHERE f(a) > 1'),
    '42P17 functions in index predicates must be marked IMMUTABLE',
  );
  assert.equal(
    await said(engine, 'CREATE TABLE g (a int, b int GENERATED ALWAYS AS (f(a)) STORED)'),
    '42P17 generation expression is not immutable',
  );
  await sql(engine, 'ALTER FUNCTION f STABLE');
  assert.equal(
    await said(engine, 'CREATE MATERIALIZED VIEW v AS SELECT f(a) FROM t'),
    '0A000 function f(integer) is stable and cannot be used in a view',
  );
  await sql(engine, 'ALTER FUNCTION f IMMUTABLE; CREATE MATERIALIZED VIEW v AS SELECT * FROM p');
  const replaced = (body: string, volatility = 'IMMUTABLE') =>
    said(engine, `CREATE OR REPLACE FUNCTION f(a int) RETURNS int LANGUAGE javascript ${volatility} AS '${body}'`);
  const refused = '0A000 cannot change what function f(integer) gives while rows are kept that were computed with it';
  assert.equal(await replaced('return a + 2'), refused);
  assert.equal(
    await said(engine, "CREATE OR REPLACE FUNCTION f(a int) RETURNS int LANGUAGE sql IMMUTABLE AS 'return a + 1'"),
    '42601 syntax error at or near "return"',
  );
  assert.equal(
    await said(engine, "CREATE OR REPLACE FUNCTION f(a int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a + 1'"),
    refused,
  );
  assert.equal(await said(engine, 'ALTER FUNCTION f VOLATILE'), refused);
  assert.equal(await said(engine, 'ALTER FUNCTION f STRICT'), refused);
  assert.deepEqual(await replaced('return a + 1'), []);
  assert.equal(
    await said(engine, 'DROP FUNCTION f'),
    '2BP01 cannot drop function f(integer) because other objects depend on it',
  );
  assert.equal(
    await said(engine, 'ALTER FUNCTION f RENAME TO g'),
    '0A000 cannot rename or move function f(integer) while it is named elsewhere',
  );
  await sql(engine, 'DROP MATERIALIZED VIEW v');
  assert.deepEqual(await replaced('return a + 2'), []);
  assert.deepEqual(await said(engine, 'SELECT * FROM p'), [['3']]);
  await sql(engine, 'DROP FUNCTION f CASCADE');
  assert.equal(String(await said(engine, 'SELECT * FROM p')).slice(0, 5), '42P01');
});

test('catalogs show them', async () => {
  const engine = await opened();
  const body = "$function$ return a + 'x' $function$";
  await sql(
    engine,
    `CREATE FUNCTION f(a text, b int DEFAULT 1) RETURNS text LANGUAGE javascript IMMUTABLE STRICT AS ${body}`,
  );
  assert.deepEqual(
    await sql(
      engine,
      `SELECT lanname, lanpltrusted, provolatile, proisstrict, prosrc FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang WHERE proname = 'f'`,
    ),
    [['javascript', 't', 'i', 't', " return a + 'x' "]],
  );
  const [[definition]] = await sql(engine, "SELECT pg_get_functiondef('f'::regproc)");
  const lines = [
    'CREATE OR REPLACE FUNCTION public.f(a text, b integer DEFAULT 1)',
    ' RETURNS text',
    ' LANGUAGE javascript',
    ' IMMUTABLE STRICT',
    `AS ${body}`,
    '',
  ];
  assert.equal(definition, lines.join('\n'));
  await sql(engine, `DROP FUNCTION f; ${definition}`);
  assert.deepEqual(await sql(engine, "SELECT f('q')"), [['qx']]);
  assert.deepEqual(
    await sql(
      engine,
      "SELECT external_language, routine_body, routine_definition FROM information_schema.routines WHERE routine_name = 'f'",
    ),
    [['JAVASCRIPT', 'EXTERNAL', " return a + 'x' "]],
  );
  assert.deepEqual(await sql(engine, "SELECT has_language_privilege('javascript', 'usage')"), [['t']]);
  await sql(engine, 'CREATE TABLE t (a text); CREATE MATERIALIZED VIEW v AS SELECT f(a) AS b FROM t');
  const plan = (await sql(engine, 'EXPLAIN SELECT f(a) AS b FROM t')).flat().join('\n');
  assert.match(plan, /f\(a, 1\) as b .*calls f\(text,integer\) \(javascript\)/);
});

test('a statement that calls one can be cancelled in the midst of a call', async () => {
  const engine = await opened();
  await sql(
    engine,
    `CREATE FUNCTION f(a int) RETURNS int LANGUAGE javascript IMMUTABLE AS 'return a + 1';
     CREATE FUNCTION long(a int) RETURNS int LANGUAGE javascript IMMUTABLE AS 'let n = a; for (let i = 0; i < 200000; i++) n = (n * 31 + i) | 0; return n';
     CREATE FUNCTION endless(a int) RETURNS int LANGUAGE javascript IMMUTABLE AS 'try { for (;;); } finally { for (;;); }';
     CREATE TABLE many (a int); INSERT INTO many SELECT generate_series(1, 1500);
     CREATE TABLE t (a int); CREATE MATERIALIZED VIEW v AS SELECT a, long(a) AS b FROM t;
     CREATE DOMAIN d AS int; CREATE TABLE of_d (a d); INSERT INTO of_d SELECT a FROM many;
     CREATE TABLE checked (a int CHECK (long(a) IS NOT NULL))`,
  );
  for (const text of [
    'SELECT sum(f(i)) FROM generate_series(1, 3000) i',
    'CREATE INDEX ON many (f(a + 5000))',
    'SELECT endless(1)',
    'INSERT INTO t VALUES (1), (2), (3)',
    'INSERT INTO many VALUES (long(11)), (long(12)), (long(13))',
    'CREATE MATERIALIZED VIEW w AS SELECT long(a) AS b FROM many',
    'CREATE MATERIALIZED VIEW w AS SELECT long(21) AS b, long(22) AS c, long(23) AS d',
    'ALTER TABLE many ADD CHECK (long(a) IS NOT NULL)',
    'ALTER TABLE many ADD COLUMN b int GENERATED ALWAYS AS (long(a)) STORED',
    'ALTER TABLE many ALTER COLUMN a TYPE bigint USING long(a + 10000)',
    'ALTER DOMAIN d ADD CHECK (long(VALUE) IS NOT NULL)',
    'COPY checked FROM STDIN',
  ])
    await cancelled(engine, text);
  assert.deepEqual(await said(engine, 'SELECT sum(f(i)) FROM generate_series(1, 3000) i'), [['4504500']]);
  assert.deepEqual(await said(engine, 'SELECT (SELECT count(*) FROM t), (SELECT count(*) FROM v)'), [['0', '0']]);
  await sql(engine, 'INSERT INTO t VALUES (1), (2)');
  const long = (n: number) => {
    for (let i = 0; i < 200000; i++) n = (Math.imul(n, 31) + i) | 0;
    return String(n);
  };
  assert.deepEqual(await said(engine, 'SELECT a, b FROM v ORDER BY a'), [
    ['1', long(1)],
    ['2', long(2)],
  ]);
});

test('calls in pieces give what they give at once: sums of constants and rows, errors, joins, orders', async () => {
  const engine = await opened();
  await sql(
    engine,
    `CREATE FUNCTION slow(a int) RETURNS int LANGUAGE javascript IMMUTABLE
       AS 'let n = 0; for (let i = 0; i < 40000; i++) n = (n + i) | 0; return n === 1 ? n : a % 7';
     CREATE FUNCTION fails(a int) RETURNS int LANGUAGE javascript IMMUTABLE AS 'if (a > 2) throw new Error("no"); return a';
     CREATE TABLE t (a int); INSERT INTO t SELECT generate_series(1, 60)`,
  );
  for (const [text, plain] of [
    ['SELECT sum(slow(i)), count(*) FROM (VALUES (1), (2), (9), (16)) AS v (i)', 'SELECT 7, 4'],
    ['SELECT 100 / sum(slow(i)) FROM (VALUES (7), (1), (7)) AS v (i)', 'SELECT 100'],
    ['SELECT sum(slow(i)) FROM generate_series(1, 30) AS i', 'SELECT sum(i % 7) FROM generate_series(1, 30) AS i'],
    [
      'SELECT slow(a) AS k, count(*) FROM t GROUP BY k ORDER BY k',
      'SELECT a % 7 AS k, count(*) FROM t GROUP BY k ORDER BY k',
    ],
    [
      'SELECT t.a, u.a FROM t JOIN t AS u ON slow(t.a) = slow(u.a + 1) ORDER BY 1, 2 LIMIT 40',
      'SELECT t.a, u.a FROM t JOIN t AS u ON t.a % 7 = (u.a + 1) % 7 ORDER BY 1, 2 LIMIT 40',
    ],
    [
      'SELECT a FROM t WHERE NOT EXISTS (SELECT FROM (VALUES (1), (2)) AS v (i) WHERE slow(i) = slow(t.a)) ORDER BY a',
      'SELECT a FROM t WHERE a % 7 NOT IN (1, 2) ORDER BY a',
    ],
    [
      'SELECT a, sum(slow(a)) OVER (ORDER BY a) FROM t ORDER BY slow(a) DESC, a LIMIT 9',
      'SELECT a, sum(a % 7) OVER (ORDER BY a) FROM t ORDER BY a % 7 DESC, a LIMIT 9',
    ],
    [
      'SELECT slow(a) FROM t UNION ALL SELECT slow(i) FROM (VALUES (3), (4)) AS v (i) ORDER BY 1 OFFSET 5',
      'SELECT a % 7 FROM t UNION ALL SELECT i FROM (VALUES (3), (4)) AS v (i) ORDER BY 1 OFFSET 5',
    ],
  ])
    assert.deepEqual(await said(engine, text), await said(engine, plain), text);
  assert.match(String(await said(engine, 'SELECT sum(fails(a)) FROM t')), /^38000 /);
  assert.match(String(await said(engine, 'INSERT INTO t SELECT fails(a) FROM t')), /^38000 /);
  assert.deepEqual(await said(engine, 'SELECT count(*) FROM t'), [['60']]);
});

/** Sends it some rows, or takes those that it has. */
async function served(result: Result): Promise<void> {
  if (result.kind === 'rows') while ((await result.rows.next(100)) !== null);
  if (result.kind !== 'copyIn') return;
  const types = result.columns.map(({ type }) => type);
  const rows = Array.from({ length: 20 }, (_, i) => [7000 + i]);
  await withScratch((arena) => result.target.write(batchFromRows(types, rows, arena)));
}

/** As the client is told. */
function reasonOf(error: unknown): boolean {
  return toSqlError(error, undefined).sqlstate === '57014';
}

/** Ends it when the sandbox looks for the third time. */
async function cancelled(engine: TidemarkEngine, text: string): Promise<void> {
  const { lookMs, hear } = turn;
  const { stackTraceLimit } = Error;
  const session = localSession(engine);
  const cancel = new AbortController();
  let looks = 0;
  turn.lookMs = 0;
  Error.stackTraceLimit = 3;
  turn.hear = () => {
    looks += /javascript.sandbox/.test(new Error().stack as string) ? 1 : 0;
    if (looks === 3) cancel.abort(new SqlError('57014', 'canceling statement due to user request'));
  };
  try {
    const [statement] = parse(text);
    const prepared = engine.prepare(statement, [], session);
    const running =
      statement.k === 'insert'
        ? engine.executeAlone(prepared, [], session, cancel.signal, () => null)
        : engine.execute(prepared, [], session, cancel.signal);
    await assert.rejects(running.then(served), reasonOf, text);
  } finally {
    session.transaction.rollback();
    Object.assign(turn, { lookMs, hear });
    Error.stackTraceLimit = stackTraceLimit;
  }
  assert.equal(looks, 3, text);
}
