/**
 * Binary wire form of numeric: int16 ndigits, weight, sign, dscale, then ndigits base-10000 digits, big endian.
 * sign: 0 positive, 0x4000 negative, 0xC000 NaN, 0xD000 Infinity, 0xF000 -Infinity. Leading and trailing zero digits are left out.
 */
import { type Decimal, decimal } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import { absBig, checked, INFINITY, NAN, NEG_INFINITY, pow10 } from './normal.ts';

const SIGN = { positive: 0x0000, negative: 0x4000, nan: 0xc000, infinity: 0xd000, negInfinity: 0xf000 };

export function decimalToBinary(d: Decimal): Uint8Array {
  if (d.special) {
    const sign = d.special === 'NaN' ? SIGN.nan : d.special === 'Infinity' ? SIGN.infinity : SIGN.negInfinity;
    // PostgreSQL's own bytes: an infinity goes out with a display scale of 32, which no reader looks at.
    return header(0, 0, sign, d.special === 'NaN' ? 0 : 32, 0);
  }
  const aligned = absBig(d.m) * pow10((4 - (d.s % 4)) % 4);
  const fractionDigits = Math.ceil(d.s / 4);
  const text = aligned.toString();
  const padded = text.padStart(Math.ceil(text.length / 4) * 4, '0');
  const digits: number[] = [];
  for (let i = 0; i < padded.length; i += 4) digits.push(Number(padded.slice(i, i + 4)));
  let weight = digits.length - 1 - fractionDigits;
  while (digits.length > 0 && digits[0] === 0) {
    digits.shift();
    weight--;
  }
  while (digits.length > 0 && digits[digits.length - 1] === 0) digits.pop();
  if (digits.length === 0) weight = 0;
  const out = header(digits.length, weight, d.m < 0n ? SIGN.negative : SIGN.positive, d.s, digits.length);
  const view = new DataView(out.buffer);
  digits.forEach((n, i) => {
    view.setUint16(8 + 2 * i, n);
  });
  return out;
}

function header(ndigits: number, weight: number, sign: number, dscale: number, extra: number): Uint8Array {
  const out = new Uint8Array(8 + 2 * extra);
  const view = new DataView(out.buffer);
  view.setUint16(0, ndigits);
  view.setInt16(2, weight);
  view.setUint16(4, sign);
  view.setUint16(6, dscale);
  return out;
}

export function decimalFromBinary(bytes: Uint8Array): Decimal {
  const bad = (what: string) => new SqlError('22P03', `invalid ${what} in external "numeric" value`);
  if (bytes.length < 8) throw new SqlError('08P01', 'insufficient data left in message');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const n = view.getUint16(0);
  const weight = view.getInt16(2);
  const sign = view.getUint16(4);
  const dscale = view.getUint16(6);
  if (sign === SIGN.nan) return NAN;
  if (sign === SIGN.infinity) return INFINITY;
  if (sign === SIGN.negInfinity) return NEG_INFINITY;
  if (sign !== SIGN.positive && sign !== SIGN.negative) throw bad('sign');
  if (dscale > 0x3fff) throw bad('scale');
  if (bytes.length < 8 + 2 * n) throw new SqlError('08P01', 'insufficient data left in message');
  let m = 0n;
  for (let i = 0; i < n; i++) {
    const digit = view.getInt16(8 + 2 * i);
    if (digit < 0 || digit > 9999) throw bad('digit');
    m = m * 10000n + BigInt(digit);
  }
  // m stands at 10000^(weight - n + 1); bring it to the declared scale, cutting hidden digits beyond it.
  const exponent = (weight - n + 1) * 4 + dscale;
  m = exponent >= 0 ? m * pow10(exponent) : m / pow10(-exponent);
  return checked(decimal(sign === SIGN.negative ? -m : m, dscale));
}
