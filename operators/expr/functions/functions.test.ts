/** A sample of every family with PostgreSQL's answers written down; the breadth is in the slow tests, against PostgreSQL itself. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Datum } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import { Random, testSeed, times } from '../../testing/property.ts';
import { colType, OID } from '../../types.ts';
import { compareDatum } from '../compare.ts';
import { defaultContext } from '../context.ts';
import { inputText, outputText } from '../io/index.ts';
import { registeredFunctions, resolveCall, resolveSet } from './index.ts';

const ctx = defaultContext();

const TYPES: Record<string, number> = {
  ...OID,
  anyelement: OID.int4,
  anynonarray: OID.int4,
  any: OID.unknown,
};

/** Calls a function with text arguments and shows the result as text. */
function run(fn: string, result: number, ...args: string[]): string | null {
  const declared = fn.slice(fn.indexOf('(') + 1, -1).split(',');
  const types = args.map((_, i) => colType(TYPES[declared[Math.min(i, declared.length - 1)]]));
  const values = args.map((a, i) => inputText(a, types[i], ctx));
  const d = resolveCall(fn, { argTypes: types, resultType: colType(result), variadic: false })(values, ctx);
  return d === null ? null : outputText(d, result, ctx);
}

const CASES: [fn: string, result: keyof typeof OID, args: string[], expected: string][] = [
  ['int4div(int4,int4)', 'int4', ['-7', '2'], '-3'],
  ['int4mod(int4,int4)', 'int4', ['-7', '2'], '-1'],
  ['int8mul(int8,int8)', 'int8', ['3037000499', '3037000499'], '9223372030926249001'],
  ['int4(float8)', 'int4', ['2.5'], '2'],
  ['int4(numeric)', 'int4', ['2.5'], '3'],
  ['float8div(float8,float8)', 'float8', ['1', '3'], '0.3333333333333333'],
  ['float4(float8)', 'float4', ['0.1'], '0.1'],
  ['float8(float4)', 'float8', ['0.1'], '0.10000000149011612'],
  ['numeric_div(numeric,numeric)', 'numeric', ['10', '4'], '2.5000000000000000'],
  ['numeric(float8)', 'numeric', ['0.1'], '0.1'],
  ['btint8cmp(int8,int8)', 'int4', ['5', '7'], '-1'],
  ['initcap(text)', 'text', ["hello wORLD o'neil"], "Hello World O'Neil"],
  ['lpad(text,int4,text)', 'text', ['hi', '5', 'xy'], 'xyxhi'],
  ['split_part(text,text,int4)', 'text', ['a,b,c', ',', '-1'], 'c'],
  ['translate(text,text,text)', 'text', ['12345', '143', 'ax'], 'a2x5'],
  ['length(text)', 'int4', ['😀é'], '2'],
  ['length(bpchar)', 'int4', ['ab   '], '2'],
  ['format(text,any)', 'text', ['%s %I %L', 'a', 'b c', "d'e"], `a "b c" 'd''e'`],
  ['concat(any)', 'text', ['a', 'b'], 'ab'],
  ['quote_ident(text)', 'text', ['select'], '"select"'],
  ['encode(bytea,text)', 'text', ['\\x0102', 'base64'], 'AQI='],
  ['md5(text)', 'text', ['abc'], '900150983cd24fb0d6963f7d28e17f72'],
  ['textlike(text,text)', 'bool', ['foobar', 'f%b_r'], 't'],
  ['texticlike(text,text)', 'bool', ['FooBar', 'f%B_R'], 't'],
  ['substring(text,text)', 'text', ['foobar', 'o(.)b'], 'o'],
  ['regexp_replace(text,text,text,text)', 'text', ['foobarbaz', 'b(..)', 'X\\1Y', 'g'], 'fooXarYXazY'],
  ['to_hex(int4)', 'text', ['-1'], 'ffffffff'],
  ['sind(float8)', 'float8', ['30'], '0.5'],
  ['width_bucket(numeric,numeric,numeric,int4)', 'int4', ['5.35', '0.024', '10.06', '5'], '3'],
];

test('a sample of every family', () => {
  for (const [fn, result, args, expected] of CASES) {
    assert.equal(run(fn, OID[result], ...args), expected, `${fn} ${args}`);
  }
});

test('errors carry SQLSTATE and message', () => {
  const failing: [string, string[], string, string][] = [
    ['int4pl(int4,int4)', ['2147483647', '1'], '22003', 'integer out of range'],
    ['int2div(int2,int2)', ['1', '0'], '22012', 'division by zero'],
    ['int8um(int8)', ['-9223372036854775808'], '22003', 'bigint out of range'],
    ['float8mul(float8,float8)', ['1e300', '1e300'], '22003', 'value out of range: overflow'],
    ['power(float8,float8)', ['0', '-1'], '2201F', 'zero raised to a negative power is undefined'],
    ['ln(numeric)', ['0'], '2201E', 'cannot take logarithm of zero'],
    ['substr(text,int4,int4)', ['abc', '1', '-1'], '22011', 'negative substring length not allowed'],
    ['chr(int4)', ['0'], '54000', 'null character not permitted'],
    ['textlike(text,text)', ['a\\', 'a\\'], '22025', 'LIKE pattern must not end with escape character'],
  ];
  for (const [fn, args, sqlstate, message] of failing) {
    assert.throws(
      () => run(fn, OID.int4, ...args),
      (e: unknown) => e instanceof SqlError && e.sqlstate === sqlstate && e.message === message,
      fn,
    );
  }
});

test('set-returning functions', () => {
  const rows = (fn: string, args: Datum[]) =>
    [
      ...resolveSet(fn, {
        argTypes: args.map(() => colType(OID.int4)),
        resultType: colType(OID.int4),
        variadic: false,
      })(args, ctx),
    ].map(([v]) => v);
  assert.deepEqual(rows('generate_series(int4,int4,int4)', [5, 1, -2]), [5, 3, 1]);
  assert.deepEqual(rows('string_to_table(text,text)', ['a,b', ',']), ['a', 'b']);
});

test('a series says how many rows it has', () => {
  const random = new Random(testSeed());
  const info = { argTypes: [], resultType: colType(OID.int4), variadic: false };
  for (let round = 0; round < times(200); round++) {
    const args = [random.below(30) - 15, random.below(30) - 15, random.pick([-7, -3, -1, 1, 2, 5])];
    const small = resolveSet('generate_series(int4,int4,int4)', info)(args, ctx);
    const big = resolveSet('generate_series(int8,int8,int8)', info)(args.map(BigInt), ctx);
    assert.equal([...small].length, small.rows, `${args}`);
    assert.equal([...big].length, big.rows, `${args}`);
  }
  const endless = resolveSet('generate_series(int8,int8)', info)([-(2n ** 63n), 2n ** 63n - 1n], ctx);
  assert.equal(endless.rows, 2 ** 64);
});

test('orders', () => {
  assert.ok(compareDatum('\ue000', '😀', OID.text) < 0);
  assert.equal(compareDatum('a ', 'a', OID.bpchar), 0);
  assert.ok(compareDatum(Number.NaN, Number.POSITIVE_INFINITY, OID.float8) > 0);
  assert.equal(compareDatum(0, -0, OID.float8), 0);
  assert.ok(compareDatum(Uint8Array.of(1), Uint8Array.of(0, 255), OID.bytea) > 0);
});

test('names are regprocedure text', () => {
  for (const fn of registeredFunctions()) assert.match(fn, /^[a-z_][a-z0-9_]*\((\w+(,\w+)*)?\)$/);
});
