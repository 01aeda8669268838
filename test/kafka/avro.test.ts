/** Avro messages over a real broker: a stream and a keyed table, with a schema that comes later and a registry that is away when a relation is made. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CompressionTypes } from 'kafkajs';
import { openEngine, sql } from '../engine/harness.ts';
import { TestRegistry } from '../engine/test_registry.ts';
import { eventually, kafkaSuite } from './suite.ts';

const suite = kafkaSuite();
const { skip } = suite;
const registry = new TestRegistry();

before(() => registry.start());
after(() => registry.stop());

const from = (topic: string, more = '') =>
  `WITH (connector = 'kafka', brokers = '${suite.broker.brokers}', topic = '${topic}', format = 'avro', schema_registry = '${registry.url}'${more})`;

const field = (name: string, type: unknown) => ({ name, type });

test('a stream and a table of Avro messages', { skip, timeout: 120_000 }, async () => {
  const topic = await suite.cluster.topic('avro', 3);
  const users = await suite.cluster.topic('avro-users', 1, { 'cleanup.policy': 'compact' });
  const engine = await openEngine({ automatic: true, kafka: suite.kafka });
  const first = registry.add(1, {
    type: 'record',
    name: 'Order',
    fields: [field('id', 'long'), field('customer', 'int'), field('note', ['null', 'string'])],
  });
  const second = registry.add(2, {
    type: 'record',
    name: 'Order',
    fields: [field('customer', 'int'), field('id', 'int'), field('tags', { type: 'array', items: 'string' })],
  });
  const key = registry.add(3, { type: 'record', name: 'Key', fields: [field('id', 'int')] });
  const user = registry.add(4, { type: 'record', name: 'User', fields: [field('name', 'string')] });
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
          ? first({ id, customer: id % 5, note: id % 4 === 0 ? null : long })
          : second({ customer: id % 5, id, tags: ['x'] }),
    }));
    await suite.cluster.send(topic, orders.slice(0, 2000), CompressionTypes.GZIP);
    await suite.cluster.send(topic, [{ partition: 0, value: 'no Avro' }, ...orders.slice(2000)]);
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
      const notes = ids.filter((id) => id % 4 !== 0).length;
      const name = customer === 0 ? 'zoë' : `user ${customer}`;
      return [name, ids.length, ids.reduce((a, b) => a + b, 0), tagged, notes].map(String);
    });
    await eventually(engine, 'SELECT * FROM v ORDER BY name', expected);
    await eventually(engine, "SELECT count(*) FROM tidemark.errors('orders')", [['1']]);
    await sql(engine, 'CREATE MATERIALIZED VIEW notes AS SELECT note, count(*) AS n FROM orders GROUP BY note');
    await eventually(engine, 'SELECT * FROM notes ORDER BY n DESC, note NULLS LAST', [
      ['none', '1500'],
      [long, '750'],
      [null, '750'],
    ]);
  } finally {
    await engine.close();
  }
});

test('a sink in Avro: what it writes comes back as a stream and as a table', { skip, timeout: 120_000 }, async () => {
  const [topic, changes] = [await suite.cluster.topic('avro-out'), await suite.cluster.topic('avro-changes')];
  const engine = await openEngine({ automatic: true, kafka: suite.kafka });
  const to = (name: string, more: string) =>
    `WITH (connector = 'kafka', brokers = '${suite.broker.brokers}', topic = '${name}', format = 'avro', schema_registry = '${registry.url}', ${more})`;
  try {
    await sql(
      engine,
      `CREATE TABLE a (id int PRIMARY KEY, n numeric(10,2), name text, at timestamptz, tags text[]);
       CREATE MATERIALIZED VIEW v AS SELECT * FROM a;
       INSERT INTO a VALUES (1, 1.5, 'one', '2026-01-01', '{a,b}'), (2, NULL, NULL, NULL, NULL);
       CREATE SINK out FROM v ${to(topic, "envelope = 'upsert'")};
       CREATE SINK told FROM v ${to(changes, "envelope = 'debezium', delivery = 'at_least_once', key_format = 'json'")};
       CREATE TABLE back (id int PRIMARY KEY, n numeric(10,2), name text, at timestamptz, tags text[]) ${from(topic, ", envelope = 'upsert'")};
       CREATE STREAM changes (before jsonb, after jsonb, op text) INCLUDE KEY AS k ${from(changes)};
       CREATE MATERIALIZED VIEW ops AS SELECT k, op, after ->> 'name' AS name FROM changes`,
    );
    await registry.stop();
    await sql(
      engine,
      "UPDATE a SET name = 'two' WHERE id = 2; DELETE FROM a WHERE id = 1; INSERT INTO a VALUES (3, -0.01, 'drei', NULL, '{}')",
    );
    await registry.start();
    const expected = [
      ['2', null, 'two', null, null],
      ['3', '-0.01', 'drei', null, '{}'],
    ];
    await eventually(engine, 'SELECT * FROM back ORDER BY id', expected);
    await eventually(engine, 'SELECT * FROM ops ORDER BY k, op', [
      ['{"id":1}', 'c', 'one'],
      ['{"id":1}', 'd', null],
      ['{"id":2}', 'c', null],
      ['{"id":2}', 'u', 'two'],
      ['{"id":3}', 'c', 'drei'],
    ]);
    assert.deepEqual(await sql(engine, "SELECT * FROM tidemark.errors('back')"), []);
    await assert.rejects(
      sql(
        engine,
        `CREATE SINK bad FROM v ${to(topic, "envelope = 'upsert'").replace(registry.url, 'http://127.0.0.1:1')}`,
      ),
      { sqlstate: '08001' },
    );
    await assert.rejects(
      sql(engine, `CREATE SINK bad AS SELECT 1 ${to(topic, "envelope = 'append'")}`),
      /column "\?column\?" cannot be a field in Avro/,
    );
    await assert.rejects(sql(engine, `CREATE SINK bad FROM v ${to(topic, "key_format = 'raw'")}`), /"key_format"/);
  } finally {
    await engine.close();
  }
});

test('a registry that cannot be asked is an error of CREATE', { skip, timeout: 60_000 }, async () => {
  const topic = await suite.cluster.topic('avro-check');
  const engine = await openEngine({ automatic: true, kafka: suite.kafka });
  const create = (url: string) => sql(engine, `CREATE STREAM s (a int) ${from(topic).replace(registry.url, url)}`);
  try {
    await assert.rejects(create('http://127.0.0.1:1'), {
      sqlstate: '08001',
      message: /schema registry at http:\/\/127.0.0.1:1/,
    });
    registry.answer = (_request, response) => {
      response.statusCode = 401;
      response.end();
    };
    await assert.rejects(create(registry.url), { sqlstate: '28P01' });
    registry.answer = null;
    await create(`http://127.0.0.1:1,${registry.url}/`);
  } finally {
    await engine.close();
  }
});
