/**
 * Exact arithmetic of numeric with PostgreSQL's result scales and special values.
 *
 *   + -   scale max(s1, s2)          *   s1 + s2          %   max(s1, s2), sign of the dividend
 *   /     at least 16 significant digits, at least max(s1, s2), at most 1000; rounded half away from zero
 *
 * Trap: finite / Infinity is 0, but Infinity / 0 is division by zero; 0 * Infinity is NaN.
 */
import { type Decimal, decimal } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import { compareDecimal, signOf } from './compare.ts';
import {
  absBig,
  checked,
  divRound,
  firstDigit,
  INFINITY,
  MAX_DISPLAY_SCALE,
  MAX_DSCALE,
  MAX_INTEGER_DIGITS,
  MIN_SIG_DIGITS,
  NAN,
  NEG_INFINITY,
  normalizeDecimal,
  pow10,
  rescale,
  ZERO,
} from './normal.ts';

export function divisionByZero(): SqlError {
  return new SqlError('22012', 'division by zero');
}

export function add(a: Decimal, b: Decimal): Decimal {
  if (a.special || b.special) return addSpecial(a, b);
  if (a.s === b.s) return checked(decimal(a.m + b.m, a.s));
  return a.s > b.s
    ? checked(decimal(a.m + b.m * pow10(a.s - b.s), a.s))
    : checked(decimal(a.m * pow10(b.s - a.s) + b.m, b.s));
}

function addSpecial(a: Decimal, b: Decimal): Decimal {
  if (a.special === 'NaN' || b.special === 'NaN') return NAN;
  if (a.special && b.special) return a.special === b.special ? a : NAN;
  return a.special ? a : b;
}

export function negate(a: Decimal): Decimal {
  if (a.special) return a.special === 'NaN' ? a : a.special === 'Infinity' ? NEG_INFINITY : INFINITY;
  return decimal(-a.m, a.s);
}

export function subtract(a: Decimal, b: Decimal): Decimal {
  return add(a, negate(b));
}

export function multiply(a: Decimal, b: Decimal): Decimal {
  if (a.special || b.special) {
    if (a.special === 'NaN' || b.special === 'NaN') return NAN;
    const sign = signOf(a) * signOf(b);
    return sign === 0 ? NAN : sign > 0 ? INFINITY : NEG_INFINITY;
  }
  const product = decimal(a.m * b.m, a.s + b.s);
  return checked(product.s > MAX_DSCALE ? rescale(product, MAX_DSCALE) : product);
}

/** Result scale of a quotient (PostgreSQL's select_div_scale). */
export function divisionScale(a: Decimal, b: Decimal): number {
  const x = firstDigit(a);
  const y = firstDigit(b);
  const weight = x.weight - y.weight - (x.digit <= y.digit ? 1 : 0);
  return Math.min(Math.max(MIN_SIG_DIGITS - weight * 4, a.s, b.s, 0), MAX_DISPLAY_SCALE);
}

/** a / b rounded half away from zero at scale `s`; finite, b not zero. */
export function divideAt(a: Decimal, b: Decimal, s: number): Decimal {
  const shift = s + b.s - a.s;
  const m = shift >= 0 ? divRound(a.m * pow10(shift), b.m) : divRound(a.m, b.m * pow10(-shift));
  return decimal(m, s);
}

export function divide(a: Decimal, b: Decimal): Decimal {
  const special = divideSpecial(a, b);
  return special ?? checked(divideAt(a, b, divisionScale(a, b)));
}

/** Quotients that are not finite by finite, and the error; null when there is nothing special. */
function divideSpecial(a: Decimal, b: Decimal): Decimal | null {
  if (a.special || b.special) {
    if (a.special === 'NaN' || b.special === 'NaN') return NAN;
    if (!a.special) return ZERO;
    if (b.special) return NAN;
    if (b.m === 0n) throw divisionByZero();
    return signOf(a) * signOf(b) > 0 ? INFINITY : NEG_INFINITY;
  }
  if (b.m === 0n) throw divisionByZero();
  return null;
}

/** Integer quotient, truncated towards zero. */
export function divideTruncated(a: Decimal, b: Decimal): Decimal {
  const special = divideSpecial(a, b);
  if (special) return special;
  const s = Math.max(a.s, b.s);
  return checked(decimal(rescale(a, s).m / rescale(b, s).m, 0));
}

export function modulo(a: Decimal, b: Decimal): Decimal {
  if (a.special || b.special) {
    if (a.special === 'NaN' || b.special === 'NaN') return NAN;
    if (a.special) {
      if (signOf(b) === 0) throw divisionByZero();
      return NAN;
    }
    return a;
  }
  if (b.m === 0n) throw divisionByZero();
  const s = Math.max(a.s, b.s);
  return decimal(rescale(a, s).m % rescale(b, s).m, s);
}

export function absolute(a: Decimal): Decimal {
  return signOf(a) < 0 ? negate(a) : a;
}

/** Keeps PostgreSQL's limits on the scale argument of round and trunc. */
function clampScale(n: number): number {
  return Math.min(Math.max(n, -MAX_INTEGER_DIGITS - 1), MAX_DSCALE);
}

/** round(a, n): half away from zero; n may be negative. */
export function round(a: Decimal, n: number): Decimal {
  if (a.special) return a;
  n = clampScale(n);
  if (n >= 0) return checked(rescale(a, n));
  return checked(decimal(divRound(a.m, pow10(a.s - n)) * pow10(-n), 0));
}

/** trunc(a, n): towards zero; n may be negative. */
export function truncate(a: Decimal, n: number): Decimal {
  if (a.special) return a;
  n = clampScale(n);
  if (n >= a.s) return checked(rescale(a, n));
  const kept = a.m / pow10(a.s - n);
  return n >= 0 ? decimal(kept, n) : decimal(kept * pow10(-n), 0);
}

export function floor(a: Decimal): Decimal {
  if (a.special) return a;
  const unit = pow10(a.s);
  const q = a.m / unit;
  return checked(decimal(a.m < 0n && q * unit !== a.m ? q - 1n : q, 0));
}

export function ceil(a: Decimal): Decimal {
  return negate(floor(negate(a)));
}

/** Greatest common divisor of two integers of any sign; not negative. */
export function gcdBig(a: bigint, b: bigint): bigint {
  a = absBig(a);
  b = absBig(b);
  while (b !== 0n) [a, b] = [b, a % b];
  return a;
}

export function gcd(a: Decimal, b: Decimal): Decimal {
  if (a.special || b.special) return NAN;
  const s = Math.max(a.s, b.s);
  return decimal(gcdBig(rescale(a, s).m, rescale(b, s).m), s);
}

export function lcm(a: Decimal, b: Decimal): Decimal {
  if (a.special || b.special) return NAN;
  const s = Math.max(a.s, b.s);
  const x = rescale(a, s).m;
  const y = rescale(b, s).m;
  if (x === 0n || y === 0n) return decimal(0n, s);
  return checked(decimal(absBig((x / gcdBig(x, y)) * y), s));
}

/** n! for n <= 32177. */
export function factorial(n: bigint): Decimal {
  if (n < 0n) throw new SqlError('22003', 'factorial of a negative number is undefined');
  if (n > 32177n) throw new SqlError('22003', 'value overflows numeric format');
  return decimal(productOfRange(2n, n), 0);
}

/** lo * (lo+1) * ... * hi by halves, so that factors stay of similar size. */
function productOfRange(lo: bigint, hi: bigint): bigint {
  if (lo > hi) return 1n;
  if (hi - lo < 8n) {
    let p = lo;
    for (let i = lo + 1n; i <= hi; i++) p *= i;
    return p;
  }
  const mid = (lo + hi) / 2n;
  return productOfRange(lo, mid) * productOfRange(mid + 1n, hi);
}

/** Smallest scale that shows the value exactly. */
export function minScale(a: Decimal): number {
  return normalizeDecimal(a).s;
}

/** width_bucket(operand, low, high, count). */
export function widthBucket(v: Decimal, low: Decimal, high: Decimal, count: number): number {
  if (count <= 0) throw new SqlError('2201G', 'count must be greater than zero');
  if ([v, low, high].some((d) => d.special === 'NaN')) {
    throw new SqlError('2201G', 'operand, lower bound, and upper bound cannot be NaN');
  }
  if (low.special || high.special) throw new SqlError('2201G', 'lower and upper bounds must be finite');
  const direction = compareDecimal(low, high);
  if (direction === 0) throw new SqlError('2201G', 'lower bound cannot equal upper bound');
  const belowLow = direction < 0 ? compareDecimal(v, low) < 0 : compareDecimal(v, low) > 0;
  if (belowLow) return 0;
  const beyondHigh = direction < 0 ? compareDecimal(v, high) >= 0 : compareDecimal(v, high) <= 0;
  if (beyondHigh) {
    if (count === 2147483647) throw new SqlError('22003', 'integer out of range');
    return count + 1;
  }
  const s = Math.max(v.s, low.s, high.s);
  const [x, l, h] = [rescale(v, s).m, rescale(low, s).m, rescale(high, s).m];
  return Number((absBig(x - l) * BigInt(count)) / absBig(h - l)) + 1;
}
