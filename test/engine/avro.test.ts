/** Streams and tables whose messages are Avro by schemas of a registry: what becomes of them, and when the registry is away. */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { openEngine, sql } from './harness.ts';
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

/** Ticks until the query gives this. */
async function until(query: string, expected: (string | null)[][]): Promise<void> {
  let rows: unknown;
  for (const end = Date.now() + 20_000; Date.now() < end; await sleep(5)) {
    while (engine.sourceTicks.pump());
    rows = await sql(engine, query);
    if (JSON.stringify(rows) === JSON.stringify(expected)) return;
  }
  assert.deepEqual(rows, expected, query);
}

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
