/**
 * Changes over restarts: after any crash and any checkpoint a tick that is kept shows the rows that it had, and the changes after it are those that
 * were seen; what is lost or damaged is refused.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openData } from '../../src/durable/recovery.ts';
import { MemoryDisk } from '../../src/durable/testing/memory_disk.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { drain, openEngine, Session, seeded, sql } from '../engine/harness.ts';

const root = mkdtempSync(join(tmpdir(), 'tidemark-changes-'));
after(() => rmSync(root, { recursive: true, force: true }));

const VIEWS = ['t', 'sums', 'small'];

const DEFINITIONS = `
  CREATE TABLE t (k int PRIMARY KEY, g int, s text);
  CREATE MATERIALIZED VIEW sums AS SELECT g, count(*) AS n, max(s) AS s FROM t GROUP BY g;
  CREATE MATERIALIZED VIEW small WITH (retention = '64 KiB') AS SELECT k, s FROM t`;

let runs = 0;

/** A directory on a disk in memory, and what was seen in it. */
class World {
  readonly path = join(root, String(++runs));
  disk = new MemoryDisk();
  engine!: TidemarkEngine;
  /** By view and tick. */
  readonly rows = new Map<string, string[]>();

  async open(checkpoints: object | null = {}): Promise<void> {
    mkdirSync(this.path, { recursive: true });
    this.engine = await openEngine();
    await openData(this.engine, { path: this.path, disk: this.disk, segmentBytes: 20_000, checkpoints });
  }

  /** What was not synced stays in part. */
  async crash(keep: (path: string, unsynced: number) => number): Promise<void> {
    const crashed = this.disk.crash(keep);
    await this.engine.close();
    this.disk = crashed;
  }

  async note(): Promise<void> {
    for (const name of VIEWS) this.rows.set(`${name} ${this.engine.loop.tick}`, await this.select(name));
  }

  async select(from: string): Promise<string[]> {
    return (await sql(this.engine, `SELECT * FROM ${from}`)).map((row) => JSON.stringify(row)).sort();
  }

  log(name: string) {
    const log = this.engine.changes.log(this.engine.catalog.find('public', name)?.oid ?? 0);
    assert.ok(log !== null, `${name} has a log`);
    return log;
  }

  /** Every tick that is kept. */
  async check(where: string): Promise<void> {
    for (const name of VIEWS) {
      const floor = this.log(name).floor.tick;
      for (const [key, rows] of this.rows) {
        const [of, tick] = key.split(' ');
        if (of !== name || BigInt(tick) < floor || BigInt(tick) > this.engine.loop.tick) continue;
        assert.deepEqual(await this.select(`${name} AS OF ${tick}`), rows, `${where}: ${name} at ${tick}`);
      }
    }
  }

  async changes(name: string, after: bigint): Promise<string[]> {
    const stream = await new Session(this.engine).open(`SUBSCRIBE ${name} WITH (snapshot = false) AS OF ${after}`);
    assert.ok(stream !== null);
    const rows = await drain(stream);
    stream.rows.close();
    return rows.map((row) => JSON.stringify(row)).sort();
  }
}

function statement(random: (n: number) => number): string {
  const text = `'${'x'.repeat(random(400))}${random(100)}'`;
  switch (random(4)) {
    case 0:
      return `UPDATE t SET s = ${text} WHERE k % 5 = ${random(5)}`;
    case 1:
      return `DELETE FROM t WHERE k % 13 = ${random(13)}`;
    default:
      return `INSERT INTO t SELECT k, k % 4, ${text} FROM generate_series(${random(50)}, ${50 + random(20)}) k
              ON CONFLICT (k) DO UPDATE SET s = excluded.s`;
  }
}

test('crashes and checkpoints at any time', async () => {
  const { random } = seeded('changes over crashes');
  for (const checkpoints of [{}, {}, null]) {
    const world = new World();
    await world.open(checkpoints);
    await sql(world.engine, DEFINITIONS);
    const first = world.engine.loop.tick;
    let seen: string[] = [];
    for (let step = 0; step < 25; step++) {
      await sql(world.engine, statement(random));
      await world.note();
      if (random(5) === 0) await sql(world.engine, 'CHECKPOINT');
      if (random(6) > 0) continue;
      if (random(3) === 0) {
        // Half way into a checkpoint.
        const taken = world.engine.checkpoints?.take().catch(() => undefined);
        for (let turns = random(20); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
        seen = await world.changes('sums', first);
        await world.crash((_, unsynced) => random(unsynced + 1));
        await taken;
      } else {
        seen = await world.changes('sums', first);
        await world.crash((_, unsynced) => (random(2) === 0 ? 0 : random(unsynced + 1)));
      }
      await world.open(checkpoints);
      assert.deepEqual(await world.changes('sums', first), seen);
      await world.check(`step ${step}`);
    }
    assert.equal(world.log('sums').floor.tick, first - 1n);
    await world.engine.close();
    await world.open(checkpoints);
    await world.check('the end');
    await world.engine.close();
    assert.equal([...world.disk.files.keys()].filter((path) => path.includes('/changes/')).length > 0, true);
    await world.open(checkpoints);
    await sql(world.engine, 'DROP TABLE t CASCADE');
    await world.engine.close();
    assert.deepEqual(
      [...world.disk.files.keys()].filter((path) => path.includes('/changes/')),
      [],
    );
  }
});

test('damaged, cut or missing files: what they held is refused, everything else is right', async () => {
  const { random } = seeded('damaged changes');
  for (let round = 0; round < 8; round++) {
    const world = new World();
    await world.open();
    await sql(world.engine, DEFINITIONS);
    await world.note();
    for (let step = 0; step < 12; step++) {
      await sql(world.engine, statement(random));
      await world.note();
    }
    await world.engine.close();
    const files = [...world.disk.files].filter(([path]) => path.includes('/changes/'));
    const [path, file] = files[random(files.length)];
    const kind = round % 4;
    if (kind === 0) file.bytes[random(file.bytes.length)] ^= 1 << random(8);
    else if (kind === 1) file.bytes = file.bytes.subarray(0, random(file.bytes.length));
    else if (kind === 2) for (let at = random(file.bytes.length); at < file.bytes.length; at++) file.bytes[at] ^= 0xff;
    else world.disk.files.delete(path);
    await world.open();
    let refused = 0;
    for (const name of VIEWS) {
      for (const [key, rows] of world.rows) {
        const [of, tick] = key.split(' ');
        if (of !== name) continue;
        try {
          assert.deepEqual(await world.select(`${name} AS OF ${tick}`), rows, `${name} at ${tick}`);
        } catch (error) {
          const { sqlstate } = error as { sqlstate?: string };
          if (sqlstate !== '55000' && sqlstate !== 'XX001') throw error;
          refused++;
        }
      }
    }
    assert.ok(refused > 0, `${path}: damage of kind ${kind} was not noticed`);
    // And it goes on.
    await sql(world.engine, statement(random));
    await world.note();
    await sql(world.engine, statement(random));
    await world.note();
    await world.check(`after damage of ${path}`);
    await world.engine.close();
    await world.open();
    await world.check(`after damage of ${path} and a restart`);
    await world.engine.close();
  }
});

test('a full disk: sources wait, nothing is lost, and it goes on when there is room', async () => {
  const world = new World();
  await world.open(null);
  await sql(world.engine, DEFINITIONS);
  const first = world.engine.loop.tick;
  // Only the change logs find no room.
  const create = world.disk.create.bind(world.disk);
  const full = Object.assign(new Error('ENOSPC: simulated'), { code: 'ENOSPC' });
  let isFull = true;
  world.disk.create = (path) => (isFull && path.includes('/changes/') ? Promise.reject(full) : create(path));
  for (let i = 0; i < 10; i++) {
    await sql(
      world.engine,
      `INSERT INTO t SELECT k, 1, repeat('y', 20000) FROM generate_series(${i * 4}, ${i * 4 + 3}) k`,
    );
    await world.note();
  }
  while (!world.engine.changes.behind) await new Promise((resolve) => setTimeout(resolve, 1));
  const before = await world.changes('t', first);
  isFull = false;
  await world.engine.changes.caughtUp();
  assert.equal(world.engine.changes.behind, false);
  assert.deepEqual(await world.changes('t', first), before);
  await world.check('after a full disk');
  await world.engine.close();
});

test('a table is altered: changes before it stay for a start from the checkpoint until the next one', async () => {
  const world = new World();
  const warned: string[] = [];
  const open = async (disk: MemoryDisk) => {
    world.disk = disk;
    mkdirSync(world.path, { recursive: true });
    world.engine = await openEngine({ log: (level, message) => level === 'warn' && warned.push(message) });
    await openData(world.engine, { path: world.path, disk, segmentBytes: 20_000, checkpoints: {} });
  };
  const files = () => [...world.disk.files.keys()].filter((path) => path.includes('/changes/')).sort();
  await open(new MemoryDisk());
  await sql(world.engine, DEFINITIONS);
  const first = world.engine.loop.tick;
  for (let i = 0; i < 20; i++) await sql(world.engine, `INSERT INTO t VALUES (${i}, ${i % 3}, 'row ${i}')`);
  const seen = await world.changes('t', first);
  await sql(world.engine, 'CHECKPOINT');
  const before = files();
  // Power cuts at any time of the ALTER and for a while after it.
  const cuts: MemoryDisk[] = [];
  let done = false;
  const altering = sql(world.engine, 'ALTER TABLE t ADD COLUMN more int DEFAULT 7').finally(() => {
    done = true;
  });
  for (let turns = 20; turns > 0; turns -= done ? 1 : 0) {
    cuts.push(world.disk.crash(() => 0));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await altering;
  await sql(world.engine, "INSERT INTO t VALUES (100, 1, 'later', 8)");
  cuts.push(world.disk.crash(() => 0));
  await sql(world.engine, 'CHECKPOINT');
  await sql(world.engine, "INSERT INTO t VALUES (101, 1, 'later', 9)");
  const gone = before.filter((path) => !files().includes(path));
  assert.ok(gone.length > 0, 'the next checkpoint lets files go');
  await world.engine.close();
  let kept = 0;
  for (const [i, disk] of cuts.entries()) {
    // Twice, since a start must not take away what the next one needs.
    for (const round of [1, 2]) {
      await open(round === 1 ? disk : world.disk.crash(() => 0));
      assert.deepEqual(warned, [], `cut ${i}, start ${round}`);
      const altered = (await sql(world.engine, 'SELECT * FROM t WHERE k = 1'))[0].length === 4;
      if (altered) await assert.rejects(world.changes('t', first), { sqlstate: '55000' });
      else {
        assert.deepEqual(await world.changes('t', first), seen, `cut ${i}, start ${round}`);
        kept++;
      }
      // Left without an end.
      const { disk: left } = world;
      world.disk = left.crash(() => 0);
      await world.engine.close();
    }
  }
  assert.ok(kept > 0 && kept < 2 * cuts.length);
});
