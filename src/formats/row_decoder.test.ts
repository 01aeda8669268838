/** Messages that are csv records, and messages that are one value. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../../operators/expr/functions/index.ts';
import { withScratch } from '../../operators/batch/arena.ts';
import { BatchBuilder, readRow } from '../../operators/batch/builder.ts';
import type { Datum } from '../../operators/datum.ts';
import { defaultContext } from '../../operators/expr/context.ts';
import { outputText } from '../../operators/expr/io/index.ts';
import { type ColType, colType, OID } from '../../operators/types.ts';
import type { SourceColumn } from './format.ts';
import { makeDecoder } from './index.ts';
import { csvOptions, formatName } from './options.ts';
import { columnOf, framedBatch } from './testing/framed_batch.ts';

const ctx = defaultContext();

const OFFSET: SourceColumn = { name: 'o', type: colType(OID.int8), notNull: false, origin: { k: 'offset' } };

/** Each message's row as text, or its SQLSTATE, message and column. */
function read(columns: SourceColumn[], options: Record<string, string>, values: (string | Buffer | null)[]): unknown[] {
  return withScratch((arena) => {
    const decoder = makeDecoder(
      { columns, needed: columns.map((_, i) => i) },
      { connector: 'kafka', options, envelope: 'append', decoder: { columns, needed: [] } },
      undefined,
    );
    const out = new BatchBuilder(
      columns.map((c) => c.type),
      arena,
      1,
    );
    const raw = framedBatch(
      values.map((value) => ({ value })),
      { partition: 4, from: 10 },
    );
    const bad = decoder.decode(raw, 0, raw.n, out, 0n);
    assert.equal(
      decoder.bytes,
      values.reduce((sum, value) => sum + (value === null ? 0 : Buffer.byteLength(value as string)), 0),
    );
    let row = 0;
    const batch = out.build();
    const textOf = (d: Datum, i: number) => (d === null ? null : outputText(d, columns[i].type.oid, ctx));
    return values.map((_, index) => {
      const error = bad.find((b) => b.index === index);
      return error === undefined
        ? readRow(batch, row++).map(textOf)
        : `${error.sqlstate} ${error.reason} (${error.column})`;
    });
  });
}

const CSV = [
  columnOf('a', colType(OID.int4), true),
  columnOf('b', colType(OID.text)),
  OFFSET,
  columnOf('d', colType(OID.date)),
];

test('csv: a message is a record, its fields are the columns in order', () => {
  assert.deepEqual(
    read(CSV, { format: 'csv' }, [
      '1,x,2026-01-01',
      '2,"a ""quoted"", one\nof two lines",\r\n',
      ' 3,"",2026-01-02\n',
      '4,é,',
      ',x,2026-01-01',
      '1,x',
      '1,x,2026-01-01,more',
      'one,x,2026-01-01',
      '1,x,someday',
      '1,"x,2026-01-01',
      '1,x,2026-01-01\n2,x,2026-01-01',
      '',
      null,
      Buffer.from([0x31, 0x2c, 0xff, 0x2c]),
      '1,\0,',
      '\ufeff1,x,',
    ]),
    [
      ['1', 'x', '10', '2026-01-01'],
      ['2', 'a "quoted", one\nof two lines', '11', null],
      ['3', '', '12', '2026-01-02'],
      ['4', 'é', '13', null],
      '23502 null value in column "a" violates not-null constraint (a)',
      '22P04 missing data for column "d" (d)',
      '22P04 extra data after last expected column (null)',
      '22P02 invalid input syntax for type integer: "one" (a)',
      '22007 invalid input syntax for type date: "someday" (d)',
      '22P04 unterminated CSV quoted field (null)',
      '22P04 the message has more than one record (null)',
      '23502 null value in column "a" violates not-null constraint (a)',
      '22004 the record has no value (null)',
      '22021 invalid byte sequence for encoding "UTF8" (null)',
      '22021 invalid byte sequence for encoding "UTF8": 0x00 (null)',
      '22P02 invalid input syntax for type integer: "\ufeff1" (a)',
    ],
  );
});

test('csv: any end of a line that COPY knows', () => {
  const read1 = (end: string) => read(CSV, { format: 'csv' }, [`1,x,2026-01-01${end}`]);
  for (const end of ['\n', '\r\n', '\r']) assert.deepEqual(read1(end), [['1', 'x', '10', '2026-01-01']]);
  assert.match(String(read1('\r\r')), /more than one record/);
});

test("csv: COPY's options", () => {
  const options = { format: 'csv', delimiter: '|', null: 'NULL', quote: "'", escape: '\\' };
  assert.deepEqual(read(CSV, options, ["1|'it\\'s |'|NULL", "2|'NULL'|NULL", '3|"|NULL']), [
    ['1', "it's |", '10', null],
    ['2', 'NULL', '11', null],
    ['3', '"', '12', null],
  ]);
  const refused = (given: Record<string, string>, message: RegExp) =>
    assert.throws(() => csvOptions(given), { sqlstate: '22023', message });
  refused({ delimiter: '' }, /invalid value for option "delimiter": ""/);
  refused({ delimiter: '||' }, /"delimiter"/);
  refused({ delimiter: '\n' }, /"delimiter"/);
  refused({ delimiter: 'é' }, /"delimiter"/);
  refused({ delimiter: '"' }, /"delimiter"/);
  refused({ quote: 'ab' }, /"quote"/);
  refused({ escape: '' }, /"escape"/);
  refused({ null: 'a,b' }, /"null"/);
  refused({ null: '"' }, /"null"/);
  assert.throws(() => formatName({ quote: "'" }), {
    sqlstate: '22023',
    message: `option "quote" is for format = 'csv'`,
  });
  assert.throws(() => formatName({ format: 'xml' }), {
    sqlstate: '22023',
    fields: { hint: 'Known formats: json, avro, protobuf, debezium_json, cloudevents, csv, raw.' },
  } as never);
});

test('raw: the message is the value', () => {
  const raw = (type: ColType, values: (string | Buffer | null)[], notNull = false) =>
    read([OFFSET, columnOf('m', type, notNull)], { format: 'raw' }, values);
  assert.deepEqual(raw(colType(OID.text), ['a\nb', '', null, Buffer.from([0xff]), 'x\0']), [
    ['10', 'a\nb'],
    ['11', ''],
    ['12', null],
    '22021 invalid byte sequence for encoding "UTF8" (m)',
    '22021 invalid byte sequence for encoding "UTF8": 0x00 (m)',
  ]);
  assert.deepEqual(raw(colType(OID.bytea), [Buffer.from([0, 255]), '']), [
    ['10', '\\x00ff'],
    ['11', '\\x'],
  ]);
  assert.deepEqual(raw(colType(OID.jsonb), ['{"b":1, "a":2}', '{']), [
    ['10', '{"a": 2, "b": 1}'],
    '22P02 invalid input syntax for type json: The input string ended unexpectedly. (m)',
  ]);
  assert.deepEqual(raw(colType(OID.int4), ['12', '1.5', null], true), [
    ['10', '12'],
    '22P02 invalid input syntax for type integer: "1.5" (m)',
    '23502 null value in column "m" violates not-null constraint (m)',
  ]);
});
