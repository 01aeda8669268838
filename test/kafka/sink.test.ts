/** The Kafka sink against a real broker: what it writes reads back as the same rows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs from 'kafkajs';
import { Arena } from '../../operators/batch/arena.ts';
import { BatchBuilder, batchFromRows, readRow, weightOf } from '../../operators/batch/builder.ts';
import { type Datum, decimal } from '../../operators/datum.ts';
import { SqlError } from '../../operators/errors.ts';
import { colType, OID } from '../../operators/types.ts';
import type { DecoderSpec } from '../../src/formats/format.ts';
import { jsonDecoder } from '../../src/formats/json/index.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { openKafkaSink } from '../../src/sinks/kafka/index.ts';
import { openKafkaSource } from '../../src/sources/kafka/index.ts';
import { openEngine, sql } from '../engine/harness.ts';
import { recordsOf } from './sink_records.ts';
import { kafkaSuite, WAIT_MS } from './suite.ts';

const suite = kafkaSuite();
const { skip } = suite;

const columns = [
  { name: 'id', type: colType(OID.int8) },
  { name: 'amount', type: colType(OID.numeric) },
  { name: 'at', type: colType(OID.timestamp) },
  { name: 'note', type: colType(OID.text) },
];
const types = columns.map((column) => column.type);

type Rows = [Datum[], number][];

function delta(arena: Arena, rows: Rows) {
  return batchFromRows(
    types,
    rows.map((r) => r[0]),
    arena,
    rows.map((r) => r[1]),
  );
}

/** Reads `count` records of the topic through the upsert or append decoder. */
async function readBack(topic: string, count: number, upsertKey?: number[]): Promise<Rows> {
  const fields = columns.map((c) => ({ ...c, notNull: false, origin: { k: 'field' as const, name: c.name } }));
  const spec: DecoderSpec = { columns: fields, needed: columns.map((_, i) => i), upsertKey };
  const decoder = jsonDecoder(spec);
  const source = await openKafkaSource({ brokers: suite.broker.brokers, topic }, () => undefined);
  source.open(await source.startOffsets({ k: 'earliest' }));
  const arena = new Arena();
  const out = new BatchBuilder(types, arena, 16);
  for (const until = Date.now() + WAIT_MS; out.n < count && Date.now() < until; ) {
    const batch = source.poll();
    if (batch === null) await sleep(10);
    else assert.deepEqual(decoder.decode(batch, 0, batch.n, out, 0n), []);
  }
  const batch = out.build();
  const rows: Rows = Array.from({ length: batch.n }, (_, i) => [readRow(batch, i), weightOf(batch, i)]);
  await source.close();
  arena.release();
  return rows;
}

/** Waits until the only sink has a status; running: with everything written. */
async function untilSink(engine: TidemarkEngine, wanted: string, error = /^/): Promise<void> {
  let row: (string | null)[] = [];
  for (const until = Date.now() + WAIT_MS; Date.now() < until; await sleep(20)) {
    [row] = await sql(engine, 'SELECT status, last_error, queued FROM tidemark.sinks');
    const [status, lastError, queued] = row;
    if (status === wanted && error.test(lastError ?? '') && (wanted !== 'running' || queued === '0')) return;
  }
  assert.fail(`the sink is not ${wanted}: ${row}`);
}

test('upsert: creates a compacted topic, writes keyed rows and tombstones', { skip }, async () => {
  const topic = `sink-upsert-${process.pid}`;
  const sink = await openKafkaSink(
    { connector: 'kafka', brokers: suite.broker.brokers, topic, partitions: '3' },
    { columns, key: [0], appendOnly: false },
    'upsert',
  );
  await sink.create();
  const config = await suite.cluster.admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configNames: ['cleanup.policy'] }],
  });
  assert.equal(config.resources[0].configEntries[0].configValue, 'compact');
  assert.equal((await suite.cluster.admin.fetchTopicMetadata({ topics: [topic] })).topics[0].partitions.length, 3);

  const arena = new Arena();
  const row = (id: bigint, note: string): Datum[] => [id, decimal(10n ** 20n + id, 4), 1234567n * id, note];
  const first = delta(arena, [
    [row(1n, 'a'), 1],
    [row(2n, 'b'), 1],
    [row(3n, 'c'), 1],
  ]);
  const second = delta(arena, [
    [row(1n, 'a'), -1],
    [row(1n, 'A'), 1],
    [row(3n, 'c'), -1],
  ]);
  await sink.write([
    { tick: 1n, batch: first },
    { tick: 2n, batch: second },
  ]);
  await sink.close(true);
  const seen = await readBack(topic, 5, [0]);
  const state = new Map<bigint, Datum[]>();
  for (const [values, weight] of seen) {
    if (weight > 0) state.set(values[0] as bigint, values);
    else state.delete(values[0] as bigint);
  }
  assert.equal(seen.length, 5);
  assert.deepEqual(
    [...state.values()].sort((a, b) => Number((a[0] as bigint) - (b[0] as bigint))),
    [row(1n, 'A'), row(2n, 'b')],
  );
  arena.release();
});

test('append: many rows in many requests, in order', { skip }, async () => {
  const topic = `sink-append-${process.pid}`;
  const sink = await openKafkaSink(
    { brokers: suite.broker.brokers, topic, compression: 'gzip', partitions: '1' },
    { columns, key: null, appendOnly: true },
    'append',
  );
  await sink.create();
  const arena = new Arena();
  const rows: Rows = Array.from({ length: 12_000 }, (_, i) => [[BigInt(i), decimal(1n), 0n, 'x'.repeat(100)], 1]);
  await sink.write([{ tick: 1n, batch: delta(arena, rows) }]);
  await sink.close(true);
  assert.deepEqual(await readBack(topic, rows.length), rows);
  arena.release();
});

test('messages go in requests that the topic takes, whatever it takes and however many bytes a character has', {
  skip,
  timeout: 120_000,
}, async () => {
  const engine = await openEngine({ automatic: true });
  try {
    await sql(engine, 'CREATE TABLE note (id int PRIMARY KEY, text text)');
    for (const delivery of ['exactly_once', 'at_least_once']) {
      for (const most of [1_048_588, 100_000]) {
        const topic = await suite.cluster.topic(`sink-bytes`, 1, { 'max.message.bytes': String(most) });
        await sql(
          engine,
          `CREATE SINK out FROM note WITH (connector = 'kafka', brokers = '${suite.broker.brokers}', topic = '${topic}', delivery = '${delivery}')`,
        );
        // Nine tenths of what a message may have: 3 bytes a character.
        const characters = Math.floor((most * 0.9) / 3);
        await sql(engine, `INSERT INTO note SELECT g, repeat('漢', ${characters}) FROM generate_series(1, 9) g`);
        await untilSink(engine, 'running');
        await sql(engine, `INSERT INTO note VALUES (10, repeat('x', ${most}))`);
        await untilSink(
          engine,
          'retrying',
          /a message of \d+ bytes for key \{"id":10\} is larger than Kafka topic "sink-bytes/,
        );
        const value = String(most * 2);
        await suite.cluster.admin.alterConfigs({
          validateOnly: false,
          resources: [
            {
              type: kafkajs.ConfigResourceTypes.TOPIC,
              name: topic,
              configEntries: [{ name: 'max.message.bytes', value }],
            },
          ],
        });
        await untilSink(engine, 'running');
        const lengths = (await recordsOf(suite.broker.brokers, topic)).map(({ value }) => value?.length);
        const lengthOf = (id: number, n: number) => `{"id":${id},"text":""}`.length + n;
        const wanted = [...Array(9).fill(lengthOf(1, characters)), lengthOf(10, most)];
        if (delivery === 'exactly_once') assert.deepEqual(lengths, wanted);
        else assert.deepEqual([...new Set(lengths)], [...new Set(wanted)]);
        await sql(engine, 'DROP SINK out; DELETE FROM note');
      }
    }
  } finally {
    await engine.close();
  }
});

test('a broker that cannot be reached is a clear error', { skip }, async () => {
  const rows = { columns, key: null, appendOnly: true };
  for (const delivery of ['exactly_once', 'at_least_once']) {
    const sink = await openKafkaSink({ brokers: '127.0.0.1:1', topic: 't', delivery }, rows, 'nowhere');
    await assert.rejects(sink.create(), (error) => error instanceof SqlError && error.sqlstate === '08001');
    await sink.close(true);
  }
});

test('at least once: a broker killed while a sink writes: nothing is lost, and each key keeps its order', {
  skip,
  timeout: 120_000,
}, async (t) => {
  if (!suite.broker.ours) return t.skip('the cluster of KAFKA_BROKERS is not restarted');
  const topic = `sink-killed-${process.pid}`;
  const engine = await openEngine({ automatic: true });
  try {
    await sql(
      engine,
      'CREATE TABLE account (id int PRIMARY KEY, version int); INSERT INTO account SELECT g, 0 FROM generate_series(1, 40) g',
    );
    await sql(
      engine,
      `CREATE SINK out FROM account WITH (connector = 'kafka', brokers = '${suite.broker.brokers}', topic = '${topic}', partitions = '3', delivery = 'at_least_once', request_timeout = '1000')`,
    );
    const change = () => sql(engine, 'UPDATE account SET version = version + 1');
    for (let i = 0; i < 20; i++) await change();
    await suite.broker.kill();
    for (let i = 0; i < 20; i++) await change();
    await untilSink(engine, 'retrying');
    await suite.broker.start();
    for (let i = 0; i < 20; i++) await change();
    await sql(engine, 'DELETE FROM account WHERE id > 30');
    await untilSink(engine, 'running');
    await suite.reconnect();
    const seen = await recordsOf(suite.broker.brokers, topic);
    const partitions = new Map<string, number>();
    const latest = new Map<string, number | null>();
    const goneBack = new Map<string, number>();
    for (const { partition, key, value } of seen) {
      assert.ok(key !== null);
      assert.equal(partitions.get(key) ?? partition, partition, 'a key stays in its partition');
      partitions.set(key, partition);
      const version = value === null ? null : (JSON.parse(value) as { version: number }).version;
      const before = latest.get(key);
      if (typeof version === 'number' && typeof before === 'number' && version < before)
        goneBack.set(key, Math.max(goneBack.get(key) ?? 0, before - version));
      latest.set(key, version);
    }
    assert.deepEqual(
      [...latest]
        .map(([key, version]) => [(JSON.parse(key) as { id: number }).id, version])
        .sort((a, b) => Number(a[0]) - Number(b[0])),
      Array.from({ length: 40 }, (_, i) => [i + 1, i < 30 ? 60 : null]),
    );
    // A tick that is sent again says the same again, so no key goes back.
    assert.deepEqual([...goneBack], []);
  } finally {
    await engine.close();
  }
});
