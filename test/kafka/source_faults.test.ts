/**
 * What can go wrong with a topic, and what a view over it must be then: the query over what was accepted, whoever made it when. A broker that
 * restarts is in engine.test.ts and source.test.ts.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Message } from 'kafkajs';
import { CompactReader } from '../../src/kafka/compact.ts';
import { openKafkaSource } from '../../src/sources/kafka/index.ts';
import { openEngine, seeded, sql } from '../engine/harness.ts';
import { rounds } from '../faults/child.ts';
import { API } from './proxy.ts';
import { eventually, kafkaSuite, WAIT_MS } from './suite.ts';

type Engine = Awaited<ReturnType<typeof openEngine>>;

const suite = kafkaSuite({ proxied: true });
const { skip } = suite;
const { random } = seeded('faults of a topic');

async function withEngine(use: (engine: Engine) => Promise<void>): Promise<void> {
  const engine = await openEngine({ automatic: true });
  try {
    await use(engine);
  } finally {
    await engine.close();
  }
}

/** `more`: options behind the topic. */
function createStreamAt(brokers: string, engine: Engine, topic: string, more = ''): Promise<unknown> {
  return sql(
    engine,
    `CREATE STREAM s (id int NOT NULL, v int) INCLUDE PARTITION AS p, OFFSET AS o
     WITH (connector = 'kafka', brokers = '${brokers}', topic = '${topic}'${more})`,
  );
}

const createStream = (engine: Engine, topic: string, more = '') =>
  createStreamAt(suite.broker.brokers, engine, topic, `, metadata_max_age = '200'${more}`);

const createView = (engine: Engine, name: string) =>
  sql(
    engine,
    `CREATE MATERIALIZED VIEW ${name} AS SELECT p, count(*) AS n, sum(v) AS v, min(o) AS o FROM s GROUP BY p`,
  );
/** Nothing that is live has what it needs: it is filled from the stream's history. */
const createOther = (engine: Engine, name: string) =>
  sql(engine, `CREATE MATERIALIZED VIEW ${name} AS SELECT p, max(v) AS v FROM s GROUP BY p`);
const rowsOf = (engine: Engine, name: string) => sql(engine, `SELECT * FROM ${name} ORDER BY p`);

/** Waits until a partition of the stream has a status. */
async function statusLike(engine: Engine, pattern: RegExp): Promise<void> {
  let rows: (string | null)[][] = [];
  for (const until = Date.now() + WAIT_MS; Date.now() < until; await sleep(20)) {
    rows = await sql(engine, "SELECT DISTINCT status FROM tidemark.sources WHERE name = 's'");
    if (rows.some(([status]) => pattern.test(status ?? ''))) return;
  }
  assert.match(rows.join('\n'), pattern);
}

/** A client that has used the topic before would send nothing to the new partitions, so another one comes after it. */
async function addPartitions(topic: string, count: number): Promise<void> {
  await suite.cluster.admin.createPartitions({ topicPartitions: [{ topic, count }] });
  await suite.reconnect();
}

const message = (id: number, partition = 0): Message => ({ partition, value: JSON.stringify({ id, v: id }) });
const messages = (from: number, to: number, partition = 0) =>
  Array.from({ length: to - from }, (_, i) => message(from + i, partition));

test('a topic deleted and made again is another topic: nothing of it is read, and the views stay', {
  skip,
  timeout: 120_000,
}, async () => {
  const topic = await suite.cluster.topic('replaced');
  await suite.cluster.send(topic, messages(0, 10));
  await withEngine(async (engine) => {
    await createStream(engine, topic);
    await createView(engine, 'v');
    await eventually(engine, 'SELECT * FROM v', [['0', '10', '45', '0']]);
    await suite.cluster.admin.deleteTopics({ topics: [topic] });
    await statusLike(engine, /^topic_missing: Kafka topic ".*" does not exist/);
    await suite.cluster.admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true });
    // More than were read before, so that the old offset exists in the new topic.
    await suite.cluster.send(topic, messages(100, 120));
    await statusLike(engine, /^topic_missing: .* was deleted and made again/);
    assert.deepEqual(await rowsOf(engine, 'v'), [['0', '10', '45', '0']]);
    await assert.rejects(createOther(engine, 'later'), { sqlstate: '58P01', message: /was deleted and made again/ });
    await sql(engine, 'DROP STREAM s CASCADE');
    await createStream(engine, topic);
    await createView(engine, 'v');
    await eventually(engine, 'SELECT * FROM v', [['0', '20', '2190', '0']]);
  });
});

test('a topic made again between two looks at it gives nothing: to a partition that was held, and to a view made later', {
  skip: suite.proxySkip,
  timeout: 60_000,
}, async () => {
  const topic = await suite.cluster.topic('unseen');
  const { proxy } = suite;
  await suite.cluster.send(topic, messages(0, 10));
  // Neither looks at the metadata while this test runs.
  const source = await openKafkaSource({ brokers: proxy.address, topic }, () => undefined);
  const count = async () => {
    let n = 0;
    for await (const batch of source.readRange(0, 0n, 10n)) n += batch.n;
    return n;
  };
  try {
    source.open(await source.startOffsets({ k: 'earliest' }));
    let batch = source.poll();
    for (; batch === null; batch = source.poll()) await sleep(10);
    assert.equal(batch.nextOffset, 10n);
    assert.equal(await count(), 10);
    // Held while it is asked for the last time, so that nobody asks for records when they go.
    await new Promise<void>((answered) => {
      proxy.watch({
        api: API.fetch,
        request: () => {
          source.pause(0);
          return true;
        },
        answer: () => {
          answered();
          return true;
        },
      });
    });
    await suite.makeAgain(topic);
    await suite.cluster.send(topic, messages(100, 120));
    await assert.rejects(count(), { sqlstate: '58P01', message: /was deleted and made again/ });
    source.resume(0);
    const events = [];
    for (const until = Date.now() + WAIT_MS; events.length === 0 && Date.now() < until; await sleep(10))
      events.push(...source.takeEvents());
    assert.deepEqual(
      events.map(({ kind }) => kind),
      ['topic_missing'],
    );
    assert.equal(source.poll(), null);
  } finally {
    await source.close();
  }
});

test('a partition added is read from where it starts, though its first records may be gone', {
  skip,
  timeout: 60_000,
}, async () => {
  const topic = await suite.cluster.topic('added', 1);
  await suite.cluster.send(topic, messages(0, 5));
  const source = await openKafkaSource({ brokers: suite.broker.brokers, topic }, () => undefined);
  const start = await source.startOffsets({ k: 'earliest' });
  await addPartitions(topic, 2);
  await suite.cluster.send(topic, messages(0, 5, 1));
  await suite.cluster.deleteBefore(topic, 1, 3);
  source.open(start);
  const events = [];
  for (const until = Date.now() + WAIT_MS; events.length === 0 && Date.now() < until; await sleep(10))
    events.push(...source.takeEvents().filter((event) => event.kind === 'partition_added'));
  assert.deepEqual(events, [{ kind: 'partition_added', partition: 1, earliest: 3n }]);
  await source.close();

  await withEngine(async (engine) => {
    await createStream(engine, topic);
    await createView(engine, 'v');
    await eventually(engine, 'SELECT * FROM v ORDER BY p', [
      ['0', '5', '10', '0'],
      ['1', '2', '7', '3'],
    ]);
    await addPartitions(topic, 4);
    await suite.cluster.send(topic, [...messages(10, 12, 3), ...messages(5, 6)]);
    const all = [
      ['0', '6', '15', '0'],
      ['1', '2', '7', '3'],
      ['3', '2', '21', '0'],
    ];
    await eventually(engine, 'SELECT * FROM v ORDER BY p', all);
    await createView(engine, 'later');
    assert.deepEqual(await rowsOf(engine, 'later'), all);
  });
});

test('retention that removes unread records stops the partition and says so; the others go on', {
  skip,
  timeout: 60_000,
}, async () => {
  const topic = await suite.cluster.topic('retention', 2);
  await suite.cluster.send(topic, [...messages(0, 10), ...messages(0, 3, 1)]);
  await suite.cluster.deleteBefore(topic, 0, 6);
  await withEngine(async (engine) => {
    await createStream(engine, topic, ", start = '0:2,1:0'");
    await createView(engine, 'v');
    await eventually(engine, 'SELECT * FROM v', [['1', '3', '3', '0']]);
    await statusLike(engine, /^offset_out_of_range: partition 0 stands still at offset 2: the topic has 6 to 10/);
    await suite.cluster.send(topic, [...messages(10, 11), ...messages(3, 4, 1)]);
    await eventually(engine, 'SELECT * FROM v', [['1', '4', '6', '0']]);
    await createView(engine, 'later');
    assert.deepEqual(await rowsOf(engine, 'later'), [['1', '4', '6', '0']]);
  });
});

test('a view made later says when records that an earlier one has are gone', { skip, timeout: 60_000 }, async () => {
  const topic = await suite.cluster.topic('forgotten');
  await suite.cluster.send(topic, messages(0, 10));
  await withEngine(async (engine) => {
    await createStream(engine, topic);
    await createView(engine, 'v');
    await eventually(engine, 'SELECT * FROM v', [['0', '10', '45', '0']]);
    await suite.cluster.deleteBefore(topic, 0, 4);
    await assert.rejects(createOther(engine, 'later'), { sqlstate: '58P01', message: /no longer has offsets 0 to/ });
    await suite.cluster.send(topic, messages(10, 11));
    await eventually(engine, 'SELECT * FROM v', [['0', '11', '55', '0']]);
  });
});

test('a cut network: nothing is heard for a while, and nothing is missing or twice afterwards', {
  skip: suite.proxySkip,
  timeout: 120_000,
}, async () => {
  const topic = await suite.cluster.topic('cut', 2);
  const { proxy } = suite;
  await withEngine(async (engine) => {
    await createStreamAt(proxy.address, engine, topic, ", request_timeout = '1000', connection_timeout = '1000'");
    await createView(engine, 'v');
    let next = 0;
    const send = async () => {
      await suite.cluster.send(topic, [...messages(next, next + 50), ...messages(next, next + 50, 1)]);
      next += 50;
    };
    const sum = () => String((next * (next - 1)) / 2);
    const all = () => ['0', '1'].map((p) => [p, String(next), sum(), '0']);
    await send();
    await eventually(engine, 'SELECT * FROM v ORDER BY p', all());
    for (const how of ['cut', 'reset'] as const) {
      proxy[how]();
      await send();
      if (how === 'cut') {
        await statusLike(engine, /^unreachable/);
        await sleep(rounds(1000, 30_000));
        assert.deepEqual(await sql(engine, 'SELECT DISTINCT n FROM v'), [[String(next - 50)]]);
        proxy.mend();
      }
      await eventually(engine, 'SELECT * FROM v ORDER BY p', all());
      await statusLike(engine, /^running/);
    }
    await createOther(engine, 'later');
    assert.deepEqual(
      await rowsOf(engine, 'later'),
      ['0', '1'].map((p) => [p, String(next - 1)]),
    );
  });
});

/** Puts an error where a Fetch answer (version 13) tells of a partition. */
function failPartition(frame: Buffer, partition: number, error: number): void {
  const reader = new CompactReader(frame.subarray(8));
  const { bytes } = reader;
  reader.skip(10);
  for (let topics = reader.length(); topics > 0; topics--) {
    reader.skip(16);
    for (let n = reader.length(); n > 0; n--) {
      const at = reader.skip(30);
      if (bytes.readInt32BE(at) === partition) bytes.writeInt16BE(error, at + 4);
      for (let aborted = reader.length(); aborted > 0; aborted--) {
        reader.skip(16);
        reader.skipTags();
      }
      reader.skip(4);
      reader.skip(Math.max(0, reader.length()));
      reader.skipTags();
    }
    reader.skipTags();
  }
}

const STORAGE_ERROR = 56;

test('a broker that gives metadata and no records is told of, and asked less and less often; one partition fails alone', {
  skip: suite.proxySkip,
  timeout: 60_000,
}, async () => {
  const topic = await suite.cluster.topic('unread', 2);
  const { proxy } = suite;
  await withEngine(async (engine) => {
    await createStreamAt(proxy.address, engine, topic);
    await createView(engine, 'v');
    await suite.cluster.send(topic, [...messages(0, 5), ...messages(0, 5, 1)]);
    await eventually(engine, 'SELECT sum(n) FROM v', [['10']]);
    let answers = 0;
    const garbage = (frame: Buffer) => {
      answers++;
      frame.fill(0xff, 8);
    };
    proxy.change({ api: API.fetch, answer: garbage });
    await statusLike(engine, /^unreachable: fetching partition \d fails: /);
    assert.ok(answers < 10, `${answers} answers`);
    proxy.change({ api: API.fetch, answer: (frame) => failPartition(frame, 0, STORAGE_ERROR) });
    await suite.cluster.send(topic, [...messages(5, 9), ...messages(5, 9, 1)]);
    await eventually(engine, 'SELECT p, n FROM v ORDER BY p', [
      ['0', '5'],
      ['1', '9'],
    ]);
    await statusLike(engine, /^unreachable: fetching partition 0 fails: .*Disk error/);
    proxy.change(null);
    await eventually(engine, 'SELECT p, n FROM v ORDER BY p', [
      ['0', '9'],
      ['1', '9'],
    ]);
    await eventually(engine, 'SELECT DISTINCT status FROM tidemark.sources', [['running']]);
  });
});

test('a damaged batch stops its partition and takes nothing away that came before it', {
  skip: suite.proxySkip,
  timeout: 60_000,
}, async () => {
  const topic = await suite.cluster.topic('damaged');
  const { proxy } = suite;
  await suite.cluster.send(topic, messages(0, 5));
  const source = await openKafkaSource({ brokers: proxy.address, topic }, () => undefined);
  try {
    source.open(await source.startOffsets({ k: 'earliest' }));
    while (source.bufferedBytes() === 0) await sleep(10);
    // The last byte of the records; three of tags are behind.
    proxy.change({ api: API.fetch, answer: (frame) => (frame[frame.length - 4] ^= 1) });
    await suite.cluster.send(topic, messages(5, 9));
    let [event] = source.takeEvents();
    for (; event === undefined; [event] = source.takeEvents()) await sleep(10);
    assert.deepEqual(event, {
      kind: 'corrupt',
      partition: 0,
      offset: 5n,
      message: 'partition 0 stands still at offset 5: the checksum of the record batch is wrong',
    });
    const batch = source.poll();
    assert.deepEqual([batch?.n, batch?.nextOffset, source.poll()], [5, 5n, null]);
    assert.equal(source.position(0), 5n);
    assert.equal(source.bufferedBytes(), 0);
  } finally {
    proxy.change(null);
    await source.close();
  }
});

test('records of aborted transactions are in no view', { skip, timeout: 60_000 }, async () => {
  const topic = await suite.cluster.topic('aborted', 2);
  const producer = suite.cluster.kafka.producer({
    transactionalId: `${topic}-writer`,
    idempotent: true,
    maxInFlightRequests: 1,
  });
  await producer.connect();
  await withEngine(async (engine) => {
    await createStream(engine, topic);
    await createView(engine, 'first');
    let count = 0;
    let next = 0;
    for (let round = 0; round < 12; round++) {
      const transaction = await producer.transaction();
      const size = 1 + random(20);
      await transaction.send({ topic, messages: messages(next, next + size, round % 2) });
      next += size;
      if (round % 3 === 1) await transaction.abort();
      else {
        await transaction.commit();
        count += size;
      }
      if (round === 6) await createView(engine, 'middle');
    }
    await eventually(engine, 'SELECT sum(n) FROM first', [[String(count)]]);
    await createView(engine, 'last');
    const rows = await rowsOf(engine, 'first');
    assert.deepEqual(await rowsOf(engine, 'middle'), rows);
    assert.deepEqual(await rowsOf(engine, 'last'), rows);
    // The end of each partition is behind the marker of its last transaction.
    await eventually(engine, 'SELECT DISTINCT lag FROM tidemark.sources', [['0']]);
  });
  await producer.disconnect();
});

test('one message in a hundred is malformed: each is listed once, the others all count', {
  skip,
  timeout: 60_000,
}, async () => {
  const topic = await suite.cluster.topic('malformed', 3);
  const bad: (Buffer | string | null)[] = [
    '',
    null,
    '{"id":1',
    '{"id":1}}',
    'null',
    '[1]',
    '{"v":1}',
    '{"id":"one"}',
    '{"id":1,"v":2147483648}',
    '{"id":1.5}',
    '\ufeff{"id":1}',
    "{'id':1}",
    '{"id":1,"other":NaN}',
    Buffer.from([0x7b, 0x22, 0x69, 0x64, 0x22, 0x3a, 0xff, 0x7d]),
  ];
  const sent: { partition: number; value: Buffer | string | null; bad: boolean }[] = [];
  for (let i = 0; i < 6000; i++) {
    const partition = random(3);
    if (random(100) === 0) sent.push({ partition, value: bad[random(bad.length)], bad: true });
    else sent.push({ partition, value: JSON.stringify({ id: i, v: 1, note: 'x'.repeat(random(50)) }), bad: false });
  }
  const offsets = [0, 0, 0];
  const listed = sent
    .map(({ partition, value, bad }) => ({ partition, offset: offsets[partition]++, value, bad }))
    .filter((m) => m.bad)
    .map(({ partition, offset, value }) => [
      String(partition),
      String(offset),
      value === null ? null : `\\x${Buffer.from(value as string).toString('hex')}`,
    ])
    .sort((a, b) => Number(a[0]) - Number(b[0]) || Number(a[1]) - Number(b[1]));
  await withEngine(async (engine) => {
    await createStream(engine, topic);
    await createView(engine, 'first');
    for (let at = 0; at < sent.length; at += 1000) {
      await suite.cluster.send(
        topic,
        sent.slice(at, at + 1000).map(({ partition, value }) => ({ partition, value })),
      );
      if (at === 3000) await createView(engine, 'middle');
    }
    await eventually(engine, 'SELECT sum(n), sum(v) FROM first', [
      [String(sent.length - listed.length), String(sent.length - listed.length)],
    ]);
    await createView(engine, 'last');
    const errors = `SELECT partition, "offset", message FROM tidemark.errors('s') ORDER BY 1, 2`;
    await eventually(engine, errors, listed);
    const rows = await rowsOf(engine, 'first');
    assert.deepEqual(await rowsOf(engine, 'middle'), rows);
    assert.deepEqual(await rowsOf(engine, 'last'), rows);
    assert.deepEqual(await sql(engine, 'SELECT DISTINCT errors FROM tidemark.sources'), [[String(listed.length)]]);
  });
});
