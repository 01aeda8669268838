/**
 * Shape of a Decimal in PostgreSQL's own terms, and its normal form.
 *
 * PostgreSQL stores numeric in base 10000. Result scales of division, sqrt, ln, ... depend on where that base puts the
 * digits, so they are computed here from the decimal digits:
 *
 *   |v| = first * 10000^weight + ...     first: the first non-zero base-10000 digit
 */
import { type Decimal, decimal } from '../../datum.ts';
import { SqlError } from '../../errors.ts';

/** Largest number of digits before the point (NUMERIC_WEIGHT_MAX is 32767 base-10000 digits). */
export const MAX_INTEGER_DIGITS = 131072;
/** Largest number of digits after the point in a stored value. */
export const MAX_DSCALE = 16383;
/** Largest result scale of a computed function. */
export const MAX_DISPLAY_SCALE = 1000;
/** Significant digits that computed functions aim at. */
export const MIN_SIG_DIGITS = 16;

export const NAN: Decimal = { k: 'dec', m: 0n, s: 0, special: 'NaN' };
export const INFINITY: Decimal = { k: 'dec', m: 0n, s: 0, special: 'Infinity' };
export const NEG_INFINITY: Decimal = { k: 'dec', m: 0n, s: 0, special: '-Infinity' };
export const ZERO: Decimal = decimal(0n);
export const ONE: Decimal = decimal(1n);

const POWERS: bigint[] = [1n];
const MAX_CACHED_POWER = 2048;

/** 10^n, n >= 0; small powers are kept. */
export function pow10(n: number): bigint {
  if (n > MAX_CACHED_POWER) return 10n ** BigInt(n);
  for (let i = POWERS.length; i <= n; i++) POWERS.push(POWERS[i - 1] * 10n);
  return POWERS[n];
}

export function absBig(x: bigint): bigint {
  return x < 0n ? -x : x;
}

const LOG10_2 = 0.3010299956639812;

/** Number of decimal digits of |m|; 0 for 0. */
export function digitCount(m: bigint): number {
  if (m === 0n) return 0;
  const a = absBig(m);
  if (a < 9007199254740992n) return String(Number(a)).length;
  const bits = a.toString(16).length * 4;
  // The top nibble may waste up to 3 bits: the estimate is at most one digit too low or too high.
  let n = Math.max(1, Math.floor((bits - 3) * LOG10_2));
  while (pow10(n) <= a) n++;
  return n;
}

/** Base-10000 weight and first digit; weight 0 and digit 0 for zero. */
export function firstDigit(d: Decimal): { weight: number; digit: number } {
  if (d.m === 0n) return { weight: 0, digit: 0 };
  const nd = digitCount(d.m);
  const exponent = nd - 1 - d.s;
  const weight = Math.floor(exponent / 4);
  return { weight, digit: leadingDigits(d.m, nd, exponent - weight * 4 + 1) };
}

/** The first `n` decimal digits of |m| (padded with zeros when m is shorter). */
export function leadingDigits(m: bigint, digits: number, n: number): number {
  const a = absBig(m);
  return Number(digits >= n ? a / pow10(digits - n) : a * pow10(n - digits));
}

/** m / 10^n rounded half away from zero. */
export function divRound(m: bigint, divisor: bigint): bigint {
  const neg = m < 0n !== divisor < 0n;
  const a = absBig(m);
  const b = absBig(divisor);
  const q = (a * 2n + b) / (b * 2n);
  return neg ? -q : q;
}

/** The value at scale `s` (may be below the present one: rounds half away from zero). s >= 0. */
export function rescale(d: Decimal, s: number): Decimal {
  if (d.special || d.s === s) return d;
  if (s > d.s) return { k: 'dec', m: d.m * pow10(s - d.s), s };
  return { k: 'dec', m: divRound(d.m, pow10(d.s - s)), s };
}

/** Refuses what numeric cannot store; every operation that can grow a value ends here. */
export function checked(d: Decimal): Decimal {
  if (d.s > MAX_DSCALE || digitCount(d.m) - d.s > MAX_INTEGER_DIGITS) throw overflow();
  return d;
}

export function overflow(): SqlError {
  return new SqlError('22003', 'value overflows numeric format');
}

/** Normal form: equal values have the same form (no trailing zeros after the point). For hashing and grouping. */
export function normalizeDecimal(d: Decimal): Decimal {
  if (d.special || d.s === 0) return d;
  if (d.m === 0n) return ZERO;
  let { m, s } = d;
  while (s >= 16 && m % 10000000000000000n === 0n) {
    m /= 10000000000000000n;
    s -= 16;
  }
  while (s > 0 && m % 10n === 0n) {
    m /= 10n;
    s--;
  }
  return s === d.s ? d : { k: 'dec', m, s };
}
