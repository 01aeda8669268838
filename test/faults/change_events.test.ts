/**
 * SIGKILL at random instants while tables follow a database's changes from a real Kafka topic, and while what a sink of one writes in Debezium's envelope is read as a table again. The connector
 * repeats itself as connectors do. At the end both tables are the database, and views over them what a computation from scratch gives.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Database } from '../engine/database.ts';
import { seeded } from '../engine/harness.ts';
import { kafkaSkip, startBroker } from '../kafka/broker.ts';
import { connectCluster } from '../kafka/produce.ts';
import { Child, pause, progress, rounds } from './child.ts';

const CHANGES = rounds(6_000, 200_000);
const KILLS = rounds(5, 30);
const SETTLED_MS = rounds(60_000, 600_000);

test('a database followed, killed again and again', { skip: kafkaSkip(), timeout: 3_600_000 }, async () => {
  const { random } = seeded('changes followed over kills');
  const root = mkdtempSync(join(tmpdir(), 'tidemark-followed-'));
  const broker = await startBroker();
  const cluster = await connectCluster(broker.brokers);
  const data = join(root, 'data');
  let child = await Child.start(data);
  try {
    const topic = await cluster.topic('changes');
    const columns = 'a int, b text, n numeric(10,2), at timestamp, body text, PRIMARY KEY (a, b)';
    const from = (name: string, options: string) =>
      `WITH (connector = 'kafka', brokers = '${broker.brokers}', topic = '${name}', ${options})`;
    const client = await child.connect();
    await client.query(`CREATE TABLE t (${columns}) ${from(topic, "format = 'debezium_json'")}`);
    await client.query(
      'CREATE MATERIALIZED VIEW v AS SELECT a, count(*) AS rows, sum(n) AS total, max(body) AS body FROM t GROUP BY a',
    );
    await client.query(`CREATE SINK out FROM t ${from(`${topic}-out`, "envelope = 'debezium'")}`);
    await client.query(`CREATE TABLE again (${columns}) ${from(`${topic}-out`, "format = 'debezium_json'")}`);
    await client.end();

    const database = new Database(random);
    let sent = 0;
    let killed = 0;
    let bad = 0;
    for (let made = 0; made < CHANGES; made += 50) {
      for (let i = 0; i < 50; i++) database.change();
      if (random(10) === 0) sent = Math.max(0, sent - random(100));
      await cluster.send(
        topic,
        database.messages.slice(sent).map((value) => ({ value })),
      );
      sent = database.messages.length;
      if (random(4) === 0) {
        await cluster.send(topic, [{ value: '{"op":"?"}' }]);
        bad++;
      }
      if ((made * (KILLS + 1)) / CHANGES < killed + 1 || killed === KILLS) continue;
      if (random(3) === 0) void child.rows('CHECKPOINT').catch(() => undefined);
      await pause(random(300));
      await child.kill();
      killed++;
      progress(`changes followed: killed ${killed} of ${KILLS} times after ${made} changes`);
      child = await Child.start(data);
    }
    const text = (table: string) => `SELECT a::text, b, n::text, at::text, body FROM ${table} ORDER BY ${table}.a, b`;
    const expected = JSON.stringify(database.rows());
    const read = async (table: string) => JSON.stringify(await child.rows(text(table)));
    for (const until = Date.now() + SETTLED_MS; (await read('again')) !== expected && Date.now() < until; )
      await pause(50);
    assert.equal(await read('t'), expected);
    assert.equal(await read('again'), expected);
    const view = 'SELECT a, count(*), sum(n)::text, max(body) FROM t GROUP BY a ORDER BY a';
    assert.deepEqual(await child.rows('SELECT a, rows, total::text, body FROM v ORDER BY a'), await child.rows(view));
    assert.deepEqual(await child.rows("SELECT count(*) FROM tidemark.errors('again')"), [['0']]);
    assert.deepEqual(await child.rows("SELECT count(*) FROM tidemark.errors('t') WHERE sqlstate = '22023'"), [
      [String(bad)],
    ]);
    await child.kill('SIGTERM');
  } finally {
    await child.kill().catch(() => undefined);
    await cluster.close();
    await broker.stop();
    rmSync(root, { recursive: true, force: true });
  }
});
