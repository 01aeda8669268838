/** Enum types over restarts: the types, their labels and their values are those of before, and views over them go on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryDisk } from '../../src/durable/testing/memory_disk.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { sql } from '../engine/harness.ts';
import { openOn, overRestarts } from './over_restarts.ts';

test('types, rows and views are there after restarts', async () => {
  const script = `
    CREATE SCHEMA s;
    CREATE TYPE s.level AS ENUM ('low', 'high');
    CREATE TYPE gone AS ENUM ('x');
    CREATE TABLE was (g gone); INSERT INTO was VALUES ('x'); DROP TABLE was; DROP TYPE gone;
    CREATE TABLE t (id int PRIMARY KEY, l s.level NOT NULL DEFAULT 'high', all_of s.level[]);
    INSERT INTO t VALUES (1, 'low', '{high,low}'), (2, DEFAULT, NULL);
    CREATE MATERIALIZED VIEW counts AS SELECT l, count(*) AS n FROM t GROUP BY l;
    CREATE MATERIALIZED VIEW best AS SELECT max(l) AS best, min(l::text) AS least FROM t;
    CREATE TABLE w (l s.level);
    CREATE MATERIALIZED VIEW texts AS SELECT l::text AS l, count(*) AS n FROM w GROUP BY 1;
    CREATE MATERIALIZED VIEW highs AS SELECT id FROM t WHERE l = 'high' OR l > 'high'::s.level;
    ALTER TYPE s.level ADD VALUE 'mid' BEFORE 'high';
    INSERT INTO t VALUES (3, 'mid', '{mid}');
    ALTER TYPE s.level ADD VALUE 'top';
    INSERT INTO w VALUES ('low'), ('mid'), ('top');
    ALTER TABLE t ADD other s.level DEFAULT 'top';
    CREATE TYPE late AS ENUM ('b', 'a');
    CREATE TABLE u AS SELECT 'a'::late AS a, l FROM t`;
  const catalog =
    'SELECT t.oid::bigint, e.oid::bigint, enumlabel, enumsortorder FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid ORDER BY 1, 4';
  let known: unknown = null;
  let id = 10;
  let highs = 1;
  const last = await overRestarts(script, async (engine: TidemarkEngine, how: string) => {
    const listed = await sql(engine, catalog);
    known ??= listed;
    assert.deepEqual(listed, known, how);
    assert.deepEqual(await sql(engine, 'SELECT id, l, all_of, other FROM t WHERE id < 10 ORDER BY l, id'), [
      ['1', 'low', '{high,low}', 'top'],
      ['3', 'mid', '{mid}', 'top'],
      ['2', 'high', null, 'top'],
    ]);
    assert.deepEqual(await sql(engine, 'SELECT a, l FROM u ORDER BY l'), [
      ['a', 'low'],
      ['a', 'mid'],
      ['a', 'high'],
    ]);
    await sql(engine, `INSERT INTO t VALUES (${id++}, 'top')`);
    highs++;
    assert.deepEqual(await sql(engine, 'SELECT * FROM counts ORDER BY l'), [
      ['low', '1'],
      ['mid', '1'],
      ['high', '1'],
      ['top', String(highs - 1)],
    ]);
    assert.deepEqual(await sql(engine, 'SELECT * FROM best'), [['top', 'high']]);
    assert.deepEqual(await sql(engine, 'SELECT count(*), sum(n) FROM texts'), [['3', '3']], how);
    assert.deepEqual(await sql(engine, 'SELECT count(*) FROM highs'), [[String(highs)]]);
    await assert.rejects(sql(engine, "INSERT INTO t VALUES (99, 'none')"), { sqlstate: '22P02' });
    await assert.rejects(sql(engine, 'DROP TYPE s.level'), { sqlstate: '2BP01' });
    await assert.rejects(sql(engine, 'SELECT NULL::gone'), { sqlstate: '42704' });
  });
  await last.close();
});

test('a type that takes the place of another, as migrations do it, over restarts', async () => {
  const script = `
    CREATE TYPE role AS ENUM ('user', 'old', 'admin');
    CREATE TABLE u (id int PRIMARY KEY, r role NOT NULL DEFAULT 'user', rs role[]);
    INSERT INTO u VALUES (1, 'admin', '{old,user}');
    CREATE TYPE role_new AS ENUM ('admin', 'user');
    ALTER TABLE u ALTER r DROP DEFAULT;
    ALTER TABLE u ALTER r TYPE role_new USING r::text::role_new;
    ALTER TABLE u ALTER rs TYPE text[];
    ALTER TYPE role RENAME TO role_old;
    ALTER TYPE role_new RENAME TO role;
    DROP TYPE role_old;
    ALTER TABLE u ALTER r SET DEFAULT 'user';
    ALTER TYPE role RENAME VALUE 'admin' TO 'root';
    INSERT INTO u VALUES (2);
    CREATE MATERIALIZED VIEW v AS SELECT max(r) AS last FROM u`;
  const last = await overRestarts(script, async (engine, how) => {
    assert.deepEqual(
      await sql(engine, 'SELECT id, r, rs FROM u ORDER BY r'),
      [
        ['1', 'root', '{old,user}'],
        ['2', 'user', null],
      ],
      how,
    );
    assert.deepEqual(await sql(engine, 'SELECT last FROM v'), [['user']], how);
    assert.deepEqual(await sql(engine, 'SELECT count(*) FROM pg_enum'), [['2']]);
  });
  await last.close();
});

test('DROP TYPE CASCADE is there whole or not at all, wherever a power cut tears the log', async () => {
  const disk = new MemoryDisk();
  const engine = await openOn(disk);
  await sql(
    engine,
    `CREATE TYPE level AS ENUM ('low', 'high');
    CREATE TABLE a (id int, l level, CHECK (l > 'low')); CREATE TABLE b (l level[], id int DEFAULT length('high'::level::text));
    CREATE INDEX ON b (cardinality(l));
    CREATE MATERIALIZED VIEW v AS SELECT l FROM a;
    INSERT INTO a VALUES (1, 'high'); INSERT INTO b VALUES ('{low}')`,
  );
  const length = (of: MemoryDisk) => [...of.files.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);
  const before = length(disk);
  await sql(engine, 'DROP TYPE level CASCADE');
  const written = length(disk) - before;
  assert.ok(written > 500, String(written));
  const objects = async (of: TidemarkEngine) => {
    const rows = await sql(of, 'SELECT * FROM a, b');
    return { rows, objects: of.catalog.objects().map(({ name }) => name) };
  };
  const whole = { rows: [['1', 'high', '{low}', '4']], objects: ['level', 'a', 'b', 'b_cardinality_idx', 'v'] };
  const gone = { rows: [['1', '4']], objects: ['a', 'b'] };
  const cut = disk.crash(() => 0);
  await engine.close();
  for (let torn = 0; torn <= written; torn += torn === 0 || torn > written - 9 ? 1 : 16) {
    const after = cut.crash(() => 0);
    const [path] = [...after.files.keys()]
      .filter((name) => name.endsWith('.log'))
      .sort()
      .slice(-1);
    const file = after.files.get(path) as { bytes: Buffer; synced: Buffer };
    file.bytes = file.bytes.subarray(0, file.bytes.length - torn);
    const again = await openOn(after);
    assert.deepEqual(await objects(again), torn === 0 ? gone : whole, `${torn} of ${written} bytes`);
    await sql(again, 'DROP TYPE IF EXISTS level CASCADE');
    assert.deepEqual(await objects(again), gone);
    await again.close();
  }
});
