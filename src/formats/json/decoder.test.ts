/** What becomes of messages in JSON: values of each type, names, bounds, and what makes a message bad. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../../../operators/batch/arena.ts';
import { BatchBuilder } from '../../../operators/batch/builder.ts';
import type { Datum } from '../../../operators/datum.ts';
import { decimal, pgArray } from '../../../operators/datum.ts';
import { makeNumericTypmod } from '../../../operators/expr/decimal/typmod.ts';
import { type ColType, colType, OID } from '../../../operators/types.ts';
import { decode, rawOf, specOf } from '../testing/decoded_json.ts';
import { columnOf } from '../testing/framed_batch.ts';
import { jsonDecoder } from './index.ts';

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
