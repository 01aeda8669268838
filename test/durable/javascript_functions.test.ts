/** Functions in JavaScript over restarts: made again from the log or a checkpoint, with what is kept that calls them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { sql } from '../engine/harness.ts';
import { overRestarts } from './over_restarts.ts';

test('functions in JavaScript, and what calls them, are there after restarts', async () => {
  const script = `
    CREATE SCHEMA lib;
    CREATE TABLE t (id int PRIMARY KEY, a int, s text);
    INSERT INTO t VALUES (1, 10, 'x y'), (2, 20, NULL), (3, 0, 'z');
    CREATE FUNCTION lib.share(a int, of numeric DEFAULT 100) RETURNS numeric LANGUAGE javascript AS 'return 0';
    CREATE OR REPLACE FUNCTION lib.share(a int, of numeric DEFAULT 100) RETURNS numeric LANGUAGE javascript IMMUTABLE
      AS $$ if (a === 0) throw new Error('nothing'); return Number(of) / a $$;
    CREATE FUNCTION words(s text) RETURNS TABLE (word text, n int) LANGUAGE javascript STRICT AS $$ return s.split(' ').map((word, n) => ({ word, n })) $$;
    ALTER FUNCTION words IMMUTABLE;
    CREATE FUNCTION gone(a int) RETURNS int LANGUAGE javascript IMMUTABLE AS 'return a';
    CREATE TABLE was (a int CHECK (gone(a) > 0)); DROP TABLE was; DROP FUNCTION gone;
    CREATE FUNCTION plain(a int) RETURNS int LANGUAGE javascript IMMUTABLE AS 'return a + 100';
    ALTER FUNCTION plain RENAME TO more;
    CREATE MATERIALIZED VIEW v AS SELECT id, lib.share(a) AS share FROM t;
    CREATE MATERIALIZED VIEW w AS SELECT id, word FROM t, words(s);
    CREATE VIEW p AS SELECT id, more(id) AS m FROM t;
    CREATE MATERIALIZED VIEW over_p AS SELECT sum(m) AS m FROM p;
    CREATE TABLE c (a int CHECK (more(a) < 150), g int GENERATED ALWAYS AS (more(a)) STORED, d int DEFAULT more(1));
    CREATE INDEX ci ON c (more(a))`;
  let id = 4;
  let known: unknown = null;
  const last = await overRestarts(script, async (engine: TidemarkEngine, how: string) => {
    const listed = await sql(
      engine,
      'SELECT oid::bigint, pg_get_functiondef(oid), provolatile FROM pg_proc WHERE oid >= 16384 ORDER BY 1',
    );
    assert.equal(listed.length, 3);
    known ??= listed;
    assert.deepEqual(listed, known, how);
    await sql(engine, `INSERT INTO t VALUES (${id}, 8, 'n'); INSERT INTO c (a) VALUES (${id})`);
    const added = Array.from({ length: id - 3 }, (_, i) => String(i + 4));
    const shares = [['1', '10'], ['2', '5'], ...added.map((n) => [n, '12.5'])];
    assert.deepEqual(await sql(engine, 'SELECT * FROM v ORDER BY id'), shares, how);
    assert.deepEqual(await sql(engine, "SELECT sqlstate, reason FROM tidemark.errors('v')"), [
      ['38000', 'function share(integer,numeric) failed at line 1: Error: nothing'],
    ]);
    const words = [['1', 'x'], ['1', 'y'], ['3', 'z'], ...added.map((n) => [n, 'n'])];
    assert.deepEqual(await sql(engine, 'SELECT * FROM w ORDER BY 1, 2'), words, how);
    const total = Array.from({ length: id }, (_, i) => i + 101).reduce((a, b) => a + b);
    assert.deepEqual(await sql(engine, 'SELECT * FROM over_p'), [[String(total)]], how);
    assert.deepEqual(
      await sql(engine, `SELECT * FROM c WHERE more(a) = ${id + 100}`),
      [[String(id), String(id + 100), '101']],
      how,
    );
    await assert.rejects(sql(engine, 'INSERT INTO c (a) VALUES (50)'), { sqlstate: '23514' }, how);
    for (const name of ['lib.share', 'words', 'more'])
      await assert.rejects(sql(engine, `DROP FUNCTION ${name}`), { sqlstate: '2BP01' }, how);
    await assert.rejects(sql(engine, 'ALTER FUNCTION more VOLATILE'), { sqlstate: '0A000' }, how);
    id++;
  });
  // Rows go as they came.
  await sql(last, 'DELETE FROM t');
  for (const view of ['v', 'w', "tidemark.errors('v')"])
    assert.deepEqual(await sql(last, `SELECT * FROM ${view}`), [], view);
  await last.close();
});
