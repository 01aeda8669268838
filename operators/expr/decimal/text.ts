/**
 * Text forms of numeric and of Decimal <-> float8 / float4 / integers.
 *
 * Input takes what PostgreSQL 16+ takes: sign, digits with single underscores between them, point, exponent, 0x / 0o / 0b
 * integers, NaN, inf, infinity; blanks around. The scale is the number of digits after the point as written.
 */
import { type Decimal, decimal } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import { formatSignificant } from '../io/float_text.ts';
import { absBig, checked, divRound, INFINITY, NAN, NEG_INFINITY, overflow, pow10 } from './normal.ts';

const FINITE = /^([+-])?(?:(\d+(?:_\d+)*)(?:\.(\d+(?:_\d+)*)?)?|\.(\d+(?:_\d+)*))(?:[eE]([+-]?\d+(?:_\d+)*))?$/;
const RADIX = /^([+-])?0([xX](?:_?[0-9a-fA-F])+|[oO](?:_?[0-7])+|[bB](?:_?[01])+)$/;
const SPECIAL = /^([+-])?(nan|inf|infinity)$/i;
const MAX_EXPONENT = 1073741823;

/** Parses a numeric; null when the text is none. Throws 22003 when it is too large to store. */
export function parseDecimal(text: string): Decimal | null {
  const t = trimBlanks(text);
  const f = FINITE.exec(t);
  if (f) {
    const whole = (f[2] ?? '').replaceAll('_', '');
    const fraction = (f[3] ?? f[4] ?? '').replaceAll('_', '');
    const exponent = f[5] === undefined ? 0 : Number(f[5].replaceAll('_', ''));
    return fromDigits(f[1] === '-', whole + fraction, fraction.length, exponent);
  }
  const r = RADIX.exec(t);
  if (r) {
    const m = BigInt(`0${r[2].toLowerCase().replaceAll('_', '')}`);
    return checked(decimal(r[1] === '-' ? -m : m, 0));
  }
  const s = SPECIAL.exec(t);
  if (!s) return null;
  if (s[2].toLowerCase() === 'nan') return s[1] ? null : NAN;
  return s[1] === '-' ? NEG_INFINITY : INFINITY;
}

function fromDigits(negative: boolean, digits: string, scale: number, exponent: number): Decimal {
  if (Math.abs(exponent) >= MAX_EXPONENT) throw overflow();
  let s = scale - exponent;
  let m = BigInt(digits);
  // Too many digits on either side is refused before the power of ten is built.
  if (s > 16383 + 4 || (m !== 0n && -s > 131072)) throw overflow();
  if (s < 0) {
    m = m === 0n ? 0n : m * pow10(-s);
    s = 0;
  }
  return checked(decimal(negative ? -m : m, s));
}

/** PostgreSQL's isspace in the C locale. */
export function trimBlanks(text: string): string {
  return text.replace(/^[ \t\n\v\f\r]+|[ \t\n\v\f\r]+$/g, '');
}

/** Text of a numeric: exactly `s` digits after the point. */
export function decimalToText(d: Decimal): string {
  if (d.special) return d.special;
  if (d.s === 0) return d.m.toString();
  const digits = absBig(d.m)
    .toString()
    .padStart(d.s + 1, '0');
  const point = digits.length - d.s;
  return `${d.m < 0n ? '-' : ''}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** Nearest float8; too large is Infinity, too small 0. */
export function decimalToNumber(d: Decimal): number {
  if (d.special) return Number(d.special);
  if (d.s === 0) return Number(d.m);
  return Number(`${d.m}e-${d.s}`);
}

/** float8 (15 significant digits) or float4 (6) to numeric, as PostgreSQL casts them. */
export function numberToDecimal(x: number, significant: 15 | 6): Decimal {
  if (Number.isNaN(x)) return NAN;
  if (!Number.isFinite(x)) return x > 0 ? INFINITY : NEG_INFINITY;
  return parseDecimal(formatSignificant(x, significant))!;
}

const INTEGER_LIMITS = {
  smallint: 32767n,
  integer: 2147483647n,
  bigint: 9223372036854775807n,
} as const;

/** numeric to an integer type: rounds half away from zero; out of range is 22003. */
export function decimalToInteger(d: Decimal, type: 'smallint' | 'integer' | 'bigint'): bigint {
  if (d.special) {
    throw new SqlError('0A000', `cannot convert ${d.special === 'NaN' ? 'NaN' : 'infinity'} to ${type}`);
  }
  const v = d.s === 0 ? d.m : divRound(d.m, pow10(d.s));
  const max = INTEGER_LIMITS[type];
  if (v > max || v < -max - 1n) throw new SqlError('22003', `${type} out of range`);
  return v;
}
