/** EXPLAIN of a SELECT is of a read, which sees rows once: where a view over them would keep more, it says so. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEngine, sql } from './harness.ts';

const READ_ONCE = / {2}· read once: EXPLAIN CREATE MATERIALIZED VIEW shows what a view keeps$/;

test('over rows that may change or go a read says that a view is another plan; over rows that stay it is the same', async () => {
  const engine = await openEngine();
  await sql(
    engine,
    'CREATE TABLE t (a int PRIMARY KEY, b int); CREATE STREAM s (a int, b int); CREATE MATERIALIZED VIEW v AS SELECT b, max(a) AS a FROM t GROUP BY b',
  );
  const plan = async (text: string) => (await sql(engine, `EXPLAIN ${text}`)).flat() as string[];
  const best = (relation: string) => `SELECT b, max(a) FROM ${relation} GROUP BY b`;
  for (const relation of ['t', 'v']) {
    const [head, node] = await plan(best(relation));
    assert.match(head, READ_ONCE);
    assert.match(node, / · append-only · state 1 row\/group/);
  }
  assert.match(
    (await plan(`CREATE MATERIALIZED VIEW w AS ${best('t')}`))[1],
    / · retractable · state 1 row\/group \+ ordered values/,
  );
  const others = [
    `CREATE MATERIALIZED VIEW w AS ${best('t')}`,
    best('s'),
    'SELECT a, b FROM t WHERE b = 3',
    'SELECT * FROM v',
  ];
  for (const text of others) assert.doesNotMatch((await plan(text))[0], READ_ONCE, text);
  await engine.close();
});
