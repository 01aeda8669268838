/**
 * sqrt, exp, ln, log and power of numeric. Values are computed exactly enough to be correctly rounded; what matters to a user
 * is PostgreSQL's choice of result scale, which aims at 16 significant digits:
 *
 *   scale = clamp(16 - (estimated decimal weight of the result), input scales, 0, 1000)
 *
 * The estimates look at base-10000 digits and at double arithmetic, truncated towards zero, exactly as PostgreSQL's do.
 */
import { type Decimal, decimal } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import { divideAt, divisionByZero, multiply, negate, subtract } from './arithmetic.ts';
import { compareDecimal, isIntegral, signOf } from './compare.ts';
import {
  absBig,
  checked,
  digitCount,
  divRound,
  firstDigit,
  INFINITY,
  leadingDigits,
  MAX_DISPLAY_SCALE,
  MAX_INTEGER_DIGITS,
  MIN_SIG_DIGITS,
  NAN,
  NEG_INFINITY,
  ONE,
  overflow,
  pow10,
  rescale,
  ZERO,
} from './normal.ts';
import { expScaled, isqrt, lnFixed } from './series.ts';
import { decimalToNumber } from './text.ts';

/** Results of exp and power beyond 10^(3 * this / ln 10) overflow, below it underflow. */
const MAX_RESULT_SCALE = 2000;

function resultScale(wanted: number, ...inputs: number[]): number {
  return Math.min(Math.max(wanted, ...inputs, 0), MAX_DISPLAY_SCALE);
}

export function sqrt(a: Decimal): Decimal {
  if (a.special === 'NaN' || a.special === 'Infinity') return a;
  if (signOf(a) < 0) throw new SqlError('2201F', 'cannot take square root of a negative number');
  const { weight } = firstDigit(a);
  const resultWeight = weight >= 0 ? weight * 2 + 1 : 1 - Math.trunc((1 - weight * 4) / 2);
  return checked(sqrtAt(a, resultScale(MIN_SIG_DIGITS - resultWeight, a.s)));
}

/** The root of a finite number that is not negative, rounded at scale `s`. */
export function sqrtAt(a: Decimal, s: number): Decimal {
  // Two more digits, then round half up: a root is never exactly on a half unless it is exact.
  const shift = 2 * (s + 1) - a.s;
  const root = isqrt(shift >= 0 ? a.m * pow10(shift) : a.m / pow10(-shift));
  return decimal((root + 5n) / 10n, s);
}

export function exp(a: Decimal): Decimal {
  if (a.special) return a.special === '-Infinity' ? ZERO : a;
  const weight = Math.max(Math.min(decimalToNumber(a) * Math.LOG10E, MAX_RESULT_SCALE), -MAX_RESULT_SCALE);
  return expAt(a, resultScale(MIN_SIG_DIGITS - Math.trunc(weight), a.s));
}

function expAt(a: Decimal, s: number): Decimal {
  const x = decimalToNumber(a);
  if (Math.abs(x) >= MAX_RESULT_SCALE * 3) {
    if (x > 0) throw overflow();
    return decimal(0n, s);
  }
  return checked(decimal(expScaled(a, s), s));
}

function requireLogarithm(a: Decimal): void {
  const sign = signOf(a);
  if (sign < 0) throw new SqlError('2201E', 'cannot take logarithm of a negative number');
  if (sign === 0) throw new SqlError('2201E', 'cannot take logarithm of zero');
}

/** Estimated decimal weight of ln(a), a > 0. */
function lnWeight(a: Decimal): number {
  if (signOf(a) <= 0) return 0;
  const nearOne = compareDecimal(a, decimal(9n, 1)) >= 0 && compareDecimal(a, decimal(11n, 1)) <= 0;
  if (nearOne) {
    const x = subtract(a, ONE);
    if (x.m === 0n) return 0;
    const { weight, digit } = firstDigit(x);
    return weight * 4 + Math.trunc(Math.log10(digit));
  }
  const { weight } = firstDigit(a);
  const nd = digitCount(a.m);
  const exponent = nd - 1 - a.s;
  const digits = leadingDigits(a.m, nd, exponent - weight * 4 + 5);
  const ln = Math.log(digits) + (weight * 4 - 4) * Math.LN10;
  return Math.trunc(Math.log10(Math.abs(ln)));
}

export function ln(a: Decimal): Decimal {
  if (a.special === 'NaN') return a;
  requireLogarithm(a);
  if (a.special) return a;
  const s = resultScale(MIN_SIG_DIGITS - lnWeight(a), a.s);
  return checked(decimal(lnFixed(a, s), s));
}

/** log(base, x) */
export function log(base: Decimal, x: Decimal): Decimal {
  if (base.special || x.special) {
    if (base.special === 'NaN' || x.special === 'NaN') return NAN;
    if (signOf(base) < 0 || signOf(x) < 0) requireLogarithm(decimal(-1n));
    if (signOf(base) === 0 || signOf(x) === 0) requireLogarithm(ZERO);
    if (base.special) return x.special ? NAN : ZERO;
    return INFINITY;
  }
  requireLogarithm(base);
  requireLogarithm(x);
  const baseWeight = lnWeight(base);
  const xWeight = lnWeight(x);
  const weight = xWeight - baseWeight;
  const s = resultScale(MIN_SIG_DIGITS - weight, base.s, x.s);
  const precision = s + Math.abs(weight) + Math.max(-baseWeight, 0) + Math.max(-xWeight, 0) + 16;
  const lnBase = decimal(lnFixed(base, precision), precision);
  if (lnBase.m === 0n) throw divisionByZero();
  return checked(divideAt(decimal(lnFixed(x, precision), precision), lnBase, s));
}

export function power(a: Decimal, b: Decimal): Decimal {
  if (a.special || b.special) return powerSpecial(a, b);
  requirePower(a, b);
  if (isIntegral(b)) {
    const n = b.m / pow10(b.s);
    if (n >= -2147483648n && n <= 2147483647n) return powerInteger(a, Number(n), b.s);
  }
  if (a.m === 0n) return decimal(0n, MIN_SIG_DIGITS);
  const odd = isIntegral(b) && (b.m / pow10(b.s)) % 2n !== 0n;
  const base = a.m < 0n ? negate(a) : a;
  const result = powerByLogarithm(base, b);
  return a.m < 0n && odd ? negate(result) : result;
}

function requirePower(a: Decimal, b: Decimal): void {
  if (signOf(a) === 0 && signOf(b) < 0) {
    throw new SqlError('2201F', 'zero raised to a negative power is undefined');
  }
  if (signOf(a) < 0 && !isIntegral(b)) {
    throw new SqlError('2201F', 'a negative number raised to a non-integer power yields a complex result');
  }
}

function powerSpecial(a: Decimal, b: Decimal): Decimal {
  if (a.special === 'NaN') return !b.special && b.m === 0n ? ONE : NAN;
  if (b.special === 'NaN') return !a.special && compareDecimal(a, ONE) === 0 ? ONE : NAN;
  requirePower(a, b);
  if (!a.special && compareDecimal(a, ONE) === 0) return ONE;
  if (signOf(b) === 0) return ONE;
  if (signOf(a) === 0) return ZERO;
  if (b.special) {
    const magnitude = a.special ? 1 : compareDecimal(a.m < 0n ? negate(a) : a, ONE);
    if (magnitude === 0) return ONE;
    return magnitude > 0 === signOf(b) > 0 ? INFINITY : ZERO;
  }
  if (signOf(b) < 0) return ZERO;
  if (a.special === 'Infinity') return INFINITY;
  return (b.m / pow10(b.s)) % 2n !== 0n ? NEG_INFINITY : INFINITY;
}

/** a^n for an integer n of 32 bits; `bScale` is the scale the exponent was written with. */
function powerInteger(a: Decimal, n: number, bScale: number): Decimal {
  const weight = a.m === 0n ? 0 : n * log10Estimate(a);
  if (weight > MAX_INTEGER_DIGITS) throw overflow();
  if (weight + 1 < -MAX_DISPLAY_SCALE) return decimal(0n, MAX_DISPLAY_SCALE);
  const s = resultScale(MIN_SIG_DIGITS - Math.trunc(weight), a.s, bScale);
  if (n === 0) return rescale(ONE, s);
  if (a.m === 0n) return decimal(0n, s);
  return checked(powerRounded(a, n, s, weight));
}

/** log10 |a| from the first 16 or so digits. */
function log10Estimate(a: Decimal): number {
  const nd = digitCount(a.m);
  const taken = Math.min(nd, 16);
  return Math.log10(leadingDigits(a.m, nd, taken)) + (nd - taken - a.s);
}

/** Exact while the digits stay few, else by squaring with enough significant digits for a correct rounding. */
function powerRounded(a: Decimal, n: number, s: number, weight: number): Decimal {
  const count = Math.abs(n);
  const nd = digitCount(a.m);
  const keep = nd * count <= 20000 ? Infinity : s + Math.trunc(weight) + Math.ceil(Math.log10(count)) + 24;
  // value = m * 10^e
  let m = 1n;
  let e = 0;
  let factor = a.m;
  let factorE = -a.s;
  const cut = (x: bigint): number => (keep === Infinity ? 0 : Math.max(digitCount(x) - keep, 0));
  for (let k = count; k > 0; k = Math.floor(k / 2)) {
    if (k % 2 === 1) {
      m *= factor;
      e += factorE;
      const drop = cut(m);
      m /= pow10(drop);
      e += drop;
    }
    if (k > 1) {
      factor *= factor;
      factorE *= 2;
      const drop = cut(factor);
      factor /= pow10(drop);
      factorE += drop;
    }
  }
  const shift = n > 0 ? s + e : s - e;
  if (n > 0) return decimal(shift >= 0 ? m * pow10(shift) : divRound(m, pow10(-shift)), s);
  return decimal(shift >= 0 ? divRound(pow10(shift), m) : divRound(1n, m * pow10(-shift)), s);
}

/** a^b = exp(b ln a) for a > 0. */
function powerByLogarithm(a: Decimal, b: Decimal): Decimal {
  const weightOfLn = lnWeight(a);
  const rough = Math.max(8 - weightOfLn, 0);
  const estimate = decimalToNumber(rescale(multiply(decimal(lnFixed(a, rough), rough), b), rough));
  if (Math.abs(estimate) > MAX_RESULT_SCALE * 3.01) {
    if (estimate > 0) throw overflow();
    return decimal(0n, MAX_DISPLAY_SCALE);
  }
  const weight = Math.trunc(estimate * Math.LOG10E);
  const s = resultScale(MIN_SIG_DIGITS - weight, a.s, b.s);
  const significant = Math.max(s + weight, 0);
  const integerDigitsOfB = Math.max(digitCount(absBig(b.m)) - b.s, 0);
  const precision = Math.max(significant - weightOfLn + 8, 0) + integerDigitsOfB + 12;
  const exponent = decimal(lnFixed(a, precision) * b.m, precision + b.s);
  return expAt(exponent, s);
}
