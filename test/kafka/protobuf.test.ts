/** Protobuf messages and events over a real broker: a stream and a keyed table, with a schema that comes later; sinks that come back; a restart with kept schemas. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { CompressionTypes } from 'kafkajs';
import { openData } from '../../src/durable/recovery.ts';
import { openEngine, sql } from '../engine/harness.ts';
import { TestRegistry } from '../engine/test_registry.ts';
import { eventually, kafkaSuite } from './suite.ts';

const suite = kafkaSuite();
const { skip } = suite;
const registry = new TestRegistry();

before(() => registry.start());
after(() => registry.stop());

const from = (topic: string, more = '') =>
  `WITH (connector = 'kafka', brokers = '${suite.broker.brokers}', topic = '${topic}', format = 'protobuf', schema_registry = '${registry.url}'${more})`;

test('a stream and a table of Protobuf messages, and a restart without the registry', {
  skip,
  timeout: 120_000,
}, async () => {
  const topic = await suite.cluster.topic('protobuf', 3);
  const users = await suite.cluster.topic('protobuf-users', 1, { 'cleanup.policy': 'compact' });
  const path = mkdtempSync(join(tmpdir(), 'tidemark-protobuf-'));
  let engine = await openEngine({ automatic: true, kafka: suite.kafka });
  await openData(engine, { path });
  const first = registry.addProtobuf(
    1,
    'syntax = "proto3"; package shop; message Order { int64 id = 1; int32 customer = 2; optional string note = 3; }',
    'shop.Order',
  );
  const second = registry.addProtobuf(
    2,
    'syntax = "proto3"; message Head {} message Order { int32 customer = 4; uint32 id = 5; repeated string tags = 6; }',
    'Order',
    [1],
  );
  const key = registry.addProtobuf(3, 'syntax = "proto3"; message Key { int32 id = 1; }', 'Key');
  const user = registry.addProtobuf(4, 'syntax = "proto3"; message User { string name = 1; }', 'User');
  try {
    await sql(
      engine,
      `CREATE STREAM orders (id bigint NOT NULL, customer int, note text DEFAULT 'none', tags text[]) ${from(topic)};
       CREATE TABLE users (id int PRIMARY KEY, name text) ${from(users, ", envelope = 'upsert'")};
       CREATE MATERIALIZED VIEW v AS SELECT name, count(*) AS n, sum(o.id) AS ids, count(tags) AS tagged, count(note) AS notes
         FROM orders o JOIN users u ON u.id = o.customer GROUP BY name`,
    );
    const long = 'a note that does not fit into a slot';
    const orders = Array.from({ length: 3000 }, (_, id) => ({
      partition: id % 3,
      value:
        id % 2 === 0
          ? first({ id, customer: id % 5, ...(id % 4 === 0 ? {} : { note: long }) })
          : second({ customer: id % 5, id, tags: ['x'] }),
    }));
    await suite.cluster.send(topic, orders.slice(0, 2000), CompressionTypes.GZIP);
    await suite.cluster.send(topic, [{ partition: 0, value: 'no Protobuf' }, ...orders.slice(2000)]);
    await suite.cluster.send(
      users,
      [0, 1, 2, 3, 4].map((id) => ({ key: key({ id }), value: user({ name: `user ${id}` }) })),
    );
    await suite.cluster.send(users, [
      { key: key({ id: 4 }), value: null },
      { key: key({ id: 0 }), value: user({ name: 'zoë' }) },
    ]);
    const expected = [1, 2, 3, 0].map((customer) => {
      const ids = orders.map((_, id) => id).filter((id) => id % 5 === customer);
      const tagged = ids.filter((id) => id % 2 === 1).length;
      const name = customer === 0 ? 'zoë' : `user ${customer}`;
      return [name, ids.length, ids.reduce((a, b) => a + b, 0), tagged, ids.length].map(String);
    });
    await eventually(engine, 'SELECT * FROM v ORDER BY name', expected);
    await eventually(engine, "SELECT count(*) FROM tidemark.errors('orders')", [['1']]);
    await engine.close();
    await registry.stop();
    engine = await openEngine({ automatic: true, kafka: suite.kafka });
    await openData(engine, { path });
    assert.deepEqual(await sql(engine, 'SELECT * FROM v ORDER BY name'), expected);
    await sql(engine, 'CREATE MATERIALIZED VIEW notes AS SELECT note, count(*) AS n FROM orders GROUP BY note');
    await eventually(engine, 'SELECT * FROM notes ORDER BY n DESC', [
      ['none', '2250'],
      [long, '750'],
    ]);
    await suite.cluster.send(topic, [{ partition: 0, value: first({ id: 1, customer: 1 }) }]);
    await eventually(engine, "SELECT n FROM v WHERE name = 'user 1'", [['601']]);
    await registry.start();
  } finally {
    await engine.close();
    rmSync(path, { recursive: true, force: true });
  }
});

test('a sink in Protobuf: what it writes comes back as a stream and as a table', {
  skip,
  timeout: 120_000,
}, async () => {
  const [topic, changes] = [await suite.cluster.topic('protobuf-out'), await suite.cluster.topic('protobuf-changes')];
  const engine = await openEngine({ automatic: true, kafka: suite.kafka });
  const to = (name: string, more: string) =>
    `WITH (connector = 'kafka', brokers = '${suite.broker.brokers}', topic = '${name}', format = 'protobuf', schema_registry = '${registry.url}', ${more})`;
  try {
    await sql(
      engine,
      `CREATE TABLE a (id int PRIMARY KEY, n numeric(10,2), name text, at timestamptz, tags text[] DEFAULT '{}');
       CREATE MATERIALIZED VIEW v AS SELECT * FROM a;
       INSERT INTO a VALUES (1, 1.5, 'one', '2026-01-01 00:00:00.000001', '{a,b}'), (2, NULL, NULL, NULL, '{}');
       CREATE SINK out FROM v ${to(topic, "envelope = 'upsert'")};
       CREATE SINK told FROM v ${to(changes, "envelope = 'debezium', delivery = 'at_least_once', key_format = 'json'")};
       CREATE TABLE back (id int PRIMARY KEY, n numeric(10,2), name text, at timestamptz, tags text[]) ${from(topic, ", envelope = 'upsert'")};
       CREATE STREAM changes (before jsonb, after jsonb, op text) INCLUDE KEY AS k ${from(changes)};
       CREATE MATERIALIZED VIEW ops AS SELECT k, op, after ->> 'name' AS name FROM changes`,
    );
    await registry.stop();
    await sql(
      engine,
      "UPDATE a SET name = 'two' WHERE id = 2; UPDATE a SET n = 0 WHERE id = 1; DELETE FROM a WHERE id = 1; INSERT INTO a VALUES (0, -0.01, '', '1969-12-31 23:59:59.5Z', '{}')",
    );
    await registry.start();
    await eventually(engine, 'SELECT * FROM back ORDER BY id', [
      ['0', '-0.01', '', '1969-12-31 23:59:59.5+00', '{}'],
      ['2', null, 'two', null, '{}'],
    ]);
    await eventually(engine, "SELECT k, op, name FROM ops WHERE op <> 'u' ORDER BY k, op", [
      ['{"id":0}', 'c', ''],
      ['{"id":1}', 'c', 'one'],
      ['{"id":1}', 'd', null],
      ['{"id":2}', 'c', null],
    ]);
    assert.deepEqual(await sql(engine, "SELECT * FROM tidemark.errors('back')"), []);
    await sql(engine, "INSERT INTO a VALUES (9, 1, 'bad', NULL, '{NULL}')");
    await eventually(engine, "SELECT status FROM tidemark.sinks WHERE name = 'out'", [['stopped']]);
    await assert.rejects(
      sql(engine, `CREATE SINK bad AS SELECT 1 ${to(topic, "envelope = 'append'")}`),
      /column "\?column\?" cannot be a field in Protobuf/,
    );
    await assert.rejects(sql(engine, `CREATE SINK bad FROM v ${to(topic, "key_format = 'avro'")}`), /"key_format"/);
  } finally {
    await engine.close();
  }
});

test('events in both modes', { skip, timeout: 60_000 }, async () => {
  const topic = await suite.cluster.topic('events');
  const engine = await openEngine({ automatic: true, kafka: suite.kafka });
  try {
    await sql(
      engine,
      `CREATE STREAM e (id text, type text, subject text, data jsonb)
         WITH (connector = 'kafka', brokers = '${suite.broker.brokers}', topic = '${topic}', format = 'cloudevents');
       CREATE MATERIALIZED VIEW v AS SELECT id, type, subject, data ->> 'n' AS n FROM e`,
    );
    const event = { specversion: '1.0', id: '1', source: '/s', type: 'made', data: { n: 5 } };
    await suite.cluster.send(
      topic,
      [
        { value: JSON.stringify(event), headers: { 'content-type': 'application/cloudevents+json; charset=utf-8' } },
        {
          value: '{"n": 6}',
          headers: {
            'content-type': 'application/json',
            ce_specversion: '1.0',
            ce_id: '2',
            ce_source: '/s',
            ce_type: 'paid',
            ce_subject: 'é',
          },
        },
        { value: '{"n": 7}' },
      ],
      CompressionTypes.GZIP,
    );
    await eventually(engine, 'SELECT * FROM v ORDER BY id', [
      ['1', 'made', null, '5'],
      ['2', 'paid', 'é', '6'],
    ]);
    await eventually(engine, "SELECT count(*) FROM tidemark.errors('e')", [['1']]);
  } finally {
    await engine.close();
  }
});
