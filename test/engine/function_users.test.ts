/** What calls functions in SQL: what keeps them from being dropped or changed, what it is when it is written out, and the texts that show it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PgCatalog } from '../../src/postgres/catalog/pg_catalog.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { openEngine, Session, sql } from './harness.ts';

async function opened(script: string): Promise<TidemarkEngine> {
  const engine = await openEngine();
  engine.system.catalogs = new PgCatalog(engine);
  await sql(engine, script);
  return engine;
}

const TABLES = `
  CREATE TABLE t (a int PRIMARY KEY, b int); INSERT INTO t VALUES (1, 10), (2, 20);
  CREATE FUNCTION f(x int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT x + 1';
  CREATE FUNCTION g(x int) RETURNS int LANGUAGE sql STABLE AS 'SELECT b + f(x) FROM t WHERE a = x'`;

test('a function that rows were computed with keeps its body', async () => {
  const engine = await opened(TABLES);
  const replaced = (body: string, more = '') =>
    sql(engine, `CREATE OR REPLACE FUNCTION f(x int) RETURNS int LANGUAGE sql IMMUTABLE ${more} AS '${body}'`);
  const users: [make: string, drop: string, words: string][] = [
    ['CREATE MATERIALIZED VIEW u AS SELECT f(a) AS x FROM t', 'DROP MATERIALIZED VIEW u', 'materialized view u'],
    ['CREATE MATERIALIZED VIEW u AS SELECT g(a) AS x FROM t', 'DROP MATERIALIZED VIEW u', 'materialized view u'],
    [
      'CREATE VIEW p AS SELECT f(a) AS x FROM t; CREATE MATERIALIZED VIEW u AS SELECT * FROM p',
      'DROP MATERIALIZED VIEW u; DROP VIEW p',
      'materialized view u',
    ],
    [`CREATE SINK u AS SELECT f(a) AS x FROM t WITH (connector = 'blackhole')`, 'DROP SINK u', 'sink u'],
    ['CREATE SUBSCRIPTION u FOR (SELECT f(a) AS x FROM t)', 'DROP SUBSCRIPTION u', 'subscription u'],
    ['CREATE INDEX u ON t (f(b))', 'DROP INDEX u', 'index u'],
    ['CREATE INDEX u ON t (a) WHERE f(b) > 3', 'DROP INDEX u', 'index u'],
    ['ALTER TABLE t ADD CONSTRAINT u CHECK (f(b) > 0)', 'ALTER TABLE t DROP CONSTRAINT u', 'constraint u on table t'],
    ['ALTER TABLE t ADD u int GENERATED ALWAYS AS (f(b)) STORED', 'ALTER TABLE t DROP u', 'column u of table t'],
  ];
  for (const [make, drop, words] of users) {
    await sql(engine, make);
    const detail = `${words} depends on function f(integer)`;
    await assert.rejects(replaced('SELECT x + 2'), (error: { sqlstate: string; fields: { detail: string } }) => {
      assert.deepEqual([error.sqlstate, error.fields.detail], ['0A000', detail], make);
      return true;
    });
    await assert.rejects(replaced('SELECT x + 1', 'STRICT'), { sqlstate: '0A000' }, make);
    await assert.rejects(sql(engine, 'ALTER FUNCTION f STRICT'), { sqlstate: '0A000' }, make);
    await assert.rejects(sql(engine, 'ALTER FUNCTION f RENAME TO h'), { sqlstate: '0A000' }, make);
    await replaced('SELECT x + 1');
    await sql(engine, drop);
  }
  await replaced('SELECT x + 2');
  await engine.close();
});

test('plain views, defaults and prepared statements take the new body', async () => {
  const engine = await opened(
    `${TABLES}; CREATE VIEW v AS SELECT a, f(a) AS x FROM t; CREATE TABLE d (a int, b int DEFAULT f(1))`,
  );
  const session = new Session(engine);
  assert.deepEqual(await session.run('SELECT x FROM v ORDER BY a'), [['2'], ['3']]);
  await sql(engine, "CREATE OR REPLACE FUNCTION f(x int) RETURNS int LANGUAGE sql AS 'SELECT x * 100'");
  assert.deepEqual(await session.run('SELECT x FROM v ORDER BY a'), [['100'], ['200']]);
  assert.deepEqual(await sql(engine, 'INSERT INTO d (a) VALUES (1) RETURNING b'), [['100']]);
  assert.deepEqual(await sql(engine, 'SELECT g(2)'), [['220']]);
  await engine.close();
});

test('DROP ... CASCADE takes what calls it, and of tables what says it', async () => {
  const engine = await opened(`${TABLES};
    CREATE TABLE c (a int DEFAULT f(1), b int CHECK (f(b) > 0), g int GENERATED ALWAYS AS (f(b)) STORED, other int);
    CREATE INDEX ON c (f(other));
    CREATE VIEW v AS SELECT f(a) AS x FROM t; CREATE MATERIALIZED VIEW m AS SELECT x + 1 AS y FROM v;
    CREATE FUNCTION late(x int) RETURNS int LANGUAGE sql AS 'SELECT f(x)';
    CREATE FUNCTION early(x int) RETURNS int LANGUAGE sql RETURN f(x);
    INSERT INTO c (b) VALUES (1)`);
  await assert.rejects(sql(engine, 'DROP FUNCTION f'), (error: { sqlstate: string; fields: { detail: string } }) => {
    assert.equal(error.sqlstate, '2BP01');
    const users = error.fields.detail.split('\n').map((line) => line.replace(' depends on function f(integer)', ''));
    assert.deepEqual(users.sort(), [
      'column g of table c',
      'constraint c_b_check on table c',
      'default value for column a of table c',
      'function early(integer)',
      'index c_f_idx',
      'materialized view m',
      'view v',
    ]);
    return true;
  });
  await sql(engine, 'DROP FUNCTION f CASCADE');
  assert.deepEqual(await sql(engine, 'INSERT INTO c (b) VALUES (-5) RETURNING *'), [[null, '-5', null]]);
  await assert.rejects(sql(engine, 'SELECT * FROM m'), { sqlstate: '42P01' });
  await assert.rejects(sql(engine, 'SELECT early(1)'), { sqlstate: '42883' });
  await assert.rejects(sql(engine, 'SELECT late(1)'), { sqlstate: '42883', message: /f\(integer\)/ });
  await engine.close();
});

test('names that bodies say are not taken away from what calls them', async () => {
  const engine = await opened(`${TABLES};
    CREATE FUNCTION std(x int) RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM t WHERE b = x; END;
    CREATE VIEW v AS SELECT g(1) AS x`);
  await assert.rejects(sql(engine, 'ALTER TABLE t RENAME b TO c'), {
    sqlstate: '0A000',
    message: /function g\(integer\), function std\(integer\)/,
  });
  await assert.rejects(sql(engine, 'ALTER TABLE t RENAME TO u'), { sqlstate: '0A000' });
  await assert.rejects(sql(engine, 'DROP TABLE t'), { sqlstate: '2BP01' });
  await sql(engine, 'DROP FUNCTION std; DROP VIEW v; ALTER TABLE t RENAME b TO c');
  await assert.rejects(sql(engine, 'SELECT g(1)'), { sqlstate: '42703' });
  await engine.close();
});

test('an argument that is volatile is worked out once, and what is large is refused', async () => {
  const engine = await opened(`
    CREATE FUNCTION same(x float8) RETURNS boolean LANGUAGE sql AS 'SELECT x - x = 0 AND x = x';
    CREATE FUNCTION within(x float8) RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM generate_series(1, 20) i WHERE x * 20 < i';
    CREATE FUNCTION above(x int) RETURNS SETOF int LANGUAGE sql AS 'SELECT i FROM generate_series(1, 3) i WHERE i > x';
    CREATE FUNCTION first(x float8) RETURNS float8 LANGUAGE sql STRICT AS 'SELECT x';
    CREATE FUNCTION double(x int) RETURNS int LANGUAGE sql AS 'SELECT x + x';
    CREATE FUNCTION many(x int) RETURNS int LANGUAGE sql AS 'SELECT double(double(double(double(double(double(x))))))'`);
  const found = await sql(
    engine,
    'SELECT bool_and(same(random())), count(DISTINCT first(random())) FROM generate_series(1, 50)',
  );
  assert.deepEqual(found, [['t', '50']]);
  for (const text of ['SELECT within(random())', 'SELECT * FROM above((random() * 3)::int)'])
    await assert.rejects(sql(engine, text), { sqlstate: '0A000', message: /volatile argument of/ });
  const worked =
    'WITH w AS (SELECT random() AS x, i FROM generate_series(1, 50) i) SELECT count(DISTINCT within(x)) > 1, max(within(x) - within(x)) FROM w';
  assert.deepEqual(await sql(engine, worked), [['t', '0']]);
  assert.deepEqual(await sql(engine, 'SELECT many(1)'), [['64']]);
  await assert.rejects(sql(engine, 'SELECT many(many(many(1)))'), { sqlstate: '54001' });
  await engine.close();
});

test('what is refused says what there is', async () => {
  const engine = await opened(TABLES);
  const refused = async (text: string, sqlstate: string, message: RegExp) => {
    await assert.rejects(sql(engine, text), { sqlstate, message }, text);
  };
  await refused(
    "CREATE FUNCTION r(x int) RETURNS int LANGUAGE sql AS 'SELECT r(x - 1)'",
    '54001',
    /r\(integer\) calls itself/,
  );
  await refused(
    "CREATE OR REPLACE FUNCTION f(x int) RETURNS int LANGUAGE sql AS 'SELECT g(x)'",
    '54001',
    /calls itself/,
  );
  await refused("CREATE FUNCTION p() RETURNS int LANGUAGE plpgsql AS 'BEGIN END'", '0A000', /language "plpgsql"/);
  await refused("CREATE FUNCTION p() RETURNS int LANGUAGE sql AS 'SELECT 1; SELECT 2'", '0A000', /must be one SELECT/);
  await refused("CREATE FUNCTION p() RETURNS int LANGUAGE sql AS 'DELETE FROM t'", '0A000', /must be one SELECT/);
  await refused(
    "CREATE FUNCTION p() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
    '0A000',
    /SECURITY DEFINER/,
  );
  await refused("CREATE FUNCTION p() RETURNS void LANGUAGE sql AS 'SELECT 1'", '0A000', /void/);
  await refused("CREATE FUNCTION p() RETURNS record LANGUAGE sql AS 'SELECT 1, 2'", '0A000', /record/);
  await refused("CREATE FUNCTION p() RETURNS int LANGUAGE sql AS ''", '42P13', /return type mismatch/);
  await refused('CREATE TABLE c (a int CHECK (g(a) > 0))', '0A000', /g\(integer\) in check constraints/);
  await refused('CREATE TABLE c (a int DEFAULT g(1))', '0A000', /g\(integer\) in DEFAULT expressions/);
  await refused('CREATE TABLE c (a int, b int GENERATED ALWAYS AS (h(a)) STORED)', '42883', /h\(integer\)/);
  await sql(engine, "CREATE FUNCTION h(x int) RETURNS int LANGUAGE sql AS 'SELECT x + 1'; CREATE INDEX ON t (h(b))");
  await refused('CREATE TABLE c (a int, b int GENERATED ALWAYS AS (h(a)) STORED)', '42P17', /not immutable/);
  await sql(engine, "CREATE FUNCTION s(x int) RETURNS SETOF int LANGUAGE sql AS 'SELECT a FROM t WHERE a <= x'");
  await refused('SELECT s(2)', '0A000', /returns a set/);
  await sql(engine, "CREATE FUNCTION n(x int) RETURNS float8 LANGUAGE sql AS 'SELECT random() * x'");
  await refused('CREATE MATERIALIZED VIEW m AS SELECT n(a) FROM t', '0A000', /random is volatile/);
  const unchecked = new Session(engine, { check_function_bodies: 'off' });
  await unchecked.run("CREATE FUNCTION early(x int) RETURNS int LANGUAGE sql AS 'SELECT a FROM later WHERE a = x'");
  await refused('SELECT early(1)', '42P01', /later/);
  await sql(engine, 'CREATE TABLE later (a int); INSERT INTO later VALUES (1)');
  assert.deepEqual(await sql(engine, 'SELECT early(1)'), [['1']]);
  await engine.close();
});

test('texts show calls, with schemas where the search path does not find the function', async () => {
  const engine = await opened(`${TABLES};
    CREATE TYPE mood AS ENUM ('sad');
    CREATE VIEW v AS SELECT f(a) AS x FROM t;
    CREATE TABLE c (a int CHECK (f(a) > 0) DEFAULT f(1)); CREATE INDEX ci ON c (f(a)) WHERE f(a) > 1;
    CREATE FUNCTION std(m mood) RETURNS SETOF t LANGUAGE sql BEGIN ATOMIC SELECT t.* FROM t WHERE f(a) > 1 AND m = 'sad'::mood; END`);
  const texts = `SELECT pg_get_viewdef(c.oid), pg_get_indexdef('public.ci'::regclass), pg_get_function_sqlbody(p.oid), pg_get_function_result(p.oid),
    (SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'c_a_check'), (SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef)
    FROM pg_proc p, pg_class c WHERE p.proname = 'std' AND c.relname = 'v'`;
  assert.deepEqual(await new Session(engine).run(texts), [
    [
      ' SELECT f(a) AS x FROM t;',
      'CREATE INDEX ci ON public.c USING btree (f(a)) WHERE (f(a) > 1)',
      "BEGIN ATOMIC SELECT t.* FROM t WHERE f(a) > 1 AND m = 'sad'::mood; END",
      'SETOF t',
      'CHECK ((f(a) > 0))',
      'f(1)',
    ],
  ]);
  assert.deepEqual(await new Session(engine, { search_path: 'nowhere' }).run(texts), [
    [
      ' SELECT public.f(a) AS x FROM public.t;',
      'CREATE INDEX ci ON public.c USING btree (public.f(a)) WHERE (public.f(a) > 1)',
      "BEGIN ATOMIC SELECT t.* FROM public.t WHERE public.f(a) > 1 AND m = 'sad'::public.mood; END",
      'SETOF public.t',
      'CHECK ((public.f(a) > 0))',
      'public.f(1)',
    ],
  ]);
  const [[plan]] = await sql(engine, 'EXPLAIN SELECT x FROM v WHERE f(x) > 3').then((rows) => [
    [rows.map(([line]) => line).join('\n')],
  ]);
  assert.match(plan as string, /a \+ 1/);
  assert.doesNotMatch(plan as string, /f\(/);
  // Views mean the function of then under whatever path.
  const other = new Session(engine, { search_path: 's' });
  await sql(engine, "CREATE SCHEMA s; CREATE FUNCTION s.f(x int) RETURNS int LANGUAGE sql AS 'SELECT -1'");
  assert.deepEqual(await other.run('SELECT f(1), x FROM public.v ORDER BY x'), [
    ['-1', '2'],
    ['-1', '3'],
  ]);
  await engine.close();
});

test('a function keeps the domains that its types are', async () => {
  const db = await opened('CREATE DOMAIN pos AS int CHECK (VALUE > 0)');
  await sql(db, "CREATE FUNCTION plus(a pos, b int) RETURNS int LANGUAGE sql AS 'SELECT a + b'");
  await assert.rejects(sql(db, 'DROP DOMAIN pos'), { sqlstate: '2BP01' });
  await sql(db, 'CREATE TABLE t (a int)');
  await sql(db, 'CREATE MATERIALIZED VIEW v AS SELECT plus(a, 1) FROM t');
  await assert.rejects(sql(db, 'ALTER DOMAIN pos ADD CHECK (VALUE < 5)'), { sqlstate: '0A000' });
  await sql(db, 'DROP MATERIALIZED VIEW v');
  await sql(db, 'ALTER DOMAIN pos ADD CHECK (VALUE < 5)');
  await assert.rejects(sql(db, 'SELECT plus(7, 1)'), { sqlstate: '23514' });
  await sql(db, 'DROP DOMAIN pos CASCADE');
  await assert.rejects(sql(db, 'SELECT plus(1, 1)'), { sqlstate: '42883' });
});
