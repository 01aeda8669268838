/**
 * Arithmetic, bit operations and casts of int2, int4, int8, oid and bool. int8 is bigint, the others are numbers.
 *
 * Overflow is 22003, division by zero 22012. / truncates and % takes the sign of the dividend, as in C; shifts take their
 * count modulo the width, as the machine does. Trap: JavaScript's -0 must not leave an integer function.
 */
import { SqlError } from '../../errors.ts';
import { divisionByZero, gcdBig } from '../decimal/arithmetic.ts';
import { absBig } from '../decimal/normal.ts';
import { register, registerSet, type SetRows } from './registry.ts';

const TYPE_NAME = { int2: 'smallint', int4: 'integer', int8: 'bigint' } as const;
const MAX_SMALL = { int2: 32767, int4: 2147483647 } as const;
const MAX_INT8 = 9223372036854775807n;

type IntType = keyof typeof TYPE_NAME;

export function integerOutOfRange(type: IntType): SqlError {
  return new SqlError('22003', `${TYPE_NAME[type]} out of range`);
}

/** An integral number within the type, with -0 made 0. */
function small(n: number, type: 'int2' | 'int4'): number {
  const max = MAX_SMALL[type];
  if (n > max || n < -max - 1) throw integerOutOfRange(type);
  return n | 0;
}

/** A bigint within int8. */
export function big(n: bigint): bigint {
  if (n > MAX_INT8 || n < -MAX_INT8 - 1n) throw integerOutOfRange('int8');
  return n;
}

function smallArithmetic(left: 'int2' | 'int4', right: 'int2' | 'int4'): void {
  const type = left === right ? left : 'int4';
  const pair = left === right ? left : `int${left[3]}${right[3]}`;
  const args = `(${left},${right})`;
  register(`${pair}pl${args}`, (a: number, b: number) => small(a + b, type));
  register(`${pair}mi${args}`, (a: number, b: number) => small(a - b, type));
  // A product beyond 2^53 is inexact but certainly out of range.
  register(`${pair}mul${args}`, (a: number, b: number) => small(a * b, type));
  register(`${pair}div${args}`, (a: number, b: number) => {
    if (b === 0) throw divisionByZero();
    return small(Math.trunc(a / b), type);
  });
}

function smallFunctions(type: 'int2' | 'int4'): void {
  const bits = type === 'int2' ? 16 : 32;
  const cut = (n: number) => (n << (32 - bits)) >> (32 - bits);
  const mod = (a: number, b: number) => {
    if (b === 0) throw divisionByZero();
    return (a % b) | 0;
  };
  const abs = (a: number) => small(Math.abs(a), type);
  register(`${type}mod(${type},${type})`, mod);
  register(`mod(${type},${type})`, mod);
  register(`${type}um(${type})`, (a: number) => small(-a, type));
  register(`${type}up(${type})`, (a: number) => a);
  register(`${type}abs(${type})`, abs);
  register(`abs(${type})`, abs);
  register(`${type}and(${type},${type})`, (a: number, b: number) => a & b);
  register(`${type}or(${type},${type})`, (a: number, b: number) => a | b);
  register(`${type}xor(${type},${type})`, (a: number, b: number) => a ^ b);
  register(`${type}not(${type})`, (a: number) => ~a);
  register(`${type}shl(${type},int4)`, (a: number, n: number) => cut(a << n));
  register(`${type}shr(${type},int4)`, (a: number, n: number) => a >> n);
}

function bigArithmetic(left: IntType, right: IntType): void {
  const pair = left === right ? 'int8' : `int${left[3]}${right[3]}`;
  const args = `(${left},${right})`;
  register(`${pair}pl${args}`, (a: number | bigint, b: number | bigint) => big(BigInt(a) + BigInt(b)));
  register(`${pair}mi${args}`, (a: number | bigint, b: number | bigint) => big(BigInt(a) - BigInt(b)));
  register(`${pair}mul${args}`, (a: number | bigint, b: number | bigint) => big(BigInt(a) * BigInt(b)));
  register(`${pair}div${args}`, (a: number | bigint, b: number | bigint) => {
    const divisor = BigInt(b);
    if (divisor === 0n) throw divisionByZero();
    return big(BigInt(a) / divisor);
  });
}

function bigFunctions(): void {
  const mod = (a: bigint, b: bigint) => {
    if (b === 0n) throw divisionByZero();
    return a % b;
  };
  const abs = (a: bigint) => big(absBig(a));
  register('int8mod(int8,int8)', mod);
  register('mod(int8,int8)', mod);
  register('int8um(int8)', (a: bigint) => big(-a));
  register('int8up(int8)', (a: bigint) => a);
  register('int8abs(int8)', abs);
  register('abs(int8)', abs);
  register('int8and(int8,int8)', (a: bigint, b: bigint) => a & b);
  register('int8or(int8,int8)', (a: bigint, b: bigint) => a | b);
  register('int8xor(int8,int8)', (a: bigint, b: bigint) => a ^ b);
  register('int8not(int8)', (a: bigint) => ~a);
  register('int8shl(int8,int4)', (a: bigint, n: number) => BigInt.asIntN(64, a << BigInt(n & 63)));
  register('int8shr(int8,int4)', (a: bigint, n: number) => a >> BigInt(n & 63));
  register('int8inc(int8)', (a: bigint) => big(a + 1n));
  register('int8dec(int8)', (a: bigint) => big(a - 1n));
}

smallArithmetic('int2', 'int2');
smallArithmetic('int2', 'int4');
smallArithmetic('int4', 'int2');
smallArithmetic('int4', 'int4');
smallFunctions('int2');
smallFunctions('int4');
register('int4inc(int4)', (a: number) => small(a + 1, 'int4'));
for (const other of ['int2', 'int4'] as const) {
  bigArithmetic(other, 'int8');
  bigArithmetic('int8', other);
}
bigArithmetic('int8', 'int8');
bigFunctions();

/** lcm over bigints; overflow is the caller's. */
function lcmBig(a: bigint, b: bigint): bigint {
  return a === 0n || b === 0n ? 0n : absBig((a / gcdBig(a, b)) * b);
}

register('gcd(int4,int4)', (a: number, b: number) => small(Number(gcdBig(BigInt(a), BigInt(b))), 'int4'));
register('gcd(int8,int8)', (a: bigint, b: bigint) => big(gcdBig(a, b)));
register('lcm(int4,int4)', (a: number, b: number) => small(Number(lcmBig(BigInt(a), BigInt(b))), 'int4'));
register('lcm(int8,int8)', (a: bigint, b: bigint) => big(lcmBig(a, b)));

register('int2(int4)', (a: number) => small(a, 'int2'));
register('int2(int8)', (a: bigint) => smallOfBig(a, 'int2'));
register('int4(int2)', (a: number) => a);
register('int4(int8)', (a: bigint) => smallOfBig(a, 'int4'));
register('int8(int2)', (a: number) => BigInt(a));
register('int8(int4)', (a: number) => BigInt(a));
register('int8(oid)', (a: number) => BigInt(a));
register('oid(int8)', (a: bigint) => {
  if (a < 0n || a > 4294967295n) throw new SqlError('22003', 'OID out of range');
  return Number(a);
});

/** int8 to a smaller type. */
function smallOfBig(a: bigint, type: 'int2' | 'int4'): number {
  const max = BigInt(MAX_SMALL[type]);
  if (a > max || a < -max - 1n) throw integerOutOfRange(type);
  return Number(a);
}

register('bool(int4)', (a: number) => a !== 0);
register('int4(bool)', (a: boolean) => (a ? 1 : 0));
register('text(bool)', (a: boolean) => (a ? 'true' : 'false'));
register('booland_statefunc(bool,bool)', (a: boolean, b: boolean) => a && b);
register('boolor_statefunc(bool,bool)', (a: boolean, b: boolean) => a || b);

for (const [name, radix] of [
  ['to_hex', 16],
  ['to_oct', 8],
  ['to_bin', 2],
] as const) {
  register(`${name}(int4)`, (a: number) => (a >>> 0).toString(radix));
  register(`${name}(int8)`, (a: bigint) => BigInt.asUintN(64, a).toString(radix));
}

function stepNotZero(zero: boolean): void {
  if (zero) throw new SqlError('22023', 'step size cannot equal zero');
}

function* smallSeries(from: number, to: number, step: number): Iterable<[number]> {
  for (let n = from; step > 0 ? n <= to : n >= to; n += step) yield [n];
}

function* bigSeries(from: bigint, to: bigint, step: bigint): Iterable<[bigint]> {
  for (let n = from; step > 0n ? n <= to : n >= to; n += step) yield [n];
}

/** A series says how long it is, so that one without end in sight is refused before it is made. */
function smallRows(from: number, to: number, step = 1): SetRows {
  stepNotZero(step === 0);
  const rows = Math.max(0, Math.floor((to - from) / step) + 1);
  return { rows, [Symbol.iterator]: () => smallSeries(from, to, step)[Symbol.iterator]() };
}

function bigRows(from: bigint, to: bigint, step = 1n): SetRows {
  stepNotZero(step === 0n);
  const rows = (step > 0n ? from > to : from < to) ? 0 : Number((to - from) / step + 1n);
  return { rows, [Symbol.iterator]: () => bigSeries(from, to, step)[Symbol.iterator]() };
}

registerSet('generate_series(int4,int4)', (from: number, to: number) => smallRows(from, to));
registerSet('generate_series(int4,int4,int4)', (from: number, to: number, step: number) => smallRows(from, to, step));
registerSet('generate_series(int8,int8)', (from: bigint, to: bigint) => bigRows(from, to));
registerSet('generate_series(int8,int8,int8)', (from: bigint, to: bigint, step: bigint) => bigRows(from, to, step));
