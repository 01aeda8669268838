/** The functions of numeric and its casts; the arithmetic itself lives in ../decimal/. */
import { type Decimal, decimal } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import * as arithmetic from '../decimal/arithmetic.ts';
import { compareDecimal, signOf } from '../decimal/compare.ts';
import { ONE, rescale } from '../decimal/normal.ts';
import { decimalToInteger, decimalToNumber, decimalToText, numberToDecimal } from '../decimal/text.ts';
import * as transcendental from '../decimal/transcendental.ts';
import { applyNumericTypmod } from '../decimal/typmod.ts';
import { singleFromText } from '../io/float_text.ts';
import { register, registerSet } from './registry.ts';

const TWO: [string, (a: Decimal, b: Decimal) => Decimal][] = [
  ['numeric_add', arithmetic.add],
  ['numeric_sub', arithmetic.subtract],
  ['numeric_mul', arithmetic.multiply],
  ['numeric_div', arithmetic.divide],
  ['numeric_div_trunc', arithmetic.divideTruncated],
  ['div', arithmetic.divideTruncated],
  ['numeric_mod', arithmetic.modulo],
  ['mod', arithmetic.modulo],
  ['gcd', arithmetic.gcd],
  ['lcm', arithmetic.lcm],
  ['numeric_power', transcendental.power],
  ['power', transcendental.power],
  ['pow', transcendental.power],
  ['numeric_log', transcendental.log],
  ['log', transcendental.log],
];
for (const [name, impl] of TWO) register(`${name}(numeric,numeric)`, (a: Decimal, b: Decimal) => impl(a, b));

const TEN = decimal(10n);

const ONE_ARGUMENT: [string, (a: Decimal) => Decimal][] = [
  ['numeric_uminus', arithmetic.negate],
  ['numeric_uplus', (a) => a],
  ['numeric_inc', (a) => arithmetic.add(a, ONE)],
  ['numeric_abs', arithmetic.absolute],
  ['abs', arithmetic.absolute],
  ['sign', (a) => (a.special === 'NaN' ? a : decimal(BigInt(signOf(a))))],
  ['ceil', arithmetic.ceil],
  ['ceiling', arithmetic.ceil],
  ['floor', arithmetic.floor],
  ['round', (a) => arithmetic.round(a, 0)],
  ['trunc', (a) => arithmetic.truncate(a, 0)],
  ['numeric_sqrt', transcendental.sqrt],
  ['sqrt', transcendental.sqrt],
  ['numeric_exp', transcendental.exp],
  ['exp', transcendental.exp],
  ['numeric_ln', transcendental.ln],
  ['ln', transcendental.ln],
  ['log', (a) => transcendental.log(TEN, a)],
  ['log10', (a) => transcendental.log(TEN, a)],
  ['trim_scale', (a) => (a.special ? a : rescale(a, arithmetic.minScale(a)))],
];
for (const [name, impl] of ONE_ARGUMENT) register(`${name}(numeric)`, (a: Decimal) => impl(a));

register('round(numeric,int4)', arithmetic.round);
register('trunc(numeric,int4)', arithmetic.truncate);
register('factorial(int8)', arithmetic.factorial);
register('scale(numeric)', (a: Decimal) => (a.special ? null : a.s));
register('min_scale(numeric)', (a: Decimal) => (a.special ? null : arithmetic.minScale(a)));
register('width_bucket(numeric,numeric,numeric,int4)', arithmetic.widthBucket);

register('numeric(numeric,int4)', (a: Decimal, typmod: number) => applyNumericTypmod(a, typmod));
register('numeric(int2)', (a: number) => decimal(BigInt(a)));
register('numeric(int4)', (a: number) => decimal(BigInt(a)));
register('numeric(int8)', (a: bigint) => decimal(a));
register('numeric(float4)', (a: number) => numberToDecimal(a, 6));
register('numeric(float8)', (a: number) => numberToDecimal(a, 15));
register('int2(numeric)', (a: Decimal) => Number(decimalToInteger(a, 'smallint')));
register('int4(numeric)', (a: Decimal) => Number(decimalToInteger(a, 'integer')));
register('int8(numeric)', (a: Decimal) => decimalToInteger(a, 'bigint'));
register('float8(numeric)', (a: Decimal) => toFloat(a, decimalToNumber(a), 'double precision'));
register('float4(numeric)', (a: Decimal) =>
  toFloat(a, a.special ? Number(a.special) : singleFromText(decimalToText(a)), 'real'),
);

/** A finite numeric must not become infinite, nor a non-zero one zero. */
function toFloat(a: Decimal, x: number, type: string): number {
  if (!a.special && (!Number.isFinite(x) || (x === 0 && a.m !== 0n))) {
    throw new SqlError('22003', `"${decimalToText(a)}" is out of range for type ${type}`);
  }
  return x;
}

function* series(from: Decimal, to: Decimal, step: Decimal): Iterable<[Decimal]> {
  for (const [d, what] of [
    [from, 'start'],
    [to, 'stop'],
    [step, 'step size'],
  ] as const) {
    if (!d.special) continue;
    const value = d.special === 'NaN' ? 'NaN' : 'infinity';
    throw new SqlError('22023', `${what}${what === 'step size' ? '' : ' value'} cannot be ${value}`);
  }
  const direction = signOf(step);
  if (direction === 0) throw new SqlError('22023', 'step size cannot equal zero');
  for (let n = from; compareDecimal(n, to) * direction <= 0; n = arithmetic.add(n, step)) yield [n];
}

registerSet('generate_series(numeric,numeric)', (from: Decimal, to: Decimal) => series(from, to, ONE));
registerSet('generate_series(numeric,numeric,numeric)', series);
