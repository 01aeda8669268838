/** ALTER ... SET SCHEMA: what it takes along, what reads it, what it is refused for; and after a restart it is so again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from '../engine/harness.ts';
import { overRestarts } from './over_restarts.ts';

const SETUP = `
  CREATE SCHEMA old; CREATE SCHEMA "New one"; CREATE SCHEMA s;
  CREATE TABLE old.parent (id int PRIMARY KEY);
  CREATE TABLE old.t (id serial PRIMARY KEY, k int UNIQUE, p int REFERENCES old.parent, n int GENERATED ALWAYS AS IDENTITY, at timestamp DEFAULT '2026-01-01');
  CREATE INDEX t_p ON old.t (p);
  CREATE TABLE t (id int);
  CREATE STREAM clicks (at timestamp, k int, WATERMARK FOR at AS at - INTERVAL '5 seconds');
  CREATE SEQUENCE counter;
  INSERT INTO old.parent VALUES (1), (2);
  INSERT INTO old.t (k, p) VALUES (10, 1), (20, 2);
  CREATE VIEW plain AS SELECT t.k, parent.id FROM old.t JOIN old.parent ON t.p = parent.id;
  CREATE VIEW aliased AS WITH w AS (SELECT k FROM old.t AS x) SELECT w.k + 1 AS k FROM w;
  CREATE MATERIALIZED VIEW sums AS SELECT p, sum(k) AS s FROM old.t GROUP BY p;
  CREATE MATERIALIZED VIEW windows AS SELECT window_start, count(*) AS n FROM TUMBLE(clicks, at, INTERVAL '10 seconds') GROUP BY window_start;
  CREATE VIEW over AS SELECT s FROM sums;
  ALTER TABLE old.t SET SCHEMA "New one";
  ALTER TABLE old.parent SET SCHEMA s;
  ALTER STREAM clicks SET SCHEMA s;
  ALTER SEQUENCE counter SET SCHEMA s;
  ALTER MATERIALIZED VIEW sums SET SCHEMA s;
  ALTER VIEW plain SET SCHEMA s;
  DROP SCHEMA old`;

test('with indexes and sequences, under views, over restarts', async () => {
  let n = 2;
  const engine = await overRestarts(SETUP, async (engine, how) => {
    const where = Object.fromEntries(engine.catalog.objects().map(({ name, schema }) => [name, schema]));
    for (const name of ['t_k_key', 't_p', 't_id_seq', 't_n_seq'])
      assert.equal(where[name], 'New one', `${name} ${how}`);
    for (const name of ['parent', 'clicks', 'counter', 'sums', 'plain'])
      assert.equal(where[name], 's', `${name} ${how}`);
    assert.equal(engine.catalog.hasSchema('old'), false);
    n++;
    await sql(engine, `INSERT INTO s.parent VALUES (${n}); INSERT INTO "New one".t (k, p) VALUES (${n * 10}, ${n})`);
    const rows = Array.from({ length: n }, (_, i) => i + 1);
    assert.deepEqual(
      await sql(engine, 'SELECT k, id FROM s.plain ORDER BY k'),
      rows.map((i) => [`${i * 10}`, `${i}`]),
      how,
    );
    assert.deepEqual(
      await sql(engine, 'SELECT k FROM aliased ORDER BY k'),
      rows.map((i) => [`${i * 10 + 1}`]),
      how,
    );
    assert.deepEqual(
      await sql(engine, 'SELECT p, s FROM s.sums ORDER BY p'),
      rows.map((i) => [`${i}`, `${i * 10}`]),
      how,
    );
    assert.deepEqual(await sql(engine, 'SELECT count(*) FROM over'), [[`${n}`]], how);
    assert.deepEqual(await sql(engine, 'SELECT * FROM t'), []);
    await sql(engine, `INSERT INTO s.clicks VALUES ('2026-01-01 00:00:0${n}', ${n})`);
    assert.deepEqual(await sql(engine, 'SELECT n FROM windows'), [[`${n - 2}`]], how);
    assert.equal((await sql(engine, `SELECT nextval('s.counter')`)).length, 1);
    await assert.rejects(sql(engine, `INSERT INTO "New one".t (k, p) VALUES (10, 1)`), { sqlstate: '23505' });
    await assert.rejects(sql(engine, `INSERT INTO "New one".t (k, p) VALUES (11, 77)`), { sqlstate: '23503' });
    await assert.rejects(sql(engine, 'SELECT * FROM sums'), { sqlstate: '42P01' });
    const text = async (view: string) => (await sql(engine, `SELECT pg_get_viewdef('${view}'::regclass)`))[0][0];
    assert.match(String(await text('s.plain')), /FROM "New one"\.t JOIN s\.parent ON/);
    assert.match(String(await text('aliased')), /FROM "New one"\.t AS x/);
    assert.match(String(await text('s.sums')), /FROM "New one"\.t GROUP BY/);
    assert.match(String(await text('windows')), /TUMBLE\(s\.clicks, at/);
    assert.match(String(await text('over')), /FROM s\.sums/);
  });
  const REFUSED: [text: string, sqlstate: string, message: RegExp][] = [
    ['ALTER TABLE t SET SCHEMA "New one"', '42P07', /relation "t" already exists in schema "New one"/],
    ['ALTER TABLE t SET SCHEMA nosuch', '3F000', /schema "nosuch" does not exist/],
    ['ALTER SEQUENCE "New one".t_id_seq SET SCHEMA s', '0A000', /cannot move an owned sequence/],
    ['ALTER SEQUENCE "New one".t_n_seq SET SCHEMA s', '0A000', /cannot move an owned sequence/],
    ['ALTER VIEW t SET SCHEMA s', '42809', /"t" is not a view/],
    ['ALTER TABLE "New one".t_p SET SCHEMA s', '42809', /cannot change schema of index "t_p"/],
    ['ALTER TABLE t SET SCHEMA tidemark', '42501', /permission denied/],
    ['ALTER TABLE nothing SET SCHEMA s', '42P01', /"nothing" does not exist/],
    ['CREATE TEMP TABLE x (a int); ALTER TABLE x SET SCHEMA s', '0A000', /into or out of temporary schemas/],
    ['CREATE TEMP TABLE x (a int); ALTER TABLE t SET SCHEMA pg_temp', '0A000', /into or out of temporary schemas/],
    [
      'CREATE TABLE s.t_id_seq (a int); ALTER TABLE "New one".t SET SCHEMA s',
      '42P07',
      /"t_id_seq" already exists in schema "s"/,
    ],
    ['CREATE VIEW q AS SELECT public.t.id FROM t; ALTER TABLE t SET SCHEMA s', '0A000', /view "q" could not be read/],
    ['ALTER AGGREGATE sum(int) SET SCHEMA s', '0A000', /SET SCHEMA is not supported/],
  ];
  for (const [text, sqlstate, message] of REFUSED)
    await assert.rejects(sql(engine, text), (error: { sqlstate?: string; message?: string }) => {
      assert.deepEqual(
        [error.sqlstate, message.test(String(error.message))],
        [sqlstate, true],
        `${text}: ${error.message}`,
      );
      return true;
    });
  // It was not moved in part.
  assert.deepEqual(await sql(engine, 'SELECT id FROM public.t UNION ALL SELECT id FROM q'), []);
  await sql(engine, 'ALTER TABLE t SET SCHEMA public; ALTER TABLE IF EXISTS nothing SET SCHEMA s; DROP VIEW q');
  // A plan that is kept finds what has the name now.
  await sql(engine, 'INSERT INTO t VALUES (1); CREATE TABLE s.u (id int); INSERT INTO s.u VALUES (2)');
  assert.deepEqual(await sql(engine, 'SELECT id FROM t'), [['1']]);
  await sql(
    engine,
    'ALTER TABLE t SET SCHEMA s; ALTER TABLE s.u RENAME TO w; ALTER TABLE s.w SET SCHEMA public; ALTER TABLE w RENAME TO t',
  );
  assert.deepEqual(await sql(engine, 'SELECT id FROM t'), [['2']]);
  assert.deepEqual(await sql(engine, 'SELECT id FROM s.t'), [['1']]);
  await sql(engine, 'DROP SCHEMA s CASCADE');
  assert.equal(engine.catalog.in('New one', 't', []) !== undefined, true);
  await engine.close();
});
