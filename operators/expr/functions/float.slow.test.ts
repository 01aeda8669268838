/**
 * Float functions against PostgreSQL. Arithmetic, comparison, casts and text must be equal to the last digit; functions of the
 * mathematical library (sin, exp, ...) may differ in the last two bits, as they do between two C libraries.
 */
import { after, before, test } from 'node:test';
import { Random, testSeed } from '../../testing/property.ts';
import { type Call, Oracle, product, report } from '../testing/oracle.ts';

let oracle: Oracle;
before(async () => {
  oracle = await Oracle.start();
});
after(() => oracle.close());

const F8 = [
  null, '0', '-0', '1', '-1', '0.5', '1.5', '2.5', '-2.5', '1e308', '-1e308', '5e-324', '1e-300', '3.5', '1e15', 'NaN',
  'Infinity', '-Infinity', '2147483647.5', '-32768.5', '9223372036854775807', '0.1', '32767.5', '1e-5',
]; // biome-ignore format: a table of values
const F4 = [
  null,
  '0',
  '-0',
  '1',
  '-1.5',
  '0.1',
  '3.4e38',
  '1e-45',
  '1e-38',
  'NaN',
  'Infinity',
  '-Infinity',
  '16777217',
  '2.5',
];
const VALUES: Record<string, (string | null)[]> = { float4: F4, float8: F8 };

test('arithmetic and comparison', async () => {
  const calls: Call[] = [];
  for (const [a, b] of product(['4', '8'], ['4', '8'])) {
    const pair = a === b ? a : a + b;
    for (const op of ['pl', 'mi', 'mul', 'div', 'eq', 'ne', 'lt', 'le', 'gt', 'ge']) {
      for (const args of product(VALUES[`float${a}`], VALUES[`float${b}`])) {
        calls.push([`float${pair}${op}(float${a},float${b})`, ...args]);
      }
    }
    for (const args of product(VALUES[`float${a}`], VALUES[`float${b}`])) {
      calls.push([`btfloat${pair}cmp(float${a},float${b})`, ...args]);
    }
  }
  report(await oracle.differences(calls));
});

test('casts and rounding', async () => {
  const calls: Call[] = [];
  for (const t of ['float4', 'float8']) {
    for (const fn of ['int2', 'int4', 'int8', 'numeric', t === 'float4' ? 'float8' : 'float4', 'abs', `${t}um`]) {
      for (const v of VALUES[t]) calls.push([`${fn}(${t})`, v]);
    }
  }
  for (const fn of ['ceil', 'floor', 'round', 'trunc', 'sign', 'sqrt', 'degrees', 'radians']) {
    for (const v of F8) calls.push([`${fn}(float8)`, v]);
  }
  for (const v of ['9007199254740993', '16777217', '33554431', '-9223372036854775807', '36028799166447617']) {
    calls.push(['float4(int8)', v], ['float8(int8)', v]);
  }
  report(await oracle.differences(calls));
});

const ANGLES = [
  '0',
  '30',
  '45',
  '60',
  '90',
  '120',
  '135',
  '150',
  '180',
  '270',
  '360',
  '-30',
  '-45',
  '-90',
  '405',
  '0.5',
];
const LIBRARY = [
  'exp', 'ln', 'log', 'cbrt', 'sin', 'cos', 'tan', 'cot', 'asin', 'acos', 'atan', 'sinh', 'cosh', 'tanh', 'asinh', 'acosh',
  'atanh', 'sind', 'cosd', 'tand', 'cotd', 'asind', 'acosd', 'atand',
]; // biome-ignore format: a list of names

/** Equal, or two numbers a few units in the last place apart. */
function nearly(theirs: string, ours: string): boolean {
  if (theirs === ours) return true;
  if (theirs[0] !== 'V' || ours[0] !== 'V') return false;
  const [x, y] = [Number(theirs.slice(1)), Number(ours.slice(1))];
  return Math.abs(x - y) <= 4 * Number.EPSILON * Math.max(Math.abs(x), Math.abs(y));
}

test('library functions', async () => {
  const calls: Call[] = [];
  for (const fn of LIBRARY)
    for (const v of [...F8, ...ANGLES, '-0.3', '709', '-745', '1000']) calls.push([`${fn}(float8)`, v]);
  for (const args of product(F8, F8)) {
    calls.push(
      ['power(float8,float8)', ...args],
      ['atan2(float8,float8)', ...args],
      ['atan2d(float8,float8)', ...args],
    );
  }
  report(await oracle.differences(calls, nearly));
});

test('special functions', async () => {
  const close = (a: string, b: string) =>
    a === b || (a[0] === 'V' && b[0] === 'V' && Math.abs(Number(a.slice(1)) / Number(b.slice(1)) - 1) < 1e-13);
  const calls: Call[] = [];
  for (const fn of ['erf', 'erfc', 'gamma', 'lgamma']) {
    for (const v of [
      '0.5',
      '1',
      '2',
      '2.5',
      '3',
      '-0.5',
      '-1.5',
      '0.1',
      '10',
      '25',
      '100.5',
      '170',
      '172',
      '1e300',
      '-1',
      'NaN',
    ]) {
      calls.push([`${fn}(float8)`, v]);
    }
  }
  report(await oracle.differences(calls, close));
});

test('in_range', async () => {
  const calls: Call[] = [];
  const flags = ['true', 'false'];
  for (const [v, b, o, s, l] of product(
    ['0', '5', '-3', 'NaN', 'Infinity'],
    ['1', '4', 'NaN', '-Infinity', 'Infinity'],
    ['0', '2', '-1', 'Infinity'],
    flags,
    flags,
  )) {
    for (const t of ['float8', 'numeric']) calls.push([`in_range(${t},${t},${t},bool,bool)`, v, b, o, s, l]);
  }
  for (const [v, b, o, s, l] of product(
    ['0', '2147483647', '-2147483648'],
    ['1', '2147483647', '-2147483648'],
    ['0', '2', '-1', '2147483647'],
    flags,
    flags,
  )) {
    calls.push(['in_range(int4,int4,int4,bool,bool)', v, b, o, s, l]);
  }
  report(await oracle.differences(calls));
});

test('text of random floats', async () => {
  const r = new Random(testSeed('float text'));
  const view = new DataView(new ArrayBuffer(8));
  const queries: Call[] = [];
  for (let i = 0; i < 4000; i++) {
    view.setUint32(0, r.below(2 ** 32));
    view.setUint32(4, r.below(2 ** 32));
    const double = view.getFloat64(0);
    if (Number.isFinite(double)) queries.push(['float8up(float8)', double.toExponential(17)]);
    const single = view.getFloat32(0);
    if (Number.isFinite(single) && single !== 0) queries.push(['float4up(float4)', single.toExponential(12)]);
    // Around powers of two and large integers the shortest text is not obvious.
    queries.push(['float8up(float8)', String(2 ** (r.below(1200) - 600) * (1 + r.below(5) * 2 ** -52))]);
    queries.push(['float4up(float4)', String(Math.fround(2 ** (r.below(200) - 100)))]);
    queries.push(['float8up(float8)', String(BigInt(r.below(2 ** 31)) * 8388608n * BigInt(2 ** r.below(20)))]);
    queries.push(['float4up(float4)', (r.next() * 10 ** (r.below(60) - 30)).toPrecision(8)]);
  }
  report(await oracle.differences(queries));
});
