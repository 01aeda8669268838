/** Rows, keys and changes in Protobuf: protobufjs reads them by the schemas that the registry was given, and they come back as the values that they were. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import protobuf from 'protobufjs';
import '../../../operators/expr/functions/index.ts';
import { type Datum, decimal, interval, pgArray } from '../../../operators/datum.ts';
import { makeNumericTypmod } from '../../../operators/expr/decimal/typmod.ts';
import { colType, OID } from '../../../operators/types.ts';
import { decoded } from '../../formats/protobuf/testing/decoded.ts';
import { columnOf } from '../../formats/testing/framed_batch.ts';
import { Schemas } from '../../registry/schemas.ts';
import type { OutMessage } from './encode.ts';
import type { OutColumn } from './forms.ts';
import { encoded, KeptSchemas } from './testing/encoded.ts';

const registry = new KeptSchemas();
const { schemas, subjects } = registry;
const messagesOf = encoded.bind(null, 'protobuf', registry);

/** By protobufjs, and by the schema that the message names. */
function read(message: Buffer, name: string): unknown {
  assert.deepEqual([message[0], message[5]], [0, 0]);
  const { root } = protobuf.parse(schemas[message.readUInt32BE(1)], { keepCase: true });
  root.addJSON(protobuf.common.get('google/protobuf/timestamp.proto')?.nested ?? {});
  assert.equal(root.nestedArray.find((one) => one instanceof protobuf.Type)?.name, name);
  const type = root.lookupType(name);
  return type.toObject(type.decode(message.subarray(6)), { longs: String });
}

const TYPED: [name: string, type: OutColumn['type'], values: Datum[]][] = [
  ['flag', colType(OID.bool), [true, false]],
  ['small', colType(OID.int2), [-32768]],
  ['whole', colType(OID.int4), [0, -1, 63, 64, -65, 2147483647, -2147483648]],
  ['big', colType(OID.int8), [0n, 9223372036854775807n, -9223372036854775808n, 2n ** 40n]],
  ['real4', colType(OID.float4), [Math.fround(0.1), Number.NaN, -0]],
  ['double8', colType(OID.float8), [0.1, Number.POSITIVE_INFINITY, 0]],
  [
    'exact',
    colType(OID.numeric),
    [decimal(123456789012345678901234567890n, 10), { k: 'dec', m: 0n, s: 0, special: 'NaN' }],
  ],
  ['fixed', colType(OID.numeric, makeNumericTypmod(20, 3)), [decimal(1500n, 3), decimal(-1n, 3), decimal(0n, 3)]],
  ['name', colType(OID.text), ['', 'zoë 😀', 'x'.repeat(3000)]],
  ['bytes', colType(OID.bytea), [new Uint8Array([0, 255]), new Uint8Array()]],
  ['day', colType(OID.date), [0, -10957, 2147483647]],
  ['clock', colType(OID.time), [86_399_999_999n]],
  ['at', colType(OID.timestamp), [1n, -1n, -946_684_800_000_001n, -946_684_800_000_000n]],
  ['zoned', colType(OID.timestamptz), [800_000_000_000_000n, -60_000_000_000_000_000n]],
  ['span', colType(OID.interval), [interval(14, -3, 5_000_000n)]],
  ['tag', colType(OID.uuid), ['00000000-0000-0000-0000-0000000000ff']],
  ['doc', colType(OID.jsonb), ['{"a": [1, "2"]}', 'null', '"s"']],
];
const ARRAYS: typeof TYPED = [
  ['ints', colType(OID._int4), [pgArray(OID.int4, [1, -2, 3]), pgArray(OID.int4, [])]],
  ['texts', colType(OID._text), [pgArray(OID.text, ['a', '', 'b,c'])]],
  ['times', colType(OID._timestamptz), [pgArray(OID.timestamptz, [0n, 1n])]],
  ['docs', colType(OID._jsonb), [pgArray(OID.jsonb, ['1', '{"a": 1}'])]],
  ['exacts', colType(OID._numeric), [pgArray(OID.numeric, [decimal(15n, 1)])]],
];

test('every type comes back by the schema that was registered', async () => {
  const all = [...TYPED, ...ARRAYS];
  const columns = all.map(([name, type]) => ({ name, type }));
  const rows = Array.from({ length: 8 }, (_, i) =>
    all.map(([, , values], c) => (i === 7 && c < TYPED.length ? null : values[i % values.length])),
  );
  const messages = await messagesOf(
    columns,
    rows.map((row) => [row, 1]),
  );
  const values = messages.map(({ value }) => value as Buffer);
  for (const value of values) read(value, 'Row');
  const known = new Schemas();
  const id = values[0].readUInt32BE(1);
  known.add(id, { texts: [schemas[id]] });
  const from = columns.map(({ name, type }) => columnOf(name, type));
  assert.deepEqual(decoded(from, { schema: null, message: null }, values, known), rows);
});

const COLUMNS = [
  { name: 'id', type: colType(OID.int8) },
  { name: 'note', type: colType(OID.text) },
];

test('envelopes and keys', async () => {
  const rows: [Datum[], number][] = [
    [[1n, 'old'], -1],
    [[1n, ''], 1],
    [[2n, 'gone'], -1],
    [[0n, null], 1],
  ];
  const shown = (messages: OutMessage[], name: string) =>
    messages.map(({ key, value }) => [key && read(key as Buffer, 'Key'), value && read(value as Buffer, name)]);
  assert.deepEqual(shown(await messagesOf(COLUMNS, rows, 'upsert', [0]), 'Row'), [
    [{ id: '1' }, { id: '1', note: '' }],
    [{ id: '2' }, null],
    [{ id: '0' }, { id: '0' }],
  ]);
  assert.deepEqual(shown(await messagesOf(COLUMNS, rows, 'debezium', [0]), 'Change'), [
    [{ id: '1' }, { before: { id: '1', note: 'old' }, after: { id: '1', note: '' }, op: 'u', tick: '7' }],
    [{ id: '2' }, { before: { id: '2', note: 'gone' }, op: 'd', tick: '7' }],
    [{ id: '0' }, { after: { id: '0' }, op: 'c', tick: '7' }],
  ]);
  assert.deepEqual(subjects.slice(-2), ['t-value', 't-key']);
});

test('the schema: a field a column, in their order; words of the language are names, too', async () => {
  const names = ['optional', 'message', 'repeated', 'at', 'map', 'oneof', 'reserved', 'syntax', 'option', 'extensions'];
  const types = names.map((name) => (name === 'at' ? OID.timestamptz : name === 'map' ? OID._int4 : OID.text));
  const columns = names.map((name, i) => ({ name, type: colType(types[i]) }));
  const row: Datum[] = names.map((name) => (name === 'at' ? 0n : name === 'map' ? pgArray(OID.int4, [1]) : name));
  const [{ value }] = await messagesOf(columns, [[row, 1]]);
  const said = read(value as Buffer, 'Row') as Record<string, unknown>;
  assert.deepEqual(
    [said.optional, said.message, said.extensions, said.map],
    ['optional', 'message', 'extensions', [1]],
  );
  assert.equal(
    schemas.at(-1)?.split('\n').slice(0, 9).join('\n'),
    `syntax = "proto3";

import "google/protobuf/timestamp.proto";

message Row {
  optional string optional = 1;
  optional string message = 2;
  optional string repeated = 3;
  google.protobuf.Timestamp at = 4;`,
  );
});

test('what Protobuf has no name or value for', async () => {
  const one = (oid: number, value: Datum) => messagesOf([{ name: 'v', type: colType(oid) }], [[[value], 1]]);
  await assert.rejects(messagesOf([{ name: '?column?', type: colType(OID.int4) }], []), { sqlstate: '42602' });
  for (const time of [9223372036854775807n, -9223372036854775808n, 252_455_616_000_000_000n, -63_082_281_600_000_001n])
    await assert.rejects(one(OID.timestamptz, time), { sqlstate: '22008' }, String(time));
  await one(OID.timestamptz, 252_455_615_999_999_999n);
  await one(OID.timestamptz, -63_082_281_600_000_000n);
  const matrix: Datum = { k: 'array', elem: OID.int4, dims: [1, 1], lower: [1, 1], items: [1] };
  await assert.rejects(one(OID._int4, matrix), { sqlstate: '22023' });
  await assert.rejects(one(OID._int4, pgArray(OID.int4, [1, null])), { sqlstate: '22004' });
  await assert.rejects(one(OID._int4, null), { sqlstate: '22004' });
});
