/** Rows, keys and changes in Avro: avsc reads them by the schemas that the registry was given, and they come back as the values that they were. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import avro from 'avsc';
import { Arena } from '../../../operators/batch/arena.ts';
import { BatchBuilder, readRow } from '../../../operators/batch/builder.ts';
import '../../../operators/expr/functions/index.ts';
import { type Datum, decimal, interval, pgArray } from '../../../operators/datum.ts';
import { makeNumericTypmod } from '../../../operators/expr/decimal/typmod.ts';
import { colType, OID } from '../../../operators/types.ts';
import { avroDecoder } from '../../formats/avro/index.ts';
import { columnOf, framedBatch } from '../../formats/testing/framed_batch.ts';
import { Schemas } from '../../registry/schemas.ts';
import type { OutMessage } from './encode.ts';
import type { OutColumn } from './forms.ts';
import { encoded, KeptSchemas } from './testing/encoded.ts';

const registry = new KeptSchemas();
const { schemas, subjects } = registry;
const messagesOf = encoded.bind(null, 'avro', registry);

/** By avsc, and by the schema that the message names. */
function read(message: Buffer): unknown {
  assert.equal(message[0], 0);
  const schema = JSON.parse(schemas[message.readUInt32BE(1)]);
  return JSON.parse(
    JSON.stringify(avro.Type.forSchema(schema, { wrapUnions: 'never' }).fromBuffer(message.subarray(5))),
  );
}

const TYPED: [name: string, type: OutColumn['type'], values: Datum[]][] = [
  ['flag', colType(OID.bool), [true, false]],
  ['small', colType(OID.int2), [-32768]],
  ['whole', colType(OID.int4), [0, -1, 63, 64, -65, 2147483647, -2147483648]],
  ['big', colType(OID.int8), [0n, 9223372036854775807n, -9223372036854775808n, 2n ** 40n]],
  ['real4', colType(OID.float4), [Math.fround(0.1), Number.NaN]],
  ['double8', colType(OID.float8), [0.1, Number.POSITIVE_INFINITY]],
  [
    'exact',
    colType(OID.numeric),
    [decimal(123456789012345678901234567890n, 10), { k: 'dec', m: 0n, s: 0, special: 'NaN' }],
  ],
  [
    'fixed',
    colType(OID.numeric, makeNumericTypmod(20, 3)),
    [decimal(1500n, 3), decimal(-1n, 3), decimal(-128n, 3), decimal(128n, 3), decimal(10n ** 19n, 3)],
  ],
  ['odd', colType(OID.numeric, makeNumericTypmod(2, -3)), [decimal(12000n)]],
  ['name', colType(OID.text), ['', 'zoë 😀', 'x'.repeat(3000)]],
  ['bytes', colType(OID.bytea), [new Uint8Array([0, 255])]],
  ['day', colType(OID.date), [0, -10957, 8000]],
  ['clock', colType(OID.time), [86_399_999_999n]],
  ['at', colType(OID.timestamp), [1n, -1n]],
  ['zoned', colType(OID.timestamptz), [800_000_000_000_000n]],
  ['span', colType(OID.interval), [interval(14, -3, 5_000_000n)]],
  ['tag', colType(OID.uuid), ['00000000-0000-0000-0000-0000000000ff']],
  ['doc', colType(OID.jsonb), ['{"a": [1, "2"]}']],
  ['ints', colType(OID._int4), [pgArray(OID.int4, [1, null, 3]), pgArray(OID.int4, [])]],
  ['texts', colType(OID._text), [pgArray(OID.text, ['a', 'b,c'])]],
];

test('every type comes back by the schema that was registered', async () => {
  const columns = TYPED.map(([name, type]) => ({ name, type }));
  const rows = Array.from({ length: 8 }, (_, i) =>
    TYPED.map(([, , values]) => (i === 7 ? null : values[i % values.length])),
  );
  const messages = await messagesOf(
    columns,
    rows.map((row) => [row, 1]),
  );
  const values = messages.map(({ value }) => value as Buffer);
  // avsc has no longs beyond 2^53: those are in the second and third row.
  for (const i of [0, 3, 7]) read(values[i]);
  const known = new Schemas();
  const id = values[0].readUInt32BE(1);
  known.add(id, { texts: [schemas[id]] });
  const spec = {
    columns: columns.map(({ name, type }) => columnOf(name, type)),
    needed: columns.map((_, i) => i),
  };
  const arena = new Arena();
  const out = new BatchBuilder(
    columns.map((c) => c.type),
    arena,
  );
  const decoder = avroDecoder(spec, { registry: null, schema: null, key: 'avro' }, known);
  const bad = decoder.decode(framedBatch(values.map((value) => ({ value }))), 0, values.length, out, 0n);
  assert.deepEqual(bad, []);
  const batch = out.build();
  assert.deepEqual(
    rows.map((_, row) => readRow(batch, row)),
    rows,
  );
  decoder.release();
  arena.release();
});

const COLUMNS = [
  { name: 'id', type: colType(OID.int8) },
  { name: 'note', type: colType(OID.text) },
];

test('envelopes and keys', async () => {
  const rows: [Datum[], number][] = [
    [[1n, 'old'], -1],
    [[1n, 'new'], 1],
    [[2n, 'gone'], -1],
    [[3n, null], 1],
  ];
  const shown = (messages: OutMessage[]) =>
    messages.map(({ key, value }) => [key && read(key as Buffer), value && read(value as Buffer)]);
  assert.deepEqual(shown(await messagesOf(COLUMNS, rows, 'upsert', [0])), [
    [{ id: 1 }, { id: 1, note: 'new' }],
    [{ id: 2 }, null],
    [{ id: 3 }, { id: 3, note: null }],
  ]);
  assert.deepEqual(shown(await messagesOf(COLUMNS, rows, 'debezium', [0])), [
    [{ id: 1 }, { before: { id: 1, note: 'old' }, after: { id: 1, note: 'new' }, op: 'u', tick: 7 }],
    [{ id: 2 }, { before: { id: 2, note: 'gone' }, after: null, op: 'd', tick: 7 }],
    [{ id: 3 }, { before: null, after: { id: 3, note: null }, op: 'c', tick: 7 }],
  ]);
  assert.deepEqual(subjects.slice(-2), ['t-value', 't-key']);
});

test('what Avro has no name or value for', async () => {
  const one = (oid: number, value: Datum) => messagesOf([{ name: 'v', type: colType(oid) }], [[[value], 1]]);
  await assert.rejects(messagesOf([{ name: '?column?', type: colType(OID.int4) }], []), { sqlstate: '42602' });
  await assert.rejects(one(OID.date, 2147483647), { sqlstate: '22008' });
  await assert.rejects(one(OID.timestamptz, -9223372036854775808n), { sqlstate: '22008' });
  const matrix: Datum = { k: 'array', elem: OID.int4, dims: [1, 1], lower: [1, 1], items: [1] };
  await assert.rejects(one(OID._int4, matrix), { sqlstate: '22023' });
  const nan: Datum = { k: 'dec', m: 0n, s: 0, special: 'NaN' };
  const type = colType(OID.numeric, makeNumericTypmod(5, 2));
  await assert.rejects(messagesOf([{ name: 'v', type }], [[[nan], 1]]), { sqlstate: '22003' });
});
