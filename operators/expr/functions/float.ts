/**
 * Arithmetic, mathematical functions and casts of float4 and float8.
 *
 * A finite computation that becomes infinite is 22003 "value out of range: overflow", one that vanishes is "underflow";
 * infinities and NaN in the arguments pass through. float4 results are rounded once by Math.fround.
 */
import { SqlError } from '../../errors.ts';
import { compareFloats } from '../compare.ts';
import { divisionByZero } from '../decimal/arithmetic.ts';
import * as degree from './degree_trigonometry.ts';
import { big, integerOutOfRange } from './integer.ts';
import { register } from './registry.ts';

function floatOverflow(): SqlError {
  return new SqlError('22003', 'value out of range: overflow');
}

function floatUnderflow(): SqlError {
  return new SqlError('22003', 'value out of range: underflow');
}

function inputOutOfRange(): SqlError {
  return new SqlError('22003', 'input is out of range');
}

const INT8_LIMIT = 2 ** 63;

const isInf = (x: number) => x === Number.POSITIVE_INFINITY || x === Number.NEGATIVE_INFINITY;

type Round = (x: number) => number;
const double: Round = (x) => x;

function sum(result: number, a: number, b: number): number {
  if (isInf(result) && !isInf(a) && !isInf(b)) throw floatOverflow();
  return result;
}

function product(result: number, a: number, b: number): number {
  if (isInf(result) && !isInf(a) && !isInf(b)) throw floatOverflow();
  if (result === 0 && a !== 0 && b !== 0) throw floatUnderflow();
  return result;
}

function quotient(round: Round, a: number, b: number): number {
  if (b === 0 && !Number.isNaN(a)) throw divisionByZero();
  const result = round(a / b);
  if (isInf(result) && !isInf(a)) throw floatOverflow();
  if (result === 0 && a !== 0 && !isInf(b)) throw floatUnderflow();
  return result;
}

function arithmetic(prefix: string, left: string, right: string, round: Round): void {
  const args = `(${left},${right})`;
  register(`${prefix}pl${args}`, (a: number, b: number) => sum(round(a + b), a, b));
  register(`${prefix}mi${args}`, (a: number, b: number) => sum(round(a - b), a, b));
  register(`${prefix}mul${args}`, (a: number, b: number) => product(round(a * b), a, b));
  register(`${prefix}div${args}`, (a: number, b: number) => quotient(round, a, b));
}

arithmetic('float4', 'float4', 'float4', Math.fround);
arithmetic('float8', 'float8', 'float8', double);
arithmetic('float48', 'float4', 'float8', double);
arithmetic('float84', 'float8', 'float4', double);

for (const type of ['float4', 'float8']) {
  register(`${type}um(${type})`, (a: number) => -a);
  register(`${type}up(${type})`, (a: number) => a);
  register(`${type}abs(${type})`, (a: number) => Math.abs(a));
  register(`abs(${type})`, (a: number) => Math.abs(a));
}

/** Nearest integer, ties to even (C's rint). */
function roundHalfEven(x: number): number {
  if (!Number.isFinite(x) || Math.abs(x) >= 4503599627370496) return x;
  const r = Math.round(x);
  const even = Math.abs(x % 1) === 0.5 && r % 2 !== 0 ? r - 1 : r;
  return even === 0 && (x < 0 || Object.is(x, -0)) ? -0 : even;
}

register('float8(float4)', (a: number) => a);
register('float4(float8)', (a: number) => {
  const r = Math.fround(a);
  if (isInf(r) && !isInf(a)) throw floatOverflow();
  if (r === 0 && a !== 0) throw floatUnderflow();
  return r;
});
for (const from of ['int2', 'int4']) {
  register(`float4(${from})`, (a: number) => Math.fround(a));
  register(`float8(${from})`, (a: number) => a);
}
register('float8(int8)', (a: bigint) => Number(a));
register('float4(int8)', (a: bigint) => singleOfBig(a));

/** int8 to float4 rounded once: sticky bits keep the first rounding from hiding a tie. */
function singleOfBig(a: bigint): number {
  const d = Number(a);
  const f = Math.fround(d);
  const back = BigInt(d);
  if (back === a || f === d) return f;
  // d was rounded; if it landed exactly between two float4, the lost part decides.
  const below = Math.fround(d - Math.abs(d) * 2 ** -40);
  const above = Math.fround(d + Math.abs(d) * 2 ** -40);
  return below === above ? f : a > back ? above : below;
}

for (const type of ['float4', 'float8']) {
  register(`int2(${type})`, (a: number) => toSmall(a, 'int2', 32768));
  register(`int4(${type})`, (a: number) => toSmall(a, 'int4', 2147483648));
  register(`int8(${type})`, (a: number) => {
    const r = roundHalfEven(a);
    if (!(r >= -INT8_LIMIT && r < INT8_LIMIT)) throw integerOutOfRange('int8');
    return big(BigInt(r));
  });
}

function toSmall(a: number, type: 'int2' | 'int4', limit: number): number {
  const r = roundHalfEven(a);
  if (!(r >= -limit && r < limit)) throw integerOutOfRange(type);
  return r | 0;
}

/** Registers a float8 function under its names. */
function math(names: string[], impl: (a: number) => number): void {
  for (const name of names) register(`${name}(float8)`, impl);
}

math(['ceil', 'ceiling'], Math.ceil);
math(['floor'], Math.floor);
math(['round', 'dround'], roundHalfEven);
math(['trunc', 'dtrunc'], Math.trunc);
// sign(NaN) is 0.
math(['sign'], (a) => (a > 0 ? 1 : a < 0 ? -1 : 0));
math(['sqrt', 'dsqrt'], (a) => {
  if (a < 0) throw new SqlError('2201F', 'cannot take square root of a negative number');
  return Math.sqrt(a);
});
math(['cbrt', 'dcbrt'], Math.cbrt);
math(['exp', 'dexp'], (a) => {
  if (Number.isNaN(a)) return a;
  if (isInf(a)) return Math.max(a, 0);
  const r = Math.exp(a);
  if (isInf(r)) throw floatOverflow();
  if (r === 0) throw floatUnderflow();
  return r;
});

function logarithm(f: (a: number) => number): (a: number) => number {
  return (a) => {
    if (a === 0) throw new SqlError('2201E', 'cannot take logarithm of zero');
    if (a < 0) throw new SqlError('2201E', 'cannot take logarithm of a negative number');
    return f(a);
  };
}
math(['ln', 'dlog1'], logarithm(Math.log));
math(['log', 'log10', 'dlog10'], logarithm(Math.log10));

for (const name of ['power', 'pow', 'dpow']) register(`${name}(float8,float8)`, power);

function power(a: number, b: number): number {
  if (Number.isNaN(a)) return b === 0 ? 1 : a;
  if (Number.isNaN(b)) return a === 1 ? 1 : b;
  if (a === 0 && b < 0) throw new SqlError('2201F', 'zero raised to a negative power is undefined');
  if (a < 0 && Math.floor(b) !== b) {
    throw new SqlError('2201F', 'a negative number raised to a non-integer power yields a complex result');
  }
  if (isInf(b)) {
    const magnitude = Math.abs(a);
    if (magnitude === 1) return 1;
    return magnitude > 1 === b > 0 ? Number.POSITIVE_INFINITY : 0;
  }
  const r = a ** b;
  if (!isInf(a)) {
    if (isInf(r)) throw floatOverflow();
    if (r === 0 && a !== 0) throw floatUnderflow();
  }
  return r;
}

const finite = (f: (a: number) => number) => (a: number) => {
  if (isInf(a)) throw inputOutOfRange();
  return f(a);
};
const withinOne = (f: (a: number) => number) => (a: number) => {
  if (a < -1 || a > 1) throw inputOutOfRange();
  return f(a);
};

math(['sin'], finite(Math.sin));
math(['cos'], finite(Math.cos));
math(['tan'], finite(Math.tan));
math(
  ['cot'],
  finite((a) => 1 / Math.tan(a)),
);
math(['asin'], withinOne(Math.asin));
math(['acos'], withinOne(Math.acos));
math(['atan'], Math.atan);
register('atan2(float8,float8)', (a: number, b: number) => Math.atan2(a, b));
math(['sinh'], Math.sinh);
math(['cosh'], Math.cosh);
math(['tanh'], Math.tanh);
math(['asinh'], Math.asinh);
math(['acosh'], (a) => {
  if (a < 1) throw inputOutOfRange();
  return Math.acosh(a);
});
math(['atanh'], withinOne(Math.atanh));
math(['sind'], finite(degree.sind));
math(['cosd'], finite(degree.cosd));
math(['tand'], finite(degree.tand));
math(['cotd'], finite(degree.cotd));
math(['asind'], withinOne(degree.asind));
math(['acosd'], withinOne(degree.acosd));
math(['atand'], degree.atand);
register('atan2d(float8,float8)', (a: number, b: number) => degree.atan2d(a, b));

const RADIANS_PER_DEGREE = 0.017453292519943295;
math(['degrees'], (a) => quotient(double, a, RADIANS_PER_DEGREE));
math(['radians'], (a) => product(a * RADIANS_PER_DEGREE, a, RADIANS_PER_DEGREE));
register('pi()', () => Math.PI);

register('width_bucket(float8,float8,float8,int4)', (v: number, low: number, high: number, count: number) => {
  if (count <= 0) throw new SqlError('2201G', 'count must be greater than zero');
  if ([v, low, high].some(Number.isNaN)) {
    throw new SqlError('2201G', 'operand, lower bound, and upper bound cannot be NaN');
  }
  if (isInf(low) || isInf(high)) throw new SqlError('2201G', 'lower and upper bounds must be finite');
  const direction = compareFloats(low, high);
  if (direction === 0) throw new SqlError('2201G', 'lower bound cannot equal upper bound');
  const ascending = direction < 0;
  if (ascending ? v < low : v > low) return 0;
  if (ascending ? v >= high : v <= high) {
    if (count === 2147483647) throw integerOutOfRange('int4');
    return count + 1;
  }
  return bucketOf(v, low, high, count) + 1;
});

/** Position of v among `count` equal parts from low to high; halves everything when the width itself overflows. */
function bucketOf(v: number, low: number, high: number, count: number): number {
  const width = high - low;
  const part = isInf(width) ? (v / 2 - low / 2) / (high / 2 - low / 2) : (v - low) / width;
  return Math.min(Math.trunc(count * part), count - 1);
}
