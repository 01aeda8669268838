/** What happens to a topic while the server is away: made again, deleted, compacted. A start refuses what it cannot make again, and reads nothing else in its place. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Message } from 'kafkajs';
import { openData } from '../../src/durable/recovery.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { PROGRESS_TOPIC } from '../../src/sinks/kafka/progress.ts';
import { openKafkaSource } from '../../src/sources/kafka/index.ts';
import { openEngine, sql } from '../engine/harness.ts';
import { recordsOf } from './sink_records.ts';
import { eventually, kafkaSuite, WAIT_MS } from './suite.ts';

const suite = kafkaSuite();
const { skip } = suite;
const root = mkdtempSync(join(tmpdir(), 'tidemark-restarts-'));

after(() => rmSync(root, { recursive: true, force: true }));

/** `log` only: what was read is read again at a start; otherwise a checkpoint has it. */
async function withServer(name: string, log: boolean, use: (engine: TidemarkEngine) => Promise<void>): Promise<void> {
  const engine = await openEngine({ automatic: true, kafka: suite.kafka });
  try {
    await openData(engine, { path: join(root, name), checkpoints: log ? null : {} });
    await use(engine);
  } finally {
    await engine.close();
  }
}

const createStream = (topic: string, more = '') =>
  `CREATE STREAM s (id int NOT NULL, v int) INCLUDE PARTITION AS p
   WITH (connector = 'kafka', brokers = '${suite.broker.brokers}', topic = '${topic}', metadata_max_age = '200'${more})`;
const createView = (name: string) => `CREATE MATERIALIZED VIEW ${name} AS SELECT count(*) AS n, sum(v) AS v FROM s`;
const createOther = (name: string) => `CREATE MATERIALIZED VIEW ${name} AS SELECT p, max(v) AS v FROM s GROUP BY p`;

const messages = (from: number, to: number, key?: (id: number) => string): Message[] =>
  Array.from({ length: to - from }, (_, i) => ({
    partition: 0,
    key: key?.(from + i),
    value: JSON.stringify({ id: from + i, v: from + i }),
  }));

test('a topic made again while the server was down is not read; the views stay', {
  skip,
  timeout: 120_000,
}, async () => {
  const topic = await suite.cluster.topic('again');
  await suite.cluster.send(topic, messages(0, 10));
  await withServer('again', false, async (engine) => {
    await sql(engine, createStream(topic));
    await sql(engine, createView('v'));
    await eventually(engine, 'SELECT * FROM v', [['10', '45']]);
  });
  await suite.makeAgain(topic);
  // More than were read before, so that the old offset exists in the new topic.
  await suite.cluster.send(topic, messages(100, 120));
  for (let start = 0; start < 2; start++) {
    await withServer('again', false, async (engine) => {
      await eventually(
        engine,
        "SELECT status ~ '^topic_missing: .* was deleted and made again' FROM tidemark.sources",
        [['t']],
      );
      assert.deepEqual(await sql(engine, 'SELECT * FROM v'), [['10', '45']]);
      await assert.rejects(sql(engine, createOther('later')), {
        sqlstate: '58P01',
        message: /was deleted and made again/,
      });
    });
  }
  await withServer('again', false, async (engine) => {
    await sql(engine, 'DROP STREAM s CASCADE');
    await sql(engine, createStream(topic));
    await sql(engine, createView('v'));
    await eventually(engine, 'SELECT * FROM v', [['20', '2190']]);
  });
  await withServer('again', false, async (engine) => {
    assert.deepEqual(await sql(engine, 'SELECT * FROM v'), [['20', '2190']]);
    await suite.cluster.send(topic, messages(1, 2));
    await eventually(engine, 'SELECT * FROM v', [['21', '2191']]);
  });
});

test('what must be read again from a topic made again refuses the start', { skip, timeout: 60_000 }, async () => {
  const topic = await suite.cluster.topic('refused');
  await suite.cluster.send(topic, messages(0, 10));
  await withServer('refused', true, async (engine) => {
    await sql(engine, createStream(topic));
    await sql(engine, createView('v'));
    await eventually(engine, 'SELECT * FROM v', [['10', '45']]);
  });
  await suite.makeAgain(topic);
  await suite.cluster.send(topic, messages(100, 120));
  await assert.rejects(
    withServer('refused', true, () => Promise.resolve()),
    { sqlstate: '58P01', message: /was deleted and made again/ },
  );
});

test('a start that is refused leaves what a sink has written where it is known', {
  skip,
  timeout: 60_000,
}, async () => {
  const topic = await suite.cluster.topic('kept-progress');
  await suite.cluster.send(topic, messages(0, 10));
  const written = async () => (await recordsOf(suite.broker.brokers, PROGRESS_TOPIC)).map(({ value }) => value);
  // The sink is made before or after what can't be read again.
  for (const sinkFirst of [true, false]) {
    const name = `kept-progress-${sinkFirst}`;
    await withServer(name, true, async (engine) => {
      await sql(engine, createStream(topic));
      if (!sinkFirst) await sql(engine, createOther('first'));
      await sql(
        engine,
        `CREATE SINK out AS SELECT p, count(*) AS n FROM s GROUP BY p
         WITH (connector = 'kafka', brokers = '${suite.broker.brokers}', topic = '${topic}-${sinkFirst}')`,
      );
      await eventually(engine, 'SELECT rows > 0 AND queued = 0 FROM tidemark.sinks', [['t']]);
    });
  }
  await suite.cluster.deleteBefore(topic, 0, 5);
  for (const sinkFirst of [true, false]) {
    await assert.rejects(
      withServer(`kept-progress-${sinkFirst}`, true, () => Promise.resolve()),
      { sqlstate: '58P01', message: /no longer has what the log refers to/ },
    );
  }
  assert.ok(!(await written()).includes(null));
});

/** Sends until the cleaner has taken away all but the last record of each key. */
async function compact(topic: string, send: () => Promise<void>, left: () => Promise<boolean>): Promise<void> {
  for (const until = Date.now() + WAIT_MS; !(await left()); await sleep(200)) {
    assert.ok(Date.now() < until, `${topic} is not compacted`);
    await send();
  }
}

test('records that compaction took away since are missed: by a start, by a later view, by SELECT', {
  skip,
  timeout: 120_000,
}, async () => {
  const topic = await suite.cluster.topic('compacted', 1, {
    'cleanup.policy': 'compact',
    'segment.ms': '100',
    'min.cleanable.dirty.ratio': '0.01',
  });
  // The last ones that hide others are 30 to 32: what comes later only makes the broker roll segments, and stays.
  const key = (id: number) => (id < 33 ? `k${id % 3}` : `k${id}`);
  await suite.cluster.send(topic, messages(0, 30, key));
  for (const name of ['compacted-log', 'compacted']) {
    await withServer(name, name === 'compacted-log', async (engine) => {
      await sql(engine, createStream(topic));
      await sql(engine, createView('v'));
      await eventually(engine, 'SELECT n >= 30 FROM v', [['t']]);
    });
  }
  let next = 30;
  const count = async () => {
    const source = await openKafkaSource({ brokers: suite.broker.brokers, topic }, () => undefined);
    let n = 0;
    for await (const batch of source.readRange(0, 0n, 30n)) n += batch.n;
    await source.close();
    return n;
  };
  await compact(
    topic,
    async () => {
      await suite.cluster.send(topic, messages(next, next + 3, key));
      next += 3;
    },
    async () => (await count()) < 30,
  );
  await assert.rejects(
    withServer('compacted-log', true, () => Promise.resolve()),
    { sqlstate: '58P01', message: /of 30 records that the stream .* read from partition 0, \d+ are left/ },
  );
  await withServer('compacted', false, async (engine) => {
    await eventually(engine, `SELECT n FROM v`, [[String(next)]]);
    await assert.rejects(sql(engine, createOther('later')), {
      sqlstate: '58P01',
      message: /of \d+ records that stream "s" read/,
    });
    await assert.rejects(sql(engine, 'SELECT count(v) FROM s WHERE v > 0'), { sqlstate: '58P01' });
    assert.deepEqual(await sql(engine, `SELECT n FROM v`), [[String(next)]]);
  });
});
