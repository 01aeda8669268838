/**
 * Checkpoints of a whole engine: random statements, checkpoints while they go on, crashes of disk and process. After each restart every view is the
 * query over the rows of the tables, and the tables are what was committed.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pages } from '../../operators/batch/pages.ts';
import { Random, testSeed } from '../../operators/testing/property.ts';
import type { CheckpointSchedule } from '../../src/checkpoint/schedule.ts';
import { type DataOptions, openData } from '../../src/durable/recovery.ts';
import { MemoryDisk } from '../../src/durable/testing/memory_disk.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { openEngine, sql } from '../engine/harness.ts';
import { chillAll } from './chill_all.ts';
import { TABLES, VIEWS } from './views.ts';

const seed = testSeed();
/** For the lock; everything else lies in a MemoryDisk. */
const path = mkdtempSync(join(tmpdir(), 'tidemark-checkpoints-'));
after(() => rmSync(path, { recursive: true, force: true }));

/** Objects that are dropped again some ticks later, maybe after a checkpoint that has them. */
const PASSING = `
  CREATE TABLE x (i int PRIMARY KEY);
  CREATE MATERIALIZED VIEW of_x AS SELECT x.i, count(*) AS n FROM x JOIN a ON x.i = a.k GROUP BY x.i;
  CREATE SINK of_of_x FROM of_x WITH (connector = 'blackhole');
  INSERT INTO x VALUES (1), (2);`;

/** The rows that a view shows are those that do not fail. */
const FRESH: Record<string, string> = { failing: 'SELECT id, 10 / k AS q FROM a WHERE k <> 0' };

class Server {
  engine!: TidemarkEngine;
  disk: MemoryDisk;
  now = 0n;

  constructor(disk: MemoryDisk) {
    this.disk = disk;
  }

  async open(options: Partial<DataOptions> = {}): Promise<void> {
    this.engine = await openEngine({ clock: () => this.now });
    const checkpoints = { seconds: 1e6, logBytes: 1e9 };
    await openData(this.engine, {
      path,
      disk: this.disk,
      checkpoints,
      segmentBytes: 8192,
      coldState: true,
      ...options,
    });
  }

  get checkpoints(): CheckpointSchedule {
    return this.engine.checkpoints as CheckpointSchedule;
  }

  /** The process and the machine end; what was not on the disk is there in part. */
  async crash(random: Random): Promise<void> {
    const left = this.disk.crash((_, unsynced) => random.below(unsynced + 1));
    await this.engine.close();
    this.disk = left;
  }
}

/** A random statement over a and b. `rows` is what they hold, by id. */
function change(random: Random, rows: Map<string, string[]>): string {
  const table = random.pick(['a', 'b']);
  const id = random.below(40);
  const key = `${table}${id}`;
  const at = `'2000-01-01 00:0${random.below(10)}:${10 + random.below(50)}'`;
  const values =
    table === 'a'
      ? [random.below(6), `${random.below(50)}.${random.below(100)}`, `'${'t'.repeat(random.below(30))}'`, at]
      : [random.below(6), random.below(1000) / 8, at];
  if (!rows.has(key)) {
    rows.set(key, values.map(String));
    return `INSERT INTO ${table} VALUES (${[id, ...values].join(', ')})`;
  }
  if (random.below(3) === 0) {
    rows.delete(key);
    return `DELETE FROM ${table} WHERE id = ${id}`;
  }
  rows.set(key, values.map(String));
  const columns = table === 'a' ? ['k', 'v', 't', 'at'] : ['k', 'w', 'at'];
  return `UPDATE ${table} SET ${columns.map((c, i) => `${c} = ${values[i]}`).join(', ')} WHERE id = ${id}`;
}

async function compare(engine: TidemarkEngine, rows: Map<string, string[]>, label: string): Promise<void> {
  const ids = await sql(engine, "SELECT 'a' || id FROM a UNION ALL SELECT 'b' || id FROM b");
  assert.deepEqual(ids.map(([id]) => id).sort(), [...rows.keys()].sort(), `rows, ${label}`);
  const texts = (list: (string | null)[][]) => list.map((row) => JSON.stringify(row)).sort();
  for (const [name, query] of Object.entries(VIEWS)) {
    const [view, fresh] = [await sql(engine, `SELECT * FROM ${name}`), await sql(engine, FRESH[name] ?? query)];
    assert.deepEqual(texts(view), texts(fresh), `${name}, ${label}`);
  }
}

for (const cold of [false, true]) {
  const where = cold ? 'on disk' : 'in memory';
  test(`every view is its query after every restart, with checkpoints at any tick, state ${where}`, () =>
    atAnyTick(cold));
}

async function atAnyTick(cold: boolean): Promise<void> {
  /** Constants of compiled expressions keep an arena for the life of the process. */
  let used: number | null = null;
  const random = new Random(seed);
  const server = new Server(new MemoryDisk());
  await server.open();
  await sql(server.engine, TABLES);
  const made = Object.entries(VIEWS);
  const rows = new Map<string, string[]>();
  let failures = await errorsOf(server.engine);
  let reads = 0;
  for (let round = 0; round < 8; round++) {
    const label = `round ${round}, seed ${seed}`;
    for (let i = 0; i < 3 && made.length > 0; i++) {
      const [name, query] = made.shift() as [string, string];
      await sql(server.engine, `CREATE MATERIALIZED VIEW ${name} AS ${query}`);
    }
    let taking: ReturnType<CheckpointSchedule['take']> | null = null;
    for (let tick = 0; tick < 15; tick++) {
      server.now += BigInt(random.below(5_000_000));
      await sql(server.engine, change(random, rows));
      if (random.below(3) === 0) {
        const at = `'2000-01-01 00:${10 + round}:${10 + random.below(50)}'`;
        await sql(server.engine, `INSERT INTO s VALUES (${random.below(4)}, ${random.below(9)}, ${at})`);
      }
      if (cold && random.below(3) > 0) chillAll(server.engine);
      if (tick === 3) await sql(server.engine, PASSING);
      if (tick === 11) await sql(server.engine, 'DROP TABLE x CASCADE');
      if (random.below(5) === 0) taking = server.checkpoints.take();
    }
    if (round < 5) continue;
    await compare(server.engine, rows, `before the end, ${label}`);
    failures = await errorsOf(server.engine);
    const late = await sql(server.engine, "SELECT * FROM tidemark.late('s')");
    const { tick, now } = server.engine.loop;
    const objects = objectsOf(server.engine);
    const taken = random.below(2) === 0 ? ((await taking)?.tick ?? 0n) : 0n;
    reads += server.engine.cold?.figures.reads ?? 0;
    if (random.below(3) === 0) await server.engine.close();
    else await server.crash(random);
    used ??= pages.usedPages;
    assert.equal(pages.usedPages, used, `pages, ${label}`);
    await server.open();
    assert.ok((server.engine.recovery?.checkpoint?.tick ?? 0n) >= taken, label);
    assert.equal(server.engine.loop.tick, tick, label);
    assert.equal(server.engine.loop.now, now, label);
    assert.deepEqual(objectsOf(server.engine), objects, label);
    await compare(server.engine, rows, `restarted, ${label}`);
    assert.deepEqual(await errorsOf(server.engine), failures, label);
    assert.deepEqual(await sql(server.engine, "SELECT * FROM tidemark.late('s')"), late, label);
  }
  if (cold) {
    assert.ok(reads > 100, `${reads} reads of cold state`);
    await emptied(server);
  }
  await server.engine.close();
  assert.equal(pages.usedPages, used);
}

/** With the rows their cold state goes, and its files when no checkpoint has them. */
async function emptied({ engine, checkpoints, disk }: Server): Promise<void> {
  chillAll(engine);
  assert.ok((engine.cold?.figures.liveBytes ?? 0) > 0);
  await sql(engine, 'DELETE FROM a; DELETE FROM b; DROP MATERIALIZED VIEW tumbled');
  assert.equal(engine.cold?.figures.liveBytes, 0);
  for (let i = 0; i < 2; i++) {
    await sql(engine, `INSERT INTO a VALUES (${i})`);
    await checkpoints.take();
  }
  assert.deepEqual(await disk.list(join(path, 'cold')), []);
}

const objectsOf = (engine: TidemarkEngine) =>
  engine.catalog
    .objects()
    .map(({ kind, oid, schema, name, dependencies }) => ({ kind, oid, schema, name, dependencies }));

async function errorsOf(engine: TidemarkEngine): Promise<unknown> {
  if (engine.catalog.find(undefined, 'failing') === undefined) return null;
  return sql(engine, "SELECT sqlstate, reason, row FROM tidemark.errors('failing') ORDER BY row");
}

/** A server with rows, a view, and three checkpoints with ticks after each; then it crashes. */
async function crashed(random: Random, options: Partial<DataOptions>): Promise<{ disk: MemoryDisk; answer: unknown }> {
  const server = new Server(new MemoryDisk());
  await server.open(options);
  const ask = () => sql(server.engine, 'SELECT * FROM total');
  await sql(
    server.engine,
    `CREATE TABLE a (id int PRIMARY KEY, t text);
     CREATE MATERIALIZED VIEW total AS SELECT count(*) AS n, sum(id) AS s, max(t) AS t FROM a;`,
  );
  for (let i = 0; i < 40; i++) {
    await sql(server.engine, `INSERT INTO a VALUES (${i}, '${'x'.repeat(random.below(3000))}')`);
    if (i % 12 === 11) await server.checkpoints.take();
  }
  const answer = await ask();
  await server.crash(random);
  return { disk: server.disk, answer };
}

function damage(disk: MemoryDisk, pattern: RegExp, which: number): void {
  const names = [...disk.files.keys()].filter((name) => pattern.test(name)).sort();
  const file = disk.files.get(names.at(which) as string) as { bytes: Buffer };
  file.bytes[file.bytes.length >>> 1] ^= 16;
}

test('a damaged checkpoint: the one before and more of the log give the same', async () => {
  const random = new Random(seed + 1);
  for (const pattern of [/manifest-/, /pages-/]) {
    const { disk, answer } = await crashed(random, {});
    damage(disk, pattern, -1);
    const server = new Server(disk);
    await server.open();
    assert.deepEqual(await sql(server.engine, 'SELECT * FROM total'), answer);
    const { recovery } = server.engine;
    assert.ok(recovery?.checkpoint && recovery.ticks > 12, 'the checkpoint before the last was used');
    // The next checkpoint takes the damaged one's place.
    await sql(server.engine, "INSERT INTO a VALUES (100, 'new')");
    await sql(server.engine, 'CHECKPOINT');
    await server.crash(random);
    await server.open();
    assert.deepEqual(await sql(server.engine, 'SELECT t FROM a WHERE id = 100'), [['new']]);
    assert.equal(server.engine.recovery?.ticks, 0);
    await server.engine.close();
  }
});

test('no usable checkpoint: rebuilt from a whole log, refused with the reasons when the log was cut', async () => {
  const random = new Random(seed + 2);
  const whole = await crashed(random, { segmentBytes: 1 << 20 });
  for (const which of [-1, -2]) damage(whole.disk, /manifest-/, which);
  const server = new Server(whole.disk);
  await server.open();
  assert.equal(server.engine.recovery?.checkpoint, null);
  assert.deepEqual(await sql(server.engine, 'SELECT * FROM total'), whole.answer);
  await server.engine.close();

  const cut = await crashed(random, {});
  for (const which of [-1, -2]) damage(cut.disk, /manifest-/, which);
  const refused = new Server(cut.disk);
  await assert.rejects(refused.open(), (error: { sqlstate: string; message: string; fields: { detail: string } }) => {
    assert.equal(error.sqlstate, 'XX001');
    assert.match(error.message, /records from 1 on are missing/);
    assert.match(
      error.fields.detail,
      /Checkpoint 3 cannot be used: its manifest is damaged. Checkpoint 2 cannot be used/,
    );
    return true;
  });
  await refused.engine.close();
});

test('a log that has lost what a checkpoint had is refused; with its files taken away the checkpoint is where it goes on', async () => {
  const random = new Random(seed + 3);
  const emptied = await crashed(random, { segmentBytes: 1 << 20 });
  const [name] = [...emptied.disk.files.keys()].filter((path) => path.endsWith('.log'));
  const { bytes } = emptied.disk.files.get(name) as { bytes: Buffer };
  for (const length of [0, bytes.length >> 2]) {
    const left = bytes.subarray(0, length);
    emptied.disk.files.set(name, { bytes: left, synced: left });
    const refused = new Server(emptied.disk);
    await assert.rejects(refused.open(), { sqlstate: 'XX001' }, `${length} bytes`);
    await refused.engine.close();
  }
  emptied.disk.files.delete(name);
  const server = new Server(emptied.disk);
  await server.open();
  assert.deepEqual(await sql(server.engine, 'SELECT count(*) FROM a'), [['36']]);
  await server.engine.close();

  // No log at all, and no checkpoint that can be used: not a new directory.
  const nothing = await crashed(random, { segmentBytes: 1 << 20 });
  for (const which of [-1, -2]) damage(nothing.disk, /manifest-/, which);
  for (const path of [...nothing.disk.files.keys()]) if (path.endsWith('.log')) nothing.disk.files.delete(path);
  const empty = new Server(nothing.disk);
  await assert.rejects(empty.open(), { sqlstate: 'XX001', message: /the tick log has no records/ });
  await empty.engine.close();
});

test('an orderly end leaves nothing to replay', async () => {
  const server = new Server(new MemoryDisk());
  await server.open();
  await sql(server.engine, 'CREATE TABLE a (id int); INSERT INTO a VALUES (1), (2)');
  await server.engine.close();
  await server.open();
  assert.equal(server.engine.recovery?.ticks, 0);
  assert.deepEqual(await sql(server.engine, 'SELECT count(*) FROM a'), [['2']]);
  await server.engine.close();
});

test('the directory is bounded by the rows, not by what was written', async () => {
  const server = new Server(new MemoryDisk());
  await server.open();
  await sql(
    server.engine,
    `CREATE TABLE a (id int PRIMARY KEY, t text) WITH (retention = '0');
     CREATE MATERIALIZED VIEW n WITH (retention = '0') AS SELECT count(*) FROM a`,
  );
  const used: number[] = [];
  for (let i = 0; i < 60; i++) {
    await sql(server.engine, `INSERT INTO a VALUES (1, '${'x'.repeat(20_000)}')`);
    await sql(server.engine, 'DELETE FROM a');
    await server.checkpoints.take();
    used.push(server.disk.used);
  }
  assert.ok(Math.max(...used.slice(30)) <= Math.max(...used.slice(0, 30)) + 1000, used.join());
  await server.engine.close();
});
