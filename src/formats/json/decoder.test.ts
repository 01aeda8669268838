import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../../../operators/batch/arena.ts';
import { BatchBuilder, readRow, weightOf } from '../../../operators/batch/builder.ts';
import { BYTES, memory, PAGE_BYTES } from '../../../operators/batch/memory.ts';
import { pages } from '../../../operators/batch/pages.ts';
import type { Datum } from '../../../operators/datum.ts';
import { decimal, interval, pgArray } from '../../../operators/datum.ts';
import { defaultContext } from '../../../operators/expr/context.ts';
import { makeNumericTypmod } from '../../../operators/expr/decimal/typmod.ts';
import { Random, testSeed } from '../../../operators/testing/property.ts';
import '../../../operators/expr/functions/index.ts';
import type { Expr } from '../../../operators/expr/ir.ts';
import { type ColType, colType, OID } from '../../../operators/types.ts';
import { type RawBatch, ZEROS_BEHIND } from '../../sources/source.ts';
import { Defaults } from '../defaults.ts';
import type { BadRow, DecoderSpec, SourceColumn } from '../format.ts';
import { RowError, textOf } from '../row_error.ts';
import { columnOf, framedBatch, type TestMessage } from '../testing/framed_batch.ts';
import { jsonDecoder } from './index.ts';
import { readObject } from './slow_row.ts';

function rawOf(messages: TestMessage[]): RawBatch {
  const timed = messages.map((message) => ({ time: 946_684_800_000 + 5, ...message }));
  return framedBatch(timed, { partition: 3, from: 100 });
}

interface Decoded {
  rows: Datum[][];
  weights: number[];
  bad: BadRow[];
}

/** The end of the memory, but for its last page: addresses beyond 2^31, and what stands there is nobody's. */
const PLACE = memory.buffer.byteLength - PAGE_BYTES - (1 << 22);
assert.ok(pages.lend(PLACE, 64));

/** The batch with its bytes in the shared memory, between others. */
function inPlace(raw: RawBatch): RawBatch {
  const { length } = raw.bytes;
  const address = PLACE + 1 + (length % 16);
  BYTES.fill('"', address - 1, address);
  raw.bytes.copy(BYTES, address);
  BYTES.fill(0, address + length, address + length + ZEROS_BEHIND);
  BYTES.fill('"}', address + length + ZEROS_BEHIND, address + length + 2 * ZEROS_BEHIND);
  return { ...raw, bytes: Buffer.from(memory.buffer, address, length), address };
}

function decode(spec: DecoderSpec, records: TestMessage[], now = 0n): Decoded {
  const raw = rawOf(records);
  const copied = decodeBatch(spec, raw, now);
  assert.deepEqual(decodeBatch(spec, inPlace(raw), now), copied);
  return copied;
}

function decodeBatch(spec: DecoderSpec, raw: RawBatch, now: bigint): Decoded {
  const arena = new Arena();
  const out = new BatchBuilder(
    spec.needed.map((i) => spec.columns[i].type),
    arena,
    2,
  );
  const decoder = jsonDecoder(spec);
  const bad = decoder.decode(raw, 0, raw.n, out, now);
  const batch = out.build();
  const rows = Array.from({ length: batch.n }, (_, i) => readRow(batch, i));
  if (!decoder.anyNull) assert.ok(!rows.flat().includes(null));
  const weights = rows.map((_, i) => weightOf(batch, i));
  arena.release();
  return { rows, weights, bad };
}

function specOf(columns: SourceColumn[], needed = columns.map((_, i) => i)): DecoderSpec {
  return { columns, needed };
}

/** One column `a` of this type; what `{"a": json}` gives: a datum, or the error's SQLSTATE and message. */
function one(type: ColType, json: string): Datum | string {
  const { rows, bad } = decode(specOf([columnOf('a', type)]), [{ value: `{"a":${json}}` }]);
  return bad.length > 0 ? `${bad[0].sqlstate} ${bad[0].reason}` : rows[0][0];
}

test('values of every common type', () => {
  const int8 = colType(OID.int8);
  assert.equal(one(int8, '9223372036854775807'), 9223372036854775807n);
  assert.equal(one(int8, '-9223372036854775808'), -9223372036854775808n);
  assert.equal(one(int8, '9007199254740993'), 9007199254740993n);
  assert.equal(one(int8, '-4294967297'), -4294967297n);
  assert.equal(one(int8, '"17"'), 17n);
  assert.equal(one(int8, '9223372036854775808'), '22003 value "9223372036854775808" is out of range for type bigint');
  assert.equal(one(int8, '1.0'), '22P02 invalid input syntax for type bigint: "1.0"');
  assert.equal(String(one(int8, '01')).slice(0, 5), '22P02');
  assert.equal(one(colType(OID.int4), '2147483648'), '22003 value "2147483648" is out of range for type integer');
  assert.equal(one(colType(OID.int2), '-32768'), -32768);
  assert.equal(one(colType(OID.float8), '1.1'), 1.1);
  assert.equal(one(colType(OID.float8), '-0'), -0);
  assert.equal(
    one(colType(OID.float8), '123456789012345678901234567890e-10'),
    Number('123456789012345678901234567890e-10'),
  );
  assert.equal(one(colType(OID.float8), '"NaN"'), Number.NaN);
  assert.equal(one(colType(OID.float4), '0.1'), Math.fround(0.1));
  assert.equal(one(colType(OID.bool), 'true'), true);
  assert.equal(one(colType(OID.bool), '"off"'), false);
  assert.deepEqual(one(colType(OID.numeric), '1.50'), decimal(150n, 2));
  assert.deepEqual(
    one(colType(OID.numeric), '123456789012345678901234567890.5'),
    decimal(1234567890123456789012345678905n, 1),
  );
  const money = colType(OID.numeric, makeNumericTypmod(10, 2));
  assert.deepEqual(one(money, '7.5'), decimal(750n, 2));
  assert.deepEqual(one(money, '7.125'), decimal(713n, 2));
  assert.match(String(one(money, '123456789.1')), /^22003/);
  assert.equal(one(colType(OID.text), '"caf\\u00e9 \\ud83d\\ude00 \\"q\\" \\n / é"'), 'café 😀 "q" \n / é');
  assert.equal(one(colType(OID.text), '1.50e3'), '1.50e3');
  assert.equal(one(colType(OID.text), '{"x": [1,  2]}'), '{"x": [1,  2]}');
  assert.match(String(one(colType(OID.text), '"\\ud83d"')), /^22P02/);
  assert.match(String(one(colType(OID.text), '"\\u0000"')), /^22P05/);
  assert.match(String(one(colType(OID.varchar, 4 + 3), '"abcd"')), /^22001/);
  assert.equal(one(colType(OID.json), '{"b": 1, "a":[ ]}'), '{"b": 1, "a":[ ]}');
  assert.equal(one(colType(OID.jsonb), '{"b": 1.0, "a":[ ], "b":2}'), '{"a": [], "b": 2}');
  assert.deepEqual(one(colType(OID.bytea), '"\\\\x00ff"'), new Uint8Array([0, 255]));
  assert.equal(
    one(colType(OID.uuid), '"0123ABCD-0000-1111-2222-333344445555"'),
    '0123abcd-0000-1111-2222-333344445555',
  );
  assert.deepEqual(one(colType(OID._int4), '[1, null, "3"]'), pgArray(OID.int4, [1, null, 3]));
  assert.deepEqual(one(colType(OID._text), '[["a","b"],["c","d"]]'), {
    k: 'array',
    elem: OID.text,
    dims: [2, 2],
    lower: [1, 1],
    items: ['a', 'b', 'c', 'd'],
  });
  assert.match(String(one(colType(OID._int4), '[[1],[2,3]]')), /^22P02 malformed JSON array/);
  assert.match(String(one(colType(OID._int4), '{"a":1}')), /^22P02 expected JSON array/);
  assert.equal(one(colType(OID.int4), 'null'), null);
});

test('times as text and as milliseconds', () => {
  const micros = (iso: string) => BigInt(Date.parse(iso) - 946_684_800_000) * 1000n;
  for (const oid of [OID.timestamp, OID.timestamptz]) {
    const type = colType(oid);
    assert.equal(one(type, '"2026-02-28 23:59:59.999"'), micros('2026-02-28T23:59:59.999Z'));
    assert.equal(one(type, '"2026-02-28T23:59:59.123456Z"'), micros('2026-02-28T23:59:59.123Z') + 456n);
    assert.equal(one(type, '"1969-12-31 00:00"'), micros('1969-12-31T00:00:00Z'));
    assert.equal(one(type, '1767225600123'), micros('2026-01-01T00:00:00.123Z'));
    assert.equal(one(type, '-1.5'), micros('1970-01-01T00:00:00Z') - 1500n);
    assert.match(String(one(type, '"2026-02-29 00:00:00"')), /^22008/);
    assert.match(String(one(type, '1e20')), /^22008/);
    assert.equal(one(type, '"2024-02-29 24:00:00"'), micros('2024-03-01T00:00:00Z'));
  }
  assert.equal(one(colType(OID.timestamptz), '"2026-01-01T00:00:00+05:30"'), micros('2025-12-31T18:30:00Z'));
  assert.equal(one(colType(OID.timestamptz), '"2026-01-01 00:00:00-0330"'), micros('2026-01-01T03:30:00Z'));
  assert.equal(one(colType(OID.timestamp), '"2026-01-01T00:00:00+05:30"'), micros('2026-01-01T00:00:00Z'));
  assert.equal(one(colType(OID.date), '"2000-02-29"'), 59);
  assert.match(String(one(colType(OID.date), '"2001-02-29"')), /^22008/);
});

test('keys: missing, repeated, undeclared, reordered, escaped, of different case', () => {
  const columns = [
    columnOf('a', colType(OID.int4)),
    columnOf('b', colType(OID.text)),
    columnOf('größe', colType(OID.int4)),
  ];
  const { rows, bad } = decode(specOf(columns), [
    { value: '{"a":1,"b":"x","größe":5}' },
    { value: ' { "b" : "long text that does not fit the slot" , "a" : 2 } ' },
    { value: '{"a":1,"a":3,"other":{"a":[9,{"b":"}"}]},"b":null}' },
    { value: '{"A":1,"\\u0061":4,"gr\\u00f6\\u00dfe":6}' },
    { value: '{}' },
  ]);
  assert.deepEqual(bad, []);
  assert.deepEqual(rows, [
    [1, 'x', 5],
    [2, 'long text that does not fit the slot', null],
    [3, null, null],
    [4, null, 6],
    [null, null, null],
  ]);
});

test('a decoder says when a batch has no NULL', () => {
  const types = [OID.int4, OID.text, OID.int4].map((oid) => colType(oid));
  const columns = ['a', 'b', 'c'].map((name, i) => columnOf(name, types[i]));
  const needed = [2, 0];
  const decoder = jsonDecoder(specOf(columns, needed));
  const anyNull = (...values: string[]) => {
    const arena = new Arena();
    const out = new BatchBuilder(
      needed.map((c) => types[c]),
      arena,
      1,
    );
    const raw = rawOf(values.map((value) => ({ value })));
    decoder.decode(raw, 0, raw.n, out, 0n);
    arena.release();
    return decoder.anyNull;
  };
  const whole = '{"a":1,"b":"x","c":2}';
  assert.equal(anyNull(whole, whole), false);
  assert.equal(anyNull(whole, '{"a":1,"b":"x","c":null}'), true);
  assert.equal(anyNull(whole, '{"a":1,"b":"x"}', whole), true);
  assert.equal(anyNull(whole), false, 'each batch begins anew');
  assert.equal(anyNull('{"a":1,"c":2}', '{"b":null,"c":2,"a":1}'), false, 'of a column that nobody needs');
  assert.equal(anyNull('{"a":"1","c":2}'), false, 'of a value that is converted');
  assert.equal(anyNull('{"a":1,"\\u0063":null}'), true, 'of a name with escapes, which the exact reader knows');
  assert.equal(anyNull(), false);
  decoder.release();
});

test('a decoder tells the bounds of the time, or that it does not know them', () => {
  const columns = [
    columnOf('id', colType(OID.int4)),
    columnOf('at', colType(OID.timestamptz)),
    columnOf('n', colType(OID.int8)),
  ];
  const micros = (second: number) => BigInt(second) * 1_000_000n;
  const at = (second: number) => `{"id":1,"at":"2000-01-01T00:00:${String(second).padStart(2, '0')}Z","n":7}`;
  const bounds = (time: number | undefined, needed: number[], values: string[], tables: string[] = []) => {
    const decoder = jsonDecoder({ ...specOf(columns, needed), time });
    const arena = new Arena();
    const out = new BatchBuilder(
      needed.map((i) => columns[i].type),
      arena,
      1,
    );
    const read = (list: string[]) => {
      const raw = rawOf(list.map((value) => ({ value })));
      decoder.decode(raw, 0, raw.n, out, 0n);
    };
    // What was read before does not count.
    read(tables);
    read(values);
    const times = decoder.times?.();
    arena.release();
    decoder.release();
    return times;
  };
  const both = { least: micros(3), greatest: micros(41) };
  assert.deepEqual(bounds(1, [0, 1, 2], [at(7), at(41), at(3)], [at(1), at(59)]), both);
  assert.deepEqual(bounds(1, [1], [at(3), '{"at":null}', '{"id":5}', at(41)]), both, 'NULLs are left out');
  assert.deepEqual(
    bounds(
      1,
      [1],
      Array.from({ length: 1500 }, (_, i) => at(3 + (i % 39))),
    ),
    both,
    'over all pieces',
  );
  assert.equal(bounds(1, [1], ['{"at":null}', '{"id":5}'], [at(1)]), null, 'there is none');
  assert.equal(bounds(1, [1], [], [at(1)]), undefined, 'nothing was read');
  assert.equal(bounds(undefined, [1], [at(1)]), undefined, 'nobody asks');
  assert.equal(bounds(1, [0], [at(1)]), undefined, 'nobody needs the column');
  assert.equal(
    bounds(1, [1], [at(3), '{"id":"4","at":"2000-01-01T00:00:59Z"}']),
    undefined,
    'a value was converted outside of the kernel',
  );
  assert.equal(bounds(1, [1], [at(3), '{"at":"no time"}']), undefined, 'a message was bad');
});

test('names are exact: case counts, a dot is a letter, nothing looks into objects', () => {
  const int4 = colType(OID.int4);
  const columns = [columnOf('a', int4), columnOf('A', int4), columnOf('b.c', int4), columnOf('b', colType(OID.jsonb))];
  const { rows } = decode(specOf(columns), [
    { value: '{"A":1,"a":2}' },
    { value: '{"b":{"c":3},"b.c":4}' },
    { value: '{"b":{"c":[1,{"d":null}]}}' },
    { value: '{"\\u0061":5}' },
  ]);
  assert.deepEqual(rows, [
    [2, 1, null, null],
    [null, null, 4, '{"c": 3}'],
    [null, null, null, '{"c": [1, {"d": null}]}'],
    [5, null, null, null],
  ]);
});

test('a message is one JSON object in UTF-8 and nothing else; white space around it is', () => {
  const bad = (value: Uint8Array | string) => {
    const { rows, bad } = decode(specOf([columnOf('a', colType(OID.int4))]), [{ value }]);
    return rows.length > 0 ? 'good' : bad[0].sqlstate;
  };
  assert.equal(bad(' \t\r\n{"a":1} \n'), 'good');
  assert.equal(bad('\ufeff{"a":1}'), '22P02');
  assert.equal(bad('{"a":1}{"a":2}'), '22P02');
  assert.equal(bad('{"a":1,}'), '22P02');
  assert.equal(bad('{"a":1}//'), '22P02');
  assert.equal(bad("{'a':1}"), '22P02');
  assert.equal(bad('{"a":01}'), '22P02');
  assert.equal(bad('{"b":NaN}'), '22P02');
  assert.equal(bad(''), '22P02');
  assert.equal(bad('[{"a":1}]'), '22023');
  assert.equal(bad(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])), '22021');
});

test('huge values are exact, or an error where PostgreSQL has one', () => {
  const long = 'é'.repeat(1_000_000);
  assert.equal(one(colType(OID.text), `"${long}"`), long);
  assert.deepEqual(one(colType(OID.numeric), '9'.repeat(5000)), decimal(10n ** 5000n - 1n, 0));
  assert.deepEqual(one(colType(OID.numeric), '1e-3000'), decimal(1n, 3000));
  assert.match(String(one(colType(OID.numeric), '1e140000')), /^22003/);
  assert.match(String(one(colType(OID.float8), '1e400')), /^22003/);
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
  assert.equal(one(colType(OID.jsonb), nested(500)), nested(500));
  assert.match(String(one(colType(OID.jsonb), nested(100_000))), /^54001/);
  const int4 = colType(OID.int4);
  const deep = decode(specOf([columnOf('a', int4)]), [
    { value: `{"skipped":${nested(100_000)},"a":1}` },
    { value: `{"skipped":${nested(500)},"a":2}` },
  ]);
  assert.deepEqual([deep.rows, deep.bad.map((b) => b.sqlstate)], [[[2]], ['54001']]);
});

test('bad records are listed and the others stay', () => {
  const columns = [columnOf('a', colType(OID.int4), true), columnOf('b', colType(OID.text))];
  const deep = '['.repeat(10_000) + ']'.repeat(10_000);
  const { rows, bad } = decode(specOf(columns), [
    { value: '{"a":1}' },
    { value: '{"b":"no a"}' },
    { value: '{"a":null}' },
    { value: '{"a":1' },
    { value: '{"a":1}}' },
    { value: '[1]' },
    { value: '' },
    { value: null },
    { value: Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x31, 0x2c, 0x22, 0x62, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d]) },
    { value: `{"a":1,"b":${deep}}` },
    { value: '{"a":1,"undeclared":tru}' },
    { value: '{"a":1,"b":"tab\tinside"}' },
    { value: `{"a":2,"b":"${'y'.repeat(1_000_000)}"}` },
  ]);
  assert.deepEqual(
    rows.map((row) => row[0]),
    [1, 2],
  );
  assert.equal((rows[1][1] as string).length, 1_000_000);
  const said = bad.map(({ index, sqlstate, column }) => `${index} ${sqlstate} ${column}`);
  assert.deepEqual(said, [
    '1 23502 a',
    '2 23502 a',
    '3 22P02 null',
    '4 22P02 null',
    '5 22023 null',
    '6 22P02 null',
    '7 22004 null',
    '8 22021 null',
    '9 54001 null',
    '10 22P02 null',
    '11 22P02 null',
  ]);
  assert.equal(bad[0].reason, 'null value in column "a" violates not-null constraint');
});

test('columns that are not needed are checked all the same', () => {
  const columns = [columnOf('a', colType(OID.int4)), columnOf('b', colType(OID.int4))];
  const records = [{ value: '{"a":1,"b":2}' }, { value: '{"a":1,"b":"x"}' }, { value: '{"b":1}' }];
  for (const needed of [[0, 1], [0], [1], []]) {
    const { rows, bad } = decode(specOf(columns, needed), records);
    assert.equal(rows.length, 2);
    assert.deepEqual(
      bad.map((b) => b.index),
      [1],
    );
  }
});

const NOW: Expr = { k: 'call', fn: 'now()', args: [], t: colType(OID.timestamptz), strict: true };

function defaulted(column: SourceColumn, expr: Expr): SourceColumn {
  return { ...column, default: { expr, context: defaultContext(), clocked: expr === NOW } };
}

test('a missing field has its default, a null one is NULL', () => {
  const long = 'a text that is longer than a slot';
  const columns = [
    columnOf('id', colType(OID.int8)),
    defaulted(columnOf('t', colType(OID.text)), { k: 'const', v: long, t: colType(OID.text) }),
    defaulted(columnOf('n', colType(OID.numeric), true), { k: 'const', v: decimal(-150n, 2), t: colType(OID.numeric) }),
    defaulted(columnOf('at', colType(OID.timestamptz), true), NOW),
  ];
  const records = [
    { value: '{"id":1}' },
    { value: '{"id":2,"t":null,"n":7,"at":"2000-01-01T00:00:00.000001Z"}' },
    { value: '{"id":3,"t":"\\u0041"}' },
    { value: '{"id":4,"n":null}' },
    { value: '{"id":5,"at":null}' },
  ];
  const { rows, bad } = decode(specOf(columns), records, 77n);
  assert.deepEqual(rows, [
    [1n, long, decimal(-150n, 2), 77n],
    [2n, null, decimal(7n), 1n],
    [3n, 'A', decimal(-150n, 2), 77n],
  ]);
  assert.deepEqual(
    bad.map((b) => `${b.index} ${b.sqlstate} ${b.column}`),
    ['3 23502 n', '4 23502 at'],
  );
});

test('a default that fails fails the records that need it', () => {
  const int4 = colType(OID.int4);
  const constant = (v: number): Expr => ({ k: 'const', v, t: int4 });
  const zero: Expr = { k: 'call', fn: 'int4div(int4,int4)', args: [constant(1), constant(0)], t: int4, strict: true };
  const columns = [columnOf('id', int4), defaulted(columnOf('a', int4), zero)];
  const { rows, bad } = decode(specOf(columns, [0]), [{ value: '{"id":1}' }, { value: '{"id":2,"a":3}' }]);
  assert.deepEqual(rows, [[2]]);
  assert.deepEqual(bad, [{ index: 0, sqlstate: '22012', reason: 'division by zero', column: 'a' }]);
});

test('one decoder gives the default of each clock', () => {
  const arena = new Arena();
  const columns = [columnOf('id', colType(OID.int4)), defaulted(columnOf('at', colType(OID.timestamptz)), NOW)];
  const out = new BatchBuilder(
    columns.map((c) => c.type),
    arena,
    2,
  );
  const decoder = jsonDecoder(specOf(columns));
  const raw = rawOf([{ value: '{"id":1}' }, { value: '{"id":2}' }]);
  for (const [from, to, now] of [
    [0, 1, 10n],
    [1, 2, 20n],
    [0, 2, 10n],
  ] as const)
    assert.deepEqual(decoder.decode(raw, from, to, out, now), []);
  const batch = out.build();
  assert.deepEqual(
    Array.from({ length: batch.n }, (_, i) => readRow(batch, i)),
    [
      [1, 10n],
      [2, 20n],
      [1, 10n],
      [2, 10n],
    ],
  );
  arena.release();
});

test('record properties', () => {
  const columns: SourceColumn[] = [
    { name: 'k', type: colType(OID.text), notNull: false, origin: { k: 'key' } },
    { name: 'p', type: colType(OID.int4), notNull: false, origin: { k: 'partition' } },
    { name: 'o', type: colType(OID.int8), notNull: false, origin: { k: 'offset' } },
    { name: 't', type: colType(OID.timestamptz), notNull: false, origin: { k: 'timestamp' } },
    { name: 'h', type: colType(OID.jsonb), notNull: false, origin: { k: 'headers' } },
    { name: 'kb', type: colType(OID.bytea), notNull: false, origin: { k: 'key' } },
  ];
  const headers = [
    { key: 'z', value: Buffer.from('1') },
    { key: 'a', value: null },
    { key: 'b', value: Buffer.from([255]) },
  ];
  const { rows, bad } = decode(specOf(columns), [
    { key: 'key', value: '{}', headers },
    { key: null, value: '{}' },
    { key: Buffer.from([255]), value: '{}' },
    { key: 'k', value: '{}', headers: [{ key: 'a\0', value: null }] },
    { key: 'k', value: '{}', time: 2 ** 62 },
    { key: 'k', value: '{}', time: 9_224_318_016_000_000 },
    { key: 'k', value: '{}', time: 9_224_318_015_999_998 },
    { key: 'k', value: '{}', time: -1 },
  ]);
  assert.deepEqual(rows, [
    ['key', 3, 100n, 5000n, '{"a": null, "b": "\\\\xff", "z": "1"}', new Uint8Array(Buffer.from('key'))],
    [null, 3, 101n, 5000n, '{}', null],
    ['k', 3, 106n, 9_223_371_331_199_998_000n, '{}', new Uint8Array(Buffer.from('k'))],
    ['k', 3, 107n, null, '{}', new Uint8Array(Buffer.from('k'))],
  ]);
  assert.deepEqual(
    bad.map((b) => `${b.index} ${b.sqlstate} ${b.column}`),
    ['2 22021 k', '3 22P05 h', '4 22008 t', '5 22008 t'],
  );
});

test('envelope upsert: keys from the record key, tombstones', () => {
  const columns = [columnOf('id', colType(OID.int8), true), columnOf('name', colType(OID.text), true)];
  const spec: DecoderSpec = { columns, needed: [0, 1], upsertKey: [0] };
  const { rows, weights, bad } = decode(spec, [
    { key: '{"id":1}', value: '{"id":99,"name":"a"}' },
    { key: '2', value: '{"name":"b"}' },
    { key: '"3"', value: null },
    { key: null, value: '{"name":"c"}' },
    { key: '{"id":1}', value: null },
    { key: 'x', value: '{"name":"d"}' },
    { key: '{"id":4}', value: '{}' },
  ]);
  assert.deepEqual(rows, [
    [1n, 'a'],
    [2n, 'b'],
    [3n, null],
    [1n, null],
  ]);
  assert.deepEqual(weights, [1, 1, -1, -1]);
  assert.deepEqual(
    bad.map((b) => `${b.index} ${b.sqlstate} ${b.column}`),
    ['3 23502 id', '5 22P02 id', '6 23502 name'],
  );
  const text: DecoderSpec = { columns: [columnOf('k', colType(OID.text), true)], needed: [0], upsertKey: [0] };
  assert.deepEqual(
    decode(text, [
      { key: 'plain', value: '{}' },
      { key: '"quoted"', value: '{}' },
    ]).rows,
    [['plain'], ['quoted']],
  );
});

test('texts of every length, with something that is not plain at every place', () => {
  const columns = [columnOf('a', colType(OID.text)), columnOf('b', colType(OID.int4))];
  const odd = ['é', '\\"', '\\\\', '\\u00e9', '\t', '"', '\x7f', '!', ' ', '\x1f'];
  const messages: string[] = [];
  for (let length = 0; length < 170; length++) {
    messages.push(`{"a":"${'x'.repeat(length)}","b":1}`, `{"other":"${'x'.repeat(length)}","a":"y","b":1}`);
    for (const c of odd)
      for (const rest of [0, 1, 40])
        messages.push(
          `{"a":"${'x'.repeat(length)}${c}${'z'.repeat(rest)}","b":1}`,
          `{"other":"${'x'.repeat(length)}${c}","b":1}`,
        );
  }
  const { rows, bad } = decode(
    specOf(columns),
    messages.map((value) => ({ value })),
  );
  const parsed = messages.map((message) => {
    try {
      const { a = null, b } = JSON.parse(message);
      return [a, b];
    } catch {
      return null;
    }
  });
  assert.deepEqual(
    bad.map(({ index }) => index),
    parsed.flatMap((row, i) => (row === null ? [i] : [])),
  );
  assert.deepEqual(
    rows,
    parsed.filter((row) => row !== null),
  );
});

test('fast reading equals exact reading on random and damaged messages', () => {
  const seed = testSeed();
  const random = new Random(seed);
  const oids = [
    OID.bool,
    OID.int2,
    OID.int4,
    OID.int8,
    OID.float4,
    OID.float8,
    OID.numeric,
    OID.text,
    OID.json,
    OID.jsonb,
    OID.date,
    OID.timestamp,
    OID.timestamptz,
    OID._int4,
    OID.uuid,
    OID.interval,
  ];
  const columns = oids.map((oid, i) => columnOf(`c${i}`, colType(oid), i === 3));
  columns.push(columnOf('n', colType(OID.numeric, makeNumericTypmod(8, 3))));
  const constant = (v: Datum, t: ColType): Expr => ({ k: 'const', v, t });
  for (const [i, v] of [
    [1, -7],
    [3, 2n ** 40n],
    [6, decimal(10n ** 30n + 1n, 4)],
    [7, 'a default that is longer than a slot'],
    [13, pgArray(OID.int4, [1, null])],
    [15, interval(1, 2, 3n)],
  ] as const)
    columns[i] = defaulted(columns[i], constant(v, columns[i].type));
  columns[12] = defaulted(columns[12], NOW);
  const digits = (n: number) => Array.from({ length: 1 + random.below(n) }, () => random.below(10)).join('');
  const number = () =>
    `${random.pick(['', '-'])}${BigInt(digits(20))}${random.pick(['', '', `.${digits(8)}`])}${random.pick(['', '', '', 'e5', 'E-3'])}`;
  const pad = (n: number, width: number) => String(Math.floor(n)).padStart(width, '0');
  const time = () =>
    `"${pad(1700 + random.next() * 700, 4)}-${pad(random.next() * 14, 2)}-${pad(random.next() * 33, 2)}${random.pick([' ', 'T'])}${pad(random.next() * 25, 2)}:` +
    `${pad(random.next() * 61, 2)}:${pad(random.next() * 61, 2)}${random.pick(['', `.${digits(8)}`])}${random.pick(['', '', 'Z', '+02', '-03:30', '+0100', 'x'])}"`;
  const string = () =>
    `"${Array.from({ length: random.next() * 30 }, () => random.pick(['a', 'Z', ' ', 'é', '😀', '\\n', '\\"', '\\u0041', '\\ud83d\\ude00', '\\/', '7'])).join('')}"`;
  const value = (depth = 0): string => {
    const kind = random.next();
    if (kind < 0.35) return number();
    if (kind < 0.5) return time();
    if (kind < 0.7) return string();
    if (kind < 0.8) return random.pick(['true', 'false', 'null']);
    if (depth > 3) return '[]';
    const items = Array.from({ length: random.next() * 4 }, () => value(depth + 1));
    return random.chance(0.5)
      ? `[${items.join(random.pick([',', ' , ']))}]`
      : `{${items.map((v) => `"k${random.below(3)}":${v}`).join(',')}}`;
  };
  const likely = (i: number): string => {
    const { type } = columns[i];
    if (random.chance(0.03)) return value();
    switch (type.oid) {
      case OID.bool:
        return random.pick(['true', 'false']);
      case OID.int2:
      case OID.int4:
        return String(Math.floor((random.next() - 0.5) * 65535));
      case OID.int8:
        return `${BigInt(digits(19))}`;
      case OID.date:
        return time().slice(0, 11) + '"';
      case OID.timestamp:
      case OID.timestamptz:
        return random.chance(0.7) ? time().replace(/:[6-9]\d|-(0|3)0|-00/g, (m) => m) : String(random.below(2e12));
      case OID.float4:
      case OID.float8:
      case OID.numeric:
        return number().replace(/^-?0+(?=\d)/, '');
      case OID._int4:
        return '[1,2,3]';
      case OID.uuid:
        return '"0123abcd-0000-1111-2222-333344445555"';
      case OID.interval:
        return '"1 day"';
      case OID.text:
        return string();
      default:
        return value();
    }
  };
  const message = () => {
    const fields: string[] = [];
    columns.forEach((column, i) => {
      if (random.next() < (column.notNull ? 0.95 : 0.3))
        fields.push(`"${column.name}":${random.pick(['', '', ' '])}${likely(i)}`);
    });
    if (random.chance(0.1)) fields.reverse();
    if (random.chance(0.1)) fields.push(`"other":${value()}`);
    return `{${fields.join(random.pick([',', ',', ' ,\n']))}}`;
  };
  const damage = (bytes: Buffer) => {
    for (let i = 1 + random.below(3); i > 0; i--) {
      const at = random.below(bytes.length);
      if (random.chance(0.5)) bytes[at] = random.below(256);
      else bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + random.below(5))]);
    }
    return bytes;
  };
  const records: { value: Buffer }[] = [];
  for (let i = 0; i < 4000; i++) {
    const bytes = Buffer.from(message());
    records.push({ value: random.chance(0.25) && bytes.length > 2 ? damage(bytes) : bytes });
  }
  const { rows, bad } = decode(specOf(columns), records, 99n);
  const defaults = new Defaults(columns);
  defaults.setClock(99n);
  const fields = columns.map((_, i) => i);
  let row = 0;
  let failed = 0;
  records.forEach(({ value: bytes }, i) => {
    const where = `SEED=${seed} record ${i}: ${bytes.toString('latin1')}`;
    let expected: Datum[] | RowError;
    try {
      expected = readObject(textOf(bytes), columns, fields, defaults, defaultContext({ now: 5000n }));
    } catch (error) {
      if (!(error instanceof RowError)) throw error;
      expected = error;
    }
    if (expected instanceof RowError) {
      assert.deepEqual(
        bad[failed++],
        { index: i, reason: expected.message, sqlstate: expected.sqlstate, column: expected.column },
        where,
      );
    } else assert.deepEqual(rows[row++], expected, where);
  });
  assert.equal(rows.length + bad.length, records.length);
  assert.ok(rows.length > 300 && bad.length > 300, `${rows.length} good, ${bad.length} bad`);
});
