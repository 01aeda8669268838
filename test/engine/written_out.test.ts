/** WITH queries and views that read each other twice: what would be too large is refused at once, wherever it stands. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEngine, sql } from './harness.ts';

/** 2^depth copies of one row. */
function doubled(depth: number): string {
  const items = Array.from({ length: depth }, (_, i) => `c${i + 1} AS (SELECT x.a FROM c${i} x, c${i} y)`);
  return `WITH c0 AS (SELECT 1 AS a)${items.map((item) => `, ${item}`).join('')} SELECT a FROM c${depth}`;
}

test('what is too large when it is written out is refused', async (t) => {
  const engine = await openEngine();
  t.after(() => engine.close());
  const refused = { sqlstate: '54001', message: /too large when its WITH queries and views are written out/ };
  assert.deepEqual(await sql(engine, doubled(4)), [['1']]);
  await sql(engine, 'CREATE TABLE t (a int)');
  for (const statement of [
    doubled(40),
    `CREATE VIEW v AS ${doubled(40)}`,
    `CREATE MATERIALIZED VIEW v AS ${doubled(40)}`,
    `INSERT INTO t ${doubled(40)}`,
    `UPDATE t SET a = 1 WHERE a IN (${doubled(40)})`,
  ])
    await assert.rejects(sql(engine, statement), refused, statement.slice(0, 30));
});

test('a chain of views ends where it is too large', async (t) => {
  const engine = await openEngine();
  t.after(() => engine.close());
  await sql(engine, 'CREATE VIEW c0 AS SELECT 1 AS a');
  let made = 0;
  await assert.rejects(
    async () => {
      for (; made < 40; made++) await sql(engine, `CREATE VIEW c${made + 1} AS SELECT x.a FROM c${made} x, c${made} y`);
    },
    { sqlstate: '54001' },
  );
  assert.ok(made >= 8 && made < 20, `${made} views`);
});
