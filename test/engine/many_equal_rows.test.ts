/** Rows that would come more often than 32 bits can say: refused and taken back, never counted wrongly. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEngine, sql } from './harness.ts';

const TOO_MANY = { sqlstate: '54000', message: /more than 2147483647 equal rows/ };

test('a join of equal rows whose pairs are too many fails, in reads, new views and ticks, and all goes on as before', async () => {
  const engine = await openEngine();
  try {
    await sql(engine, 'CREATE TABLE d (a int)');
    await sql(engine, 'INSERT INTO d SELECT 1 FROM generate_series(1, 40000)');
    await sql(engine, 'CREATE MATERIALIZED VIEW n AS SELECT count(*) AS n, sum(x.a) AS s FROM d x, d y');
    await sql(engine, 'CREATE MATERIALIZED VIEW r AS SELECT x.a FROM d x JOIN d y USING (a)');
    const all = 'SELECT n, s, (SELECT count(*) FROM r), (SELECT count(*) FROM d) FROM n';
    const before = [['1600000000', '1600000000', '1600000000', '40000']];
    assert.deepEqual(await sql(engine, all), before);
    await assert.rejects(sql(engine, 'INSERT INTO d SELECT 1 FROM generate_series(1, 20000)'), TOO_MANY);
    assert.deepEqual(await sql(engine, all), before);
    await assert.rejects(sql(engine, 'SELECT count(*) FROM d x, d y, d z'), TOO_MANY);
    await assert.rejects(
      sql(engine, 'CREATE MATERIALIZED VIEW l AS SELECT x.a FROM d x LEFT JOIN d y USING (a) LEFT JOIN d z USING (a)'),
      TOO_MANY,
    );
    await sql(engine, 'INSERT INTO d VALUES (2), (2)');
    assert.deepEqual(await sql(engine, all), [['1600160004', '1600240008', '1600000004', '40002']]);
    await sql(engine, 'DELETE FROM d WHERE a = 1');
    assert.deepEqual(await sql(engine, all), [['4', '8', '4', '2']]);
  } finally {
    await engine.close();
  }
});

test('equal rows of several inputs that are too many together', async () => {
  const engine = await openEngine();
  try {
    await sql(engine, 'CREATE TABLE d (a int)');
    await sql(engine, 'CREATE TABLE e (a int)');
    await sql(engine, 'INSERT INTO d SELECT 1 FROM generate_series(1, 40000)');
    await sql(engine, 'INSERT INTO e SELECT 1 FROM generate_series(1, 10000)');
    await sql(engine, 'CREATE MATERIALIZED VIEW r AS SELECT x.a FROM d x, d y UNION ALL SELECT x.a FROM e x, e y');
    await sql(engine, 'CREATE MATERIALIZED VIEW u AS SELECT x.a FROM d x, d y EXCEPT ALL SELECT x.a FROM e x, e y');
    const all = 'SELECT (SELECT count(*) FROM r), (SELECT count(*) FROM u)';
    assert.deepEqual(await sql(engine, all), [['1700000000', '1500000000']]);
    for (const rows of [20000, 30000]) {
      await assert.rejects(sql(engine, `INSERT INTO e SELECT 1 FROM generate_series(1, ${rows})`), TOO_MANY);
      assert.deepEqual(await sql(engine, all), [['1700000000', '1500000000']]);
    }
  } finally {
    await engine.close();
  }
});
