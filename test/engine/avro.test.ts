/** Streams and tables whose messages are Avro by schemas of a registry: what becomes of them, and when the registry is away. */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { openEngine, pumpUntil, sql } from './harness.ts';
import { MessageSource } from './message_source.ts';
import { framed, TestRegistry } from './test_registry.ts';

const registry = new TestRegistry();
let engine: TidemarkEngine;
let source: MessageSource;
let next = 1;

before(() => registry.start());
after(() => registry.stop());
afterEach(async () => {
  registry.answer = null;
  await engine.close();
});

async function opened(): Promise<void> {
  source = new MessageSource();
  engine = await openEngine({ openSource: () => source });
}

function options(more = ''): string {
  return `WITH (connector = 'kafka', brokers = 'memory', topic = 't', format = 'avro', schema_registry = '${registry.url}'${more})`;
}

const until = (query: string, expected: (string | null)[][]) => pumpUntil(engine, query, expected);

const ORDER = {
  type: 'record',
  name: 'Order',
  namespace: 'shop',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'customer', type: ['null', 'string'], default: null },
    { name: 'amount', type: { type: 'bytes', logicalType: 'decimal', precision: 10, scale: 2 } },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
  ],
};

const cents = (n: number) => Buffer.from([n >> 8, n & 255]);

test('messages of several writers: fields by name, others skipped, missing ones by default', async () => {
  await opened();
  const id = next++;
  const first = registry.add(id, ORDER);
  const second = registry.add(next++, {
    type: 'record',
    name: 'Order',
    namespace: 'shop',
    fields: [
      { name: 'note', type: { type: 'array', items: 'string' } },
      { name: 'at', type: { type: 'long', logicalType: 'timestamp-micros' } },
      { name: 'id', type: 'int' },
    ],
  });
  await sql(
    engine,
    `CREATE STREAM s (id bigint NOT NULL, customer text DEFAULT 'nobody', amount numeric(10,2), at timestamptz) INCLUDE OFFSET AS o ${options()}`,
  );
  await sql(engine, 'CREATE MATERIALIZED VIEW v AS SELECT * FROM s');
  source.send(
    { value: first({ id: 1, customer: 'ann', amount: cents(1050), at: 1767225600000 }) },
    { value: second({ note: ['a', 'b'], at: 1767225600000001, id: 7 }) },
    { value: first({ id: 2 ** 40, customer: null, amount: Buffer.from([255]), at: -1 }) },
  );
  const rows = [
    ['1', 'ann', '10.50', '2026-01-01 00:00:00+00', '0'],
    ['7', 'nobody', null, '2026-01-01 00:00:00.000001+00', '1'],
    ['1099511627776', null, '-0.01', '1969-12-31 23:59:59.999+00', '2'],
  ];
  await until('SELECT * FROM v ORDER BY o', rows);
  await sql(engine, 'CREATE MATERIALIZED VIEW later AS SELECT * FROM s');
  await until('SELECT * FROM later ORDER BY o', rows);
  assert.deepEqual(registry.asked.filter((path) => path === `/schemas/ids/${id}`).length, 1);
});

test('what cannot be read is an error row, and the others go on', async () => {
  await opened();
  const id = next++;
  const write = registry.add(id, ORDER);
  const good = { id: 1, customer: 'ann', amount: cents(1), at: 0 };
  const bytes = write(good);
  await sql(engine, `CREATE STREAM s (id int, customer text, at timestamp) ${options()}`);
  await sql(engine, 'CREATE MATERIALIZED VIEW v AS SELECT id, customer FROM s');
  source.send(
    { value: null },
    { value: '{"id":1}' },
    { value: bytes.subarray(0, 3) },
    { value: bytes.subarray(0, 5) },
    { value: bytes.subarray(0, bytes.length - 1) },
    { value: Buffer.concat([bytes, Buffer.from([0])]) },
    { value: framed(4_000_000_000, bytes.subarray(5)) },
    {
      value: registry.add(next++, { type: 'record', name: 'R', fields: [{ name: 'id', type: 'boolean' }] })({
        id: true,
      }),
    },
    { value: registry.add(next++, 'string')('text') },
    { value: bytes },
  );
  await until('SELECT * FROM v', [['1', 'ann']]);
  await until('SELECT "offset", sqlstate, reason, column_name FROM tidemark.errors(\'s\') ORDER BY 1', [
    ['0', '22004', 'the record has no value', null],
    ['1', '22P03', 'the message does not begin with a zero byte and a schema id', null],
    ['2', '22P03', 'the message does not begin with a zero byte and a schema id', null],
    ['3', '22P03', 'malformed Avro message: it ends within a number', 'id'],
    ['4', '22P03', 'malformed Avro message: it ends within a number', 'at'],
    ['5', '22P03', 'malformed Avro message: 1 bytes are left behind it', null],
    ['6', '22P03', 'the schema registry has no schema 4000000000', null],
    ['7', '22P02', 'invalid input syntax for type integer: "true"', 'id'],
    ['8', '22023', 'the message is an Avro string, not a record', null],
  ]);
});

const status = () => sql(engine, "SELECT status FROM tidemark.sources WHERE name = 's'");

test('while the registry cannot be asked the stream waits and says so; then it goes on, and nothing is missing', async () => {
  await opened();
  const first = registry.add(next++, ORDER);
  const second = registry.add(next++, { type: 'record', name: 'Order', fields: [{ name: 'id', type: 'int' }] });
  await sql(engine, `CREATE STREAM s (id int) ${options()}`);
  await sql(engine, 'CREATE MATERIALIZED VIEW v AS SELECT id FROM s');
  source.send({ value: first({ id: 1, customer: null, amount: cents(1), at: 0 }) });
  await until('SELECT id FROM v', [['1']]);
  await registry.stop();
  const address = registry.url;
  source.send({ value: second({ id: 2 }) }, { value: first({ id: 3, customer: null, amount: cents(1), at: 0 }) });
  source.send({ value: second({ id: 4 }) });
  await until(
    "SELECT position, status LIKE 'registry: could not ask the schema registry at http://127%' FROM tidemark.sources",
    [['1', 't']],
  );
  await registry.start();
  assert.equal(registry.url, address);
  for (const [code, body] of [
    [500, '{}'],
    [404, '<html>'],
    [404, '{"error_code":404,"message":"HTTP 404 Not Found"}'],
    [200, 'nonsense'],
    [401, '{"error_code":40101}'],
  ] as const) {
    registry.answer = (_request, response) => {
      response.statusCode = code;
      response.end(body);
    };
    await until(`SELECT status LIKE 'registry: %HTTP status ${code}%' FROM tidemark.sources`, [['t']]);
    await until('SELECT id FROM v', [['1']]);
  }
  registry.answer = null;
  await until('SELECT id FROM v ORDER BY id', [['1'], ['2'], ['3'], ['4']]);
  await until("SELECT count(*) FROM tidemark.errors('s')", [['0']]);
  assert.deepEqual(await status(), [['running']]);
});

test('a registry that has not heard of a schema yet is asked again', async () => {
  await opened();
  const id = next++;
  const write = registry.add(id, ORDER);
  const { schemas } = registry;
  const schema = schemas.get(id);
  assert.ok(schema);
  schemas.delete(id);
  await sql(engine, `CREATE STREAM s (id int) ${options()}`);
  await sql(engine, 'CREATE MATERIALIZED VIEW v AS SELECT id FROM s');
  source.send({ value: write({ id: 1, customer: null, amount: cents(1), at: 0 }) });
  for (const before = registry.asked.length; registry.asked.length === before; await sleep(1))
    engine.sourceTicks.pump();
  schemas.set(id, schema);
  await until('SELECT id FROM v', [['1']]);
});

test('a table by key: keys in Avro or as in JSON, tombstones', async () => {
  const record = registry.add(next++, { type: 'record', name: 'K', fields: [{ name: 'id', type: 'int' }] });
  const lone = registry.add(next++, 'int');
  const keys: [more: string, keyOf: (id: number) => Buffer | string][] = [
    ['', (id) => record({ id })],
    ['', lone],
    [", key_format = 'json'", (id) => JSON.stringify({ id })],
    [", key_format = 'json'", String],
  ];
  for (const [more, keyOf] of keys) {
    await opened();
    const write = registry.add(next++, ORDER);
    const order = (name: string) => write({ id: 99, customer: name, amount: cents(1), at: 0 });
    await sql(
      engine,
      `CREATE TABLE t (id int PRIMARY KEY, customer text NOT NULL) ${options(`, envelope = 'upsert'${more}`)}`,
    );
    source.send(
      { key: keyOf(1), value: order('a') },
      { key: keyOf(2), value: order('b') },
      { key: keyOf(1), value: order('c') },
      { key: keyOf(3), value: order('d') },
      { key: keyOf(2), value: null },
      { key: null, value: order('e') },
    );
    await until('SELECT * FROM t ORDER BY id', [
      ['1', 'c'],
      ['3', 'd'],
    ]);
    await until("SELECT reason FROM tidemark.errors('t')", [['the record has no key']]);
    await engine.close();
  }
  await opened();
});

test('schemas that refer to others, and what is none', async () => {
  await opened();
  const [ids, bad] = [next, [next + 1, next + 2, next + 3]];
  next += 4;
  registry.subjects.set('money/3', {
    schema: '{"type":"record","name":"m.Money","fields":[{"name":"cents","type":"long"}]}',
  });
  registry.subjects.set('lib/1', {
    schema: '{"type":"record","name":"m.Item","fields":[{"name":"price","type":"Money"}]}',
    references: [{ name: 'm.Money', subject: 'money', version: 3 }],
  });
  const schema =
    '{"type":"record","name":"O","fields":[{"name":"id","type":"int"},{"name":"item","type":"m.Item"},{"name":"paid","type":"m.Money"}]}';
  const references = [
    { name: 'm.Item', subject: 'lib', version: 1 },
    { name: 'm.Money', subject: 'money', version: 3 },
  ];
  registry.schemas.set(ids, { schema, references });
  registry.schemas.set(bad[0], { schema: 'message M {}', schemaType: 'PROTOBUF' });
  registry.schemas.set(bad[1], { schema, references: [{ name: 'x', subject: 'gone', version: 1 }] });
  registry.schemas.set(bad[2], { schema });
  await sql(engine, `CREATE STREAM s (id int, item jsonb, paid jsonb) ${options()}`);
  await sql(engine, 'CREATE MATERIALIZED VIEW v AS SELECT * FROM s');
  source.send(...[ids, ...bad].map((id) => ({ value: framed(id, Buffer.from([2, 4, 6])) })));
  await until('SELECT * FROM v', [['1', '{"price": {"cents": 2}}', '{"cents": 3}']]);
  await until('SELECT reason FROM tidemark.errors(\'s\') ORDER BY "offset"', [
    [`schema ${bad[0]} of the registry is of type PROTOBUF, not Avro`],
    [`schema ${bad[1]} of the registry: version 1 of "gone", which it refers to, is not there`],
    ['the Avro schema cannot be used: it names the type "m.Item", which is not there'],
  ]);
});

test('options', async () => {
  await opened();
  const create = (more: string, kind = 'STREAM s (a int)') =>
    sql(engine, `CREATE ${kind} WITH (connector = 'kafka', brokers = 'memory', topic = 't', ${more})`);
  await assert.rejects(create("format = 'avro'"), /needs the options "schema_registry" or "schema"/);
  await assert.rejects(
    create("format = 'avro', schema = '\"int\"', schema_registry = 'http://x'"),
    /takes only one of/,
  );
  await assert.rejects(
    create("format = 'avro', schema_registry = 'ftp://x'"),
    /invalid value for option "schema_registry"/,
  );
  await assert.rejects(create('format = \'avro\', schema = \'{"type":"recor"}\''), /cannot be used/);
  await assert.rejects(create("schema_registry = 'http://x'"), /option "schema_registry" is for format = 'avro'/);
  await assert.rejects(
    create(
      "format = 'avro', schema = '\"int\"', envelope = 'upsert', key_format = 'avro'",
      'TABLE s (a int PRIMARY KEY)',
    ),
    /invalid value for option "key_format"/,
  );
});

test('one schema for all messages, without a registry', async () => {
  await opened();
  const write = registry.add(next++, ORDER);
  const schema = JSON.stringify(ORDER).replaceAll("'", "''");
  await sql(
    engine,
    `CREATE STREAM s (id int) WITH (connector = 'kafka', brokers = 'memory', topic = 't', format = 'avro', schema = '${schema}')`,
  );
  await sql(engine, 'CREATE MATERIALIZED VIEW v AS SELECT * FROM s');
  source.send({ value: write({ id: 5, customer: null, amount: cents(1), at: 0 }).subarray(5) }, { value: 'x' });
  await until('SELECT * FROM v', [['5']]);
  await until("SELECT count(*) FROM tidemark.errors('s')", [['1']]);
});
