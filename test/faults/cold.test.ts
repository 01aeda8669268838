/**
 * A server whose joins have several times as much state as it may have memory: the views are those of a server with memory enough, over inserts, updates
 * and deletes, kills at any instant (most of the time state is going to disk) and orderly ends; a full disk holds nothing up but sources; damage ends the server.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { initParser } from '../../planner/parse/parse.ts';
import { backup } from '../../src/durable/backup.ts';
import { examine } from '../../src/durable/doctor.ts';
import { seeded } from '../engine/harness.ts';
import { streamsSql } from '../nexmark/suite.ts';
import { Child, pause, rounds } from './child.ts';

const root = mkdtempSync(join(tmpdir(), 'tidemark-cold-'));
before(initParser);
after(() => rmSync(root, { recursive: true, force: true }));

const LIMIT_MB = 64;
const LIMITED = { options: ['--memory-limit', `${LIMIT_MB}MB`] };
const AMPLE = { options: ['--memory-limit', '3GB'] };

/** Inserted by a step: a tick needs room for a dozen copies of them. */
const ROWS = 50;
/** Each joins by a key of its own, so each has all of t in an index. */
const JOINS = 20;
const KEYS = Array.from({ length: JOINS }, (_, i) => `k${i}`);
const SETUP = `
  CREATE TABLE t (id int PRIMARY KEY, ${KEYS.map((k) => `${k} int`).join(', ')}, s text);
  CREATE TABLE u (k int PRIMARY KEY, g int, p int, x text);
  INSERT INTO u SELECT i, i % 7, i % 400 + 1, 'x' || i FROM generate_series(0, 1999) i;
  ${KEYS.map(
    (k) => `CREATE MATERIALIZED VIEW by_${k} AS
      SELECT u.g, count(*) AS n, sum(length(t.s || u.x)) AS l, sum(ascii(substr(t.s, u.p, 1))) AS c FROM t JOIN u ON t.${k} = u.k GROUP BY u.g;`,
  ).join('\n')}`;

/** Rows of a step are a function of its number, so that both servers get the same. */
function statements(random: (n: number) => number, step: number): string[] {
  const from = step * ROWS;
  const keys = KEYS.map((_, i) => `(i * ${2 * i + 1} + ${random(2000)}) % 2000`).join(', ');
  const list = [
    `INSERT INTO t SELECT i, ${keys}, repeat(md5((i + ${random(1000)})::text), 36) FROM generate_series(${from}, ${from + ROWS - 1}) i`,
  ];
  if (step % 3 === 2) {
    const old = random(from);
    list.push(`DELETE FROM t WHERE id BETWEEN ${old} AND ${old + 15}`);
    const changed = random(from);
    list.push(`UPDATE t SET s = 'u' || s, k3 = ${random(2000)} WHERE id BETWEEN ${changed} AND ${changed + 10}`);
  }
  if (step % 5 === 4) list.push(`UPDATE u SET g = (g + 1) % 7, x = x || 'y' WHERE k BETWEEN ${step} AND ${step + 3}`);
  return list;
}

async function views(child: Child): Promise<unknown[][][]> {
  const all: unknown[][][] = [];
  for (const k of KEYS) all.push(await child.rows(`SELECT g, n::text, l::text, c::text FROM by_${k} ORDER BY g`));
  return all;
}

const figures = async (child: Child) => {
  const [[files, bytes, live, written, reads]] = await child.rows(
    'SELECT files::float8, bytes::float8, live_bytes::float8, written::float8, reads::float8 FROM tidemark.cold',
  );
  return { files, bytes, live, written, reads } as Record<'files' | 'bytes' | 'live' | 'written' | 'reads', number>;
};

const memory = async (child: Child, kind: string): Promise<number> =>
  Number((await child.rows(`SELECT bytes FROM tidemark.memory WHERE kind = '${kind}'`))[0][0]);

function sizeOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).reduce(
    (sum, entry) => sum + (entry.isFile() ? statSync(join(entry.parentPath, entry.name)).size : 0),
    0,
  );
}

test('joins with four times the memory limit: the rows of a server with memory enough, over kills and ends', {
  timeout: 3_600_000,
}, async (t) => {
  const { random, seed } = seeded('state on disk');
  const data = join(root, 'join');
  const ample = await Child.start(join(root, 'ample'), AMPLE);
  let child = await Child.start(data, LIMITED);
  t.after(() => Promise.all([child.kill(), ample.kill()]));
  const other = await ample.connect();
  let client = await child.connect();
  for (const c of [other, client]) await c.query(SETUP);
  const steps = rounds(90, 226);
  let most = 0;
  for (let step = 0; step < steps; step++) {
    for (const statement of statements(random, step)) {
      await other.query(statement);
      await client.query(statement).catch((error: { message: string; detail?: string }) => {
        throw new Error(`step ${step}: ${statement.slice(0, 60)}: ${error.message} ${error.detail}\n${child.output}`);
      });
    }
    if (random(40) === 0) await client.query('CHECKPOINT');
    if (random(40) > 0) continue;
    most = Math.max(most, (await figures(child)).live);
    if (random(3) === 0) await client.query('CHECKPOINT');
    // A statement under way: whole or not at all, and then it is done again.
    const under = `INSERT INTO t SELECT -i, ${KEYS.map(() => 'i').join(', ')}, repeat('z', 900) || i FROM generate_series(1, ${ROWS}) i`;
    const running = client.query(under).then(
      () => undefined,
      () => undefined,
    );
    await pause(random(60));
    await child.kill(random(3) === 0 ? 'SIGTERM' : 'SIGKILL');
    await running;
    child = await Child.start(data, LIMITED);
    client = await child.connect();
    await client.query('DELETE FROM t WHERE id < 0');
    assert.deepEqual(await views(child), await views(ample), `step ${step}, seed ${seed}`);
  }
  assert.deepEqual(await views(child), await views(ample), `at the end, seed ${seed}`);
  most = Math.max(most, (await figures(child)).live);
  const state = await memory(ample, 'operators');
  assert.ok(state > rounds(1, 4) * LIMIT_MB * 2 ** 20, `${state} bytes of state`);
  assert.ok(most > rounds(1, 2) * LIMIT_MB * 2 ** 20, `${most} bytes were on disk`);
  assert.match(child.output, /old state goes to disk/);

  // A copy while it runs is a server of its own.
  await client.query('CHECKPOINT');
  await backup(data, join(root, 'copy'));
  const copy = await Child.start(join(root, 'copy'), LIMITED);
  assert.deepEqual(await views(copy), await views(ample));
  await copy.kill('SIGTERM');

  // Without most of its rows little is left on the disk.
  const before = sizeOf(join(data, 'cold'));
  for (let id = 0; id < steps * ROWS; id += 100)
    for (const c of [other, client]) await c.query(`DELETE FROM t WHERE id BETWEEN ${id} AND ${id + 95}`);
  for (const end = Date.now() + 60_000; ; await pause(200)) {
    await client.query('INSERT INTO u VALUES (5000, 0, 1, NULL); DELETE FROM u WHERE k = 5000; CHECKPOINT');
    const { bytes, live } = await figures(child);
    // Up to 32 MB of sparse files stay, and what the kept checkpoints name.
    if (sizeOf(join(data, 'cold')) < Math.max(before / 3, 96 << 20) && bytes < Math.max(4 * live, 100 << 20)) break;
    assert.ok(Date.now() < end, `${sizeOf(join(data, 'cold'))} of ${before} bytes are left, ${live} alive`);
  }
  assert.deepEqual(await views(child), await views(ample), `deleted, seed ${seed}`);
  await client.end();
  await other.end();
  await child.kill('SIGTERM');
  const problems = (await examine(data)).filter(({ level }) => level === 'problem');
  assert.deepEqual(problems, []);
});

const WON = `CREATE MATERIALIZED VIEW won AS SELECT a.category, count(*) AS n, sum(length(b.url || b.extra || a.description)) AS l, sum(b.price + a.reserve) AS p
  FROM auction a JOIN bid b ON a.id = b.auction GROUP BY a.category`;
const EVENTS = 500_000;
const BIDS = (EVENTS * 46) / 50;
const STREAMS = streamsSql((table) => `connector = 'nexmark', table = '${table}', events = '${EVENTS}'`);
const WON_ROWS = 'SELECT category, n::text, l::text, p::text FROM won ORDER BY category';

/** Resolves when the streams have been read to their end. */
async function untilRead(child: Child, within = 300_000): Promise<void> {
  for (const end = Date.now() + within; ; await pause(100)) {
    const [[read]] = await child.rows("SELECT position::int FROM tidemark.sources WHERE name = 'bid'");
    if (read === BIDS) return;
    assert.ok(Date.now() < end, `${read} of ${BIDS} bids were read`);
  }
}

test('a join of streams, made before and after its rows came: nothing is held for good', {
  timeout: 3_600_000,
}, async (t) => {
  const ample = await Child.start(join(root, 'streams-ample'), AMPLE);
  const child = await Child.start(join(root, 'streams'), LIMITED);
  t.after(() => Promise.all([child.kill(), ample.kill()]));
  for (const server of [child, ample]) {
    await server.rows(STREAMS);
    await server.rows(WON);
  }
  await Promise.all([untilRead(child), untilRead(ample)]);
  const rows = await ample.rows(WON_ROWS);
  assert.deepEqual(await child.rows(WON_ROWS), rows);
  assert.ok((await memory(child, 'used')) <= LIMIT_MB * 2 ** 20);
  // Filled apart, from the streams' history.
  await child.rows(WON.replace('won', 'again').replace('a.reserve', 'a.reserve + 0'));
  assert.deepEqual(await child.rows(WON_ROWS.replace('won', 'again')), rows);
  await child.kill();
  const later = await Child.start(join(root, 'streams'), LIMITED);
  t.after(() => later.kill());
  assert.deepEqual(await later.rows(WON_ROWS), rows);
  assert.deepEqual(await later.rows(WON_ROWS.replace('won', 'again')), rows);
});

test('rows of views of several times the limit: read whole, by key and by index, over kills', {
  timeout: 3_600_000,
}, async (t) => {
  const events = rounds(300_000, 900_000);
  const ample = await Child.start(join(root, 'rows-ample'), AMPLE);
  let child = await Child.start(join(root, 'rows'), LIMITED);
  t.after(() => Promise.all([child.kill(), ample.kill()]));
  const streams = streamsSql((table) => `connector = 'nexmark', table = '${table}', events = '${events}'`);
  for (const server of [child, ample]) {
    await server.rows(streams);
    // By its key, of rows that are replaced; and a log.
    await server.rows(
      'CREATE MATERIALIZED VIEW newest AS SELECT DISTINCT ON (bidder, auction) * FROM bid ORDER BY bidder, auction, date_time DESC',
    );
    await server.rows(
      'CREATE MATERIALIZED VIEW above AS SELECT channel, count(*)::text AS n, sum(price)::text AS p FROM newest GROUP BY channel',
    );
    await server.rows('CREATE MATERIALIZED VIEW plain AS SELECT * FROM bid');
  }
  const reads = [
    'SELECT count(*)::text, sum(price)::text, sum(length(url || extra))::text, max(md5(url || extra)) FROM newest',
    'SELECT count(*)::text, sum(price)::text, sum(length(url || extra))::text, max(md5(url || extra)) FROM plain',
    'SELECT * FROM above ORDER BY channel',
    'SELECT * FROM newest WHERE (bidder, auction) IN (SELECT bidder, auction FROM newest ORDER BY md5(extra) LIMIT 5) ORDER BY bidder, auction',
  ];
  const all = async (server: Child) => {
    const found: unknown[] = [];
    for (const read of reads) found.push(await server.rows(read));
    const [[bidder, auction]] = await ample.rows(
      'SELECT bidder::text, auction::text FROM newest ORDER BY md5(extra) LIMIT 1',
    );
    found.push(await server.rows(`SELECT * FROM newest WHERE bidder = ${bidder} AND auction = ${auction}`));
    return found;
  };
  const read = async (server: Child) => {
    for (const end = Date.now() + 600_000; ; await pause(100)) {
      const [[position]] = await server.rows("SELECT position::int FROM tidemark.sources WHERE name = 'bid'");
      if (position === (events * 46) / 50) return;
      assert.ok(Date.now() < end, `${position} bids were read`);
    }
  };
  // Killed on the way, with rows on disk.
  for (let kill = 0; kill < 2; kill++) {
    for (const end = Date.now() + 60_000; Date.now() < end && (await figures(child)).live < (kill + 1) * 20e6; )
      await pause(20);
    await child.rows('CHECKPOINT');
    await pause(200);
    await child.kill();
    child = await Child.start(join(root, 'rows'), LIMITED);
  }
  await Promise.all([read(child), read(ample)]);
  assert.deepEqual(await all(child), await all(ample));
  const onDisk = await child.rows('SELECT name, bytes::float8, cold_bytes::float8 FROM tidemark.views ORDER BY name');
  for (const [name, bytes, cold] of onDisk)
    assert.ok(name === 'above' || Number(cold) > Number(bytes), `${name}: ${cold} on disk, ${bytes} in memory`);
  assert.ok((await memory(child, 'used')) <= LIMIT_MB * 2 ** 20);
  await child.rows(
    'CREATE MATERIALIZED VIEW later AS SELECT channel, count(*)::text AS n, sum(price)::text AS p FROM plain GROUP BY channel',
  );
  await ample.rows(
    'CREATE MATERIALIZED VIEW later AS SELECT channel, count(*)::text AS n, sum(price)::text AS p FROM plain GROUP BY channel',
  );
  const later = 'SELECT * FROM later ORDER BY channel';
  assert.deepEqual(await child.rows(later), await ample.rows(later));
  await child.kill('SIGTERM');
  child = await Child.start(join(root, 'rows'), LIMITED);
  assert.deepEqual(await all(child), await all(ample));
});

test('a table of several times the limit: inserts, updates and deletes of rows on disk and columns that change, over kills', {
  timeout: 3_600_000,
}, async (t) => {
  const { random, seed } = seeded('a table on disk');
  const ample = await Child.start(join(root, 'table-ample'), AMPLE);
  let child = await Child.start(join(root, 'table'), LIMITED);
  t.after(() => Promise.all([child.kill(), ample.kill()]));
  const both = async (text: string) => {
    await ample.rows(text);
    await child.rows(text);
  };
  await both(`CREATE TABLE t (id int PRIMARY KEY, g int, s text);
    CREATE MATERIALIZED VIEW sums AS SELECT g, count(*)::text AS n, sum(length(s))::text AS l FROM t GROUP BY g;
    CREATE MATERIALIZED VIEW same AS SELECT id, g + 1 AS g, upper(s) AS s FROM t`);
  const SUMS = (name: string) =>
    `SELECT count(*)::text, sum(id)::text, sum(g)::text, sum(length(s))::text, max(md5(s)) FROM ${name}`;
  const compare = async (label: string) => {
    for (const read of [
      SUMS('t'),
      SUMS('same'),
      'SELECT * FROM sums ORDER BY g',
      `SELECT * FROM t WHERE id = ${random(1000)}`,
    ])
      assert.deepEqual(await child.rows(read), await ample.rows(read), `${read}, ${label}, seed ${seed}`);
  };
  const steps = rounds(45, 120);
  const each = 2000;
  for (let step = 0; step < steps; step++) {
    const from = step * each;
    await both(
      `INSERT INTO t SELECT i, i % 50, repeat(md5((i + ${random(1000)})::text), 16) FROM generate_series(${from}, ${from + each - 1}) i`,
    );
    const at = random(from + 1);
    await both(`UPDATE t SET s = 'u' || s, g = (g + 1) % 50 WHERE id BETWEEN ${at} AND ${at + 200}`);
    await both(
      `INSERT INTO t VALUES (${random(from + 1)}, 3, 'again') ON CONFLICT (id) DO UPDATE SET s = t.s || excluded.s`,
    );
    const old = random(from + 1);
    await both(`DELETE FROM t WHERE id BETWEEN ${old} AND ${old + 150}`);
    await assert.rejects(child.rows(`INSERT INTO t SELECT id, g, s FROM t ORDER BY id LIMIT 1`), { code: '23505' });
    if (step % 15 !== 7) continue;
    if (random(2) === 0) await child.rows('CHECKPOINT');
    await child.kill(random(3) === 0 ? 'SIGTERM' : 'SIGKILL');
    child = await Child.start(join(root, 'table'), LIMITED);
    await compare(`step ${step}`);
  }
  await compare('at the end');
  assert.ok((await figures(child)).live > rounds(0.5, 2) * LIMIT_MB * 2 ** 20);
  assert.ok((await memory(child, 'used')) <= LIMIT_MB * 2 ** 20);
  for (let id = 10 * each; id < steps * each; id += each)
    await both(`DELETE FROM t WHERE id BETWEEN ${id} AND ${id + each - 1}`);
  await compare('most of it deleted');
  await both('ALTER TABLE t DROP COLUMN g CASCADE; ALTER TABLE t ADD COLUMN g int DEFAULT 7');
  assert.deepEqual(await child.rows(SUMS('t')), await ample.rows(SUMS('t')));
  await child.kill();
  child = await Child.start(join(root, 'table'), LIMITED);
  assert.deepEqual(await child.rows(SUMS('t')), await ample.rows(SUMS('t')));
});

test('a damaged cold file: the server says so and ends, and the next start does without it or is refused', {
  timeout: 600_000,
}, async (t) => {
  const data = join(root, 'damaged');
  let child = await Child.start(data, LIMITED);
  t.after(() => child.kill());
  let client = await child.connect();
  await client.query(SETUP);
  const { random } = seeded('damaged cold files');
  for (let step = 0; step < 100; step++) for (const text of statements(random, step)) await client.query(text);
  const whole = await views(child);
  // Nothing behind it: the file grows on between ticks, and the last block that the checkpoint names must lie in its second half.
  await client.query('CHECKPOINT');
  await client.end();
  await child.kill();
  const folder = join(data, 'cold');
  const names = readdirSync(folder);
  assert.ok(names.length > 0);
  for (const name of names) {
    const bytes = readFileSync(join(folder, name));
    // The last block that the checkpoint names is looked at by the start.
    for (let at = 50; at < bytes.length / 2; at += 4096) bytes[at] ^= 4;
    writeFileSync(join(folder, name), bytes);
  }
  child = await Child.start(data, LIMITED);
  assert.deepEqual(await views(child), whole);
  client = await child.connect();
  // Keys that are in memory, or in blocks that are whole, can be changed; sooner or later one is not.
  const changes = async () => {
    for (let k = 0; k < 2000; k += 20)
      await client.query(`UPDATE u SET x = x || 'y' WHERE k BETWEEN ${k} AND ${k + 19}`);
  };
  await assert.rejects(changes(), ({ code }: { code?: string }) => code !== '53200');
  await child.ended();
  assert.match(child.output, /fatal: the cold file .* is damaged at byte \d+; it is now cold-\d+\.damaged/);
  // The log reaches back to the beginning, so everything is made again.
  child = await Child.start(data, LIMITED);
  assert.match(child.output, /checkpoint 1 cannot be used: .*cold-\d+ is missing/);
  assert.deepEqual(await views(child), whole);
  await child.kill('SIGTERM');
});

test('a full disk: sources wait, reads go on, and everything goes on when there is room', {
  timeout: 600_000,
}, async (t) => {
  const at = join(root, 'small');
  mkdirSync(at);
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=400m', 'tmpfs', at], { encoding: 'utf8' });
  if (status !== 0) {
    t.skip(`no tmpfs can be mounted here: ${stderr.trim()}`);
    return;
  }
  let child: Child | null = null;
  try {
    const ballast = join(at, 'ballast');
    writeFileSync(ballast, Buffer.alloc(320 << 20, 1));
    child = await Child.start(join(at, 'data'), LIMITED);
    await child.rows('CREATE TABLE note (a int); INSERT INTO note VALUES (0)');
    await child.rows(STREAMS);
    await child.rows(WON);
    const status = async () =>
      (await (child as Child).rows("SELECT status FROM tidemark.sources WHERE name = 'bid'"))[0][0];
    // Sources may also be held for a moment while state is still on its way to disk.
    const isFull = () => /cold state: the disk is full/.test((child as Child).output);
    for (const end = Date.now() + 120_000; !isFull() || (await status()) !== 'held: memory'; await pause(100))
      assert.ok(Date.now() < end, 'the disk was not full, or sources were not held');
    assert.equal((await child.rows('SELECT count(*)::int FROM won'))[0][0], 5);
    // The tick log has room still, and one row more needs no page of the memory, of which statements may have none left.
    await child.rows('INSERT INTO note VALUES (1)');
    rmSync(ballast);
    await untilRead(child);
    assert.match(child.output, /cold state: state goes to disk again/);
    const rows = await child.rows(WON_ROWS);
    await child.kill();
    child = await Child.start(join(at, 'data'), LIMITED);
    assert.deepEqual(await child.rows(WON_ROWS), rows);
    assert.deepEqual(await child.rows('SELECT * FROM note ORDER BY a'), [[0], [1]]);
  } finally {
    await child?.kill();
    spawnSync('umount', [at]);
  }
});
