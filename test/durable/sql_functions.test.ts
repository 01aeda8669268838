/** Functions in SQL over restarts: they are those of before, views that call them go on, and what keeps them from being changed is known. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { sql } from '../engine/harness.ts';
import { overRestarts } from './over_restarts.ts';

test('functions, and what calls them, are there after restarts', async () => {
  const script = `
    CREATE SCHEMA lib;
    CREATE TYPE mood AS ENUM ('sad', 'happy');
    CREATE TABLE t (id int PRIMARY KEY, a int, m mood);
    INSERT INTO t VALUES (1, 10, 'sad'), (2, 20, 'happy');
    CREATE FUNCTION gone(x int) RETURNS int LANGUAGE sql RETURN x;
    CREATE TABLE was (a int CHECK (gone(a) > 0)); DROP TABLE was; DROP FUNCTION gone;
    CREATE FUNCTION lib.add(x int, y int DEFAULT 5) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT x * y $$;
    CREATE OR REPLACE FUNCTION lib.add(x int, y int DEFAULT 5) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT x + y $$;
    CREATE FUNCTION sum_to(n int) RETURNS bigint LANGUAGE sql STABLE BEGIN ATOMIC SELECT sum(a) FROM t WHERE id <= n; END;
    CREATE FUNCTION moods(of mood) RETURNS TABLE (id int, text text) LANGUAGE sql AS 'SELECT id, m::text FROM public.t WHERE m = of';
    CREATE FUNCTION first_name(x int) RETURNS int LANGUAGE sql AS 'SELECT x + 100';
    ALTER FUNCTION first_name RENAME TO second_name;
    ALTER FUNCTION second_name SET SCHEMA lib;
    ALTER FUNCTION lib.second_name IMMUTABLE STRICT COST 3;
    COMMENT ON FUNCTION lib.second_name IS 'said';
    CREATE MATERIALIZED VIEW v AS SELECT id, lib.add(a) AS more, sum_to(id) AS sums FROM t;
    CREATE VIEW p AS SELECT x.id, x.text, lib.second_name(x.id) AS n FROM moods('sad') x;
    CREATE MATERIALIZED VIEW over_p AS SELECT count(*) AS n, min(n) AS least FROM p;
    CREATE TABLE c (a int CHECK (lib.add(a, 0) < 50), d int DEFAULT lib.add(1, 1), g int GENERATED ALWAYS AS (lib.add(a, 1)) STORED);
    CREATE INDEX ci ON c (lib.add(a, 2));
    CREATE FUNCTION inside(x int) RETURNS int LANGUAGE sql RETURN x + 1;
    CREATE FUNCTION outside(x int) RETURNS int LANGUAGE sql AS 'SELECT inside(x)';
    CREATE TABLE without (a int CHECK (outside(a) > 0), b int DEFAULT outside(1));
    ALTER TABLE without DROP CONSTRAINT without_a_check, ALTER b SET DEFAULT 3;
    DROP FUNCTION outside, inside;
    CREATE TABLE likewise (LIKE c INCLUDING ALL)`;
  let id = 3;
  let known: unknown = null;
  const last = await overRestarts(script, async (engine: TidemarkEngine, how: string) => {
    const listed = await sql(
      engine,
      `SELECT oid::bigint, oid::regprocedure::text, pg_get_functiondef(oid), prosrc, provolatile, obj_description(oid, 'pg_proc') FROM pg_proc
       WHERE oid >= 16384 ORDER BY 1`,
    );
    assert.equal(listed.length, 4);
    known ??= listed;
    assert.deepEqual(listed, known, how);
    await sql(engine, `INSERT INTO t VALUES (${id}, 1, 'sad'); INSERT INTO c (a) VALUES (${id})`);
    const rows = Array.from({ length: id - 2 }, (_, i) => [String(i + 3), '6', String(31 + i)]);
    assert.deepEqual(
      await sql(engine, 'SELECT * FROM v ORDER BY id'),
      [['1', '15', '10'], ['2', '25', '30'], ...rows],
      how,
    );
    assert.deepEqual(await sql(engine, 'SELECT * FROM over_p'), [[String(id - 1), '101']], how);
    assert.deepEqual(await sql(engine, `SELECT * FROM c WHERE lib.add(a, 2) = ${id + 2}`), [
      [String(id), '2', String(id + 1)],
    ]);
    await assert.rejects(sql(engine, 'INSERT INTO c (a) VALUES (50)'), { sqlstate: '23514' });
    for (const name of ['lib.add(int, int)', 'sum_to(int)', 'moods(mood)', 'lib.second_name(int)'])
      await assert.rejects(sql(engine, `DROP FUNCTION ${name}`), { sqlstate: '2BP01' }, `${name} ${how}`);
    await assert.rejects(sql(engine, 'DROP TABLE t'), { sqlstate: '2BP01' });
    await assert.rejects(
      sql(
        engine,
        'CREATE OR REPLACE FUNCTION lib.add(x int, y int DEFAULT 5) RETURNS int LANGUAGE sql AS $$ SELECT x - y $$',
      ),
      { sqlstate: '0A000' },
    );
    await assert.rejects(sql(engine, 'SELECT gone(1)'), { sqlstate: '42883' });
    await assert.rejects(sql(engine, 'SELECT outside(1)'), { sqlstate: '42883' });
    await sql(engine, `INSERT INTO without (a) VALUES (${-id}); INSERT INTO likewise (a) VALUES (${id})`);
    assert.deepEqual(await sql(engine, `SELECT b FROM without WHERE a = ${-id}`), [['3']]);
    await assert.rejects(sql(engine, 'INSERT INTO likewise (a) VALUES (60)'), { sqlstate: '23514' });
    id++;
  });
  await last.close();
});
