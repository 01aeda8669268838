/** ALTER ... RENAME COLUMN: views go on seeing what they saw, what is shown of them says what is now, and all of it over restarts and changes of the layout. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { overRestarts } from '../durable/over_restarts.ts';
import { openEngine, sql } from './harness.ts';

const textOf = (engine: TidemarkEngine, view: string) => engine.catalog.find('public', view)?.sql;

const SETUP = `
  CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL, b text DEFAULT 'x', c int UNIQUE);
  CREATE TABLE other (a int, x text);
  CREATE STREAM ev (at timestamp, k int, WATERMARK FOR at AS at - INTERVAL '5 seconds');
  CREATE INDEX t_a ON t (a);
  INSERT INTO t VALUES (1, 2, 'p', 3), (2, 3, 'q', 4);
  INSERT INTO other VALUES (2, 'two');
  INSERT INTO ev VALUES ('2026-01-01 00:00:01', 7);
  CREATE VIEW plain AS SELECT id, a FROM t;
  CREATE VIEW above AS SELECT id FROM plain;
  CREATE MATERIALIZED VIEW everything AS SELECT * FROM t;
  CREATE MATERIALIZED VIEW by_key AS SELECT t.id, a, t.b, count(*) AS n FROM t JOIN plain USING (id, a) GROUP BY t.id, a;
  CREATE MATERIALIZED VIEW joined AS SELECT * FROM t NATURAL JOIN other;
  CREATE MATERIALIZED VIEW minutes AS SELECT window_start, count(*) AS n FROM TUMBLE(ev, at, INTERVAL '1 minute') GROUP BY window_start;
  CREATE SINK written FROM t WITH (connector = 'blackhole');
  ALTER VIEW plain RENAME COLUMN a TO c;
  ALTER TABLE everything RENAME b TO bb;
  ALTER TABLE t RENAME COLUMN a TO renamed;
  ALTER TABLE t RENAME COLUMN c TO a;
  ALTER STREAM ev RENAME COLUMN at TO seen;
  ALTER TABLE t RENAME TO u;`;

async function holds(engine: TidemarkEngine): Promise<void> {
  const rows: [query: string, ...rows: (string | null)[][]][] = [
    ['SELECT id, renamed, b, a FROM u', ['1', '2', 'p', '3'], ['2', '3', 'q', '4']],
    ['SELECT id, c FROM plain', ['1', '2'], ['2', '3']],
    ['SELECT id FROM above', ['1'], ['2']],
    ['SELECT a, bb, c FROM everything', ['2', 'p', '3'], ['3', 'q', '4']],
    ['SELECT * FROM by_key', ['1', '2', 'p', '1'], ['2', '3', 'q', '1']],
    ['SELECT a, id, b, c, x FROM joined', ['2', '1', 'p', '3', 'two']],
    ['SELECT n FROM minutes', ['1']],
  ];
  for (const [query, ...wanted] of rows) assert.deepEqual(await sql(engine, `${query} ORDER BY 1`), wanted, query);
  const texts: Record<string, string> = {
    plain: 'CREATE VIEW plain AS SELECT * FROM (SELECT id, a FROM u AS t(id, a, b, c)) AS plain(id, c)',
    above: 'CREATE VIEW above AS SELECT id FROM plain',
    everything:
      'CREATE MATERIALIZED VIEW everything AS SELECT * FROM (SELECT * FROM u AS t(id, a, b, c)) AS everything(id, a, bb, c)',
    by_key:
      'CREATE MATERIALIZED VIEW by_key AS SELECT t.id, a, t.b, count(*) AS n FROM u AS t(id, a, b, c) JOIN plain AS plain(id, a) USING (id, a) GROUP BY t.id, a',
    joined: 'CREATE MATERIALIZED VIEW joined AS SELECT * FROM u AS t(id, a, b, c) NATURAL JOIN other',
    minutes:
      "CREATE MATERIALIZED VIEW minutes AS SELECT window_start, count(*) AS n FROM TUMBLE((SELECT seen AS at, k FROM ev), at, INTERVAL '1 minute') AS ev GROUP BY window_start",
  };
  for (const [view, text] of Object.entries(texts)) assert.equal(textOf(engine, view), text);
  const explained = (await sql(engine, 'EXPLAIN SELECT * FROM everything')).join('\n');
  assert.match(explained, /columns: id, a, bb, c;/);
  assert.match(explained, /Source u \[id, renamed, b, a\]/);
  await assert.rejects(sql(engine, 'SELECT c FROM u'), { sqlstate: '42703' });
  await assert.rejects(sql(engine, 'INSERT INTO u VALUES (3, 4, NULL, 3)'), /t_c_key/);
  await assert.rejects(sql(engine, 'INSERT INTO u VALUES (3)'), /column "renamed" of relation "u"/);
  assert.match((await sql(engine, 'EXPLAIN SELECT * FROM u WHERE renamed = 3')).join('\n'), /lookup/);
}

async function works(engine: TidemarkEngine): Promise<void> {
  await holds(engine);
  await sql(engine, 'INSERT INTO u (id, renamed) VALUES (9, 2)');
  assert.deepEqual(
    await sql(engine, 'SELECT bb, n, x FROM everything JOIN by_key USING (id) JOIN joined USING (id) WHERE id = 9'),
    [['x', '1', 'two']],
  );
  await sql(engine, 'DELETE FROM u WHERE id = 9');
  await holds(engine);
}

test('columns get other names under views, and have them after restarts', async () => {
  const last = await overRestarts(SETUP, works);
  await last.close();
});

test('what cannot be renamed says so as PostgreSQL does', async () => {
  const engine = await openEngine();
  await sql(engine, 'CREATE TABLE t (a int, b int UNIQUE); CREATE VIEW v AS SELECT * FROM t');
  const refused: [statement: string, sqlstate: string, message: string][] = [
    ['ALTER TABLE t RENAME COLUMN zz TO y', '42703', 'column "zz" does not exist'],
    ['ALTER TABLE t RENAME COLUMN a TO b', '42701', 'column "b" of relation "t" already exists'],
    ['ALTER TABLE t RENAME a TO ctid', '42701', 'column name "ctid" conflicts with a system column name'],
    ['ALTER TABLE nope RENAME a TO b', '42P01', 'relation "nope" does not exist'],
    ['ALTER VIEW t RENAME COLUMN a TO b', '42701', 'column "b" of relation "t" already exists'],
    ['ALTER VIEW v RENAME COLUMN a TO b', '42701', 'column "b" of relation "v" already exists'],
    ['ALTER TABLE t_b_key RENAME b TO c', '42809', 'cannot rename columns of relation "t_b_key"'],
  ];
  for (const [statement, sqlstate, message] of refused) {
    await assert.rejects(sql(engine, statement), (error: { sqlstate: string; message: string }) => {
      assert.deepEqual([error.sqlstate, error.message], [sqlstate, `line 1: ${message}`], statement);
      return true;
    });
  }
  await sql(engine, 'ALTER TABLE IF EXISTS nope RENAME a TO b');
  assert.equal(textOf(engine, 'v'), 'CREATE VIEW v AS SELECT * FROM t');
});
