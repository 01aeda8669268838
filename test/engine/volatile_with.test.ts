/** Items of WITH that call volatile functions, beside PostgreSQL: they are worked out once, whoever reads them and in how many parts of a statement. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { AgainstPostgres } from './against_postgres.ts';

const TABLES = ['a', 'b', 't'];

let db: AgainstPostgres;

before(async () => {
  db = await AgainstPostgres.open();
  await db.script(`
    CREATE SEQUENCE s;
    CREATE SEQUENCE other;
    CREATE TABLE a (x bigint);
    CREATE TABLE b (x bigint);
    CREATE TABLE c (x bigint, y bigint);
    CREATE TABLE big (x bigint);
    INSERT INTO big SELECT g FROM generate_series(1, 100000) g;
    CREATE TABLE t (id bigint PRIMARY KEY, v bigint)`);
});

beforeEach(async () => {
  for (const table of TABLES) await db.statement(`DELETE FROM ${table}`);
  await db.statement('INSERT INTO t VALUES (1, 10), (2, 20), (3, NULL)');
});

after(() => db.close());

/** Each sequence begins anew, and has to stand where PostgreSQL's stands afterwards. */
async function same(query: string): Promise<void> {
  await db.statement("SELECT setval('s', 1, false)");
  await db.statement(query);
  await db.sameRows(query, TABLES);
  assert.deepEqual(
    await db.here("SELECT nextval('s')"),
    await db.there("SELECT nextval('s')"),
    `nextval after ${query}`,
  );
}

const N = "n AS (SELECT nextval('s') AS id, g FROM generate_series(1, 5) g)";

const READS = [
  `WITH ${N} SELECT * FROM n UNION ALL SELECT * FROM n`,
  `WITH ${N} SELECT p.id, q.id, p.g, q.g FROM n p JOIN n q ON true`,
  `WITH ${N} SELECT p.id, q.g FROM n p JOIN n q ON p.id = q.id WHERE p.g > 2`,
  `WITH ${N} SELECT p.id, q.id FROM n p LEFT JOIN n q ON p.g = q.g + 1 ORDER BY 1, 2`,
  `WITH ${N}, m AS (SELECT id + 1 AS id FROM n) SELECT n.id, m.id FROM n, m`,
  `WITH ${N}, m AS (SELECT id + nextval('other') AS id FROM n WHERE g < 3) SELECT n.id, m.id, o.id FROM n, m, m o`,
  `WITH ${N} SELECT id, (SELECT max(id) FROM n), (SELECT min(id) FROM n m WHERE m.g = n.g) FROM n`,
  `WITH ${N} SELECT id FROM n WHERE id IN (SELECT id FROM n WHERE g = 2) OR EXISTS (SELECT 1 FROM n m WHERE m.id = n.id AND g > 4)`,
  `WITH ${N} SELECT t.id, n.id FROM t JOIN n ON n.g = t.id UNION ALL SELECT t.v, n.id FROM t LEFT JOIN n ON n.id = t.id`,
  `WITH ${N} SELECT t.id, l.id FROM t, LATERAL (SELECT n.id FROM n WHERE n.g <= t.id) l`,
  `WITH ${N} SELECT t.id, (SELECT sum(n.id) FROM n WHERE n.g <= t.id) FROM t`,
  `WITH n AS MATERIALIZED (SELECT nextval('s') AS id) SELECT a.id, b.id FROM n a, n b`,
  `WITH n AS NOT MATERIALIZED (SELECT nextval('s') AS id) SELECT a.id, b.id FROM n a, n b`,
  // One reference: no filter goes in, and nothing is left out.
  `WITH ${N} SELECT id FROM n WHERE g = 4`,
  `WITH ${N} SELECT count(*) FROM n`,
  `WITH ${N} SELECT g FROM n`,
  `WITH ${N} SELECT 1`,
  `WITH ${N} SELECT id, count(*) FROM (SELECT id FROM n UNION ALL SELECT id FROM n) q GROUP BY id`,
  `WITH ${N} SELECT id, g FROM n EXCEPT SELECT id, g FROM n`,
  `WITH ${N} SELECT id FROM n INTERSECT SELECT id FROM n WHERE g > 1`,
  `WITH ${N} SELECT id, row_number() OVER (ORDER BY id DESC) FROM n ORDER BY (SELECT max(id) FROM n) - id LIMIT 3`,
  `WITH n AS (SELECT nextval('s') AS id, v FROM t WHERE v > 5) SELECT count(*), count(p.id), sum(id), sum(q.v) FROM n p JOIN n q USING (id)`,
  `WITH n(i) AS (VALUES (nextval('s')), (nextval('s'))) SELECT p.i, q.i FROM n p, n q`,
  `WITH n AS (SELECT sum(nextval('s')) AS id FROM t) SELECT p.id, q.id FROM n p, n q`,
  `WITH n AS (SELECT 1 AS i FROM t WHERE nextval('s') > 1) SELECT * FROM n UNION ALL SELECT * FROM n`,
  `WITH n AS (SELECT generate_series(1, nextval('s') + 1) AS i) SELECT count(*), sum(p.i) FROM n p, n q`,
  `WITH n AS (SELECT i FROM generate_series(1, nextval('s') + 1) i) SELECT p.i, q.i FROM n p, n q`,
  `WITH n AS (SELECT nextval('s') AS i, nextval('s') AS j) SELECT p.i, p.j, q.i, q.j FROM n p, n q`,
  `WITH n AS (SELECT nextval('s') AS i ORDER BY 1 LIMIT 1) SELECT i FROM n UNION ALL SELECT i FROM n`,
  `WITH n AS (WITH m AS (SELECT nextval('s') AS i) SELECT p.i, q.i AS j FROM m p, m q) SELECT p.i, q.j FROM n p, n q`,
  `WITH RECURSIVE n AS (SELECT nextval('s') AS i, 1 AS k UNION ALL SELECT i, k + 1 FROM n WHERE k < 4) SELECT p.i, q.i, p.k FROM n p JOIN n q ON p.k = q.k`,
  `WITH RECURSIVE n AS (SELECT nextval('s') AS i), r AS (SELECT i, 1 AS k FROM n UNION ALL SELECT r.i + n.i, k + 1 FROM r, n WHERE k < 4) SELECT r.i, k, n.i FROM r, n`,
  `SELECT * FROM (WITH ${N} SELECT p.id, q.g FROM n p, n q) w WHERE id = 3`,
  `SELECT t.id, (WITH n AS (SELECT nextval('s') AS i) SELECT p.i + q.i FROM n p, n q) FROM t`,
  `SELECT t.id, (WITH n AS (SELECT nextval('s') AS i) SELECT p.i + q.i + t.id FROM n p, n q) FROM t`,
  `WITH ${N} SELECT p.id FROM n p WHERE p.g = (SELECT max(q.g) FROM n q WHERE q.id = p.id) GROUP BY p.id HAVING p.id > (SELECT min(id) FROM n)`,
  `WITH ${N} SELECT p.g, max(q.id) FROM n p JOIN n q ON q.id <= p.id GROUP BY GROUPING SETS ((p.g), ())`,
];

const CHANGES = [
  "WITH n AS (SELECT nextval('s') AS id), i AS (INSERT INTO a SELECT id FROM n) INSERT INTO b SELECT id FROM n",
  `WITH ${N}, i AS (INSERT INTO a SELECT id FROM n WHERE g < 4) INSERT INTO b SELECT id FROM n WHERE g > 2 RETURNING x`,
  `WITH ${N}, i AS (INSERT INTO a SELECT id FROM n RETURNING x) SELECT n.id, n.g, i.x FROM n JOIN i ON i.x = n.id`,
  `WITH ${N}, m AS (SELECT id * 10 AS id FROM n), i AS (INSERT INTO a SELECT id FROM m) INSERT INTO b SELECT n.id FROM n JOIN m ON m.id = n.id * 10`,
  `WITH ${N}, m AS (SELECT id + nextval('other') AS id FROM n WHERE g < 3), i AS (INSERT INTO a SELECT id FROM m), j AS (INSERT INTO a SELECT id FROM n) INSERT INTO b SELECT m.id + n.id FROM m, n`,
  `WITH i AS (INSERT INTO a SELECT g FROM generate_series(1, 3) g RETURNING x), n AS (SELECT x, nextval('s') AS id FROM i), j AS (INSERT INTO b SELECT id FROM n) INSERT INTO t SELECT x + 10, id FROM n`,
  `WITH ${N}, u AS (UPDATE t SET v = n.id FROM n WHERE n.g = t.id RETURNING t.id, v) INSERT INTO a SELECT id FROM n`,
  `WITH ${N}, d AS (DELETE FROM t USING n WHERE n.g = t.id AND n.id < 3 RETURNING t.id) INSERT INTO t SELECT g + 10, id FROM n`,
  `WITH ${N}, i AS (INSERT INTO a SELECT id FROM n) UPDATE t SET v = (SELECT max(id) FROM n WHERE g <= t.id)`,
  `WITH ${N}, i AS (INSERT INTO a SELECT id FROM n) DELETE FROM t WHERE id IN (SELECT id FROM n WHERE g > 1) RETURNING id`,
  `WITH ${N}, i AS (INSERT INTO a SELECT id FROM n) MERGE INTO t USING n ON n.g = t.id WHEN MATCHED THEN UPDATE SET v = n.id WHEN NOT MATCHED THEN INSERT VALUES (n.g, n.id)`,
  `WITH ${N} MERGE INTO t USING (SELECT p.g, q.id FROM n p JOIN n q ON p.id = q.id) w ON w.g = t.id WHEN MATCHED THEN UPDATE SET v = w.id WHEN NOT MATCHED THEN INSERT VALUES (w.g, w.id)`,
  `WITH ${N} INSERT INTO t SELECT p.id + 10, q.g FROM n p JOIN n q ON p.id = q.id`,
  `INSERT INTO a WITH ${N} SELECT id FROM n UNION ALL SELECT id FROM n`,
  `WITH ${N} INSERT INTO t SELECT g, id FROM n ON CONFLICT (id) DO UPDATE SET v = excluded.v`,
  `WITH ${N} UPDATE t SET v = p.id + q.id FROM n p, n q WHERE p.g = t.id AND q.id = p.id`,
  `WITH n AS (SELECT nextval('s') AS id, x FROM a), i AS (INSERT INTO a VALUES (100)), j AS (INSERT INTO a SELECT id FROM n) INSERT INTO b SELECT id FROM n`,
  `WITH n AS (SELECT nextval('s') AS id WHERE false), i AS (INSERT INTO a SELECT id FROM n) INSERT INTO b SELECT count(*) FROM n`,
  `WITH n AS (SELECT nextval('s') AS id), i AS (INSERT INTO a VALUES (5)) SELECT id FROM n`,
  `WITH n AS (SELECT nextval('s') AS id), i AS (INSERT INTO a SELECT id FROM n) SELECT 1`,
  `WITH n AS (SELECT nextval('s') AS id, NULL::text AS x, '{1,2}'::int[] AS y, now() AS z), i AS (INSERT INTO a SELECT id + y[2] FROM n) INSERT INTO b SELECT id FROM n WHERE x IS NULL AND z = now()`,
];

for (const query of [...READS, ...CHANGES]) test(query, () => same(query));

const EQUAL = [
  'WITH c AS (SELECT random() AS r) SELECT count(*), count(DISTINCT r) FROM (SELECT * FROM c UNION ALL SELECT * FROM c) q',
  'WITH c AS (SELECT gen_random_uuid() AS r FROM generate_series(1, 3)) SELECT count(*) FROM c a JOIN c b ON a.r = b.r',
  'WITH c AS (SELECT clock_timestamp() AS r) SELECT a.r = b.r FROM c a JOIN c b ON true',
  'WITH c AS (SELECT random() AS r), d AS (SELECT r FROM c), e AS (SELECT r FROM c) SELECT d.r = e.r, d.r = (SELECT r FROM c) FROM d, e',
];

for (const query of EQUAL) test(query, () => db.statement(query));

/** More than a read does at once. */
const MANY = 100_000;
const MADE = `n AS (SELECT nextval('s') AS id, g FROM generate_series(1, ${MANY}) g)`;
const READ = "n AS (SELECT nextval('s') AS id, x AS g FROM big)";
const SUMS = 'SELECT count(*), max(p.id), sum(q.g) FROM n p JOIN n q ON p.id = q.id AND p.g = q.g';
const INTO = 'INSERT INTO c SELECT g, id FROM n';

const LONG = [MADE, READ].flatMap((n) => [
  `WITH ${n} SELECT count(*), count(DISTINCT id), max(id) FROM (SELECT id FROM n UNION ALL SELECT id FROM n) q`,
  `WITH ${n} ${SUMS}`,
  `WITH ${n} SELECT count(*) FROM (SELECT * FROM n EXCEPT ALL SELECT * FROM n WHERE g % 2 = 0) q WHERE g % 2 = 0`,
  `WITH ${n} SELECT count(*) FROM n WHERE id > (SELECT avg(id) FROM n)`,
  `WITH ${n} SELECT p.id, q.id - p.id FROM n p JOIN n q ON p.g = q.g ORDER BY p.id DESC LIMIT 1`,
  `WITH ${n} SELECT count(*) FROM (SELECT id, rank() OVER (ORDER BY id) AS r FROM n) a JOIN n ON n.id = a.r`,
  `WITH ${n} INSERT INTO c SELECT p.g, q.id - p.id FROM n p JOIN n q ON p.g = q.g`,
  `WITH ${n} INSERT INTO c SELECT p.g, q.id - p.id FROM n p JOIN n q ON p.g = q.g ORDER BY 1`,
  `WITH ${n}, i AS (${INTO}) INSERT INTO c SELECT g, -id FROM n`,
  `WITH ${n}, i AS (${INTO}) ${SUMS}`,
  `WITH ${n}, u AS (UPDATE c SET y = n.id FROM n WHERE n.g = c.x) INSERT INTO c SELECT -g, -id FROM n`,
]);

for (const query of LONG) {
  test(`many rows: ${query}`, async () => {
    await db.script(`
      TRUNCATE c;
      INSERT INTO c VALUES (1, 1), (${MANY}, 1);
      SELECT setval('s', 1, false)`);
    await db.statement(query);
    // Which row of a table gets which number is nobody's promise.
    await db.statement('SELECT count(*), sum(x), sum(y), count(DISTINCT x), count(DISTINCT y) FROM c');
    await db.statement('SELECT count(*) FROM c a JOIN c b ON b.x = -a.x AND b.y = -a.y');
    await db.statement("SELECT nextval('s')");
  });
}
