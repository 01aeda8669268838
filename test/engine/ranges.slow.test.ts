/** Ranges and multiranges against PostgreSQL: what is read, random expressions, and views over rows that come, change and go. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AgainstPostgres } from './against_postgres.ts';
import { seeded } from './harness.ts';
import { RANGES, RangeExpressions } from './range_expressions.ts';

const VALUES = 250;
const TEXTS = 300;
const SPOILED = ['int4range', 'numrange'];

test('texts and expressions', { timeout: 600_000 }, async () => {
  const { random, seed } = seeded('range expressions');
  const both = await AgainstPostgres.open();
  const same = async (sql: string) =>
    assert.deepEqual(await both.here(sql), await both.there(sql), `${sql}, seed ${seed}`);
  for (const range of Object.keys(RANGES)) {
    const make = new RangeExpressions(range, random, true);
    // What is wrong inside of a time is not for this test.
    for (let i = 0; i < TEXTS && SPOILED.includes(range); i++) {
      await same(`SELECT '${make.spoiled(make.rangeText())}'::${range}`);
      await same(`SELECT '${make.spoiled(make.multirangeText())}'::${make.multirange}`);
    }
    for (let i = 0; i < VALUES; i++) await same(`SELECT ${make.value()}`);
  }
  await both.close();
});

/** Queries over x and y, which have columns id, r, m and e. */
function queries(range: string, random: (n: number) => number): string[] {
  const one = new RangeExpressions(range, random, false, ['']);
  const two = new RangeExpressions(range, random, false, ['x.', 'y.']);
  return [
    `SELECT id, ${one.rangeValue(3)} AS a, ${one.multirangeValue(3)} AS b, ${one.condition(3)} AS c, ${one.element(2)} AS d FROM x`,
    `SELECT id FROM x WHERE ${one.condition(3)}`,
    `SELECT x.id, y.id AS other FROM x JOIN y ON ${two.condition(2)}`,
    `SELECT x.id, y.id AS other FROM x LEFT JOIN y ON x.r ${['&&', '@>', '<@', '<<', '-|-', '='][random(6)]} y.r`,
    'SELECT x.id, y.id AS other FROM x FULL JOIN y ON x.r = y.r AND x.m = y.m',
    'SELECT x.id, y.id AS other FROM x JOIN y ON x.r @> y.e',
    'SELECT x.id FROM x WHERE NOT EXISTS (SELECT FROM y WHERE y.m && x.r)',
    'SELECT r, count(*) AS n FROM x GROUP BY r',
    'SELECT m, count(*) AS n FROM x GROUP BY m',
    'SELECT count(DISTINCT r) AS n, range_agg(r) AS a, range_intersect_agg(r) AS b, range_agg(m) AS c, range_intersect_agg(m) AS d FROM x',
    'SELECT e, range_agg(r) AS a, range_intersect_agg(r) FILTER (WHERE id % 2 = 0) AS b FROM x GROUP BY e',
    'SELECT id, range_agg(r) OVER (PARTITION BY e ORDER BY id) AS a, rank() OVER (ORDER BY r, m) AS b FROM x',
    'SELECT id FROM x ORDER BY r DESC NULLS LAST, m, id LIMIT 4',
    'SELECT x.id, p FROM x, unnest(x.m) p',
    'SELECT DISTINCT ON (r) r, id FROM x ORDER BY r, id',
    'SELECT e, array_agg(r ORDER BY r, id)::text AS a, jsonb_agg(m ORDER BY id) AS b FROM x GROUP BY e',
  ];
}

const sorted = ({ rows = [], error }: { rows?: unknown[]; error?: unknown }) =>
  error === undefined ? rows.map((row) => JSON.stringify(row)).sort() : error;

test('views over rows that come and go', { timeout: 600_000 }, async () => {
  const { random, seed } = seeded('ranges in views');
  const both = await AgainstPostgres.open();
  for (const range of Object.keys(RANGES)) {
    const make = new RangeExpressions(range, random, false);
    const value = (text: () => string) => (random(8) === 0 ? 'NULL' : `'${text()}'`);
    const [r, m, e] = [
      () => value(() => make.rangeText()),
      () => value(() => make.multirangeText()),
      () => value(() => make.boundText()),
    ];
    for (const table of ['x', 'y'])
      await both.statement(
        `CREATE TABLE ${table} (id int PRIMARY KEY, r ${range}, m ${make.multirange}, e ${make.bound})`,
      );
    await both.statement(`CREATE INDEX ON ${random(2) === 0 ? 'x' : 'y'} (r)`);
    const all = queries(range, random);
    for (const [i, query] of all.entries()) {
      const { error } = await both.here(`CREATE MATERIALIZED VIEW v${i} AS ${query}`);
      assert.equal(error, undefined, `${query}, seed ${seed}`);
    }
    let next = 0;
    for (let step = 0; step < 6; step++) {
      const table = random(2) === 0 ? 'x' : 'y';
      const rows = Array.from({ length: 1 + random(6) }, () => `(${next++}, ${r()}, ${m()}, ${e()})`);
      await both.statement('BEGIN');
      await both.statement(`INSERT INTO ${table} VALUES ${rows.join(', ')}`);
      if (random(2) === 0)
        await both.statement(`UPDATE ${table} SET r = ${r()}, m = ${m()} WHERE id % ${2 + random(4)} = 0`);
      if (random(2) === 0) await both.statement(`DELETE FROM ${table} WHERE r = ${r()} OR e <@ m`);
      await both.statement('COMMIT');
      for (const [i, query] of all.entries()) {
        const wanted = sorted(await both.there(query));
        const about = `${range}, step ${step}, seed ${seed}: ${query}`;
        assert.deepEqual(sorted(await both.here(`SELECT * FROM v${i}`)), wanted, about);
        if (random(3) === 0) assert.deepEqual(sorted(await both.here(query)), wanted, `read, ${about}`);
      }
    }
    for (const i of all.keys()) await both.here(`DROP MATERIALIZED VIEW v${i}`);
    await both.statement('DROP TABLE x, y');
  }
  await both.close();
});
