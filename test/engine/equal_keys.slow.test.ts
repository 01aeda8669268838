/**
 * Equal values that look different (1 and 1.0, a day and 24 hours, -0 and 0, char(n) with blanks), of many types, as keys of everything that has keys: views over rows that
 * come, change and go are what PostgreSQL makes of the rows. Queries show nothing of the keys themselves, as which of equal ones is shown is the order of ticks.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AgainstPostgres } from './against_postgres.ts';
import { seeded } from './harness.ts';

const TYPES: Record<string, string[]> = {
  jsonb: [
    '1',
    '1.0',
    '{"a": 1}',
    '{"a": 1.0}',
    '[1, 2]',
    '[1.0, 2]',
    'null',
    '{"b": 2.0, "a": 1}',
    '{"a": 1, "b": 2}',
    '-0',
    '0',
  ],
  'jsonb[]': ['{1,1.0}', '{1.0,1}', '{"[1]"}', '{"[1.0]"}'],
  numeric: [
    '0',
    '-0.00',
    '1',
    '1.0',
    '10',
    '1e1',
    'NaN',
    'Infinity',
    '1e-20',
    '1.0e-20',
    '123456789012345678901234567890.0',
  ],
  'numeric[]': ['{1}', '{1.0}', '{1.00,NULL}', '{1,NULL}', '{NaN}', '{}', '{{1}}', '[0:0]={1}'],
  'char(4)': ['a', 'a ', 'a  ', 'ab', '', ' ', ' a'],
  'char(4)[]': ['{a}', '{"a "}', '{ab}', '{}'],
  interval: ['1 day', '24:00:00', '1 mon', '30 days', '0', '-1 day', '720:00:00', '1 year', '12 mons', '360 days'],
  'interval[]': ['{1 day}', '{24:00:00}', '{}'],
  float8: ['0', '-0', 'NaN', 'Infinity', '1e300'],
  'float8[]': ['{0}', '{-0}', '{NaN}', '{1,2}', '{}'],
  timetz: ['12:00+00', '13:00+01', '12:00:00.0+00', '11:00-01', '24:00+00'],
  numrange: ['[1,2)', '[1.0,2)', '[1,2.00)', '(1,2)', 'empty', '(,)', '[-0,0.0]', '[NaN,NaN]', '[1,1e1)', '[1,10)'],
  nummultirange: ['{[1,2)}', '{[1.0,2)}', '{[1,2.0),[3,4)}', '{[1,2),[3.0,4)}', '{}', '{empty}'],
  'numrange[]': ['{"[1,2)"}', '{"[1.0,2)"}', '{"[1,2)",NULL}', '{empty}', '{}'],
  daterange: [
    '[2020-01-01,2020-01-02]',
    '[2020-01-01,2020-01-03)',
    '(2019-12-31,2020-01-03)',
    'empty',
    '[,)',
    '[infinity,]',
  ],
  inet: ['10.0.0.1', '10.0.0.1/32', '10.0.0.1/24', '::1', '::1/128'],
};

const QUERIES = [
  'SELECT min(v) AS m, count(*) AS n FROM x GROUP BY k',
  'SELECT count(DISTINCT k) AS n, count(DISTINCT (k, v % 2)) AS m FROM x',
  'SELECT x.v, y.v AS w FROM x FULL JOIN y ON x.k = y.k',
  'SELECT x.v, y.v AS w FROM x JOIN y ON (x.k, x.v % 2) = (y.k, y.v % 2)',
  'SELECT v FROM x WHERE NOT EXISTS (SELECT FROM y WHERE y.k = x.k)',
  'SELECT v FROM x WHERE k NOT IN (SELECT k FROM y WHERE v % 3 > 0)',
  'SELECT v FROM x WHERE k >= ALL (SELECT k FROM y WHERE v < 3)',
  'SELECT count(*) AS n FROM (SELECT k FROM x UNION SELECT k FROM y) z',
  'SELECT count(*) AS n FROM (SELECT k FROM x EXCEPT ALL SELECT k FROM y) z',
  'SELECT v, rank() OVER (ORDER BY k) AS r, count(*) OVER (PARTITION BY k) AS c FROM x',
  'SELECT v, count(*) OVER (ORDER BY k GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW) AS c FROM x',
  'SELECT DISTINCT ON (k) v FROM x ORDER BY k, v',
  'SELECT v FROM x ORDER BY k DESC NULLS LAST, v LIMIT 4',
  'SELECT v FROM x ORDER BY k FETCH FIRST 3 ROWS WITH TIES',
  'SELECT count(*) AS n FROM (SELECT k FROM x GROUP BY GROUPING SETS ((k), (k, v % 3), ())) z',
  'SELECT x.v, (SELECT count(*) FROM y WHERE y.k = x.k) AS n FROM x',
  'SELECT x.v, l.v AS w FROM x LEFT JOIN LATERAL (SELECT v FROM y WHERE y.k IS NOT DISTINCT FROM x.k ORDER BY v LIMIT 1) l ON true',
  'WITH RECURSIVE r(k, d) AS (SELECT k, 0 FROM x WHERE v < 4 UNION SELECT y.k, 0 FROM r JOIN y ON y.k = r.k) SELECT count(*) AS n FROM r',
];

const sorted = ({ rows = [] }: { rows?: (string | null)[][] }) => rows.map((row) => JSON.stringify(row)).sort();

test('equal values of many types as keys', { timeout: 600_000 }, async () => {
  const { random, seed } = seeded('equal keys');
  const both = await AgainstPostgres.open();
  for (const [type, values] of Object.entries(TYPES)) {
    await both.statement(`CREATE TABLE x (k ${type}, v int)`);
    await both.statement(`CREATE TABLE y (k ${type}, v int)`);
    if (random(2) === 0) await both.statement('CREATE INDEX ON y (k)');
    for (const [i, query] of QUERIES.entries()) await both.here(`CREATE MATERIALIZED VIEW v${i} AS ${query}`);
    let next = 0;
    const key = () => (random(10) === 0 ? 'NULL' : `'${values[random(values.length)]}'`);
    for (let step = 0; step < 6; step++) {
      const table = random(2) === 0 ? 'x' : 'y';
      const rows = Array.from({ length: 1 + random(6) }, () => `(${key()}, ${next++})`);
      await both.statement('BEGIN');
      await both.statement(`INSERT INTO ${table} VALUES ${rows.join(', ')}`);
      if (random(2) === 0) await both.statement(`UPDATE ${table} SET k = ${key()} WHERE v % ${2 + random(4)} = 0`);
      if (random(2) === 0) await both.statement(`DELETE FROM ${table} WHERE k = ${key()}`);
      await both.statement('COMMIT');
      for (const [i, query] of QUERIES.entries()) {
        const wanted = sorted(await both.there(query));
        const about = `${type}, step ${step}, seed ${seed}: ${query}`;
        assert.deepEqual(sorted(await both.here(`SELECT * FROM v${i}`)), wanted, about);
        if (random(3) === 0) assert.deepEqual(sorted(await both.here(query)), wanted, `read, ${about}`);
      }
    }
    for (const i of QUERIES.keys()) await both.here(`DROP MATERIALIZED VIEW v${i}`);
    await both.statement('DROP TABLE x, y');
  }
  await both.close();
});
