/** Values of every type into bodies and back, and calls of many rows beside calls of one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../../operators/expr/functions/index.ts';
import type { Datum } from '../../operators/datum.ts';
import { SqlError } from '../../operators/errors.ts';
import { arrayTypeOf } from '../../operators/expr/array_types.ts';
import { defaultContext } from '../../operators/expr/context.ts';
import { type ExternalFunction, type ExternalRunner, runnerOf } from '../../operators/expr/external.ts';
import { inputText, outputText } from '../../operators/expr/io/index.ts';
import { type ColType, colType, OID } from '../../operators/types.ts';
import './functions.ts';

const CONTEXT = defaultContext();

function functionOf(source: string, types: number[], result: ColType): ExternalRunner {
  const f: ExternalFunction = {
    language: 'javascript',
    signature: 'f(a)',
    name: 'f',
    names: types.map((_, i) => 'abcdef'[i]),
    types: types.map((oid) => colType(oid)),
    result,
    strict: false,
    source,
  };
  return runnerOf(JSON.stringify(f));
}

/** The result for a value, both as text. */
function given(source: string, text: string | null, type: number, result = colType(type)): string | null {
  const value = text === null ? null : inputText(text, colType(type), CONTEXT);
  const got = functionOf(source, [type], result).value([value]);
  return got === null ? null : outputText(got, result.oid, CONTEXT);
}

function failure(work: () => unknown): string {
  try {
    return `gave ${work()}`;
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    return `${error.sqlstate} ${error.message}`;
  }
}

const VALUES: Record<number, string[]> = {
  [OID.bool]: ['t', 'f'],
  [OID.int2]: ['0', '-32768', '32767'],
  [OID.int4]: ['0', '-2147483648', '2147483647'],
  [OID.int8]: ['0', '-9223372036854775808', '9223372036854775807', '9007199254740993'],
  [OID.float4]: ['0', '-0', '1.5', '3.4028235e+38', '1e-45', 'NaN', 'Infinity', '-Infinity'],
  [OID.float8]: [
    '0',
    '-0',
    '0.1',
    '1.7976931348623157e+308',
    '5e-324',
    'NaN',
    'Infinity',
    '-Infinity',
    '9007199254740993',
  ],
  [OID.numeric]: [
    '0',
    '1.50',
    '-0.000',
    '123456789012345678901234567890.123456789',
    '1e-20',
    'NaN',
    'Infinity',
    '-Infinity',
  ],
  [OID.text]: ['', 'x', '"\\\n\t', 'é\u{1F600}\u2028', '\u0001', "'", '{a}', 'null'],
  [OID.varchar]: ['', 'x y'],
  [OID.bpchar]: ['ab  '],
  [OID.bytea]: ['\\x', '\\x00', '\\x00ff7f80', `\\x${'5c'.repeat(5000)}`],
  [OID.date]: [
    '2000-01-01',
    '1999-12-31',
    '0001-01-01',
    '0001-12-31 BC',
    '4713-01-01 BC',
    '9999-12-31',
    '10000-01-01',
    '5874897-12-31',
    'infinity',
    '-infinity',
  ],
  [OID.time]: ['00:00:00', '23:59:59.999999', '24:00:00'],
  [OID.timetz]: ['12:34:56.789+05:30'],
  [OID.timestamp]: [
    '2024-02-29 12:34:56',
    '2024-02-29 12:34:56.123456',
    '1999-12-31 23:59:59.999999',
    '0044-03-15 12:00:00 BC',
    '0001-01-01 00:00:00 BC',
    '0002-01-01 00:00:00 BC',
    '294276-12-31 23:59:59.999999',
    '4713-01-01 00:00:00 BC',
    'infinity',
    '-infinity',
  ],
  [OID.timestamptz]: [
    '2024-02-29 12:34:56.000001+00',
    '10000-01-01 00:00:00+00',
    '0044-03-15 12:00:00+00 BC',
    'infinity',
    '-infinity',
  ],
  [OID.interval]: ['1 year 2 mons -3 days +04:05:06.789', '00:00:00', '-178000000 years'],
  [OID.uuid]: ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
  [OID.json]: ['null', '1', '"x"', '[1,2,{"a":null}]', '{"b":{"c":[]}}'],
  [OID.jsonb]: ['null', '-1.5', '""', '[]', '{"a": [true, "\\u00e9"]}'],
  [OID.inet]: ['192.168.0.1/24', '::1'],
  [OID.macaddr]: ['08:00:2b:01:02:03'],
  [OID.varbit]: ['', '1010'],
};

test('every value comes back as it went in', () => {
  for (const [oid, texts] of Object.entries(VALUES)) {
    const type = Number(oid);
    for (const text of [...texts, null]) {
      const expected = text === null ? null : outputText(inputText(text, colType(type), CONTEXT), type, CONTEXT);
      // A JSON null is null, and so is its result.
      assert.equal(
        given('return a', text, type),
        (type === OID.json || type === OID.jsonb) && text === 'null' ? null : expected,
        `${type} ${text}`,
      );
    }
    const isJson = type === OID.json || type === OID.jsonb;
    const items = texts
      .filter((text) => !(isJson && text === 'null'))
      .map((text) => `"${text.replaceAll(/["\\]/g, '\\$&')}"`);
    const array = arrayTypeOf(type);
    for (const list of ['{}', `{${items},NULL}`, ...(isJson ? [] : [`{{${items}},{${items.toReversed()}}}`])]) {
      const expected = outputText(inputText(list, colType(array), CONTEXT), array, CONTEXT);
      assert.equal(given('return a', list, array), expected, `array of ${type}: ${list}`);
    }
  }
});

test('what bodies see', () => {
  const see = (text: string, type: number) =>
    given(
      'return (a === null ? "null" : typeof a === "object" ? a.constructor.name : typeof a) + " " + String(a)',
      text,
      type,
      colType(OID.text),
    );
  assert.equal(see('7', OID.int4), 'number 7');
  assert.equal(see('9007199254740993', OID.int8), 'bigint 9007199254740993');
  assert.equal(see('1.50', OID.numeric), 'string 1.50');
  assert.equal(see('t', OID.bool), 'boolean true');
  assert.equal(see('\\x0102', OID.bytea), 'Uint8Array 1,2');
  assert.equal(see('2024-02-29 12:34:56.123456', OID.timestamp), 'string 2024-02-29T12:34:56.123456');
  assert.equal(see('2024-02-29 12:34:56+02', OID.timestamptz), 'string 2024-02-29T10:34:56Z');
  assert.equal(see('0044-03-15 BC', OID.date), 'string -000043-03-15');
  assert.equal(see('10000-01-01', OID.date), 'string +010000-01-01');
  assert.equal(see('[1,2]', OID.jsonb), 'Array 1,2');
  assert.equal(see('{{1,2},{3,NULL}}', arrayTypeOf(OID.int4)), 'Array 1,2,3,');
  const time = (text: string, type: number) => given('return new Date(a)', text, type);
  assert.equal(time('2024-02-29 12:34:56.123456', OID.timestamp), '2024-02-29 12:34:56.123');
  assert.equal(time('10000-01-01 00:00:00+00', OID.timestamptz), '10000-01-01 00:00:00+00');
  assert.equal(time('0044-03-15 BC', OID.date), '0044-03-15 BC');
});

test('results are read as the type reads text, and what it does not read is an error', () => {
  const as = (source: string, oid: number, typmod = -1) =>
    failure(() => given(source, '1', OID.int4, colType(oid, typmod)));
  assert.equal(as('return 1n', OID.int4), 'gave 1');
  assert.equal(as('return " 7 "', OID.int4), 'gave 7');
  assert.equal(as('return 7', OID.int8), 'gave 7');
  assert.equal(as('return 0.1 + 0.2', OID.numeric), 'gave 0.30000000000000004');
  assert.equal(as('return 1e21', OID.numeric), 'gave 1000000000000000000000');
  assert.equal(as('return 12.345', OID.numeric, ((5 << 16) | 1) + 4), 'gave 12.3');
  assert.equal(as('return 5', OID.text), 'gave 5');
  assert.equal(as('return true', OID.text), 'gave true');
  assert.equal(as('return new Date(0)', OID.text), 'gave 1970-01-01T00:00:00.000Z');
  assert.equal(as('return new Date(0)', OID.date), 'gave 1970-01-01');
  assert.equal(as('return new Uint8Array([1, 255]).subarray(1)', OID.bytea), 'gave \\xff');
  assert.equal(as('return new Uint16Array([258]).buffer', OID.bytea), 'gave \\x0201');
  assert.equal(
    as('return { a: new Date(0), b: undefined, c: [undefined] }', OID.jsonb),
    'gave {"a": "1970-01-01T00:00:00.000Z", "c": [null]}',
  );
  assert.equal(as('return "{1,2}"', arrayTypeOf(OID.int4)), 'gave {1,2}');
  assert.equal(as('return [[], []]', arrayTypeOf(OID.int4)), 'gave {}');
  for (const nothing of ['', 'return', 'return null', 'return undefined'])
    assert.equal(as(nothing, OID.int4), 'gave null');

  const wrong = 'result of function f(a): ';
  assert.equal(as('return 1.5', OID.int4), `22P02 ${wrong}invalid input syntax for type integer: "1.5"`);
  assert.equal(as('return NaN', OID.int4), `22P02 ${wrong}invalid input syntax for type integer: "NaN"`);
  assert.equal(as('return 2 ** 31', OID.int4), `22003 ${wrong}value "2147483648" is out of range for type integer`);
  assert.equal(as('return true', OID.int4), `22P02 ${wrong}invalid input syntax for type integer: "true"`);
  assert.equal(as('return "x"', OID.numeric), `22P02 ${wrong}invalid input syntax for type numeric: "x"`);
  assert.equal(as('return 1e39', OID.float4), `22003 ${wrong}"1e+39" is out of range for type real`);
  assert.equal(as('return "now"', OID.timestamp).slice(0, 5), '0A000');
  assert.equal(as('return new Date(NaN)', OID.timestamp), '42804 function f(a) returned an invalid Date');
  assert.equal(as('return {}', OID.text), '42804 function f(a) returned an object');
  assert.equal(as('return [1]', OID.int4), '42804 function f(a) returned an array');
  assert.equal(as('return Symbol()', OID.text), '42804 function f(a) returned a symbol');
  assert.equal(as('return () => 1', OID.jsonb), '42804 function f(a) returned a function');
  assert.equal(as('return Promise.resolve(1)', OID.int4), '42804 function f(a) returned an object');
  assert.equal(as('return 1n', OID.jsonb).slice(0, 5), '38000');
  assert.equal(as('return [[1], [2, 3]]', arrayTypeOf(OID.int4)).slice(0, 5), '2202E');
  assert.equal(as('return [[1], 2]', arrayTypeOf(OID.int4)).slice(0, 5), '2202E');
  assert.equal(as('return [[1], []]', arrayTypeOf(OID.int4)).slice(0, 5), '2202E');
  assert.equal(as('return [1.5]', arrayTypeOf(OID.int4)).slice(0, 5), '22P02');
  assert.equal(as('return [[[[[[[1]]]]]]]', arrayTypeOf(OID.int4)).slice(0, 5), '54000');
  assert.equal(as('const l = []; l.push(l); return l', arrayTypeOf(OID.int4)).slice(0, 5), '38000');
  assert.equal(as('return "\\0"', OID.text), `22021 ${wrong}invalid byte sequence for encoding "UTF8": 0x00`);
  assert.equal(as('return "\\ud800"', OID.text).slice(0, 5), '22021');
  assert.equal(as('throw new Error("no")', OID.int4), '38000 function f(a) failed at line 1: Error: no');
  assert.equal(as('for (;;);', OID.int4), '54000 function f(a) took more than 50000000 steps');
});

/** All results, or what was thrown, of calls that come together. */
function together(runner: ExternalRunner, rows: Datum[][]): string[] {
  return runner.during(rows[Symbol.iterator](), () => rows.map((row) => failure(() => runner.value(row))));
}

test('calls together give what each gives alone, also those that take much', () => {
  const sources = [
    'return a + 1',
    'if (a % 3 === 0) throw new Error(a); return a',
    'let n = 0; for (let i = 0; i < a * 40000; i++) n += i % 3; return n % 1000',
    'if (a === 7) for (;;); return a',
    'return new Array(a * 100000).fill(1).length',
    'const l = []; try { for (let i = 0; i < a * 100; i++) l.push(new Array(1000).fill(i)) } catch (e) { return -l.length } return l.length',
  ];
  for (const [i, source] of sources.entries()) {
    const rows = Array.from({ length: 12 }, (_, n) => [n]);
    // Other texts, so that nothing is known of one when the other runs.
    const all = functionOf(source, [OID.int4], colType(OID.int8));
    const each = functionOf(`${source}\n`, [OID.int4], colType(OID.int8));
    const backwards = functionOf(`${source}\n\n`, [OID.int4], colType(OID.int8));
    const expected = rows.map((row) => failure(() => each.value(row)));
    assert.deepEqual(together(all, rows), expected, `source ${i}`);
    assert.deepEqual(together(backwards, rows.toReversed()).toReversed(), expected, `source ${i}`);
  }
});

test('a call that catches that memory is short does not see those that come with it', () => {
  const rows = Array.from({ length: 4 }, (_, n) => [JSON.stringify([n, ...Array(1000).fill({})])]);
  const search = `let [least, most] = [0, 48 << 20];
    while (least < most) { const n = (least + most + 1) >> 1; try { new ArrayBuffer(n); least = n } catch { most = n - 1 } }
    return least`;
  const most = Number(functionOf(search, [OID.json], colType(OID.int8)).value(rows[0]));
  const bytes = most - 5000;
  const source = `try { return new ArrayBuffer(${bytes}).byteLength } catch { return -1 }`;
  const all = functionOf(source, [OID.json], colType(OID.int8));
  assert.deepEqual(
    together(all, rows),
    rows.map(() => `gave ${bytes}`),
  );
});

test('arguments ahead that are not those of the calls change nothing', () => {
  const runner = functionOf('return a * 2', [OID.int4], colType(OID.int4));
  const others = Array.from({ length: 5000 }, (_, n) => [n]);
  const got = runner.during(others[Symbol.iterator](), () => [1, 4999, 7000, 2, 3000].map((n) => runner.value([n])));
  assert.deepEqual(got, [2, 9998, 14000, 4, 6000]);
  assert.equal(runner.value([5]), 10);
});
