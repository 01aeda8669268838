/** INSERT, UPDATE and DELETE in WITH, beside PostgreSQL: what is returned, what the tables hold afterwards, and what is refused with which error. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AgainstPostgres } from './against_postgres.ts';
import { seeded, sql } from './harness.ts';

const TABLES = ['t', 'log', 'plain'];
const PER_GROUP = 'SELECT g, count(*) AS n, max(v) AS v FROM t GROUP BY g';

let db: AgainstPostgres;

before(async () => {
  db = await AgainstPostgres.open();
  await db.script(`
    CREATE TABLE t (id int PRIMARY KEY, g int, v text DEFAULT 'new');
    CREATE TABLE log (id int, what text NOT NULL);
    CREATE TABLE plain (a int)`);
  await sql(db.engine, `CREATE MATERIALIZED VIEW per_group AS ${PER_GROUP}`);
});

after(() => db.close());

/** Rows here, one JSON text each; or SQLSTATE and message. */
async function here(query: string): Promise<string> {
  const { rows, error } = await db.here(query);
  return error === undefined
    ? (rows ?? []).map((row) => JSON.stringify(row)).join(' ')
    : `${error.code} ${error.message}`;
}

const both = (query: string) => db.statement(query);
const sameTables = (query: string) => db.sameRows(query, TABLES, { per_group: PER_GROUP });

async function refill(): Promise<void> {
  for (const table of TABLES) await both(`DELETE FROM ${table}`);
  await both("INSERT INTO t VALUES (1, 1, 'a'), (2, 1, 'b'), (3, 2, NULL), (4, NULL, 'd')");
  await both('INSERT INTO plain VALUES (7), (7), (8)');
}

const STATEMENTS = [
  'WITH x AS (INSERT INTO t VALUES (9, 9) RETURNING *) SELECT * FROM x',
  'WITH x AS (INSERT INTO t VALUES (9, 9) RETURNING id + 1 AS next) SELECT next, (SELECT count(*) FROM t) FROM x',
  'WITH x AS (DELETE FROM t WHERE g = 1 RETURNING id, v) INSERT INTO log SELECT id, v FROM x RETURNING what',
  'WITH x AS (DELETE FROM t WHERE g = 1 RETURNING *), y AS (INSERT INTO log SELECT id, v FROM x RETURNING id) SELECT sum(id) FROM y',
  'WITH x(one, two) AS (UPDATE t SET g = g + 1 WHERE id < 3 RETURNING id, g) SELECT two, one FROM x ORDER BY one DESC',
  'WITH x AS (UPDATE t SET g = g + 1 WHERE id < 3 RETURNING id, g) SELECT a.id, b.g FROM x a JOIN x b ON a.id <= b.id ORDER BY 1, 2',
  'WITH x AS (DELETE FROM t WHERE id = 1) SELECT count(*) FROM t',
  'WITH x AS (DELETE FROM t WHERE id = 1 RETURNING *) INSERT INTO t SELECT id, 100, v FROM x',
  "WITH x AS (INSERT INTO t VALUES (1, 5, 'z') ON CONFLICT (id) DO UPDATE SET v = excluded.v RETURNING v) SELECT * FROM x",
  'WITH x AS (INSERT INTO t VALUES (1, 5) ON CONFLICT DO NOTHING RETURNING v) SELECT count(*) FROM x',
  'WITH x AS (DELETE FROM plain WHERE a = 7 RETURNING a) SELECT count(*), sum(a) FROM x',
  'WITH x AS (DELETE FROM t RETURNING *) SELECT t.id FROM t LEFT JOIN x ON x.id = t.id WHERE x.id IS NULL',
  'WITH x AS (SELECT max(id) AS m FROM t), y AS (INSERT INTO t SELECT m + 1, 0 FROM x RETURNING id) SELECT * FROM y, x',
  'WITH x AS (UPDATE t SET v = NULL RETURNING id) DELETE FROM plain USING x WHERE plain.a = x.id + 4 RETURNING plain.a',
  'WITH x AS (DELETE FROM plain RETURNING a) UPDATE t SET g = (SELECT count(*) FROM x) WHERE id IN (SELECT a - 6 FROM x) RETURNING id, g',
  'WITH x AS (INSERT INTO plain VALUES (1), (2) RETURNING a) SELECT a FROM x UNION ALL SELECT 10 ORDER BY 1',
  'WITH x AS (INSERT INTO plain SELECT 1 WHERE false RETURNING a) SELECT coalesce(max(a), -1) FROM x',
  'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3), x AS (INSERT INTO plain SELECT i FROM n RETURNING a) SELECT count(*) FROM x',
  'WITH t AS (SELECT 2 AS id) DELETE FROM t WHERE id < 3',
  'WITH x AS (UPDATE t SET g = 7 WHERE id < 3 RETURNING t) SELECT (x.t).v, (x.t).* FROM x',
  "INSERT INTO t VALUES (1, 5, 'z'), (8, 5, 'y') ON CONFLICT (id) DO UPDATE SET g = excluded.g RETURNING old.g, new.g, t.v, old.id IS NULL",
  // Refused.
  'WITH x AS (INSERT INTO t VALUES (9, 9)) SELECT * FROM x',
  'SELECT * FROM (WITH x AS (DELETE FROM t RETURNING id) SELECT * FROM x) q',
  'INSERT INTO log WITH x AS (DELETE FROM t RETURNING id) SELECT id FROM x',
  'WITH x AS (INSERT INTO t VALUES (1, 1) RETURNING id) SELECT * FROM x',
  'WITH x AS (INSERT INTO t VALUES (9, 1)) INSERT INTO t VALUES (9, 2)',
  'WITH x AS (DELETE FROM t RETURNING id, v) INSERT INTO log SELECT id, v FROM x',
  'WITH RECURSIVE x AS (INSERT INTO plain SELECT a FROM x RETURNING a) SELECT * FROM x',
  'WITH x AS (DELETE FROM nothing) SELECT 1',
  'WITH x AS (UPDATE t SET g = 1 RETURNING id) UPDATE x SET id = 2',
  'CREATE MATERIALIZED VIEW w AS WITH x AS (DELETE FROM t RETURNING id) SELECT * FROM x',
];

for (const query of STATEMENTS) {
  test(query, async () => {
    await refill();
    await both(query);
    await sameTables(query);
  });
}

test('a row that two parts take away goes once', async () => {
  await refill();
  await both('WITH x AS (DELETE FROM plain WHERE a = 7 RETURNING a) SELECT count(*) FROM x');
  await refill();
  await sql(
    db.engine,
    'WITH x AS (DELETE FROM t WHERE id = 1), y AS (DELETE FROM plain WHERE a = 8) DELETE FROM t WHERE id < 3',
  );
  assert.equal(await here('SELECT id FROM t ORDER BY id'), '["3"] ["4"]');
  await sql(db.engine, 'WITH x AS (UPDATE t SET g = 50 WHERE id = 3) UPDATE t SET g = 60');
  assert.equal(await here('SELECT id, g FROM t ORDER BY id'), '["3","50"] ["4","60"]');
  assert.match(
    await here(
      "WITH x AS (UPDATE t SET g = 4 WHERE id = 3) INSERT INTO t VALUES (3, 1) ON CONFLICT (id) DO UPDATE SET v = 'q'",
    ),
    /^21000 /,
  );
  assert.equal(await here('SELECT sum(n)::int FROM per_group'), '["2"]');
  assert.equal(await here('SELECT a FROM plain ORDER BY a'), '["7"] ["7"]');
});

test('queries that are kept or sent as a whole do not modify', async () => {
  await refill();
  const query = 'WITH x AS (DELETE FROM t RETURNING id) SELECT * FROM x';
  for (const before of [
    'CREATE VIEW w AS',
    'CREATE TABLE w AS',
    'SUBSCRIBE TO (',
    'COPY (',
    'EXPLAIN CREATE TABLE w AS',
  ]) {
    const whole = `${before} ${query}${before.endsWith('(') ? ')' : ''}${before.startsWith('COPY') ? ' TO STDOUT' : ''}`;
    assert.match(await here(whole), /^0A000 /, whole);
  }
  await sameTables('what was refused');
});

test('random moves between tables', async () => {
  const { random } = seeded('modifying WITH');
  const condition = () => ['id % 3 = 0', 'g IS NULL', `id < ${random(20)}`, 'g = 1', 'true'][random(5)];
  for (let i = 0; i < 60; i++) {
    if (i % 15 === 0) await refill();
    const query = [
      () =>
        `WITH x AS (DELETE FROM t WHERE ${condition()} RETURNING id, g) INSERT INTO t SELECT id, g + ${random(3)} FROM x ON CONFLICT DO NOTHING`,
      () =>
        `WITH x AS (UPDATE t SET g = id % 4 WHERE ${condition()} RETURNING id, g), y AS (INSERT INTO plain SELECT g FROM x RETURNING a) SELECT count(*), sum(a) FROM y`,
      () =>
        `WITH x AS (DELETE FROM plain WHERE a > ${random(9)} RETURNING a), y AS (SELECT a, count(*) AS n FROM x GROUP BY a) INSERT INTO t SELECT 100 + a, n FROM y ON CONFLICT (id) DO UPDATE SET g = t.g + excluded.g RETURNING g`,
      () =>
        `WITH x AS (INSERT INTO t SELECT ${random(30)}, ${random(3)} RETURNING id) INSERT INTO log SELECT id, 'made' FROM x RETURNING *`,
    ][random(4)]();
    await both(query);
    await sameTables(query);
  }
});
