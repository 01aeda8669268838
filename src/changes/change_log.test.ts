/** Change logs on a disk in memory: what is kept, how long, over restarts, full disks and damage. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../../operators/batch/arena.ts';
import { batchFromRows, readRow } from '../../operators/batch/builder.ts';
import { Deltas } from '../../operators/deltas.ts';
import { SqlError } from '../../operators/errors.ts';
import { colType, OID } from '../../operators/types.ts';
import { MemoryDisk } from '../durable/testing/memory_disk.ts';
import { ChangeKeeper } from './change_keeper.ts';
import type { ChangeLog } from './change_log.ts';
import { batchOf } from './entry.ts';
import { type Retention, retentionOf } from './retention.ts';

const START = { tick: 0n, clock: 0n };
const TYPES = [colType(OID.int8), colType(OID.text)];
const PATH = '/changes';

class World {
  disk = new MemoryDisk();
  readonly told: string[] = [];
  keeper = new ChangeKeeper(
    (oid) => `r${oid}`,
    (_, message) => this.told.push(message),
  );

  async open(saved: Parameters<ChangeKeeper['open']>[1] = []): Promise<void> {
    await this.keeper.open({ disk: this.disk, path: PATH, identity: 5n }, saved);
  }

  log(oid = 1): ChangeLog {
    const log = this.keeper.log(oid);
    assert.ok(log !== null);
    return log;
  }

  /** A tick a second; each has one row with a text of so many bytes. */
  append(ticks: number[], bytes: number, oids = [1]): void {
    const arena = new Arena();
    for (const tick of ticks) {
      const batch = batchFromRows(TYPES, [[BigInt(tick), 'x'.repeat(bytes)]], arena);
      const deltas = Deltas.of(oids.map((oid) => [oid, batch]));
      this.keeper.publish(deltas, BigInt(tick), BigInt(tick) * 1_000_000n);
    }
    arena.release();
  }

  /** What was kept, and a new keeper that goes on with it. */
  async restart(retention: Retention): Promise<void> {
    await this.keeper.sync();
    const saved = this.keeper.save().map((log) => ({ log, retention }));
    await this.keeper.close();
    this.keeper = new ChangeKeeper(
      (oid) => `r${oid}`,
      (_, message) => this.told.push(message),
    );
    await this.open(saved);
  }
}

/** The ticks whose changes a reader gets; the row of each says its tick too. */
async function ticksAfter(log: ChangeLog, after: bigint): Promise<number[]> {
  const reader = log.reader(after);
  const arena = new Arena();
  const ticks: number[] = [];
  for (;;) {
    const entries = await reader.next();
    if (entries.length === 0) break;
    for (const entry of entries) {
      assert.equal(readRow(batchOf(entry, arena), 0)[0], entry.tick);
      ticks.push(Number(entry.tick));
    }
  }
  reader.close();
  arena.release();
  return ticks;
}

const upTo = (n: number, from = 1) => Array.from({ length: n - from + 1 }, (_, i) => from + i);
const sqlstate = (state: string) => (error: unknown) => error instanceof SqlError && error.sqlstate === state;

test('every entry is given once and in order, from memory, from files, and after a restart', async () => {
  const world = new World();
  await world.open();
  const hour = retentionOf('1 hour');
  world.keeper.keep(1, hour, START);
  world.append(upTo(30), 20_000);
  assert.deepEqual(await ticksAfter(world.log(), 0n), upTo(30));
  await world.keeper.sync();
  assert.equal(world.keeper.pending, 0);
  assert.deepEqual(await ticksAfter(world.log(), 7n), upTo(30, 8));
  await world.restart(hour);
  world.append(upTo(33, 31), 10);
  assert.deepEqual(await ticksAfter(world.log(), 0n), upTo(33));
  assert.equal(await world.log().tickAt(12_500_000n), 12n);
  await world.keeper.drop(1);
  assert.deepEqual([...world.disk.files.keys()], []);
  assert.equal(world.keeper.bytes, 0);
});

test('a reader that is just behind what was written needs no file; without readers nothing is held for them', async () => {
  const world = new World();
  await world.open();
  world.keeper.keep(1, retentionOf('1 hour'), START);
  const reader = world.log().reader(0n);
  world.append(upTo(3), 10);
  assert.equal((await reader.next()).length, 3);
  for (const from of [4, 7]) {
    world.append(upTo(from + 1, from), 10);
    await world.keeper.sync();
    world.append([from + 2], 10);
    for (const file of world.disk.files.values()) file.bytes.fill(0);
    const entries = await reader.next();
    assert.deepEqual(
      entries.map(({ tick }) => Number(tick)),
      upTo(from + 2, from),
    );
  }
  reader.close();
  await assert.rejects(async () => ticksAfter(world.log(), 6n), sqlstate('XX001'));
});

test('what is older or more than the retention goes, but not under a reader', async () => {
  const world = new World();
  await world.open();
  world.keeper.keep(1, retentionOf('16 seconds'), START);
  world.keeper.keep(2, retentionOf('100 KB'), START);
  const reader = world.log(2).reader(0n);
  world.append(upTo(20), 10_000, [1, 2]);
  assert.ok(world.log(1).floor.tick >= 2n && world.log(1).floor.tick <= 4n, String(world.log(1).floor.tick));
  await assert.rejects(async () => ticksAfter(world.log(1), 0n), sqlstate('55000'));
  assert.deepEqual(world.log(2).floor, START);
  world.append(upTo(60, 21), 10_000, [1, 2]);
  // Four times the retention is the most that a reader holds.
  assert.ok(world.log(2).floor.tick > 0n && world.log(2).bytes <= 410_000);
  await assert.rejects(() => reader.next(), sqlstate('55000'));
  reader.close();
  assert.deepEqual(await ticksAfter(world.log(2), 55n), upTo(60, 56));
});

test('a full disk: all of it stays readable, and it goes on by itself', async () => {
  const world = new World();
  await world.open();
  world.keeper.keep(1, retentionOf('1 hour'), START);
  // One that has nothing to write: that it is well says nothing of the other.
  world.keeper.keep(2, retentionOf('1 hour'), START);
  world.disk.capacity = 100_000;
  world.append(upTo(40), 20_000);
  await assert.rejects(() => world.keeper.sync(), /ENOSPC/);
  assert.ok(world.keeper.behind);
  assert.deepEqual(await ticksAfter(world.log(), 0n), upTo(40));
  const caughtUp = world.keeper.caughtUp();
  // Waiting leaves the event loop to others.
  await new Promise((resolve) => setImmediate(resolve));
  world.disk.capacity = Number.POSITIVE_INFINITY;
  await caughtUp;
  assert.ok(!world.keeper.behind);
  assert.match(world.told.join('; '), /cannot be written: the disk is full; sources wait; .*there is room again/);
  assert.deepEqual(await ticksAfter(world.log(), 0n), upTo(40));
});

test('damage takes what is older away and says so; a missing file is told of at the start', async () => {
  const world = new World();
  await world.open();
  const retention = retentionOf('320 KB');
  world.keeper.keep(1, retention, START);
  world.append(upTo(12), 10_000);
  await world.keeper.sync();
  const files = [...world.disk.files.keys()].sort();
  assert.ok(files.length >= 4);
  const bytes = world.disk.files.get(files[1])?.bytes as Buffer;
  bytes[bytes.length >> 1] ^= 1;
  await assert.rejects(async () => ticksAfter(world.log(), 0n), sqlstate('XX001'));
  const floor = world.log().floor.tick;
  assert.ok(floor > 0n && floor < 12n);
  assert.deepEqual(await ticksAfter(world.log(), floor), upTo(12, Number(floor) + 1));

  await world.restart(retention);
  assert.equal(world.log().floor.tick, floor);
  await world.keeper.sync();
  const saved = world.keeper.save();
  await world.keeper.close();
  await world.disk.remove([...world.disk.files.keys()].sort()[0]);
  world.keeper = new ChangeKeeper(
    (oid) => `r${oid}`,
    (_, message) => world.told.push(message),
  );
  await world.open(saved.map((log) => ({ log, retention })));
  assert.match(world.told.at(-1) ?? '', /changes of "r1" up to tick \d+ are not there any more/);
  assert.ok(world.log().floor.tick > floor);
  assert.deepEqual(await ticksAfter(world.log(), world.log().floor.tick), upTo(12, Number(world.log().floor.tick) + 1));
});
