/** CREATE SUBSCRIPTION FOR (query): its rows and changes over restarts, crashes, other versions, and its end. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openData } from '../../src/durable/recovery.ts';
import { MemoryDisk } from '../../src/durable/testing/memory_disk.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { openEngine, sql } from '../engine/harness.ts';

const root = mkdtempSync(join(tmpdir(), 'tidemark-query-subscriptions-'));
after(() => rmSync(root, { recursive: true, force: true }));

const open = async (disk: MemoryDisk, checkpoints: object | null = {}): Promise<TidemarkEngine> => {
  const engine = await openEngine();
  await openData(engine, { path: root, disk, checkpoints });
  return engine;
};

const fetch = async (engine: TidemarkEngine) =>
  (await sql(engine, "FETCH ALL FROM s WITH (timeout = '0')")).map((row) => row.join(' '));

const SETUP = `CREATE TABLE t (k int PRIMARY KEY, g int);
  INSERT INTO t VALUES (1, 1), (2, 1), (3, 2);
  CREATE SUBSCRIPTION s FOR (SELECT g, count(*) AS n FROM t WHERE k < 100 GROUP BY g)`;

test('rows first, then changes after what was acknowledged; the same after a crash, with and without a checkpoint', async () => {
  for (const checkpoint of [false, true]) {
    let disk = new MemoryDisk();
    let engine = await open(disk, checkpoint ? {} : null);
    await sql(engine, SETUP);
    const rows = (await fetch(engine)).sort();
    assert.equal(rows.length, 2);
    const at = rows[0].split(' ')[0];
    assert.deepEqual(rows, [`${at} 1 1 2`, `${at} 1 2 1`]);
    await sql(engine, `ACKNOWLEDGE s UP TO ${at}; INSERT INTO t VALUES (4, 2), (200, 1)`);
    if (checkpoint) await sql(engine, 'CHECKPOINT');
    await sql(engine, 'DELETE FROM t WHERE k = 1');
    const changes = await fetch(engine);
    assert.deepEqual(changes.map((row) => row.slice(row.indexOf(' ') + 1)).sort(), [
      '-1 1 2',
      '-1 2 1',
      '1 1 1',
      '1 2 2',
    ]);
    await engine.close();
    disk = disk.crash(() => 0);
    engine = await open(disk, checkpoint ? {} : null);
    assert.deepEqual(await fetch(engine), changes);
    await sql(engine, 'INSERT INTO t VALUES (5, 3)');
    assert.equal((await fetch(engine)).at(-1)?.replace(/^\d+ /, ''), '1 3 1');
    await engine.close();
    rmSync(join(root, 'lock'), { force: true });
  }
});

test('it is no relation, what it reads stays while it is there, and nothing of it stays after its end', async () => {
  const disk = new MemoryDisk();
  let engine = await open(disk);
  await sql(engine, SETUP);
  await assert.rejects(() => sql(engine, 'SELECT * FROM s'), { sqlstate: '42P01' });
  await assert.rejects(() => sql(engine, 'DROP TABLE t'), { sqlstate: '2BP01' });
  await assert.rejects(() => sql(engine, "CREATE SUBSCRIPTION r FOR (SELECT 1) WITH (retention = '0')"), {
    sqlstate: '22023',
  });
  assert.deepEqual(await sql(engine, 'SELECT name, relation FROM tidemark.subscriptions'), [['s', null]]);
  await sql(engine, 'DROP SUBSCRIPTION s; DROP TABLE t');
  assert.equal([...engine.loop.views()].length, 0);
  assert.ok(![...disk.files.keys()].some((path) => path.endsWith('.changes')));
  await engine.close();
  // Without a checkpoint all of it is done again, what is dropped later too.
  engine = await open(
    disk.crash(() => 0),
    null,
  );
  assert.deepEqual(await sql(engine, 'SELECT * FROM tidemark.subscriptions'), []);
  await engine.close();
});

test('made with snapshot = false it begins with the changes after it', async () => {
  const engine = await openEngine();
  await sql(engine, `${SETUP} WITH (snapshot = false)`);
  assert.deepEqual(await fetch(engine), []);
  await sql(engine, 'INSERT INTO t VALUES (9, 9)');
  assert.deepEqual(
    (await fetch(engine)).map((row) => row.replace(/^\d+ /, '')),
    ['1 9 1'],
  );
  await engine.close();
});
