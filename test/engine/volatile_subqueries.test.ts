/** Rows that call volatile functions and that subqueries or GROUPING SETS take apart, beside PostgreSQL: they are worked out once. */
import { after, before, test } from 'node:test';
import { AgainstPostgres } from './against_postgres.ts';

let db: AgainstPostgres;

before(async () => {
  db = await AgainstPostgres.open();
  await db.script(`
    CREATE SEQUENCE s;
    CREATE TABLE t (a int PRIMARY KEY, s text);
    INSERT INTO t VALUES (1, 'x'), (2, 'y'), (0, 'z'), (3, NULL);
    CREATE TABLE kept (x float, c bigint)`);
});

after(() => db.close());

const DRAWN = '(SELECT random() AS x FROM generate_series(1, 50)) s';
const COUNT = 'SELECT count(*) FROM generate_series(1, 20) i WHERE s.x * 20 < i';

const STATEMENTS = [
  `SELECT count(*), count(c), bool_and(c = 20 - floor(x * 20)) FROM (SELECT x, (${COUNT}) c FROM ${DRAWN}) q`,
  `SELECT count(*), bool_and(c = (x >= 0.5)) FROM (SELECT x, EXISTS (SELECT FROM generate_series(1, 20) i WHERE i = 10 AND s.x * 20 >= i) c FROM ${DRAWN}) q`,
  `SELECT count(*), bool_and(floor(x * 20) IN (SELECT i - 1 FROM generate_series(1, 20) i WHERE s.x * 20 < i)) FROM ${DRAWN}`,
  `SELECT count(*), bool_and(n = 20 - floor(x * 20)) FROM ${DRAWN}, LATERAL (SELECT count(*) n FROM generate_series(1, 20) i WHERE s.x * 20 < i) l`,
  `SELECT count(*) FROM ${DRAWN} WHERE EXISTS (SELECT FROM generate_series(1, 20) i WHERE s.x * 20 < i ORDER BY i LIMIT 5)`,
  `SELECT g IS NULL, sum(c), count(*) > 0 FROM (SELECT g, count(*) c FROM (SELECT floor(random() * 3) g FROM generate_series(1, 60)) s GROUP BY ROLLUP (g)) q GROUP BY 1 ORDER BY 1`,
  `SELECT abs(max(x) FILTER (WHERE g IS NULL) - sum(x) FILTER (WHERE g IS NOT NULL)) < 0.0001
     FROM (SELECT g, sum(x) x FROM (SELECT i % 3 g, random() x FROM generate_series(1, 60) i) s GROUP BY ROLLUP (g)) q`,
  `SELECT n, (SELECT max(t.s) FROM t WHERE t.a * 2 > s.n) FROM (SELECT nextval('s') n FROM generate_series(1, 5)) s ORDER BY 1`,
  `SELECT nextval('s')`,
  `INSERT INTO kept SELECT x, (${COUNT}) FROM ${DRAWN}`,
  'SELECT count(*), bool_and(c = 20 - floor(x * 20)) FROM kept',
  `WITH w AS (SELECT (${COUNT}) c FROM ${DRAWN}) SELECT count(*), bool_and((SELECT max(v.c) FROM w v WHERE v.c >= w.c) >= w.c) FROM w`,
];

for (const sql of STATEMENTS) test(sql, () => db.statement(sql));

/** Columns that are not volatile need no item, also where the query depends on another one. */
test('a correlated query with a volatile column that no subquery refers to', () =>
  db.statement(
    `SELECT a, (SELECT count(x) FROM (SELECT i, random() x FROM generate_series(1, t.a) i) s, LATERAL (SELECT count(*) c FROM t u WHERE u.a / (s.i + 1) > 0) l)
       FROM t ORDER BY a`,
  ));

const ARMS = [
  'SELECT s FROM t u WHERE u.a = 1 / (t.a - 1)',
  'SELECT s FROM t u WHERE u.a = 1 / (t.a - 1) AND u.a / (t.a - 1) > 0',
  'SELECT u.s FROM t u JOIN t v ON u.a = v.a AND v.a = 1 / (t.a - 1)',
  'SELECT count(*) FROM t u WHERE u.a = 1 / (t.a - 1)',
];

for (const arm of ARMS) {
  test(`what fails in an arm that is not reached: ${arm}`, () =>
    db.statement(`SELECT a, CASE WHEN a > 1 THEN (${arm}) END FROM t ORDER BY a`));
}
