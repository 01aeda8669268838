/** Sinks as the engine runs them: what they are given, what tidemark.sinks says of them, what CREATE SINK refuses. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEngine, sql } from './harness.ts';

const FIGURES = 'SELECT name, rows, queued, errors, last_error FROM tidemark.sinks ORDER BY name';

test('a blackhole counts the changes of its query and drops them', async () => {
  const engine = await openEngine();
  try {
    await sql(engine, 'CREATE TABLE t (a int, b int); INSERT INTO t VALUES (1, 10), (2, 20), (2, 30)');
    await sql(engine, "CREATE SINK sums AS SELECT a, sum(b) FROM t GROUP BY a WITH (connector = 'blackhole')");
    await sql(engine, "CREATE SINK rows FROM t WITH (connector = 'blackhole')");
    assert.deepEqual(await sql(engine, FIGURES), [
      ['rows', '3', '0', '0', null],
      ['sums', '2', '0', '0', null],
    ]);
    await sql(engine, 'INSERT INTO t VALUES (2, 1), (3, 1); UPDATE t SET b = 11 WHERE a = 1');
    assert.deepEqual(await sql(engine, FIGURES), [
      ['rows', '7', '0', '0', null],
      ['sums', '7', '0', '0', null],
    ]);
    await sql(engine, 'DROP SINK sums');
    assert.deepEqual(await sql(engine, 'SELECT name FROM tidemark.sinks'), [['rows']]);
    await assert.rejects(sql(engine, "CREATE SINK s FROM t WITH (connector = 'blackhole', topic = 'x')"), {
      sqlstate: '22023',
      message: /unrecognized option "topic"/,
    });
    await assert.rejects(sql(engine, "CREATE SINK s FROM t WITH (connector = 'file')"), { sqlstate: '22023' });
  } finally {
    await engine.close();
  }
});
