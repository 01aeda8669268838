/** The Kafka source against a real broker: exact offsets, compression, transactions, restarts, errors. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CompressionTypes } from 'kafkajs';
import { OutOfMemory, SqlError } from '../../operators/errors.ts';
import { buffers } from '../../src/kafka/buffers.ts';
import type { RawBatch, Source, SourceEvent } from '../../src/sources/source.ts';
import { SASL_USER } from './jars.ts';
import { kafkaSuite, WAIT_MS } from './suite.ts';

const suite = kafkaSuite();
const { skip } = suite;

interface Seen {
  partition: number;
  offset: number;
  key: string | null;
  value: string | null;
}

function recordsOf(batch: RawBatch): Seen[] {
  const text = (start: number, end: number) => (start < 0 ? null : batch.bytes.toString('utf8', start, end));
  return Array.from({ length: batch.n }, (_, i) => ({
    partition: batch.partition,
    offset: batch.offset[i],
    key: text(batch.keyStart[i], batch.keyEnd[i]),
    value: text(batch.valueStart[i], batch.valueEnd[i]),
  }));
}

/** Waits for the source with a bound. */
async function ready(source: Source): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('the source gave nothing')), WAIT_MS);
  });
  await Promise.race([new Promise<void>((resolve) => source.onReady(resolve)), late]);
  clearTimeout(timer);
}

/** Polls until every partition has been covered up to `ends`; checks that batches join without gap or overlap. */
async function readUntil(source: Source, ends: Map<number, bigint>, seen: Seen[] = []): Promise<Seen[]> {
  const open = () => [...ends].some(([partition, end]) => (source.position(partition) ?? 0n) < end);
  while (open()) {
    const positions = new Map([...ends.keys()].map((p) => [p, source.position(p)]));
    const batch = source.poll();
    if (batch === null) {
      await ready(source);
      continue;
    }
    assert.equal(batch.baseOffset, positions.get(batch.partition));
    assert.equal(batch.nextOffset, source.position(batch.partition));
    seen.push(...recordsOf(batch));
    batch.release?.();
  }
  return seen;
}

async function eventOf<K extends SourceEvent['kind']>(
  source: Source,
  kind: K,
): Promise<Extract<SourceEvent, { kind: K }>> {
  for (const until = Date.now() + WAIT_MS; Date.now() < until; ) {
    for (const event of source.takeEvents()) if (event.kind === kind) return event as Extract<SourceEvent, { kind: K }>;
    await sleep(20);
  }
  throw new Error(`no event ${kind}`);
}

function openSource(topic: string, more: Record<string, string> = {}): Promise<Source> {
  return suite.kafka.openSource({ brokers: suite.broker.brokers, topic, ...more }, () => undefined);
}

const numbered = (from: number, to: number, partition = 0) =>
  Array.from({ length: to - from }, (_, i) => ({ partition, key: `k${from + i}`, value: `{"n":${from + i}}` }));

test('keys, values, tombstones, headers, timestamps and exact offsets over partitions', { skip }, async () => {
  const topic = await suite.cluster.topic('plain', 3);
  await suite.cluster.send(topic, [
    {
      partition: 0,
      key: 'a',
      value: 'one',
      timestamp: '1700000000123',
      headers: { h: 'x', many: ['1', '2'], none: '' },
    },
    { partition: 0, key: 'a', value: null },
    { partition: 0, value: '' },
    { partition: 2, key: '', value: 'grüße' },
  ]);
  const source = await openSource(topic);
  assert.deepEqual(await source.partitions(), [0, 1, 2]);
  const start = await source.startOffsets({ k: 'earliest' });
  assert.deepEqual(
    start,
    new Map([
      [0, 0n],
      [1, 0n],
      [2, 0n],
    ]),
  );
  source.open(start);
  let first: RawBatch | null = null;
  while (first === null || first.partition !== 0) {
    first = source.poll();
    if (first === null) await ready(source);
  }
  assert.deepEqual(
    recordsOf(first).map(({ key, value }) => [key, value]),
    [
      ['a', 'one'],
      ['a', null],
      [null, ''],
    ],
  );
  assert.equal(first.timestamp[0], 1700000000123);
  const headers = first
    .headers(0)
    .map(({ key, value }) => [key, value === null ? null : Buffer.from(value).toString()]);
  assert.deepEqual(headers, [
    ['h', 'x'],
    ['many', '1'],
    ['many', '2'],
    ['none', ''],
  ]);
  assert.deepEqual(first.headers(1), []);
  await readUntil(source, new Map([[2, 1n]]));
  assert.equal(source.highWatermark(0), 3n);
  await source.close();
});

test('starts at the earliest, the latest, a time, named offsets', { skip }, async () => {
  const topic = await suite.cluster.topic('starts', 2);
  // Of this hour: the broker would take much older records away.
  const base = Date.now() - 60_000;
  const at = (ms: number, partition: number) => ({ partition, value: 'x', timestamp: String(base + ms) });
  await suite.cluster.send(topic, [at(1000, 0), at(2000, 0), at(3000, 0), at(1500, 1)]);
  const source = await openSource(topic);
  assert.deepEqual(
    await source.startOffsets({ k: 'latest' }),
    new Map([
      [0, 3n],
      [1, 1n],
    ]),
  );
  assert.deepEqual(
    await source.startOffsets({ k: 'timestamp', ms: base + 1501 }),
    new Map([
      [0, 1n],
      [1, 1n],
    ]),
  );
  const named = await source.startOffsets({ k: 'at', offsets: new Map([[0, 2n]]) });
  assert.deepEqual(
    named,
    new Map([
      [0, 2n],
      [1, 0n],
    ]),
  );
  source.open(named);
  const seen = await readUntil(
    source,
    new Map([
      [0, 3n],
      [1, 1n],
    ]),
  );
  assert.deepEqual(seen.map((s) => `${s.partition}:${s.offset}`).sort(), ['0:2', '1:0']);
  await source.close();
});

for (const codec of ['gzip', 'snappy', 'lz4', 'zstd', 'uncompressed']) {
  test(`messages compressed by the broker with ${codec}`, { skip }, async () => {
    const topic = await suite.cluster.topic(codec, 1, { 'compression.type': codec });
    for (let i = 0; i < 3000; i += 1000) await suite.cluster.send(topic, numbered(i, i + 1000));
    if (codec === 'gzip') await suite.cluster.send(topic, numbered(3000, 4000), CompressionTypes.GZIP);
    else await suite.cluster.send(topic, numbered(3000, 4000));
    const source = await openSource(topic, { max_partition_fetch_bytes: '20000' });
    source.open(new Map([[0, 17n]]));
    const seen = await readUntil(source, new Map([[0, 4000n]]));
    assert.deepEqual(
      seen,
      numbered(17, 4000).map(({ key, value }, i) => ({ partition: 0, offset: 17 + i, key, value })),
    );

    const range: Seen[] = [];
    let next = 1234n;
    for await (const batch of source.readRange(0, 1234n, 2345n)) {
      assert.equal(batch.baseOffset, next);
      next = batch.nextOffset;
      range.push(...recordsOf(batch));
    }
    assert.equal(next, 2345n);
    assert.deepEqual(range, seen.slice(1234 - 17, 2345 - 17));
    await source.close();
  });
}

test('read committed: aborted records and open transactions are not seen', { skip }, async () => {
  const topic = await suite.cluster.topic('transactions');
  const transactional = async (id: string) => {
    const producer = suite.cluster.kafka.producer({
      transactionalId: `${topic}-${id}`,
      idempotent: true,
      maxInFlightRequests: 1,
    });
    await producer.connect();
    return producer;
  };
  const [a, b] = [await transactional('a'), await transactional('b')];
  const ta = await a.transaction();
  await ta.send({ topic, messages: numbered(0, 3) });
  const tb = await b.transaction();
  await tb.send({ topic, messages: numbered(3, 5) });
  await suite.cluster.send(topic, numbered(5, 7));
  await ta.send({ topic, messages: numbered(7, 8) });
  await ta.abort();

  const source = await openSource(topic);
  // The broker writes the abort's marker after it has answered the client.
  const latest = async () => (await source.startOffsets({ k: 'latest' })).get(0);
  for (const until = Date.now() + WAIT_MS; (await latest()) !== 3n && Date.now() < until; ) await sleep(20);
  assert.equal(await latest(), 3n);
  source.open(new Map([[0, 0n]]));
  const seen = await readUntil(source, new Map([[0, 3n]]));
  assert.equal(seen.length, 0);
  assert.equal(source.highWatermark(0), 3n);
  await tb.commit();
  const t2 = await a.transaction();
  await t2.send({ topic, messages: numbered(8, 10) });
  await t2.commit();
  const end = BigInt((await suite.cluster.admin.fetchTopicOffsets(topic))[0].high);
  await readUntil(source, new Map([[0, end]]), seen);
  assert.deepEqual(
    seen.map((s) => s.value),
    [3, 4, 5, 6, 8, 9].map((n) => `{"n":${n}}`),
  );
  await a.disconnect();
  await b.disconnect();

  const all: Seen[] = [];
  const uncommitted = await openSource(topic, { isolation_level: 'read_uncommitted' });
  uncommitted.open(new Map([[0, 0n]]));
  await readUntil(uncommitted, new Map([[0, end]]), all);
  assert.equal(all.length, 10);

  const middle: Seen[] = [];
  for await (const batch of source.readRange(0, 4n, 8n)) middle.push(...recordsOf(batch));
  assert.deepEqual(
    middle,
    seen.filter((s) => s.offset >= 4 && s.offset < 8),
  );
  await source.close();
  await uncommitted.close();
});

test('a full buffer stops fetching; a paused partition is passed over', { skip }, async () => {
  const topic = await suite.cluster.topic('pressure', 2);
  const filler = 'y'.repeat(1000);
  for (let i = 0; i < 20; i++) {
    await suite.cluster.send(
      topic,
      Array.from({ length: 100 }, (_, n) => ({ partition: n % 2, value: filler })),
    );
  }
  const limits = { buffer_bytes: '100000', max_partition_fetch_bytes: '50000', fetch_max_bytes: '60000' };
  const source = await openSource(topic, limits);
  source.open(
    new Map([
      [0, 0n],
      [1, 0n],
    ]),
  );
  await ready(source);
  await sleep(500);
  const held = source.bufferedBytes();
  assert.ok(held > 0 && held < 300_000, `${held} bytes buffered`);
  source.pause(1);
  await readUntil(source, new Map([[0, 1000n]]));
  assert.equal(source.position(1), 0n);
  source.resume(1);
  await readUntil(source, new Map([[1, 1000n]]));
  assert.equal(source.bufferedBytes(), 0);
  await source.close();
});

const farSkip =
  skip || (process.env.TIDEMARK_THREADS === '1' ? false : 'the buffers of another thread are out of reach');

test('records for which there is no memory come when there is some, and are not called corrupt', {
  skip: farSkip,
}, async (t) => {
  const topic = await suite.cluster.topic('memory', 2);
  await suite.cluster.send(topic, [...numbered(0, 50), ...numbered(50, 100, 1)]);
  const take = buffers.take.bind(buffers);
  let takes = 0;
  t.mock.method(buffers, 'take', (bytes: number) => {
    if (takes++ < 3) throw new OutOfMemory(bytes, Number.POSITIVE_INFINITY);
    return take(bytes);
  });
  const source = await openSource(topic);
  const start = await source.startOffsets({ k: 'earliest' });
  const ends = await source.startOffsets({ k: 'latest' });
  source.open(start);
  const seen = await readUntil(source, ends);
  assert.deepEqual(
    seen.map(({ value }) => value).sort(),
    numbered(0, 100)
      .map(({ value }) => value)
      .sort(),
  );
  assert.ok(takes > 3);
  assert.deepEqual(
    source.takeEvents().filter(({ kind }) => kind === 'corrupt'),
    [],
  );
  await source.close();
});

test('offsets that are gone are an event; moving on works; a range that is gone is an error', { skip }, async () => {
  const topic = await suite.cluster.topic('gone');
  await suite.cluster.send(topic, numbered(0, 10));
  await suite.cluster.deleteBefore(topic, 0, 6);
  const source = await openSource(topic);
  source.open(new Map([[0, 2n]]));
  const event = await eventOf(source, 'offset_out_of_range');
  assert.deepEqual([event.partition, event.offset, event.earliest, event.latest], [0, 2n, 6n, 10n]);
  assert.match(event.message, /stands still at offset 2: the topic has 6 to 10/);
  source.open(new Map([[0, event.earliest]]));
  const seen = await readUntil(source, new Map([[0, 10n]]));
  assert.deepEqual(
    seen.map((s) => s.offset),
    [6, 7, 8, 9],
  );
  await assert.rejects(
    async () => {
      for await (const batch of source.readRange(0, 2n, 5n)) assert.fail(String(batch.n));
    },
    (error) => error instanceof SqlError && error.sqlstate === '58P01' && /no longer has/.test(error.message),
  );
  await source.close();
});

test('a new partition is told and read when it is opened', { skip }, async () => {
  const topic = await suite.cluster.topic('grow', 1);
  const source = await openSource(topic, { metadata_max_age: '200' });
  source.open(await source.startOffsets({ k: 'earliest' }));
  await suite.cluster.admin.createPartitions({ topicPartitions: [{ topic, count: 2 }] });
  const event = await eventOf(source, 'partition_added');
  assert.equal(event.partition, 1);
  await suite.cluster.send(topic, [{ partition: 1, value: 'new' }]);
  source.open(new Map([[1, 0n]]));
  const seen = await readUntil(source, new Map([[1, 1n]]));
  assert.deepEqual(
    seen.map((s) => s.value),
    ['new'],
  );
  await source.close();
});

test('missing topic, unreachable broker, wrong password, unknown option', { skip }, async () => {
  const refused = async (options: Record<string, string>, sqlstate: string, pattern: RegExp) => {
    await assert.rejects(suite.kafka.checkSource(options), (error) => {
      assert.ok(error instanceof SqlError, String(error));
      assert.equal(error.sqlstate, sqlstate, error.message);
      assert.match(error.message, pattern);
      return true;
    });
  };
  const topic = await suite.cluster.topic('checked');
  const { brokers } = suite.broker;
  await suite.kafka.checkSource({ connector: 'kafka', brokers, topic });
  await refused({ brokers, topic: 'no-such-topic' }, '42P01', /topic "no-such-topic" does not exist/);
  await refused({ brokers: '127.0.0.1:1', topic }, '08001', /could not connect to Kafka at 127\.0\.0\.1:1/);
  await refused({ brokers, topic, tpoic: 'x' }, '22023', /unrecognized option "tpoic"/);
  await refused({ brokers }, '22023', /needs the option "topic"/);
  await refused({ brokers: 'a b', topic }, '22023', /"brokers"/);
  await refused({ brokers, topic, format: 'xml' }, '22023', /unknown format "xml"/);
  await refused({ brokers, topic, envelope: 'debezium' }, '22023', /invalid value for option "envelope"/);
  await refused({ brokers, topic, start: 'soon' }, '22023', /invalid value for option "start"/);
  await refused({ brokers, topic, start: '0:5,3:0' }, '22023', /names partition 3, which the topic does not have/);
  if (suite.broker.saslBrokers === null) return;
  const login = {
    brokers: suite.broker.saslBrokers,
    topic,
    sasl_mechanism: 'plain',
    sasl_username: SASL_USER.username,
  };
  await refused({ ...login, sasl_password: 'wrong' }, '28P01', /refused the login/);
  await suite.kafka.checkSource({ ...login, sasl_password: SASL_USER.password });
});

test('a broker that goes away and comes back: told, then read on without loss or repetition', { skip }, async (t) => {
  if (!suite.broker.ours) return t.skip('the cluster of KAFKA_BROKERS is not restarted');
  const topic = await suite.cluster.topic('restart');
  await suite.cluster.send(topic, numbered(0, 100));
  const source = await openSource(topic);
  source.open(new Map([[0, 0n]]));
  const seen = await readUntil(source, new Map([[0, 50n]]));
  await suite.broker.kill();
  await eventOf(source, 'unreachable');
  await suite.broker.start();
  await eventOf(source, 'recovered');
  await suite.reconnect();
  await suite.cluster.send(topic, numbered(100, 200));
  await readUntil(source, new Map([[0, 200n]]), seen);
  assert.deepEqual(
    seen.map((s) => s.offset),
    Array.from({ length: 200 }, (_, i) => i),
  );
  await suite.cluster.admin.deleteTopics({ topics: [topic] });
  await eventOf(source, 'topic_missing');
  await source.close();
});
