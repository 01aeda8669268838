/** EXPLAIN of a view names what a kernel does of it, and who shares its nodes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEngine, sql } from './harness.ts';

test('EXPLAIN says which Top-N a kernel keeps in order', async () => {
  const engine = await openEngine();
  try {
    await sql(engine, 'CREATE STREAM bids (auction int, price int); CREATE TABLE t (auction int, price int)');
    const plan = async (from: string, most: number) => {
      const places = `SELECT auction, row_number() OVER (PARTITION BY auction ORDER BY price DESC) AS place FROM ${from}`;
      const lines = await sql(
        engine,
        `EXPLAIN CREATE MATERIALIZED VIEW v AS SELECT auction FROM (${places}) AS p WHERE place <= ${most}`,
      );
      return lines.map(([line]) => line).find((line) => line?.includes('TopN')) ?? '';
    };
    assert.match(await plan('bids', 3), /TopN 3 .* by kernel/);
    for (const other of [await plan('bids', 100), await plan('t', 3)]) {
      assert.match(other, /TopN/);
      assert.doesNotMatch(other, /by kernel/);
    }
  } finally {
    await engine.close();
  }
});

test('EXPLAIN names who shares a node', async () => {
  const engine = await openEngine();
  const lines = async (text: string) => (await sql(engine, `EXPLAIN ${text}`)).map(([line]) => line ?? '');
  const aggregate = async (text: string) => (await lines(text)).find((l) => l.includes('Aggregate')) ?? '';
  try {
    await sql(engine, 'CREATE TABLE t (a int, b int)');
    await sql(engine, 'CREATE MATERIALIZED VIEW one AS SELECT a, count(*) AS n FROM t GROUP BY a');
    assert.doesNotMatch((await lines('SELECT * FROM one')).join('\n'), /shared/);
    const second = 'CREATE MATERIALIZED VIEW two AS SELECT a FROM t GROUP BY a HAVING count(*) > 1';
    assert.match(await aggregate(second), /shared with one$/);
    await sql(engine, second);
    assert.match(await aggregate('SELECT * FROM one'), /shared with two$/);
    for (let i = 0; i < 4; i++)
      await sql(engine, `CREATE MATERIALIZED VIEW m${i} AS SELECT a, count(*) AS n FROM t GROUP BY a`);
    assert.match(await aggregate('SELECT * FROM one'), /shared with 5 views$/);
    const figures = (await lines('ANALYZE SELECT * FROM one')).filter((l) => /^\d+ aggregate/.test(l));
    assert.match(figures[0], / 6$/);
  } finally {
    await engine.close();
  }
});
