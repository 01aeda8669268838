/** Domains over restarts: what they say is what they said before, and rows that their former constraints would refuse are there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { sql } from '../engine/harness.ts';
import { overRestarts } from './over_restarts.ts';

test('domains, rows and views are there after restarts', async () => {
  const script = `
    CREATE SCHEMA s;
    CREATE TYPE mood AS ENUM ('a', 'b');
    CREATE DOMAIN s.base AS int DEFAULT 5 CHECK (VALUE > 0) CONSTRAINT odd CHECK (VALUE % 2 = 1);
    CREATE DOMAIN good AS mood NOT NULL DEFAULT 'b' CHECK (VALUE > 'a'::mood);
    CREATE DOMAIN gone AS int; CREATE TABLE was (g gone); INSERT INTO was VALUES (1); DROP TABLE was; DROP DOMAIN gone;
    CREATE DOMAIN first AS s.base CONSTRAINT low CHECK (VALUE < 50);
    CREATE TABLE t (id int PRIMARY KEY, b s.base, f first, fs first[], g good);
    INSERT INTO t VALUES (1, 1, 3, '{5,7}', 'b'), (2, DEFAULT, DEFAULT, NULL, DEFAULT);
    CREATE TABLE u (a int); INSERT INTO u VALUES (3), (5);
    ALTER TABLE u ALTER a TYPE first;
    ALTER TABLE u ADD c s.base;
    ALTER DOMAIN s.base DROP CONSTRAINT odd;
    INSERT INTO t VALUES (3, 8, 8, '{8}', 'b'); INSERT INTO u VALUES (8);
    ALTER DOMAIN first RENAME TO later;
    ALTER DOMAIN later SET SCHEMA s;
    ALTER DOMAIN s.later ADD CHECK (VALUE <> 13);
    ALTER DOMAIN s.base SET DEFAULT 9;
    COMMENT ON DOMAIN s.later IS 'said';
    CREATE MATERIALIZED VIEW v AS SELECT id, (b * 7)::s.later AS x FROM t;
    CREATE MATERIALIZED VIEW counts AS SELECT f, count(*) AS n FROM t GROUP BY f`;
  const catalog = `
    SELECT t.oid::bigint, typname, typnotnull, typdefault, c.oid::bigint, conname, pg_get_constraintdef(c.oid), obj_description(t.oid, 'pg_type')
    FROM pg_type t LEFT JOIN pg_constraint c ON contypid = t.oid WHERE typtype = 'd' AND typnamespace <> 'information_schema'::regnamespace ORDER BY 1, 6`;
  let known: unknown = null;
  let id = 10;
  const last = await overRestarts(script, async (engine: TidemarkEngine, how: string) => {
    const listed = await sql(engine, catalog);
    known ??= listed;
    assert.deepEqual(listed, known, how);
    assert.deepEqual(
      await sql(engine, 'SELECT * FROM t WHERE id < 10 ORDER BY id'),
      [
        ['1', '1', '3', '{5,7}', 'b'],
        ['2', '5', '5', null, 'b'],
        ['3', '8', '8', '{8}', 'b'],
      ],
      how,
    );
    assert.deepEqual(
      await sql(engine, 'SELECT * FROM u ORDER BY a'),
      [
        ['3', '5'],
        ['5', '5'],
        ['8', '5'],
      ],
      how,
    );
    assert.deepEqual(await sql(engine, 'SELECT * FROM v WHERE id < 10 ORDER BY id'), [
      ['1', '7'],
      ['2', '35'],
    ]);
    assert.deepEqual(await sql(engine, "SELECT DISTINCT sqlstate FROM tidemark.errors('v')"), [['23514']], how);
    await sql(engine, `INSERT INTO t (id, f) VALUES (${id}, 20)`);
    assert.deepEqual(await sql(engine, `SELECT b, f, g FROM t WHERE id = ${id++}`), [['9', '20', 'b']]);
    assert.deepEqual(await sql(engine, 'SELECT n FROM counts WHERE f = 20'), [[String(id - 10)]], how);
    await assert.rejects(sql(engine, `INSERT INTO t (id, f) VALUES (99, 13)`), { sqlstate: '23514' });
    await assert.rejects(sql(engine, `INSERT INTO t (id, f) VALUES (99, 50)`), { sqlstate: '23514' });
    await assert.rejects(sql(engine, `INSERT INTO t (id, g) VALUES (99, NULL)`), { sqlstate: '23502' });
    await assert.rejects(sql(engine, 'ALTER DOMAIN s.later DROP CONSTRAINT low'), { sqlstate: '0A000' });
    await assert.rejects(sql(engine, 'DROP DOMAIN s.base'), { sqlstate: '2BP01' });
    await assert.rejects(sql(engine, 'SELECT NULL::gone'), { sqlstate: '42704' });
  });
  await last.close();
});
