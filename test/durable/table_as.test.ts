/** CREATE TABLE AS: after a crash at any instant the table is there with all its rows, or not at all. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openData } from '../../src/durable/recovery.ts';
import { MemoryDisk } from '../../src/durable/testing/memory_disk.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { openEngine, Session, sql } from '../engine/harness.ts';

/** For the lock; everything else lies in a MemoryDisk. */
const path = mkdtempSync(join(tmpdir(), 'tidemark-table-as-'));
after(() => rmSync(path, { recursive: true, force: true }));

async function open(disk: MemoryDisk): Promise<TidemarkEngine> {
  const engine = await openEngine();
  await openData(engine, { path, disk, reserveBytes: 20_000, checkpoints: null });
  return engine;
}

const ROWS = 'SELECT i, i % 7 AS g FROM generate_series(1, 50) i UNION ALL SELECT 1, 1';
const COUNT = 'SELECT count(*), count(DISTINCT i) FROM copied';

test('a crash in the middle of its record leaves no table; after it, all rows', async () => {
  let disk = new MemoryDisk();
  let engine = await open(disk);
  await sql(engine, 'CREATE TABLE t (a int)');
  const before = disk.used;
  await sql(engine, `CREATE TABLE copied AS ${ROWS}`);
  const written = disk.used - before;
  const at = [0, 1, 40, written >> 1, written - 9, written];
  const crashes = at.map((kept) => {
    const crashed = new MemoryDisk();
    for (const [name, { bytes }] of disk.files) {
      const length = name.endsWith('.log') ? bytes.length - written + kept : bytes.length;
      const left = Buffer.from(bytes.subarray(0, length));
      crashed.files.set(name, { bytes: left, synced: left });
    }
    return crashed;
  });
  await engine.close();
  for (const [i, crashed] of crashes.entries()) {
    disk = crashed;
    engine = await open(disk);
    if (at[i] === written) assert.deepEqual(await sql(engine, COUNT), [['51', '50']]);
    else await assert.rejects(sql(engine, COUNT), { sqlstate: '42P01' });
    // Either way the name and the OIDs go on.
    await sql(engine, 'DROP TABLE IF EXISTS copied');
    await sql(engine, `CREATE TABLE copied AS ${ROWS}; CREATE MATERIALIZED VIEW v AS SELECT sum(g) FROM copied`);
    const sum = await sql(engine, 'SELECT * FROM v');
    await engine.close();
    engine = await open(disk);
    assert.deepEqual(await sql(engine, COUNT), [['51', '50']]);
    assert.deepEqual(await sql(engine, 'SELECT * FROM v'), sum);
    await engine.close();
  }
});

test('in a transaction that has written, its rows are part of the transaction', async () => {
  const disk = new MemoryDisk();
  let engine = await open(disk);
  await sql(engine, 'CREATE TABLE t (i int)');
  const session = new Session(engine);
  await session.run('INSERT INTO t VALUES (1), (2)');
  await session.run('CREATE TABLE copied AS SELECT i FROM t');
  assert.deepEqual(await session.run(COUNT), [['2', '2']]);
  session.transaction.rollback();
  assert.deepEqual(await sql(engine, COUNT), [['0', '0']]);
  const first = new Session(engine);
  await first.run('CREATE TABLE other AS SELECT 5 AS i');
  assert.deepEqual(await first.run('SELECT i FROM other'), [['5']]);
  first.transaction.rollback();
  await engine.close();
  engine = await open(disk);
  assert.deepEqual(await sql(engine, COUNT), [['0', '0']]);
  assert.deepEqual(await sql(engine, 'SELECT i FROM other'), [['5']]);
  await engine.close();
});
