/** Streams and tables whose messages are Protobuf, by schemas of a registry or by one of the stream: what becomes of them. */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { openEngine, pumpUntil, sql } from './harness.ts';
import { MessageSource } from './message_source.ts';
import { protobufWriter, TestRegistry } from './test_registry.ts';

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

const PLAIN = "WITH (connector = 'kafka', brokers = 'memory', topic = 't', format = 'protobuf'";

function options(more = ''): string {
  return `${PLAIN}, schema_registry = '${registry.url}'${more})`;
}

const until = (query: string, expected: (string | null)[][]) => pumpUntil(engine, query, expected);

const ORDER = `syntax = "proto3"; package shop; import "google/protobuf/timestamp.proto";
  message Order { int64 id = 1; optional string customer = 2; repeated Line lines = 3; google.protobuf.Timestamp at = 4; State state = 5;
    message Line { string item = 1; int32 n = 2; } }
  enum State { OPEN = 0; PAID = 1; }`;

test('messages of several schemas: fields by name, others skipped, absent ones by default', async () => {
  await opened();
  const first = registry.addProtobuf(next++, ORDER, 'shop.Order');
  const second = registry.addProtobuf(
    next++,
    'syntax = "proto2"; message Other { optional string note = 1; } message Order { optional int32 id = 7; repeated string more = 8; }',
    'Order',
    [1],
  );
  await sql(
    engine,
    `CREATE STREAM s (id bigint NOT NULL, customer text DEFAULT 'nobody', lines jsonb, at timestamptz, state text) INCLUDE OFFSET AS o ${options()}`,
  );
  await sql(engine, 'CREATE MATERIALIZED VIEW v AS SELECT * FROM s');
  source.send(
    { value: first({ id: 1, customer: 'ann', lines: [{ item: 'nut', n: 2 }], at: { seconds: 1767225600 }, state: 1 }) },
    { value: second({ id: 7, more: ['x'] }) },
    { value: first({}) },
    { value: second({}) },
  );
  const rows = [
    ['1', 'ann', '[{"n": 2, "item": "nut"}]', '2026-01-01 00:00:00+00', 'PAID', '0'],
    ['7', 'nobody', null, null, null, '1'],
    ['0', 'nobody', '[]', null, 'OPEN', '2'],
  ];
  await until('SELECT * FROM v ORDER BY o', rows);
  await sql(engine, 'CREATE MATERIALIZED VIEW later AS SELECT * FROM s');
  await until('SELECT * FROM later ORDER BY o', rows);
  await until('SELECT "offset", sqlstate, column_name FROM tidemark.errors(\'s\')', [['3', '23502', 'id']]);
});

test('what cannot be read is an error row, and the others go on', async () => {
  await opened();
  const id = next++;
  const write = registry.addProtobuf(id, ORDER, 'shop.Order');
  const avro = next++;
  registry.schemas.set(avro, { schema: '"int"' });
  const bytes = write({ id: 1, customer: 'ann' });
  const other = Buffer.from(bytes);
  other[4] = avro;
  await sql(engine, `CREATE STREAM s (id int, customer text) ${options()}`);
  await sql(engine, 'CREATE MATERIALIZED VIEW v AS SELECT id, customer FROM s');
  source.send(
    { value: null },
    { value: '{"id":1}' },
    { value: bytes.subarray(0, 5) },
    { value: bytes.subarray(0, bytes.length - 1) },
    { value: other },
    { value: write({ id: 2 ** 40 }) },
    { value: bytes },
  );
  await until('SELECT * FROM v', [['1', 'ann']]);
  await until('SELECT "offset", sqlstate, reason, column_name FROM tidemark.errors(\'s\') ORDER BY 1', [
    ['0', '22004', 'the record has no value', null],
    ['1', '22P03', 'the message does not begin with a zero byte and a schema id', null],
    ['2', '22P03', 'malformed Protobuf message: it ends within a number', null],
    ['3', '22P03', 'malformed Protobuf message: it ends within a value of 3 bytes', null],
    ['4', '22P03', `schema ${avro} of the registry is of type AVRO, not Protobuf`, null],
    ['5', '22003', 'value "1099511627776" is out of range for type integer', 'id'],
  ]);
});

test('a table by key: keys in Protobuf or as in JSON, tombstones', async () => {
  const record = registry.addProtobuf(next++, 'syntax = "proto3"; message Key { int32 id = 1; }', 'Key');
  const keys: [more: string, keyOf: (id: number) => Buffer | string][] = [
    ['', (id) => record({ id })],
    [", key_format = 'json'", (id) => JSON.stringify({ id })],
    [", key_format = 'json'", String],
  ];
  for (const [more, keyOf] of keys) {
    await opened();
    const write = registry.addProtobuf(next++, ORDER, 'shop.Order');
    await sql(
      engine,
      `CREATE TABLE t (id int PRIMARY KEY, customer text NOT NULL) ${options(`, envelope = 'upsert'${more}`)}`,
    );
    source.send(
      { key: keyOf(1), value: write({ id: 99, customer: 'a' }) },
      { key: keyOf(0), value: write({ id: 99, customer: 'b' }) },
      { key: keyOf(1), value: write({ customer: 'c' }) },
      { key: keyOf(3), value: write({ customer: 'd' }) },
      { key: keyOf(0), value: null },
      { key: null, value: write({ customer: 'e' }) },
      { key: keyOf(4), value: write({}) },
    );
    await until('SELECT * FROM t ORDER BY id', [
      ['1', 'c'],
      ['3', 'd'],
    ]);
    await until('SELECT reason FROM tidemark.errors(\'t\') ORDER BY "offset"', [
      ['the record has no key'],
      ['null value in column "customer" violates not-null constraint'],
    ]);
    await engine.close();
  }
  await opened();
});

test('schemas that refer to others, and to files that come with Protobuf', async () => {
  await opened();
  registry.subjects.set('money/3', {
    schema: 'syntax = "proto3"; package m; message Money { int64 cents = 1; }',
    schemaType: 'PROTOBUF',
  });
  registry.subjects.set('lib/1', {
    schema: 'syntax = "proto3"; package m; import "money.proto"; message Item { Money price = 1; }',
    schemaType: 'PROTOBUF',
    references: [{ name: 'money.proto', subject: 'money', version: 3 }],
  });
  const id = next++;
  registry.schemas.set(id, {
    schema: `syntax = "proto3"; import "lib.proto"; import "google/type/date.proto"; import "confluent/type/decimal.proto"; import "confluent/meta.proto";
      message O { int32 id = 1; m.Item item = 2; google.type.Date day = 3; confluent.type.Decimal n = 4 [(confluent.field_meta) = { doc: "how many" }]; }`,
    schemaType: 'PROTOBUF',
    references: [{ name: 'lib.proto', subject: 'lib', version: 1 }],
  });
  await sql(engine, `CREATE STREAM s (id int, item jsonb, day date, n numeric) ${options()}`);
  await sql(engine, 'CREATE MATERIALIZED VIEW v AS SELECT * FROM s');
  const head = [0, 0, 0, 0, id, 0];
  const day = [26, 7, 8, 0xea, 0x0f, 16, 2, 24, 28];
  const decimal = [34, 6, 10, 2, 0xff, 0x38, 24, 2];
  source.send({ value: Buffer.from([...head, 8, 2, 18, 4, 10, 2, 8, 4, ...day, ...decimal]) });
  await until('SELECT * FROM v', [['2', '{"price": {"cents": "4"}}', '2026-02-28', '-2.00']]);
});

test('one message of a .proto file for all, without a registry; domains and casts', async () => {
  await opened();
  await sql(engine, 'CREATE DOMAIN posint AS int CHECK (VALUE > 0)');
  await sql(
    engine,
    `CREATE STREAM s (id posint, state int, customer int, at timestamp) ${PLAIN}, schema = '${ORDER}', message = 'shop.Order')`,
  );
  await sql(engine, 'CREATE MATERIALIZED VIEW v AS SELECT * FROM s');
  const write = protobufWriter(ORDER, 'shop.Order');
  source.send(
    { value: write({ id: 5, customer: '17', state: 1, at: { seconds: 1, nanos: 1999 } }) },
    { value: write({ id: 0 }) },
    { value: write({ id: 6, customer: 'ann' }) },
    { value: '\xff' },
  );
  await until('SELECT * FROM v', [['5', '1', '17', '1970-01-01 00:00:01.000001']]);
  await until('SELECT sqlstate FROM tidemark.errors(\'s\') ORDER BY "offset"', [['23514'], ['22P02'], ['22P03']]);
});

test('options', async () => {
  await opened();
  const create = (more: string, kind = 'STREAM s (a int)') => sql(engine, `CREATE ${kind} ${PLAIN}${more})`);
  const schema = ", schema = 'message M {}'";
  await assert.rejects(create(''), /needs the options "schema_registry" or "schema"/);
  await assert.rejects(create(`${schema}, schema_registry = 'http://x'`), /takes only one of/);
  await assert.rejects(create(schema), /format "protobuf" needs the option "message"/);
  await assert.rejects(create(", schema_registry = 'http://x', message = 'M'"), /takes no option "message"/);
  await assert.rejects(create(`${schema}, message = 'N'`), /invalid value for option "message": "N"/);
  await assert.rejects(create(", schema = 'message M {', message = 'M'"), { sqlstate: '22P03' });
  await assert.rejects(
    sql(engine, "CREATE STREAM s (a int) WITH (connector = 'kafka', brokers = 'm', topic = 't', message = 'M')"),
    /option "message" is for format = 'protobuf'/,
  );
  await assert.rejects(
    create(`${schema}, message = 'M', envelope = 'upsert', key_format = 'protobuf'`, 'TABLE s (a int PRIMARY KEY)'),
    /invalid value for option "key_format"/,
  );
});
