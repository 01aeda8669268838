/** No server comes back with the temporary objects of the sessions of before, however it ended; what was made of them stays. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryDisk } from '../../src/durable/testing/memory_disk.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { Session, sql } from '../engine/harness.ts';
import { openOn, overRestarts } from './over_restarts.ts';

const names = (engine: TidemarkEngine) => engine.catalog.objects().map(({ schema, name }) => `${schema}.${name}`);
const temporary = (engine: TidemarkEngine) => engine.catalog.schemas.filter((name) => name.startsWith('pg_temp_'));

test('after a kill, an orderly end, from checkpoints, the log, the copy for another layout', async () => {
  let round = 0;
  const engine = await overRestarts(
    'CREATE TABLE t (a int); INSERT INTO t VALUES (1); CREATE TABLE parent (a int PRIMARY KEY)',
    async (engine, how) => {
      assert.deepEqual(temporary(engine), [], how);
      assert.deepEqual(
        names(engine).filter((name) => name.startsWith('pg_temp')),
        [],
        how,
      );
      assert.deepEqual(await sql(engine, 'SELECT * FROM t'), [['1']], how);
      for (let i = 0; i < round; i++) {
        assert.deepEqual(
          await sql(engine, `SELECT a, b FROM made_${i} ORDER BY a`),
          [
            ['1', 'x'],
            ['2', 'y'],
          ],
          how,
        );
        assert.deepEqual(await sql(engine, `SELECT a FROM alike_${i}`), [['5']], how);
        // Its default went with the sequence.
        const counted = `INSERT INTO counted_${i} (b) VALUES ('after') RETURNING a`;
        assert.deepEqual(await sql(engine, counted), [[null]], how);
      }
      // Two sessions that never end, and one that does.
      for (const text of ['x', 'y']) {
        const session = new Session(engine);
        await session.run('CREATE TEMP TABLE t (a serial PRIMARY KEY, b text UNIQUE, CHECK (a > 0))');
        await session.run('CREATE TEMP TABLE emptied (a int REFERENCES t) ON COMMIT DELETE ROWS');
        await session.run('CREATE TEMP SEQUENCE counter START 5');
        await session.run('CREATE VIEW over AS SELECT * FROM t');
        await session.run('CREATE INDEX ON t (b)');
        await session.run(`INSERT INTO t (b) VALUES ('x'), ('y')`);
        await session.run('ALTER TABLE t ADD COLUMN c int DEFAULT 7');
        await session.transaction.commit();
        if (text === 'x') continue;
        const next = new Session(engine, { search_path: `pg_temp,public` });
        await next.run('CREATE TABLE t (a int); ');
        const last = await openAgain(engine, session);
        await last.run(`CREATE TABLE public.made_${round} AS SELECT a, b FROM over`);
        await last.transaction.commit();
        const copied = await openAgain(engine, session);
        await copied.run(`CREATE TABLE public.alike_${round} (LIKE t INCLUDING ALL)`);
        await copied.run(`CREATE TABLE public.counted_${round} (a int DEFAULT nextval('counter') + 1, b text)`);
        await copied.run(`INSERT INTO alike_${round} (a, b) SELECT nextval('counter'), 'z'`);
        await copied.transaction.commit();
      }
      await sql(
        engine,
        `CREATE TEMP TABLE script (a int); INSERT INTO script VALUES (1); CREATE TEMP TABLE d (a int) ON COMMIT DROP`,
      );
      assert.equal(temporary(engine).length, 3, how);
      round++;
    },
  );
  await engine.close();
});

/** The session after its COMMIT. */
async function openAgain(engine: TidemarkEngine, before: Session): Promise<Session> {
  return new Session(engine, { temporary: before.temporary ?? '' });
}

test('ON COMMIT DROP, with what was made of it and over it', async () => {
  let round = 0;
  const engine = await overRestarts('CREATE TABLE t (a int)', async (engine, how) => {
    assert.deepEqual(names(engine), ['public.t', ...Array.from({ length: round }, (_, i) => `public.made_${i}`)], how);
    for (let i = 0; i < round; i++)
      assert.deepEqual(await sql(engine, `SELECT a, b FROM made_${i}`), [['1', '7']], how);
    const session = new Session(engine, {}, true);
    await session.run('CREATE TEMP TABLE gone (a int) ON COMMIT DROP');
    await session.run('INSERT INTO gone VALUES (1)');
    await session.run('CREATE TEMP VIEW over AS SELECT * FROM gone');
    await session.run('CREATE TEMP TABLE copied ON COMMIT DROP AS SELECT * FROM over');
    await session.run('CREATE INDEX ON copied (a)');
    await session.run('ALTER TABLE copied ADD COLUMN b int DEFAULT 7');
    await session.run(`CREATE TABLE made_${round} AS SELECT * FROM copied`);
    await session.transaction.commit();
    round++;
  });
  await engine.close();
});

test('TEMP in logs of before means what it meant', async () => {
  const disk = new MemoryDisk();
  const engine = await openOn(disk);
  const settings = { ...{ timeZone: 'UTC', dateStyle: 'ISO, MDY', intervalStyle: 'postgres', extraFloatDigits: 1 } };
  const who = { byteaOutput: 'hex', user: 'u', database: 'd', searchPath: ['public'] };
  for (const text of ['CREATE TEMP TABLE of_all (a int)', 'CREATE TEMP VIEW over AS SELECT a FROM of_all']) {
    const made = engine.catalog.newOid();
    engine.journal?.defined(engine.loop, { sql: text, made, dropped: [], settings: { ...settings, ...who } });
  }
  await engine.journal?.durable();
  const cut = disk.crash(() => 0);
  await engine.close();
  const again = await openOn(cut);
  assert.deepEqual(names(again), ['public.of_all', 'public.over']);
  await sql(again, 'INSERT INTO of_all VALUES (1)');
  assert.deepEqual(await sql(again, 'SELECT * FROM over'), [['1']]);
  await again.close();
});

test('GRANT ON ALL TABLES IN SCHEMA does not reach temporary tables of others, which cannot be named when it is done again', async () => {
  const disk = new MemoryDisk();
  let engine = await openOn(disk);
  await sql(engine, 'CREATE ROLE r');
  const session = new Session(engine);
  await session.run('CREATE TEMP TABLE mine (a int)');
  const [schema] = temporary(engine);
  await sql(engine, `GRANT SELECT ON ALL TABLES IN SCHEMA ${schema} TO r`);
  assert.equal(engine.catalog.in(schema, 'mine', [])?.acl, undefined);
  await session.run(`GRANT SELECT ON ALL TABLES IN SCHEMA ${schema} TO r`);
  assert.equal(engine.catalog.in(schema, 'mine', [])?.acl?.length, 2);
  await session.run('ALTER TABLE mine OWNER TO r');
  await assert.rejects(sql(engine, 'DROP OWNED BY r CASCADE'), { sqlstate: '0A000' });
  await engine.close();
  engine = await openOn(disk);
  assert.deepEqual(temporary(engine), []);
  await engine.close();
});
