/**
 * Time that jumps: a server stopped for a while (SIGSTOP) and one whose clock is set an hour forward and back. Connections, sources and
 * subscriptions go on, no tick is lost, nothing is late that would not have been, and now() never runs backwards.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { to as copyTo } from 'pg-copy-streams';
import { examine } from '../../src/durable/doctor.ts';
import { openEngine, seeded, sql } from '../engine/harness.ts';
import { streamsSql } from '../nexmark/suite.ts';
import { Child, pause, rounds } from './child.ts';

const root = mkdtempSync(join(tmpdir(), 'tidemark-time-'));
after(() => rmSync(root, { recursive: true, force: true }));

const EVENTS = rounds(30_000, 500_000);
const PER_SECOND = rounds(5_000, 6_000);
const STOPPED_MS = rounds(3_000, 60_000);
const total = Math.floor((EVENTS * 46) / 50);

const streams = (rate: string) =>
  streamsSql(
    (table) => `connector = 'nexmark', table = '${table}', events = '${EVENTS}', event_time_rate = '10000'${rate}`,
  );

const QUERIES: Record<string, string> = {
  channels: 'SELECT channel, count(*) AS n, sum(price) AS s FROM bid GROUP BY channel',
  windows:
    "SELECT window_start, count(*) AS n, max(price) AS m FROM TUMBLE(bid, date_time, INTERVAL '1' SECOND) GROUP BY window_start",
  sellers: 'SELECT p.name, a.id FROM auction a JOIN person p ON a.seller = p.id WHERE a.category = 10',
};

const sorted = (rows: unknown[][]) => rows.map((row) => row.join('|')).sort();

test('a server that is stopped for a while goes on as if nothing had been', { timeout: 600_000 }, async () => {
  const { random } = seeded('stopped server');
  const child = await Child.start(join(root, 'stopped'));
  const client = await child.connect();
  await client.query(streams(`, events_per_second = '${PER_SECOND}'`));
  for (const [name, query] of Object.entries(QUERIES))
    await client.query(`CREATE MATERIALIZED VIEW ${name} AS ${query}`);
  await client.query('CREATE TABLE written (i int PRIMARY KEY)');
  const subscriber = await child.connect();
  let changes = '';
  const subscription = subscriber.query(copyTo('COPY (SUBSCRIBE windows) TO STDOUT'));
  subscription.on('data', (bytes: Buffer) => {
    changes += bytes.toString();
  });
  subscription.on('error', () => undefined);
  let writing = true;
  let written = 0;
  const writer = (async () => {
    const own = await child.connect();
    while (writing) {
      await own.query(`INSERT INTO written VALUES (${written})`);
      written++;
    }
    await own.end();
  })();
  // In the middle of an open transaction of this client.
  await client.query('BEGIN');
  await client.query('INSERT INTO written VALUES (-1)');
  const bids = async () => Number((await child.rows('SELECT sum(n) FROM channels'))[0][0] ?? 0);
  while ((await bids()) < total / 10) await pause(20);
  await pause(random(300));
  child.signal('SIGSTOP');
  const before = written;
  await pause(STOPPED_MS);
  assert.ok(written <= before + 1, 'it was stopped');
  child.signal('SIGCONT');
  await client.query('COMMIT');
  while (written < before + 20) await pause(5);
  while ((await bids()) < total) await pause(50);
  writing = false;
  await writer;
  assert.deepEqual(await child.rows('SELECT sum(late) FROM tidemark.sources'), [['0']]);
  assert.deepEqual(await child.rows('SELECT count(*)::int, min(i), max(i) FROM written'), [
    [written + 1, -1, written - 1],
  ]);
  const reference = await openEngine();
  await sql(reference, streams(''));
  for (const [name, query] of Object.entries(QUERIES))
    await sql(reference, `CREATE MATERIALIZED VIEW ${name} AS ${query}`);
  while (reference.sourceTicks.pump()) await Promise.resolve();
  for (const name of Object.keys(QUERIES)) {
    const found = await child.rows(`SELECT ${name}::text FROM ${name}`);
    assert.deepEqual(sorted(found), sorted(await sql(reference, `SELECT ${name}::text FROM ${name}`)), name);
  }
  // The subscription has said all of it, tick by tick.
  const windows = sorted(await child.rows('SELECT window_start::text, n::text, m::text FROM windows'));
  const folded = () => {
    const rows = new Map<string, number>();
    for (const line of changes.split('\n').slice(0, -1)) {
      const [, diff, ...row] = line.split('\t');
      rows.set(row.join('|'), (rows.get(row.join('|')) ?? 0) + Number(diff));
    }
    return [...rows].flatMap(([row, n]) => (n === 0 ? [] : [n === 1 ? row : `${n} times ${row}`])).sort();
  };
  while (folded().length < windows.length) await pause(20);
  assert.deepEqual(folded(), windows);
  await reference.close();
  await client.end();
  await child.kill();
  assert.deepEqual(
    (await examine(join(root, 'stopped'))).filter(({ level }) => level === 'problem'),
    [],
  );
});

const HOUR_MS = 3_600_000;
const SEAM = fileURLToPath(new URL('clock_seam.mjs', import.meta.url));

test('a clock that is set an hour forward and an hour back', { timeout: 300_000 }, async () => {
  const data = join(root, 'clock');
  const surroundings = (offsets: number[]) => ({
    before: [process.execPath, '--import', SEAM],
    env: { CLOCK_OFFSETS: offsets.join(',') },
  });
  let child = await Child.start(data, surroundings([HOUR_MS, -HOUR_MS, 0]));
  await child.rows(
    `CREATE TABLE seen (i int PRIMARY KEY, at timestamptz DEFAULT now());
     CREATE MATERIALIZED VIEW recent AS SELECT i, at FROM seen WHERE at > now() - INTERVAL '30 minutes';
     CREATE MATERIALIZED VIEW future AS SELECT i FROM seen WHERE at > now() + INTERVAL '1 second';`,
  );
  const recent = async () => (await child.rows('SELECT i FROM recent ORDER BY i')).map(([i]) => i);
  /** Waits until ticks have seen the clock. */
  const until = async (wanted: number[]) => {
    while (JSON.stringify(await recent()) !== JSON.stringify(wanted)) await pause(20);
  };
  const now = async () => Number((await child.rows('SELECT extract(epoch FROM now())'))[0][0]) * 1000;
  const begun = await now();
  assert.ok(Math.abs(begun - Date.now()) < 60_000);
  const waiting = await child.connect();
  await waiting.query("SET statement_timeout = '50s'; BEGIN; INSERT INTO seen (i) VALUES (0)");
  await child.rows('INSERT INTO seen (i) VALUES (1)');
  await until([1]);

  child.signal('SIGUSR2');
  await until([]);
  const ahead = await now();
  assert.ok(ahead > begun + 0.9 * HOUR_MS);
  // A transaction keeps the now() that it began with.
  await waiting.query('COMMIT');
  await child.rows('INSERT INTO seen (i) VALUES (3)');
  await until([3]);

  child.signal('SIGUSR2');
  await child.rows('INSERT INTO seen (i) VALUES (4)');
  await until([3, 4]);
  const back = await now();
  assert.ok(back >= ahead, `now() went from ${ahead} back to ${back}`);
  assert.deepEqual(await child.rows('SELECT count(*)::int FROM future'), [[0]]);
  assert.deepEqual(await child.rows('SELECT count(*)::int FROM seen a JOIN seen b ON a.i < b.i AND a.at > b.at'), [
    [0],
  ]);
  await child.rows('CHECKPOINT');
  await child.rows('INSERT INTO seen (i) VALUES (5)');
  await waiting.end();
  await child.kill();

  // After a restart with the clock an hour behind what the log has.
  child = await Child.start(data, surroundings([]));
  assert.ok((await now()) >= back, 'now() went back over a restart');
  await child.rows('INSERT INTO seen (i) VALUES (6)');
  await until([3, 4, 5, 6]);
  await child.kill();
  const problems = (await examine(data)).filter(({ level }) => level === 'problem');
  assert.deepEqual(problems, []);
});
