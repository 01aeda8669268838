/** The topic of a sink is deleted and made again: what was written is gone with it, so the sink says so and stops, instead of going on with a part of its view. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openData } from '../../src/durable/recovery.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { PROGRESS_TOPIC } from '../../src/sinks/kafka/progress.ts';
import { openEngine, sql } from '../engine/harness.ts';
import { recordsOf } from './sink_records.ts';
import { eventually, kafkaSuite } from './suite.ts';

const suite = kafkaSuite();
const { skip } = suite;
const root = mkdtempSync(join(tmpdir(), 'tidemark-sink-topic-'));
after(() => rmSync(root, { recursive: true, force: true }));

const STOPPED = `SELECT status, last_error ~ 'was deleted and made again.*DROP SINK and CREATE SINK' FROM tidemark.sinks`;
const WRITTEN = 'SELECT status, queued FROM tidemark.sinks';

async function withServer(name: string, use: (engine: TidemarkEngine) => Promise<void>): Promise<void> {
  const engine = await openEngine({ automatic: true });
  try {
    await openData(engine, { path: join(root, name), checkpoints: {} });
    await use(engine);
  } finally {
    await engine.close();
  }
}

async function createSink(engine: TidemarkEngine, topic: string, delivery: string): Promise<void> {
  await sql(
    engine,
    `CREATE SINK out FROM item WITH (connector = 'kafka', brokers = '${suite.broker.brokers}', topic = '${topic}', delivery = '${delivery}')`,
  );
  await eventually(engine, WRITTEN, [['running', '0']]);
}

/** Makes a table of two rows, and a sink that has written them. */
async function writeItems(engine: TidemarkEngine, topic: string, delivery: string): Promise<void> {
  await sql(engine, 'CREATE TABLE item (id int PRIMARY KEY, v text)');
  await sql(engine, `INSERT INTO item VALUES (1, 'a'), (2, 'b')`);
  await createSink(engine, topic, delivery);
}

const keysOf = async (topic: string) => (await recordsOf(suite.broker.brokers, topic)).map(({ key }) => key).sort();

for (const delivery of ['exactly_once', 'at_least_once']) {
  test(`${delivery}: while the server runs`, { skip, timeout: 60_000 }, async () => {
    const topic = `sink-again-${delivery}-${process.pid}`;
    await withServer(delivery, async (engine) => {
      await writeItems(engine, topic, delivery);
      await suite.makeAgain(topic);
      await sql(engine, `INSERT INTO item VALUES (3, 'c')`);
      await eventually(engine, STOPPED, [['stopped', 't']]);
      await sql(engine, 'DROP SINK out');
      await createSink(engine, topic, delivery);
      assert.deepEqual([...new Set(await keysOf(topic))], ['{"id":1}', '{"id":2}', '{"id":3}']);
    });
  });
}

test('at_least_once: a sink that has stopped stays so, after a kill as well', { skip, timeout: 60_000 }, async () => {
  const topic = `sink-again-killed-${process.pid}`;
  await withServer('before', async (engine) => {
    await writeItems(engine, topic, 'at_least_once');
    await suite.makeAgain(topic);
    await sql(engine, `INSERT INTO item VALUES (3, 'c')`);
    await eventually(engine, STOPPED, [['stopped', 't']]);
    await engine.journal?.durable();
    // What a kill leaves.
    cpSync(join(root, 'before'), join(root, 'killed'), { recursive: true });
    rmSync(join(root, 'killed', 'lock'));
  });
  await withServer('killed', async (engine) => {
    await eventually(engine, STOPPED, [['stopped', 't']]);
    assert.deepEqual(await sql(engine, 'SELECT count(*) FROM item'), [['3']]);
  });
  assert.deepEqual(await keysOf(topic), []);
});

test('exactly_once: while the server is away', { skip, timeout: 60_000 }, async () => {
  const topic = `sink-again-away-${process.pid}`;
  await withServer('away', async (engine) => {
    await writeItems(engine, topic, 'exactly_once');
  });
  await suite.makeAgain(topic);
  for (let start = 0; start < 2; start++)
    await withServer('away', async (engine) => eventually(engine, STOPPED, [['stopped', 't']]));
  assert.deepEqual(await keysOf(topic), []);
});

test('a topic that is missing is waited for: it may be that of before', { skip, timeout: 60_000 }, async () => {
  const topic = `sink-gone-${process.pid}`;
  await withServer('gone', async (engine) => {
    await sql(engine, 'CREATE TABLE item (id int PRIMARY KEY, v text)');
    await createSink(engine, topic, 'exactly_once');
    await suite.cluster.admin.deleteTopics({ topics: [topic] });
    await sql(engine, `INSERT INTO item VALUES (1, 'a')`);
    await eventually(engine, `SELECT status, last_error ~ 'does not exist', queued FROM tidemark.sinks`, [
      ['retrying', 't', '1'],
    ]);
  });
});

test('the progress topic is deleted: it is named, never the topic of the sink', { skip, timeout: 60_000 }, async () => {
  const said: string[] = [];
  const engine = await openEngine({ automatic: true, log: (_, message) => void said.push(message) });
  try {
    await sql(engine, 'CREATE TABLE item (id int PRIMARY KEY, v text)');
    await createSink(engine, `sink-progress-${process.pid}`, 'exactly_once');
    await suite.cluster.admin.deleteTopics({ topics: [PROGRESS_TOPIC] });
    await sql(engine, `INSERT INTO item VALUES (1, 'a')`);
    const NAMED = `SELECT status, last_error ~ '"${PROGRESS_TOPIC}" does not exist' FROM tidemark.sinks`;
    await eventually(engine, NAMED, [['retrying', 't']]);
    assert.deepEqual(
      said.filter((line) => /does not exist/.test(line) && !line.includes(PROGRESS_TOPIC)),
      [],
    );
  } finally {
    await engine.close();
  }
});
