/** numeric functions against PostgreSQL: edge values crossed, and random values of many sizes and scales. */
import { after, before, test } from 'node:test';
import { Random, testSeed } from '../../testing/property.ts';
import { type Call, Oracle, product, report } from '../testing/oracle.ts';

let oracle: Oracle;
before(async () => {
  oracle = await Oracle.start();
});
after(() => oracle.close());

const EDGES = [
  null, '0', '0.00', '1', '-1', '1.00', '2', '-2.5', '0.5', '-0.5', '10', '1e20', '1e-20', '123456789.987654321', '9999',
  '10000', '0.0001', '99999999999999999999.9999', '-3', '7.25', 'NaN', 'Infinity', '-Infinity', '1.0000000001', '0.95',
]; // biome-ignore format: a table of values

const TWO = ['numeric_add', 'numeric_sub', 'numeric_mul', 'numeric_div', 'div', 'mod', 'gcd', 'lcm', 'numeric_cmp'];
const ORDER = ['numeric_eq', 'numeric_ne', 'numeric_lt', 'numeric_le', 'numeric_gt', 'numeric_ge'];
const ONE = [
  'numeric_uminus', 'abs', 'sign', 'ceil', 'floor', 'round', 'trunc', 'sqrt', 'exp', 'ln', 'log', 'scale', 'min_scale',
  'trim_scale', 'int2', 'int4', 'int8', 'float4', 'float8', 'numeric_inc',
]; // biome-ignore format: a list of names

test('two arguments', async () => {
  const calls: Call[] = [];
  for (const fn of [...TWO, ...ORDER, 'numeric_larger', 'numeric_smaller']) {
    for (const [a, b] of product(EDGES, EDGES)) calls.push([`${fn}(numeric,numeric)`, a, b]);
  }
  report(await oracle.differences(calls));
});

test('power and log', async () => {
  const bases = EDGES.filter((e) => e !== '1e20' && e !== '99999999999999999999.9999');
  const calls: Call[] = [];
  for (const [a, b] of product(bases, bases)) {
    calls.push(['power(numeric,numeric)', a, b], ['log(numeric,numeric)', a, b]);
  }
  for (const [a, b] of [
    ['1.000001', '1000000'],
    ['2', '1000'],
    ['0.1', '-30'],
    ['3', '-7.00'],
    ['1.5', '200.5'],
    ['0.9999999', '123456'],
    ['10', '131071'],
    ['10', '131072'],
    ['2', '-5000'],
    ['0', '0'],
    ['0.000', '3'],
    ['-2', '3'],
    ['-2', '0.5'],
    ['0', '-1'],
    ['1e300', '2.5'],
    ['5', '-1'],
    ['12.345', '-1'],
    ['1e-10', '-12.5'],
    ['99', '1'],
    ['2.0', '3000000000'],
  ]) {
    // biome-ignore format: pairs
    calls.push(['power(numeric,numeric)', a, b]);
  }
  report(await oracle.differences(calls));
});

test('one argument', async () => {
  const more = [
    '5.5',
    '6.5',
    '-5.5',
    '32767.5',
    '2147483647.4',
    '2147483647.5',
    '9223372036854775807.5',
    '1e400',
    '1e-400',
  ];
  const logs = ['0.9', '1.1', '1.05', '0.0000000000000000001', '1e1000', '12345678901234567890', '2.718281828459045'];
  const exps = ['5999', '6000', '-5999', '-6001', '0.00001', '-20.5', '100.123', '1e-30'];
  const calls: Call[] = [];
  for (const fn of ONE) for (const a of [...EDGES, ...more]) calls.push([`${fn}(numeric)`, a]);
  for (const a of logs) for (const fn of ['ln', 'log', 'sqrt']) calls.push([`${fn}(numeric)`, a]);
  for (const a of exps) calls.push(['exp(numeric)', a]);
  report(await oracle.differences(calls));
});

test('round, trunc, typmod, width_bucket, factorial, casts from floats', async () => {
  const values = [
    '0',
    '1.5',
    '-1.5',
    '2.5',
    '123456.789',
    '-99999.99999',
    '0.00005',
    '1e10',
    'NaN',
    'Infinity',
    '9.995',
  ];
  const calls: Call[] = [];
  for (const [v, n] of product(values, ['0', '1', '2', '5', '-1', '-3', '-6', '20', '2147483647', '-2147483648'])) {
    if (n === '2147483647') continue;
    calls.push(['round(numeric,int4)', v, n], ['trunc(numeric,int4)', v, n]);
  }
  const typmod = (p: number, s: number) => String(((p << 16) | (s & 0x7ff)) + 4);
  for (const [p, s] of [
    [5, 2],
    [3, 0],
    [3, 5],
    [2, -3],
    [10, 10],
    [38, 0],
    [1, 1],
    [2, 2],
  ]) {
    for (const v of values) calls.push(['numeric(numeric,int4)', v, typmod(p, s)]);
  }
  for (const [v, lo, hi, n] of product(
    ['5.35', '0.024', '10.06', '-1', '11', 'NaN', 'Infinity', '-Infinity', '3'],
    ['0.024', '10.06', '3', 'NaN'],
    ['10.06', '0.024', '3', 'Infinity'],
    ['5', '0', '2147483647', '-1'],
  )) {
    calls.push(['width_bucket(numeric,numeric,numeric,int4)', v, lo, hi, n]);
    calls.push(['width_bucket(float8,float8,float8,int4)', v, lo, hi, n]);
  }
  for (const n of ['-1', '0', '1', '5', '20', '100', '1000', '32178', null]) calls.push(['factorial(int8)', n]);
  for (const f of [
    '0.1',
    '1e20',
    '123456789.123456789',
    '1e-10',
    'NaN',
    'Infinity',
    '-Infinity',
    '100000000000000.5',
    '-0',
    '100000000000001.5',
    '3.4e38',
    '1.17549e-38',
    '2.5',
    '1234567',
  ]) {
    // biome-ignore format: values
    calls.push(['numeric(float8)', f], ['numeric(float4)', f]);
  }
  report(await oracle.differences(calls));
});

test('random values', async () => {
  const r = new Random(testSeed('numeric functions'));
  const digits = (n: number) => Array.from({ length: n }, () => r.below(10)).join('');
  const value = (): string => {
    const whole = digits(1 + r.below(r.pick([2, 6, 25])));
    const fraction = digits(r.below(r.pick([1, 4, 25])));
    const leading = r.below(4) === 0 ? '0'.repeat(r.below(12)) : '';
    return `${r.below(3) === 0 ? '-' : ''}${r.below(5) === 0 ? '0' : whole}.${leading}${fraction}`.replace(/\.$/, '');
  };
  const calls: Call[] = [];
  for (let i = 0; i < 6000; i++) calls.push([`${r.pick(TWO)}(numeric,numeric)`, value(), value()]);
  for (let i = 0; i < 3000; i++) calls.push([`${r.pick(ONE)}(numeric)`, value()]);
  for (let i = 0; i < 400; i++) {
    const small = () => `${r.below(4) === 0 ? '-' : ''}${r.below(30)}.${digits(r.below(6))}`;
    calls.push(['exp(numeric)', small()], ['power(numeric,numeric)', small(), small()], ['ln(numeric)', small()]);
    calls.push(
      ['log(numeric,numeric)', small(), small()],
      ['power(numeric,numeric)', small(), String(r.below(40) - 20)],
    );
  }
  report(await oracle.differences(calls));
});
