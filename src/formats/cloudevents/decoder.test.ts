/** Events of CloudEvents 1.0 in Kafka records: structured and binary ones become the same rows, and what is none is an error. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../../../operators/expr/functions/index.ts';
import { Arena } from '../../../operators/batch/arena.ts';
import { BatchBuilder, readRow } from '../../../operators/batch/builder.ts';
import type { Datum } from '../../../operators/datum.ts';
import { defaultContext } from '../../../operators/expr/context.ts';
import { outputText } from '../../../operators/expr/io/index.ts';
import { colType, OID } from '../../../operators/types.ts';
import type { Header } from '../../sources/source.ts';
import type { SourceColumn } from '../format.ts';
import { columnOf, framedBatch } from '../testing/framed_batch.ts';
import { checkAttributes } from './attributes.ts';
import { cloudeventsDecoder } from './index.ts';

interface Message {
  headers: Header[];
  value: Buffer | null;
}

const ctx = defaultContext();
const header = (key: string, value: string | Buffer | null): Header => ({
  key,
  value: value === null ? null : Buffer.from(value as string),
});

const structured = (envelope: unknown, type = 'application/cloudevents+json; charset=UTF-8'): Message => ({
  headers: [header('content-type', type)],
  value: Buffer.from(
    typeof envelope === 'string' || Buffer.isBuffer(envelope) ? (envelope as string) : JSON.stringify(envelope),
  ),
});

/** `attributes` without ce_; datacontenttype is the content-type. */
const binary = (attributes: Record<string, string | Buffer>, value: string | Buffer | null): Message => ({
  headers: Object.entries(attributes).map(([name, text]) =>
    header(name === 'datacontenttype' ? 'content-type' : `ce_${name}`, text),
  ),
  value: value === null ? null : Buffer.from(value as string),
});

/** Each message's row as text, or its SQLSTATE, message and column. */
function read(columns: SourceColumn[], messages: Message[]): unknown[] {
  const raw = framedBatch(messages);
  const arena = new Arena();
  const out = new BatchBuilder(
    columns.map((c) => c.type),
    arena,
    1,
  );
  const bad = cloudeventsDecoder({ columns, needed: columns.map((_, i) => i) }).decode(raw, 0, raw.n, out, 0n);
  const batch = out.build();
  let row = 0;
  const textOf = (d: Datum, i: number) => (d === null ? null : outputText(d, columns[i].type.oid, ctx));
  const rows = messages.map((_, index) => {
    const error = bad.find((b) => b.index === index);
    return error === undefined
      ? readRow(batch, row++).map(textOf)
      : `${error.sqlstate} ${error.reason} (${error.column})`;
  });
  arena.release();
  return rows;
}

const NEEDED = { specversion: '1.0', id: 'a-1', source: '/shop', type: 'order.made' };
const COLUMNS = [
  columnOf('id', colType(OID.text), true),
  columnOf('source', colType(OID.text)),
  columnOf('type', colType(OID.varchar)),
  columnOf('subject', colType(OID.text)),
  columnOf('time', colType(OID.timestamptz)),
  columnOf('datacontenttype', colType(OID.text)),
  columnOf('dataschema', colType(OID.text)),
  columnOf('sequence', colType(OID.int4)),
  columnOf('data', colType(OID.jsonb)),
];

test('the same event in both modes is the same row', () => {
  const more = {
    subject: '7',
    time: '2026-01-02T03:04:05.6+01:00',
    datacontenttype: 'application/json',
    dataschema: 'http://s/1',
    sequence: '12',
  };
  const row = [
    'a-1',
    '/shop',
    'order.made',
    '7',
    '2026-01-02 02:04:05.6+00',
    'application/json',
    'http://s/1',
    '12',
    '{"n": 1}',
  ];
  const least = ['a-1', '/shop', 'order.made', null, null, null, null, null, null];
  assert.deepEqual(
    read(COLUMNS, [
      structured({ ...NEEDED, ...more, data: { n: 1 } }),
      structured({ ...NEEDED, ...more, sequence: 12, data_base64: Buffer.from('{"n": 1}').toString('base64') }),
      binary({ ...NEEDED, ...more }, '{"n":1}'),
      structured(NEEDED),
      structured({ ...NEEDED, data: null, subject: null }, 'APPLICATION/CLOUDEVENTS+JSON'),
      binary(NEEDED, null),
      binary(NEEDED, ''),
    ]),
    [row, row, row, least, least, least, least],
  );
});

test('data in columns of several types', () => {
  const event = (datacontenttype: string | undefined, more: object) =>
    structured({ ...NEEDED, ...(datacontenttype === undefined ? {} : { datacontenttype }), ...more });
  const base64 = (text: string | Buffer) => ({ data_base64: Buffer.from(text as string).toString('base64') });
  const messages = [
    event(undefined, { data: { a: [1] } }),
    event(undefined, { data: 'text' }),
    event('text/plain', { data: 'text' }),
    event('application/json', { data: 17 }),
    event('application/vnd.x+json', base64('"text"')),
    event('text/plain; charset=utf-8', base64('17')),
    event('application/octet-stream', base64(Buffer.from([0xff, 0]))),
    binary({ ...NEEDED, datacontenttype: 'application/json' }, '"text"'),
    binary({ ...NEEDED, datacontenttype: 'text/plain' }, 'text'),
    binary(NEEDED, '17'),
    binary(NEEDED, 'text'),
  ];
  const as = (oid: number) =>
    read([columnOf('data', colType(oid))], messages).map((row) => (Array.isArray(row) ? row[0] : row));
  assert.deepEqual(as(OID.jsonb), [
    '{"a": [1]}',
    '"text"',
    '"text"',
    '17',
    '"text"',
    '"17"',
    '22021 invalid byte sequence for encoding "UTF8" (data)',
    '"text"',
    '"text"',
    '17',
    '22P02 invalid input syntax for type json: Token "text" is invalid. (data)',
  ]);
  assert.deepEqual(as(OID.text), [
    '{"a":[1]}',
    'text',
    'text',
    '17',
    'text',
    '17',
    '22021 invalid byte sequence for encoding "UTF8" (data)',
    'text',
    'text',
    '17',
    'text',
  ]);
  const hex = (text: string) => `\\x${Buffer.from(text).toString('hex')}`;
  assert.deepEqual(as(OID.bytea), [
    hex('{"a":[1]}'),
    hex('"text"'),
    hex('text'),
    hex('17'),
    hex('"text"'),
    hex('17'),
    '\\xff00',
    hex('"text"'),
    hex('text'),
    hex('17'),
    hex('text'),
  ]);
  assert.deepEqual(as(OID.int4).slice(3, 7), [
    '17',
    '22P02 invalid input syntax for type integer: "text" (data)',
    '17',
    '22021 invalid byte sequence for encoding "UTF8" (data)',
  ]);
});

test('what is no event', () => {
  const without = (name: string) => Object.fromEntries(Object.entries(NEEDED).filter(([one]) => one !== name));
  assert.deepEqual(
    read(COLUMNS, [
      { headers: [], value: Buffer.from(JSON.stringify(NEEDED)) },
      structured(NEEDED, 'application/cloudevents+avro'),
      structured([NEEDED], 'application/cloudevents-batch+json'),
      structured([NEEDED]),
      structured('{"id":'),
      structured(Buffer.from([0x7b, 0xff])),
      { headers: [header('content-type', 'application/cloudevents+json')], value: null },
      structured({ ...NEEDED, specversion: '0.3' }),
      binary({ ...NEEDED, specversion: '2.0' }, null),
      structured({ ...NEEDED, id: '' }),
      structured({ ...NEEDED, id: 7 }),
      ...['id', 'source', 'type', 'specversion'].flatMap((name) => [
        structured(without(name)),
        binary(without(name), null),
      ]),
      structured({ ...NEEDED, data: 1, data_base64: 'MQ==' }),
      structured({ ...NEEDED, data_base64: 'M!' }),
      structured({ ...NEEDED, time: 'soon' }),
      binary({ ...NEEDED, subject: Buffer.from([0xff]) }, null),
      binary({ ...NEEDED, sequence: 'x' }, null),
    ]),
    [
      '22023 the message is no CloudEvent: its content-type is not application/cloudevents+json, and it has no headers ce_id, ce_source, ... (null)',
      '0A000 events are read from application/cloudevents+json, not from application/cloudevents+avro (null)',
      '0A000 events are read from application/cloudevents+json, not from application/cloudevents-batch+json (null)',
      '22023 the event is no JSON object (null)',
      '22P02 invalid input syntax for type json: The input string ended unexpectedly. (null)',
      '22021 invalid byte sequence for encoding "UTF8" (null)',
      '22004 the record has no value (null)',
      '0A000 the event is one of CloudEvents 0.3, not 1.0 (specversion)',
      '0A000 the event is one of CloudEvents 2.0, not 1.0 (specversion)',
      ...['id', 'id', 'id', 'id', 'source', 'source', 'type', 'type', 'specversion', 'specversion'].map(
        (name) => `22023 the event has no attribute "${name}", which each must have (${name})`,
      ),
      '22023 the event has both data and data_base64 (data)',
      '22P02 data_base64 of the event is not in base64 (data)',
      '22007 invalid input syntax for type timestamp with time zone: "soon" (time)',
      '22021 invalid byte sequence for encoding "UTF8" (null)',
      '22P02 invalid input syntax for type integer: "x" (sequence)',
    ],
  );
});

test('columns that no event can have', () => {
  for (const name of ['orderId', 'order_id', 'data_base64']) {
    assert.throws(() => checkAttributes([columnOf(name, colType(OID.text))]), { sqlstate: '42P16' }, name);
  }
  checkAttributes([
    columnOf('traceparent', colType(OID.text)),
    { ...columnOf('K', colType(OID.text)), origin: { k: 'key' } },
  ]);
});
