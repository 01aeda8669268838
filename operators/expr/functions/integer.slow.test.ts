/** Integer and boolean functions against PostgreSQL: every operator over pairs of edge values, and random pairs. */
import { after, before, test } from 'node:test';
import { Random, testSeed } from '../../testing/property.ts';
import { type Call, Oracle, product, report } from '../testing/oracle.ts';

let oracle: Oracle;
before(async () => {
  oracle = await Oracle.start();
});
after(() => oracle.close());

const EDGES: Record<string, (string | null)[]> = {
  int2: [null, '0', '1', '-1', '7', '-13', '32767', '-32768', '-32767'],
  int4: [null, '0', '1', '-1', '31', '33', '46341', '-13', '2147483647', '-2147483648'],
  int8: [null, '0', '1', '-1', '63', '4294967296', '-13', '3037000500', '9223372036854775807', '-9223372036854775808'],
  bool: [null, 'true', 'false'],
  oid: ['0', '1', '4294967295'],
};

function crossed(fn: string): Call[] {
  const types = fn.slice(fn.indexOf('(') + 1, -1).split(',');
  return product(...types.map((t) => EDGES[t])).map((args) => [fn, ...args]);
}

const PAIRS = ['2', '4', '8'].flatMap((a) => ['2', '4', '8'].map((b) => [a, b]));

test('arithmetic and comparison of every pair of integer types', async () => {
  const calls: Call[] = [];
  for (const [a, b] of PAIRS) {
    const pair = a === b ? a : a + b;
    for (const op of ['pl', 'mi', 'mul', 'div', 'eq', 'ne', 'lt', 'le', 'gt', 'ge']) {
      calls.push(...crossed(`int${pair}${op}(int${a},int${b})`));
    }
    calls.push(...crossed(`btint${pair}cmp(int${a},int${b})`));
  }
  report(await oracle.differences(calls));
});

test('the other integer functions', async () => {
  const calls: Call[] = [];
  for (const t of ['int2', 'int4', 'int8']) {
    for (const op of ['mod', 'and', 'or', 'xor', 'larger', 'smaller']) calls.push(...crossed(`${t}${op}(${t},${t})`));
    for (const op of ['um', 'up', 'abs', 'not']) calls.push(...crossed(`${t}${op}(${t})`));
    for (const op of ['shl', 'shr']) calls.push(...crossed(`${t}${op}(${t},int4)`));
    calls.push(...crossed(`mod(${t},${t})`), ...crossed(`abs(${t})`), ...crossed(`numeric(${t})`));
    calls.push(...crossed(`float4(${t})`), ...crossed(`float8(${t})`), ...crossed(`bytea(${t})`));
  }
  for (const t of ['int4', 'int8']) {
    for (const op of ['gcd', 'lcm']) calls.push(...crossed(`${op}(${t},${t})`));
    for (const op of ['to_hex', 'to_oct', 'to_bin']) calls.push(...crossed(`${op}(${t})`));
  }
  for (const fn of ['int2(int4)', 'int2(int8)', 'int4(int2)', 'int4(int8)', 'int8(int2)', 'int8(int4)', 'int8(oid)']) {
    calls.push(...crossed(fn));
  }
  for (const fn of ['oid(int8)', 'bool(int4)', 'int4(bool)', 'text(bool)', 'btboolcmp(bool,bool)', 'oidlt(oid,oid)']) {
    calls.push(...crossed(fn));
  }
  for (const op of ['eq', 'ne', 'lt', 'le', 'gt', 'ge']) calls.push(...crossed(`bool${op}(bool,bool)`));
  report(await oracle.differences(calls));
});

test('series', async () => {
  const calls: Call[] = [
    ['generate_series(int4,int4)', '1', '5'],
    ['generate_series(int4,int4)', '5', '1'],
    ['generate_series(int4,int4,int4)', '5', '1', '-2'],
    ['generate_series(int4,int4,int4)', '1', '5', '0'],
    ['generate_series(int4,int4,int4)', '2147483640', '2147483647', '3'],
    ['generate_series(int8,int8,int8)', '9223372036854775800', '9223372036854775807', '5'],
    ['generate_series(int8,int8)', '1', null],
    ['generate_series(numeric,numeric,numeric)', '1', '2', '0.25'],
    ['generate_series(numeric,numeric)', '1.5', '4'],
    ['generate_series(numeric,numeric,numeric)', '1', '2', '0'],
    ['generate_series(numeric,numeric,numeric)', '1', 'NaN', '1'],
    ['generate_series(numeric,numeric,numeric)', 'Infinity', '2', '1'],
    ['generate_series(numeric,numeric,numeric)', '1', '2', '-Infinity'],
  ];
  report(await oracle.differences(calls));
});

test('random pairs', async () => {
  const r = new Random(testSeed('integer functions'));
  const limits: Record<string, [bigint, bigint]> = {
    int2: [-32768n, 65536n],
    int4: [-2147483648n, 4294967296n],
    int8: [-9223372036854775808n, 18446744073709551616n],
  };
  const value = (t: string): string => {
    const [lo, size] = limits[t];
    const raw = lo + ((BigInt(r.below(2 ** 32)) * 4294967296n + BigInt(r.below(2 ** 32))) % size);
    return (raw / 10n ** BigInt(r.below(12))).toString();
  };
  const calls: Call[] = [];
  for (let i = 0; i < 3000; i++) {
    const [a, b] = r.pick(PAIRS);
    const pair = a === b ? a : a + b;
    const op = r.pick(['pl', 'mi', 'mul', 'div', 'lt']);
    calls.push([`int${pair}${op}(int${a},int${b})`, value(`int${a}`), value(`int${b}`)]);
  }
  report(await oracle.differences(calls));
});
