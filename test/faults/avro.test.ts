/**
 * SIGKILL at random instants while a stream and a keyed table of Avro messages are read from a real Kafka topic, with new schemas all the time and a schema registry that comes and goes. At
 * the end every message has been read once by the schema that it names: the view and the table are what was sent.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { seeded } from '../engine/harness.ts';
import { framed, TestRegistry } from '../engine/test_registry.ts';
import { kafkaSkip, startBroker } from '../kafka/broker.ts';
import { connectCluster } from '../kafka/produce.ts';
import { Child, pause, progress, rounds } from './child.ts';

const ROUNDS = rounds(30, 1000);
const KILLS = rounds(5, 30);
const SETTLED_MS = rounds(60_000, 600_000);

test('schemas that change, a registry that comes and goes, and kills', {
  skip: kafkaSkip(),
  timeout: 3_600_000,
}, async () => {
  const { random } = seeded('avro over kills');
  const root = mkdtempSync(join(tmpdir(), 'tidemark-avro-kills-'));
  const registry = new TestRegistry();
  await registry.start();
  const broker = await startBroker();
  const cluster = await connectCluster(broker.brokers);
  const data = join(root, 'data');
  let child = await Child.start(data);
  let up = true;
  try {
    const topic = await cluster.topic('kills', 2);
    const users = await cluster.topic('kills-users');
    const from = (name: string, more = '') =>
      `WITH (connector = 'kafka', brokers = '${broker.brokers}', topic = '${name}', format = 'avro', schema_registry = '${registry.url}'${more})`;
    const client = await child.connect();
    await client.query(`CREATE STREAM s (id int NOT NULL, v bigint DEFAULT 7, name text) ${from(topic)}`);
    await client.query(`CREATE TABLE t (id int PRIMARY KEY, name text) ${from(users, ", envelope = 'upsert'")}`);
    await client.query(
      'CREATE MATERIALIZED VIEW v AS SELECT name, count(*) AS n, sum(id) AS ids, sum(v) AS total FROM s GROUP BY name',
    );
    await client.end();

    const key = registry.add(1, 'int');
    let writers: { write(value: unknown): Buffer; hasValue: boolean }[] = [];
    const groups = new Map<string, [n: number, ids: number, total: number]>();
    const table = new Map<number, string>();
    let id = 0;
    let bad = 0;
    let killed = 0;
    for (let round = 0; round < ROUNDS; round++) {
      if (round % 3 === 0) {
        const fields = [
          { name: 'id', type: 'int' },
          { name: 'name', type: 'string' },
          { name: `more${round}`, type: ['null', 'string'], default: null },
        ];
        const hasValue = random(2) === 0;
        if (hasValue) fields.splice(random(3), 0, { name: 'v', type: random(2) === 0 ? 'int' : 'long' });
        writers = [
          ...writers.slice(-2),
          { write: registry.add(10 + round, { type: 'record', name: 'R', fields }), hasValue },
        ];
      }
      const value = (of: { id: number; name: string; v: number }) => {
        const { write, hasValue } = writers[random(writers.length)];
        return { bytes: write({ ...of, [`more${round}`]: null }), v: hasValue ? of.v : 7 };
      };
      const messages = Array.from({ length: 100 }, () => {
        const name = `name ${random(5)}`;
        const { bytes, v } = value({ id: ++id, name, v: random(1000) });
        const group = groups.get(name) ?? [0, 0, 0];
        groups.set(name, [group[0] + 1, group[1] + id, group[2] + v]);
        return { partition: id % 2, value: bytes };
      });
      if (random(3) === 0) {
        messages.push({ partition: 0, value: framed(2, Buffer.from([2])) });
        bad++;
      }
      await cluster.send(topic, messages);
      const changes = Array.from({ length: 20 }, () => {
        const of = random(10);
        const name = `user ${random(100)}`;
        const gone = random(4) === 0;
        if (gone) table.delete(of);
        else table.set(of, name);
        return { key: key(of), value: gone ? null : value({ id: 0, name, v: 0 }).bytes };
      });
      await cluster.send(users, changes);
      if (random(3) === 0) {
        if (up) await registry.stop();
        else await registry.start();
        up = !up;
      }
      if ((round * (KILLS + 1)) / ROUNDS < killed + 1 || killed === KILLS) continue;
      if (random(3) === 0) void child.rows('CHECKPOINT').catch(() => undefined);
      await pause(random(300));
      await child.kill();
      killed++;
      progress(`avro: killed ${killed} of ${KILLS} times after ${id} messages`);
      child = await Child.start(data);
    }
    if (!up) await registry.start();
    const expected = [...groups].sort().map(([name, sums]) => [name, ...sums.map(String)]);
    const view = () => child.rows('SELECT name, n::text, ids::text, total::text FROM v ORDER BY name');
    const rows = [...table].sort(([a], [b]) => a - b);
    const read = async () => JSON.stringify([await view(), await child.rows('SELECT id, name FROM t ORDER BY id')]);
    for (
      const until = Date.now() + SETTLED_MS;
      (await read()) !== JSON.stringify([expected, rows]) && Date.now() < until;
    )
      await pause(50);
    assert.equal(await read(), JSON.stringify([expected, rows]));
    assert.deepEqual(
      await child.rows("SELECT count(*)::text FROM tidemark.errors('s') WHERE reason ~ 'has no schema 2'"),
      [[String(bad)]],
    );
    const later = 'SELECT name, count(*)::text, sum(id)::text, sum(v)::text FROM s GROUP BY name ORDER BY name';
    assert.deepEqual(await child.rows(later), expected);
    await child.kill('SIGTERM');
  } finally {
    await child.kill().catch(() => undefined);
    await cluster.close();
    await broker.stop();
    await registry.stop();
    rmSync(root, { recursive: true, force: true });
  }
});
