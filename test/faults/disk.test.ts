/** A disk that is full, that fails, or whose files were damaged: what clients are told, what goes on, and what comes back. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { SqlError } from '../../operators/errors.ts';
import { openData } from '../../src/durable/recovery.ts';
import { MemoryDisk } from '../../src/durable/testing/memory_disk.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { openEngine, seeded, sql } from '../engine/harness.ts';
import { MessageSource } from '../engine/message_source.ts';
import { Child, pause, rounds } from './child.ts';

const root = mkdtempSync(join(tmpdir(), 'tidemark-disk-'));
after(() => rmSync(root, { recursive: true, force: true }));

const RESERVE = 20_000;

async function open(name: string, disk: MemoryDisk, topic = new MessageSource()): Promise<TidemarkEngine> {
  mkdirSync(join(root, name), { recursive: true });
  const engine = await openEngine({ openSource: () => topic });
  await openData(engine, { path: join(root, name), disk, reserveBytes: RESERVE, segmentBytes: 50_000 });
  return engine;
}

test('a full disk: writes get 53100, sources wait, reads go on; with room again all goes on by itself', async () => {
  const disk = new MemoryDisk();
  const topic = new MessageSource();
  let engine = await open('full', disk, topic);
  await sql(engine, 'CREATE TABLE t (a int, s text); CREATE MATERIALIZED VIEW v AS SELECT count(*) AS n FROM t');
  await sql(
    engine,
    "CREATE STREAM s (a int) WITH (connector = 'kafka', brokers = 'memory', topic = 't'); CREATE MATERIALIZED VIEW w AS SELECT sum(a) AS n FROM s",
  );
  disk.capacity = disk.used + 3000;
  let rows = 0;
  let refused: SqlError | null = null;
  while (refused === null) {
    try {
      await sql(engine, `INSERT INTO t VALUES (${rows}, '${'x'.repeat(300)}')`);
      rows++;
    } catch (error) {
      refused = error as SqlError;
    }
    assert.ok(rows < 1000);
  }
  assert.equal(refused.sqlstate, '53100');
  assert.ok(rows > 0);
  // What was acknowledged is there; what was refused is not, not even in memory.
  assert.deepEqual(await sql(engine, 'SELECT n FROM v'), [[String(rows)]]);
  topic.send({ value: '{"a":7}' });
  assert.equal(engine.sourceTicks.pump(), false);
  await assert.rejects(sql(engine, 'CREATE TABLE u (a int)'), { sqlstate: '53100' });
  await assert.rejects(sql(engine, 'CHECKPOINT'), {
    sqlstate: '53100',
    message: 'line 1: could not take a checkpoint: the disk is full',
  });
  assert.deepEqual(await sql(engine, 'SELECT count(*) FROM t'), [[String(rows)]]);
  disk.capacity = Number.POSITIVE_INFINITY;
  while (engine.journal?.state !== 'open') await new Promise((resolve) => setImmediate(resolve));
  await sql(engine, "INSERT INTO t VALUES (-1, 'more')");
  while (engine.sourceTicks.pump());
  const crashed = disk.crash(() => 0);
  await engine.close();
  engine = await open('full', crashed, topic);
  assert.deepEqual(await sql(engine, 'SELECT n FROM v'), [[String(rows + 1)]]);
  while (engine.sourceTicks.pump());
  assert.deepEqual(await sql(engine, 'SELECT n FROM w'), [['7']]);
  await engine.close();
});

test('a failed sync: 58030 from then on, reads go on, and a restart has everything that was acknowledged', async () => {
  const disk = new MemoryDisk();
  let engine = await open('failed', disk);
  await sql(engine, 'CREATE TABLE t (a int); INSERT INTO t VALUES (1)');
  disk.failSync = 'EIO';
  await assert.rejects(sql(engine, 'INSERT INTO t VALUES (2)'), { sqlstate: '58030' });
  disk.failSync = null;
  for (const statement of ['INSERT INTO t VALUES (3)', 'CREATE TABLE u (a int)'])
    await assert.rejects(sql(engine, statement), { sqlstate: '58030' });
  assert.equal((await sql(engine, 'SELECT a FROM t WHERE a = 1')).length, 1);
  assert.equal(engine.sourceTicks.pump(), false);
  // The second may or may not have come through; the third was never written.
  const outcomes = [
    { crashed: disk.crash(() => 0), rows: [['1']] },
    { crashed: disk.crash((_, unsynced) => unsynced), rows: [['1'], ['2']] },
  ];
  await engine.close();
  for (const { crashed, rows } of outcomes) {
    engine = await open('failed', crashed);
    assert.deepEqual(await sql(engine, 'SELECT a FROM t ORDER BY a'), rows);
    await sql(engine, 'INSERT INTO t VALUES (4)');
    await engine.close();
  }
});

/** What the tables of the damage test hold, as one text. */
async function contents(engine: TidemarkEngine): Promise<string> {
  const names = engine.catalog.objects().map((o) => o.name);
  const parts: unknown[] = [names];
  for (const name of names) parts.push((await sql(engine, `SELECT * FROM ${name}`)).map((row) => row.join('|')).sort());
  return JSON.stringify(parts);
}

test('every file cut, torn or flipped: a state that was, or a refusal', { timeout: 600_000 }, async () => {
  const { random } = seeded('damaged files');
  const path = join(root, 'damaged');
  const statements = [
    'CREATE TABLE t (a int PRIMARY KEY, s text)',
    'CREATE MATERIALIZED VIEW v AS SELECT count(*) AS n, max(s) AS m FROM t',
    ...Array.from({ length: 12 }, (_, i) => `INSERT INTO t VALUES (${i}, 'text number ${i}'), (${i + 100}, NULL)`),
    'DELETE FROM t WHERE a < 4',
    'CREATE TABLE u (b numeric)',
    "UPDATE t SET s = 'changed' WHERE a > 100",
    'INSERT INTO u VALUES (1.5), (2.25)',
  ];
  let engine = await openEngine();
  await openData(engine, { path, segmentBytes: 1200 });
  const states = [await contents(engine)];
  for (const statement of statements) {
    await sql(engine, statement);
    states.push(await contents(engine));
  }
  // As a crash leaves it, without the record of an orderly end.
  const crashed = join(root, 'crashed');
  cpSync(path, crashed, { recursive: true, filter: (name) => !name.endsWith('/lock') });
  await engine.close();
  const files = ['layout', ...readdirSync(join(crashed, 'log')).map((name) => join('log', name))].filter(
    (name) => !name.endsWith('reserve'),
  );
  assert.ok(files.length > 3);
  let recovered = 0;
  let refused = 0;
  for (const file of files) {
    const whole = readFileSync(join(crashed, file));
    for (let i = rounds(12, 200); i > 0; i--) {
      const copy = join(root, 'copy');
      cpSync(crashed, copy, { recursive: true });
      const at = random(whole.length);
      const how = random(3);
      if (how === 0) truncateSync(join(copy, file), at);
      else {
        const bytes = Buffer.from(whole);
        if (how === 1) bytes[at] ^= 1 << random(8);
        else bytes.fill(0, at, Math.min(bytes.length, at + 512));
        writeFileSync(join(copy, file), bytes);
      }
      engine = await openEngine();
      try {
        await openData(engine, { path: copy, segmentBytes: 1200 });
        recovered++;
        const state = states.indexOf(await contents(engine));
        assert.ok(state >= 0, `${file}, byte ${at}, damage ${how}: a state that never was`);
        // Only the end of the newest file can pass for a crash: elsewhere nothing may be missing.
        if (file !== files.at(-1) || at < whole.length - 1200) assert.ok(state > 0, `${file}, byte ${at}`);
      } catch (error) {
        if (!(error instanceof SqlError)) throw error;
        assert.match(error.sqlstate, /^(XX001|55000)$/);
        refused++;
      } finally {
        await engine.close();
        rmSync(copy, { recursive: true, force: true });
      }
    }
  }
  assert.ok(recovered > 0 && refused > 0, `${recovered} recovered, ${refused} refused`);
});

/** A file system of 16 MB, or why there is none. */
function smallDisk(at: string): string | null {
  mkdirSync(at);
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', at], { encoding: 'utf8' });
  return status === 0 ? null : `no tmpfs can be mounted here: ${stderr.trim()}`;
}

test('a server on a real disk that is full', { timeout: 180_000 }, async (t) => {
  const at = join(root, 'small');
  const reason = smallDisk(at);
  if (reason !== null) {
    t.skip(reason);
    return;
  }
  try {
    let child = await Child.start(join(at, 'data'));
    const client = await child.connect();
    await client.query(
      'CREATE TABLE t (a int, s text); CREATE MATERIALIZED VIEW v AS SELECT count(*)::int AS n FROM t',
    );
    const ballast = join(at, 'ballast');
    writeFileSync(ballast, Buffer.alloc(8 << 20, 1));
    let rows = 0;
    let code = '';
    while (code === '') {
      try {
        await client.query(`INSERT INTO t SELECT i, repeat('x', 900) FROM generate_series(1, 100) i`);
        rows += 100;
      } catch (error) {
        code = (error as { code: string }).code;
      }
      assert.ok(rows < 100_000);
    }
    assert.equal(code, '53100');
    assert.deepEqual((await client.query('SELECT n FROM v')).rows, [{ n: rows }]);
    rmSync(ballast);
    for (let done = false; !done; await pause(50)) {
      done = await client.query("INSERT INTO t VALUES (0, 'after')").then(
        () => true,
        (error: { code: string }) => {
          assert.equal(error.code, '53100');
          return false;
        },
      );
    }
    await client.end();
    await child.kill();
    child = await Child.start(join(at, 'data'));
    assert.deepEqual(await child.rows('SELECT n FROM v'), [[rows + 1]]);
    await child.kill('SIGTERM');
  } finally {
    spawnSync('umount', [at]);
  }
});

/** The server under strace, whose nth fdatasync and every later one fails; or why that cannot be done. */
function failingSyncs(nth: number): string[] | string {
  const before = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', 'trace=fdatasync'];
  const { error, status, stderr } = spawnSync(before[0], [...before.slice(1), process.execPath, '-e', '0'], {
    encoding: 'utf8',
  });
  if (error !== undefined) return `no strace here: ${error.message}`;
  if (status !== 0) return `strace may not trace here: ${stderr.trim()}`;
  return [...before, '-e', `inject=fdatasync:error=EIO:when=${nth}+`, process.execPath];
}

test('a server whose fdatasync fails', { timeout: 180_000 }, async (t) => {
  const { random } = seeded('failing fdatasync');
  for (let round = rounds(1, 6); round > 0; round--) {
    const before = failingSyncs(15 + random(25));
    if (typeof before === 'string') {
      t.skip(before);
      return;
    }
    const data = join(root, `syncs${round}`);
    let child = await Child.start(data, { before });
    const client = await child.connect();
    await client.query(
      'CREATE TABLE t (a int); CREATE MATERIALIZED VIEW v AS SELECT count(*)::int AS n, sum(a)::int AS s FROM t',
    );
    let rows = 0;
    let code = '';
    while (code === '') {
      try {
        await client.query(`INSERT INTO t VALUES (${rows})`);
        rows++;
      } catch (error) {
        code = (error as { code: string }).code;
      }
      assert.ok(rows < 1000);
    }
    assert.equal(code, '58030');
    await assert.rejects(client.query('INSERT INTO t VALUES (-1)'), { code: '58030' });
    await assert.rejects(client.query('CREATE TABLE u (a int)'), { code: '58030' });
    assert.equal((await client.query('SELECT n FROM v')).rows.length, 1);
    await client.end();
    const { pid } = JSON.parse(readFileSync(join(data, 'lock'), 'utf8')) as { pid: number };
    process.kill(pid, 'SIGKILL');
    await child.kill();
    child = await Child.start(data);
    const [[n, s]] = await child.rows('SELECT n, s FROM v');
    // The transaction whose sync failed may be there; those after it were never written.
    assert.ok(n === rows || n === rows + 1, `${n} rows, ${rows} were acknowledged`);
    assert.equal(s, ((n as number) * ((n as number) - 1)) / 2);
    await child.rows('INSERT INTO t VALUES (-7)');
    await child.kill();
  }
});
