/** Protobuf messages become rows: those of Google's own library, random ones of protobufjs, and whatever else may come. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import '../../../operators/expr/functions/index.ts';
import type { Datum } from '../../../operators/datum.ts';
import { defaultContext } from '../../../operators/expr/context.ts';
import { outputText } from '../../../operators/expr/io/index.ts';
import { type ColType, colType, OID } from '../../../operators/types.ts';
import { columnOf } from '../testing/framed_batch.ts';
import { decoded } from './testing/decoded.ts';

interface Golden {
  schemas: Record<string, string>;
  messages: { name: string; schema: string; message: string; hex: string; json: unknown }[];
}

const golden = JSON.parse(readFileSync(new URL('./testing/golden.json', import.meta.url), 'utf8')) as Golden;
const messageOf = (name: string): Buffer => {
  const found = golden.messages.find((one) => one.name === name);
  assert.ok(found);
  return Buffer.from(found.hex, 'hex');
};

const ctx = defaultContext();

/** Of each message its columns as text, or what is wrong with it. */
function rows(schema: string, message: string, columns: [string, ColType][], messages: Buffer[]): unknown[] {
  const named = columns.map(([name, type]) => columnOf(name, type));
  const textOf = (value: Datum, i: number) => (value === null ? null : outputText(value, named[i].type.oid, ctx));
  return decoded(named, { schema, message }, messages).map((row) =>
    Array.isArray(row) ? row.map(textOf) : `${row.sqlstate} ${row.reason} (${row.column})`,
  );
}

const lengthOf = (bytes: Buffer): number[] => {
  const parts: number[] = [];
  let n = bytes.length;
  for (; n > 127; n >>>= 7) parts.push((n & 127) | 128);
  return [...parts, n];
};
/** As field 1 of another message. */
const wrapped = (bytes: Buffer) => Buffer.concat([Buffer.from([10, ...lengthOf(bytes)]), bytes]);

const jsonb = colType(OID.jsonb);
const text = colType(OID.text);

test('messages of Google’s library as JSON are what that library says', () => {
  for (const { name, schema, message, hex, json } of golden.messages) {
    const top = `${golden.schemas[schema]}\nmessage Top { ${schema === 'old2' ? 'optional' : ''} ${message} m = 1; }`;
    const within = `${message.split('.')[0]}.Top`;
    const [[read]] = rows(top, within, [['m', text]], [wrapped(Buffer.from(hex, 'hex'))]) as [[string]];
    assert.deepEqual(JSON.parse(read), json, name);
  }
});

test('messages of Google’s library as columns', () => {
  const columns: [string, ColType][] = [
    ['a_double', colType(OID.float8)],
    ['a_float', colType(OID.float4)],
    ['an_int32', colType(OID.int4)],
    ['a_sint32', colType(OID.int4)],
    ['a_uint32', colType(OID.int8)],
    ['a_fixed32', colType(OID.int8)],
    ['an_sfixed32', colType(OID.int4)],
    ['an_int64', colType(OID.int8)],
    ['a_sint64', colType(OID.int8)],
    ['a_uint64', colType(OID.numeric)],
    ['a_fixed64', colType(OID.numeric)],
    ['an_sfixed64', colType(OID.int8)],
    ['a_bool', colType(OID.bool)],
    ['a_string', text],
    ['some_bytes', colType(OID.bytea)],
    ['color', text],
    ['maybe', colType(OID.int4)],
    ['maybe_text', text],
    ['point', jsonb],
    ['ints', colType(OID._int4)],
    ['loose', colType(OID._int4)],
    ['words', colType(OID._text)],
    ['points', jsonb],
    ['colors', colType(OID._text)],
    ['counts', jsonb],
    ['left', text],
    ['right', colType(OID.int8)],
    ['both', jsonb],
    ['at', colType(OID.timestamptz)],
    ['took', colType(OID.interval)],
    ['wrapped', colType(OID.int8)],
    ['wrapped_text', text],
    ['wrapped_bool', colType(OID.bool)],
    ['struct', jsonb],
    ['value', jsonb],
    ['times', colType(OID._timestamptz)],
    ['wrapped_big', colType(OID.numeric)],
    ['not_there', colType(OID.int4)],
  ];
  assert.deepEqual(rows(golden.schemas.shop3, 'shop.All', columns, [messageOf('empty'), messageOf('full')]), [
    [
      ...['0', '0', '0', '0', '0', '0', '0', '0', '0', '0', '0', '0', 'f', '', '\\x', 'RED', null, null, null],
      ...[
        '{}',
        '{}',
        '{}',
        '[]',
        '{}',
        '{}',
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        '{}',
        null,
        null,
      ],
    ],
    [
      ...['1.5', '-0.25', '-2', '-3', '4294967295', '4000000000', '-7', '-9007199254740993', '-9223372036854775808'],
      ...['18446744073709551615', '9223372036854775808', '-12', 't', 'zoë "q"\n', '\\x00ff10', 'DARK_BLUE', '0', ''],
      '{"x": 1, "y": "1099511627776", "tags": ["a", ""]}',
      ...['{1,-1,300}', '{7,-8}', '{x,"y z"}'],
      '[{"x": 1, "y": "0", "tags": []}, {"x": 0, "y": "0", "tags": []}]',
      ...['{RED,GREEN,7,DARK_BLUE}', '{"a": 0, "b": 2}', null, null, '{"x": 0, "y": "-1", "tags": []}'],
      ...['2026-01-02 03:04:05.000006+00', '-00:00:01.5', '5', '', 'f'],
      ...['{"e": {}, "l": [1, null, {"x": true}], "n": 1, "s": "t"}', '"v"'],
      ...['{"1969-12-31 23:59:59.999+00","1970-01-01 00:00:00+00"}', '18446744073709551615', null],
    ],
  ]);
  const old: [string, ColType][] = [
    ['id', colType(OID.int4)],
    ['name', text],
    ['detail', jsonb],
    ['line', colType(OID._jsonb)],
    ['loose', colType(OID._int4)],
    ['packed', colType(OID._int8)],
    ['kind', colType(OID.int4)],
  ];
  assert.deepEqual(rows(golden.schemas.old2, 'old.Old', old, [messageOf('old bare'), messageOf('old full')]), [
    ['1', null, null, '{}', '{}', '{}', null],
    ['-1', 'n', '{"a": 5, "b": "bb"}', '{"{\\"n\\": \\"1\\"}","{\\"n\\": \\"-2\\"}"}', '{-1,64}', '{1,-64}', '1'],
  ]);
});
