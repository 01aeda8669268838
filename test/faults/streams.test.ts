/**
 * SIGKILL while streams are read: the auction of the Nexmark generator through joins, windows and aggregates. After the last start the views hold what
 * a server that was never killed holds, and what a computation from scratch over the streams gives.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openEngine, seeded, sql } from '../engine/harness.ts';
import { streamsSql } from '../nexmark/suite.ts';
import { Child, pause, progress, rounds } from './child.ts';

const root = mkdtempSync(join(tmpdir(), 'tidemark-kills-'));
after(() => rmSync(root, { recursive: true, force: true }));

const EVENTS = rounds(60_000, 1_000_000);
const PER_SECOND = rounds(6_000, 20_000);

const QUERIES: Record<string, string> = {
  per_channel: 'SELECT channel, count(*) AS n, sum(price) AS s, max(price) AS m FROM bid GROUP BY channel',
  sellers:
    "SELECT p.name, p.city, p.state, a.id FROM auction a JOIN person p ON a.seller = p.id WHERE a.category = 10 AND p.state IN ('OR', 'ID', 'CA')",
  prices: `SELECT q.category, avg(q.final) AS average FROM (
      SELECT max(b.price) AS final, a.category FROM auction a, bid b
      WHERE a.id = b.auction AND b.date_time BETWEEN a.date_time AND a.expires GROUP BY a.id, a.category) q
    GROUP BY q.category`,
  windows:
    "SELECT window_start, count(*) AS n, sum(price) AS s FROM TUMBLE(bid, date_time, INTERVAL '1' SECOND) GROUP BY window_start",
  best: `SELECT auction, bidder, price FROM (
      SELECT auction, bidder, price, row_number() OVER (PARTITION BY auction ORDER BY price DESC, date_time, bidder) AS r FROM bid) q
    WHERE r <= 2`,
};

/** Of 50 events 46 are bids. */
const total = Math.floor((EVENTS * 46) / 50);

const streams = (rate: string) =>
  streamsSql(
    (table) => `connector = 'nexmark', table = '${table}', events = '${EVENTS}', event_time_rate = '10000'${rate}`,
  );

const sorted = (rows: unknown[][]) =>
  rows.map((row) => JSON.stringify(row.map((x) => (x === null ? null : String(x))))).sort();

test('views over streams are what they would have been', { timeout: 3_600_000 }, async () => {
  const { random } = seeded('kills while streams are read');
  const data = join(root, 'data');
  let child = await Child.start(data);
  const client = await child.connect();
  await client.query(streams(`, events_per_second = '${PER_SECOND}'`));
  for (const [name, query] of Object.entries(QUERIES))
    await client.query(`CREATE MATERIALIZED VIEW ${name} AS ${query}`);
  await client.query('CREATE TABLE mark (n int)');
  await client.end();
  const bids = async () => Number((await child.rows('SELECT sum(n) FROM per_channel'))[0][0] ?? 0);
  for (let kills = rounds(3, 20); kills > 0; kills--) {
    const before = await bids();
    if (before === total) break;
    progress(`kills while streams are read: ${kills} to go, ${before} of ${total} bids`);
    // A SELECT sees ticks that are on their way to the disk; a commit is answered when it and all ticks before it are there.
    await child.rows('INSERT INTO mark VALUES (1) RETURNING n');
    while ((await bids()) === before) await pause(20);
    await pause(random(500));
    await child.kill();
    child = await Child.start(data);
    const again = await bids();
    assert.ok(again >= before, `${again} bids after a kill, ${before} before`);
  }
  const caughtUp = "SELECT count(*) FROM tidemark.sources WHERE lag > 0 OR status <> 'running'";
  while ((await child.rows(caughtUp))[0][0] !== '0' || (await bids()) < total) await pause(100);

  const reference = await openEngine();
  await sql(reference, streams(''));
  for (const [name, query] of Object.entries(QUERIES))
    await sql(reference, `CREATE MATERIALIZED VIEW ${name} AS ${query}`);
  while (reference.sourceTicks.pump()) await Promise.resolve();
  assert.deepEqual(await child.rows('SELECT sum(late) FROM tidemark.sources'), [['0']]);
  for (const [name, query] of Object.entries(QUERIES)) {
    const columns = reference.catalog.find(undefined, name);
    assert.ok(columns !== undefined && 'relation' in columns);
    const text = columns.relation.columns.map((c) => `${c.name}::text`).join(', ');
    const rows = sorted(await child.rows(`SELECT ${text} FROM ${name}`));
    assert.ok(rows.length > 0);
    assert.deepEqual(rows, sorted(await sql(reference, `SELECT ${text} FROM ${name}`)), name);
    assert.deepEqual(rows, sorted(await child.rows(`SELECT ${text} FROM (${query}) q`)), `${name} from scratch`);
  }
  await reference.close();
  await child.kill('SIGTERM');
});
