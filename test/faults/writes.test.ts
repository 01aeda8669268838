/**
 * SIGKILL at random instants while clients write: every acknowledged transaction is there afterwards and whole, every other is whole or absent, and
 * views hold what a computation from scratch gives.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { after, test } from 'node:test';
import { from as copyFrom } from 'pg-copy-streams';
import { seeded } from '../engine/harness.ts';
import { Child, pause, progress, rounds } from './child.ts';

const root = mkdtempSync(join(tmpdir(), 'tidemark-writes-'));
after(() => rmSync(root, { recursive: true, force: true }));

const WRITERS = 4;
const { random } = seeded('kills during writes');

/** Transactions by number: how many rows each writes. A number is used once. */
const sent = new Map<number, number>();
const acknowledged = new Set<number>();
const deleted = { sent: new Set<number>(), acknowledged: new Set<number>() };
let nextBatch = 1;

type Client = Awaited<ReturnType<Child['connect']>>;

/** One transaction of the kind that its number says. */
async function write(client: Client, batch: number, rows: number): Promise<void> {
  const values = Array.from({ length: rows }, (_, i) => `(${batch}, ${i}, 'batch ${batch}, row ${i}')`).join(', ');
  switch (batch % 4) {
    case 0: {
      const copy = client.query(copyFrom('COPY items FROM STDIN'));
      const lines = Array.from({ length: rows }, (_, i) => `${batch}\t${i}\tbatch ${batch}, row ${i}\n`);
      await pipeline(Readable.from(lines), copy);
      return;
    }
    case 1:
      await client.query('BEGIN');
      await client.query(`INSERT INTO items VALUES ${values}`);
      await client.query(`INSERT INTO batches VALUES (${batch}, ${rows})`);
      await client.query('COMMIT');
      return;
    default:
      await client.query(`INSERT INTO items VALUES ${values}`);
  }
}

async function writer(child: Child): Promise<void> {
  const client = await child.connect();
  for (;;) {
    const batch = nextBatch++;
    const rows = 1 + random(40);
    sent.set(batch, rows);
    await write(client, batch, rows);
    acknowledged.add(batch);
    if (random(5) > 0) continue;
    const victim = [...acknowledged][random(acknowledged.size)];
    // Numbers of kind 1 stay: their two tables are compared.
    if (victim % 4 === 1 || deleted.sent.has(victim)) continue;
    deleted.sent.add(victim);
    await client.query(`DELETE FROM items WHERE batch = ${victim}`);
    deleted.acknowledged.add(victim);
  }
}

async function check(child: Child): Promise<void> {
  const found = new Map<number, number>();
  for (const [batch, n] of await child.rows('SELECT batch, count(*)::int FROM items GROUP BY batch'))
    found.set(batch as number, n as number);
  for (const [batch, n] of found) assert.equal(n, sent.get(batch), `batch ${batch} is there in part`);
  for (const batch of acknowledged)
    if (!deleted.sent.has(batch)) assert.ok(found.has(batch), `batch ${batch} was acknowledged and is gone`);
  for (const batch of deleted.acknowledged) assert.ok(!found.has(batch), `batch ${batch} was deleted and is back`);
  const listed = new Map(
    (await child.rows('SELECT batch, n FROM batches')).map(([batch, n]) => [batch as number, n as number]),
  );
  for (const [batch, n] of found)
    if (batch % 4 === 1) assert.equal(listed.get(batch), n, `batch ${batch}: half a transaction`);
  for (const batch of listed.keys()) assert.ok(found.has(batch), `batch ${batch}: half a transaction`);
  // The view against the table, both ways.
  const fresh = 'SELECT batch, count(*) AS n, max(label) AS label FROM items GROUP BY batch';
  const columns = 'batch, n, label';
  for (const [a, b] of [
    [`SELECT ${columns} FROM per_batch`, fresh],
    [fresh, `SELECT ${columns} FROM per_batch`],
  ])
    assert.deepEqual(await child.rows(`(${a}) EXCEPT ALL (${b})`), []);
  // What was in doubt at the kill is decided now.
  for (const batch of sent.keys()) {
    if (found.has(batch) || deleted.sent.has(batch)) continue;
    sent.delete(batch);
  }
  for (const batch of deleted.sent) if (found.has(batch)) deleted.sent.delete(batch);
  for (const batch of found.keys()) acknowledged.add(batch);
}

test('acknowledged transactions survive kills, whole', { timeout: 3_600_000 }, async () => {
  const data = join(root, 'data');
  let child = await Child.start(data);
  await child.rows('CREATE TABLE items (batch int, i int, label text)');
  await child.rows('CREATE TABLE batches (batch int PRIMARY KEY, n int)');
  await child.rows(
    'CREATE MATERIALIZED VIEW per_batch AS SELECT batch, count(*) AS n, max(label) AS label FROM items GROUP BY batch',
  );
  for (let round = rounds(5, 60); round > 0; round--) {
    if (round % 10 === 0) progress(`kills during writes: ${round} to go`);
    const before = acknowledged.size;
    const writers = Array.from({ length: WRITERS }, () => writer(child));
    const ended = Promise.allSettled(writers);
    while (acknowledged.size < before + 20) await pause(5);
    await pause(random(300));
    await child.kill();
    for (const outcome of await ended) assert.equal(outcome.status, 'rejected');
    child = await Child.start(data);
    await check(child);
  }
  await child.kill('SIGTERM');
});
