/** From topics to views to topics: the engine over a real broker, with bad messages, upserts and a broker restart. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CompressionTypes, type Message } from 'kafkajs';
import { openEngine, sql } from '../engine/harness.ts';
import { eventually, kafkaSuite } from './suite.ts';

const suite = kafkaSuite();
const { skip } = suite;

const order = (n: number): Message => {
  return {
    key: `c${n % 7}`,
    partition: n % 3,
    value: JSON.stringify({ id: n, customer: n % 7, amount: `${n}.50`, at: 1767225600000 + n }),
  };
};

test('a stream over a topic: views, bad messages, restart of the broker', { skip, timeout: 120_000 }, async () => {
  const topic = await suite.cluster.topic('orders', 3);
  const engine = await openEngine({ automatic: true, kafka: suite.kafka });
  try {
    const messages = Array.from({ length: 3000 }, (_, n) => order(n));
    await suite.cluster.send(topic, messages.slice(0, 1000));
    await sql(
      engine,
      `CREATE STREAM orders (id bigint NOT NULL, customer int, amount numeric, at timestamp) INCLUDE KEY AS k, OFFSET AS o
       WITH (connector = 'kafka', brokers = '${suite.broker.brokers}', topic = '${topic}', format = 'json')`,
    );
    await sql(
      engine,
      'CREATE MATERIALIZED VIEW per_customer AS SELECT customer, count(*) AS n, sum(amount) AS total FROM orders GROUP BY customer',
    );
    const expected = (count: number) => {
      return Array.from({ length: 7 }, (_, c) => {
        const ids = Array.from({ length: count }, (_, n) => n).filter((n) => n % 7 === c);
        return [String(c), String(ids.length), (ids.reduce((sum, n) => sum + n, 0) + ids.length / 2).toFixed(2)];
      });
    };
    const query = 'SELECT * FROM per_customer ORDER BY customer';
    await eventually(engine, query, expected(1000));
    await suite.cluster.send(topic, [
      { partition: 0, value: 'not json' },
      { partition: 1, value: '{"id":"x"}' },
      { partition: 2, value: '{"customer":1}' },
      ...messages.slice(1000, 2000),
    ]);
    await eventually(engine, query, expected(2000));
    await eventually(engine, "SELECT count(*) FROM tidemark.errors('orders')", [['3']]);
    await sql(
      engine,
      'CREATE MATERIALIZED VIEW keys AS SELECT k, count(*) AS n, max(o) > 0 AS positive FROM orders GROUP BY k',
    );
    await eventually(engine, 'SELECT count(*), sum(n), bool_and(positive) FROM keys', [['7', '2000', 't']]);
    if (suite.broker.ours) {
      await suite.broker.restart();
      await suite.reconnect();
    }
    await suite.cluster.send(topic, messages.slice(2000));
    await eventually(engine, query, expected(3000));
    await eventually(engine, 'SELECT sum(n) FROM keys', [['3000']]);
  } finally {
    await engine.close();
  }
});

test('a table over a compacted topic, and a sink that makes one', { skip, timeout: 120_000 }, async () => {
  const topic = await suite.cluster.topic('users', 1, { 'cleanup.policy': 'compact' });
  const out = `${topic}-out`;
  const engine = await openEngine({ automatic: true, kafka: suite.kafka });
  try {
    const user = (id: number, name: string | null): Message => {
      return { key: `{"id":${id}}`, value: name === null ? null : JSON.stringify({ name }) };
    };
    await suite.cluster.send(topic, [user(1, 'a'), user(2, 'b'), user(1, 'A')]);
    const table = (name: string, of: string) =>
      `CREATE TABLE ${name} (id bigint PRIMARY KEY, name text)
       WITH (connector = 'kafka', brokers = '${suite.broker.brokers}', topic = '${of}', envelope = 'upsert')`;
    await sql(engine, table('users', topic));
    await sql(engine, 'CREATE MATERIALIZED VIEW upper_users AS SELECT id, upper(name) AS name FROM users');
    await eventually(engine, 'SELECT * FROM upper_users ORDER BY id', [
      ['1', 'A'],
      ['2', 'B'],
    ]);
    await sql(
      engine,
      `CREATE SINK upper_out FROM upper_users
       WITH (connector = 'kafka', brokers = '${suite.broker.brokers}', topic = '${out}', envelope = 'upsert', key = 'id')`,
    );
    await sql(engine, table('again', out));
    await sql(engine, 'CREATE MATERIALIZED VIEW back AS SELECT * FROM again');
    await eventually(engine, 'SELECT * FROM back ORDER BY id', [
      ['1', 'A'],
      ['2', 'B'],
    ]);
    await suite.cluster.send(topic, [user(2, null), user(3, 'c'), user(1, 'z')]);
    await eventually(engine, 'SELECT * FROM back ORDER BY id', [
      ['1', 'Z'],
      ['3', 'C'],
    ]);
  } finally {
    await engine.close();
  }
});

test("errors of CREATE STREAM are the user's to read", { skip, timeout: 60_000 }, async () => {
  const engine = await openEngine({ automatic: true, kafka: suite.kafka });
  try {
    const create = (options: string) => sql(engine, `CREATE STREAM s (a int) WITH (connector = 'kafka', ${options})`);
    await assert.rejects(
      create(`brokers = '${suite.broker.brokers}', topic = 'missing'`),
      /topic "missing" does not exist/,
    );
    await assert.rejects(create("brokers = '127.0.0.1:1', topic = 't'"), /could not connect to Kafka/);
  } finally {
    await engine.close();
  }
});

test('many packed messages: buffers that come back are filled anew', { skip, timeout: 120_000 }, async () => {
  const topic = await suite.cluster.topic('packed', 2);
  const [most, at] = [60_000, 4000];
  const value = (n: number) => JSON.stringify({ id: n, text: `text of message ${n} ${'x'.repeat(n % 50)}` });
  for (let from = 0; from < most; from += at) {
    const batch = Array.from({ length: at }, (_, i) => ({ partition: (from / at) % 2, value: value(from + i) }));
    await suite.cluster.send(topic, batch, CompressionTypes.GZIP);
  }
  const engine = await openEngine({ automatic: true, kafka: suite.kafka });
  try {
    await sql(
      engine,
      `CREATE STREAM packed (id int, text text) WITH (connector = 'kafka', brokers = '${suite.broker.brokers}', topic = '${topic}', format = 'json')`,
    );
    await sql(
      engine,
      'CREATE MATERIALIZED VIEW sums AS SELECT count(*) AS n, count(DISTINCT id) AS ids, sum(id) AS total, sum(length(text)) AS length, max(text) AS last FROM packed',
    );
    const ids = Array.from({ length: most }, (_, n) => n);
    const texts = ids.map((n) => JSON.parse(value(n)).text as string);
    const sum = (numbers: number[]) => String(numbers.reduce((a, b) => a + b, 0));
    const last = texts.reduce((a, b) => (a > b ? a : b));
    await eventually(engine, 'SELECT * FROM sums', [
      [String(most), String(most), sum(ids), sum(texts.map((text) => text.length)), last],
    ]);
  } finally {
    await engine.close();
  }
});
