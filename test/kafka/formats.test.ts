/** Formats other than JSON over a real broker: what a sink writes in Debezium's envelope comes back as a table, csv and raw messages come to streams, and wrong options are refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changeEvent, Database } from '../engine/database.ts';
import { openEngine, seeded, sql } from '../engine/harness.ts';
import { eventually, kafkaSuite } from './suite.ts';

const suite = kafkaSuite();
const { skip } = suite;

const from = (topic: string, options: string) =>
  `WITH (connector = 'kafka', brokers = '${suite.broker.brokers}', topic = '${topic}', ${options})`;

const COLUMNS = `id int, flag bool, small int2, big int8, real4 float4, double8 float8, exact numeric, fixed numeric(8,3), name text, short varchar(20),
  day date, clock time, at timestamp, zoned timestamptz, span interval, bytes bytea, tag uuid, doc json, docb jsonb, ints int[], texts text[], days date[]`;

const ROWS = [
  `(1, true, -3, 9007199254740993, 1.5, 'NaN', 12345678901234567890.123, 1.5, 'a "b" \\ é', 'x', '2024-02-29', '23:59:59.999999', '2024-01-01 00:00:00.123456',
    '1999-12-31 23:59:59.5+02', '1 year 2 days 03:04:05.6', '\\x00ff', '00000000-0000-0000-0000-0000000000ff', '{"a": [1, "2"]}', '"a text"', '{1,NULL,3}', '{a,"b,c",NULL}', '{2024-01-01}')`,
  "(2, NULL, NULL, NULL, 'Infinity', '-Infinity', 'NaN', NULL, '__debezium_unavailable_value', '1', 'infinity', NULL, '-infinity', 'infinity', NULL, '', NULL, '1', '1', '{}', '{{a},{b}}', NULL)",
  "(3, false, 0, 0, 0, -0.0, 0, 0, '', '', '0044-03-15 BC', '00:00', '0044-03-15 BC', '294276-12-31', '-1 mon', '\\x41', NULL, '[null]', '[[null]]', NULL, NULL, NULL)",
];

test('view to sink to table: every type comes back, and every change', { skip, timeout: 120_000 }, async () => {
  const { random } = seeded('there and back');
  const topic = await suite.cluster.topic('back', 3);
  const engine = await openEngine({ automatic: true, kafka: suite.kafka });
  const same = async (view: string, table: string) => {
    const rows = (of: string, other: string) =>
      `SELECT '${of}', r::text FROM ${of} r EXCEPT ALL SELECT '${of}', r::text FROM ${other} r`;
    const differ = `(${rows(view, table)}) UNION ALL (${rows(table, view)})`;
    await eventually(engine, differ, []);
  };
  try {
    await sql(engine, `CREATE TABLE a (${COLUMNS}, PRIMARY KEY (id)); CREATE MATERIALIZED VIEW v AS SELECT * FROM a`);
    await sql(engine, `INSERT INTO a VALUES ${ROWS.join(', ')}`);
    await sql(engine, `CREATE SINK out FROM v ${from(topic, "envelope = 'debezium', key = 'id'")}`);
    await sql(engine, `CREATE TABLE back (${COLUMNS}, PRIMARY KEY (id)) ${from(topic, "format = 'debezium_json'")}`);
    await eventually(engine, 'SELECT count(*) FROM back', [['3']]);
    await same('v', 'back');
    for (let i = 0; i < 40; i++) {
      const id = 1 + random(12);
      const change = [
        `DELETE FROM a WHERE id = ${id}`,
        `UPDATE a SET big = ${i}, texts = ARRAY['${i}'] WHERE id <= ${id}`,
        `INSERT INTO a (id, exact, docb) VALUES (${id}, ${i}.50, '"${i}"') ON CONFLICT (id) DO NOTHING`,
        `UPDATE a SET id = ${20 + i} WHERE id = ${id}`,
      ][random(4)];
      await sql(engine, change);
    }
    await same('v', 'back');
    assert.deepEqual(await sql(engine, "SELECT * FROM tidemark.errors('back')"), []);
  } finally {
    await engine.close();
  }
});

test('a connector that repeats itself and a broker that starts again: the table is the database', {
  skip,
  timeout: 120_000,
}, async () => {
  const { random } = seeded('a repeating connector');
  const topic = await suite.cluster.topic('changes', 1);
  const database = new Database(random);
  const engine = await openEngine({ automatic: true, kafka: suite.kafka });
  const send = (first: number) =>
    suite.cluster.send(
      topic,
      database.messages.slice(first).map((value) => ({ value })),
    );
  try {
    await sql(
      engine,
      `CREATE TABLE t (a int, b text, n numeric(10,2), at timestamp, body text, PRIMARY KEY (a, b)) ${from(topic, "format = 'debezium_json'")}`,
    );
    for (let round = 0; round < 6; round++) {
      const first = database.messages.length;
      for (let i = 0; i < 200; i++) database.change();
      if (round === 3 && suite.broker.ours) {
        await suite.broker.restart();
        await suite.reconnect();
      }
      await send(Math.max(0, first - random(50)));
      await eventually(engine, 'SELECT * FROM t ORDER BY a, b', database.rows());
    }
  } finally {
    await engine.close();
  }
});

test('csv and raw; what is bad stays with its partition, offset and bytes', { skip, timeout: 60_000 }, async () => {
  const [csv, raw] = [await suite.cluster.topic('csv', 2), await suite.cluster.topic('raw', 1)];
  const engine = await openEngine({ automatic: true, kafka: suite.kafka });
  try {
    await sql(
      engine,
      `CREATE STREAM c (id int, name text, seen timestamptz DEFAULT now()) INCLUDE KEY AS k ${from(csv, "format = 'csv', delimiter = ';'")}`,
    );
    await sql(engine, `CREATE STREAM r (m bytea) INCLUDE OFFSET AS o ${from(raw, "format = 'raw'")}`);
    await sql(
      engine,
      'CREATE MATERIALIZED VIEW vc AS SELECT k, id, name, seen IS NULL AS unseen FROM c; CREATE MATERIALIZED VIEW vr AS SELECT * FROM r',
    );
    await suite.cluster.send(csv, [
      { partition: 0, key: 'a', value: '1;one' },
      { partition: 1, key: 'b', value: '2;"two; ""2"""\n' },
      { partition: 1, key: 'c', value: 'three;3' },
      { partition: 1, key: 'd', value: '4;' },
    ]);
    await suite.cluster.send(raw, [{ value: Buffer.from([0, 1, 255]) }, { value: null }, { value: '' }]);
    await eventually(engine, 'SELECT * FROM vc ORDER BY id', [
      ['a', '1', 'one', 'f'],
      ['b', '2', 'two; "2"', 'f'],
      ['d', '4', null, 'f'],
    ]);
    await eventually(engine, 'SELECT * FROM vr ORDER BY o', [
      ['\\x0001ff', '0'],
      [null, '1'],
      ['\\x', '2'],
    ]);
    const bad =
      "SELECT topic, partition, \"offset\", sqlstate, column_name, encode(message, 'escape') FROM tidemark.errors('c')";
    assert.deepEqual(await sql(engine, bad), [[csv, '1', '1', '22P02', 'id', 'three;3']]);
    assert.deepEqual(await sql(engine, "SELECT DISTINCT errors FROM tidemark.sources WHERE name = 'c'"), [['1']]);
  } finally {
    await engine.close();
  }
});

test('events of many bytes of schema', { skip, timeout: 60_000 }, async () => {
  const topic = await suite.cluster.topic('wide', 1);
  const engine = await openEngine({ automatic: true, kafka: suite.kafka });
  try {
    const meanings = { day: { type: 'int32', name: 'io.debezium.time.Date', doc: 'x'.repeat(5000) } };
    const messages = Array.from({ length: 150 }, (_, id) =>
      JSON.stringify(changeEvent({ op: 'c', before: null, after: { id, day: id } }, meanings)),
    );
    for (const value of messages) await suite.cluster.send(topic, [{ value }]);
    await sql(engine, `CREATE TABLE w (id int PRIMARY KEY, day date) ${from(topic, "format = 'debezium_json'")}`);
    await eventually(engine, "SELECT count(*), max(day), bool_and(day - date '1970-01-01' = id) FROM w", [
      ['150', '1970-05-30', 't'],
    ]);
  } finally {
    await engine.close();
  }
});

test('options are checked before anything is made', { skip, timeout: 60_000 }, async () => {
  const topic = await suite.cluster.topic('options', 1);
  const engine = await openEngine({ automatic: true, kafka: suite.kafka });
  try {
    const create = (options: string) => sql(engine, `CREATE STREAM s (a text) ${from(topic, options)}`);
    const hint = (error: { fields: { hint?: string } }) => error.fields.hint ?? '';
    await assert.rejects(create("format = 'csv', header = 'true'"), (error: never) => {
      assert.match(String(error), /unrecognized option "header"/);
      assert.match(hint(error), /format, (?:.*, )?delimiter, null, quote, escape, envelope/);
      return true;
    });
    await assert.rejects(create("format = 'xml'"), (error: never) => {
      assert.match(String(error), /unknown format "xml"/);
      assert.match(hint(error), /^Known formats: json, (?:.*, )?csv, raw\.$/);
      return true;
    });
    await assert.rejects(create("format = 'csv', delimiter = ',,'"), /invalid value for option "delimiter"/);
    await assert.rejects(create("format = 'raw', quote = 'x'"), /option "quote" is for format = 'csv'/);
    assert.deepEqual(await sql(engine, 'SELECT count(*) FROM tidemark.sources'), [['0']]);
  } finally {
    await engine.close();
  }
});
