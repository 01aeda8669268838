/** Rows that are equal and look different, -0 and 0 among them, over restarts: what is deleted after one is what was inserted before it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from '../engine/harness.ts';
import { overRestarts } from './over_restarts.ts';

const VIEWS = {
  looks: 'SELECT f::text AS p, n::text AS q, count(*) AS c FROM t GROUP BY 1, 2',
  groups: 'SELECT f AS p, count(*) AS c, min(f)::text AS q FROM t GROUP BY f',
  best: 'SELECT f::text AS p, n::text AS q FROM (SELECT * FROM t ORDER BY f, n LIMIT 3) s',
  pairs: 'SELECT t.f::text AS p, u.f::text AS q, count(*) AS c FROM t JOIN u ON t.f = u.f GROUP BY 1, 2',
};

test('rows that look different stay so over restarts', async () => {
  const views = Object.entries(VIEWS).map(([name, query]) => `CREATE MATERIALIZED VIEW ${name} AS ${query};`);
  const script = `
    CREATE TABLE t (f float8, n numeric);
    CREATE TABLE u (f float8 PRIMARY KEY);
    ${views.join('\n')}
    INSERT INTO t VALUES ('-0', 1.0), ('-0', 1.00), (0, 1.0), ('NaN', 1), (0, 1.0);
    INSERT INTO t SELECT '-0', g % 3 FROM generate_series(1, 40) g;
    INSERT INTO u VALUES ('-0'), (1)`;
  const engine = await overRestarts(script, async (engine, how) => {
    await sql(
      engine,
      "INSERT INTO t VALUES (0, 1.00), ('-0', 7); DELETE FROM t WHERE f::text = '0' AND n::text = '1.0'",
    );
    assert.deepEqual(await sql(engine, 'SELECT f FROM u ORDER BY f'), [['-0'], ['1']], how);
    assert.deepEqual(await sql(engine, 'SELECT p FROM groups ORDER BY p'), [['-0'], ['NaN']], how);
    for (const [name, query] of Object.entries(VIEWS)) {
      if (name === 'groups') continue;
      const order = 'ORDER BY 1, 2';
      const fresh = await sql(engine, `SELECT * FROM (${query}) s ${order}`);
      assert.deepEqual(await sql(engine, `SELECT * FROM ${name} ${order}`), fresh, `${name}, ${how}`);
    }
    await sql(engine, "INSERT INTO t VALUES (0, 1.0), (0, 1.0); DELETE FROM t WHERE f::text = '-0' AND n = 2");
  });
  try {
    await sql(engine, 'DELETE FROM t');
    for (const name of Object.keys(VIEWS)) assert.deepEqual(await sql(engine, `SELECT * FROM ${name}`), [], name);
  } finally {
    await engine.close();
  }
});
