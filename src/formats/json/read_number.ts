/** Booleans and numbers from JSON bytes into slots; see scan.ts for what a reader is. Up to 15 digits go through a double, which is exact. */
import { F64, I32, I64, U8, U16 } from '../../../operators/batch/memory.ts';
import { endsNumber, isFalse, isTrue, ODD } from './scan.ts';

const TWO_32 = 4294967296;
export const MAX_EXACT = 9_007_199_254_740_991;
const POWERS = Float64Array.from({ length: 23 }, (_, i) => 10 ** i);

export function readBool(p: number, slot: number): number {
  if (isTrue(p)) {
    U8[slot] = 1;
    return p + 4;
  }
  if (!isFalse(p)) return ODD;
  U8[slot] = 0;
  return p + 5;
}

/** Exact for |value| <= 2^53. */
export function writeInt64(slot: number, value: number): void {
  I32[slot >>> 2] = value;
  I32[(slot >>> 2) + 1] = Math.floor(value / TWO_32);
}

/** An integer within least .. most (both within 32 bits) into a 32-bit slot. */
export function readInt32(p: number, slot: number, least: number, most: number): number {
  const negative = U8[p] === 45;
  if (negative) p++;
  const first = p;
  let value = 0;
  for (let c = U8[p]; c >= 48 && c <= 57 && p - first < 11; c = U8[++p]) value = value * 10 + (c - 48);
  if (p === first || (U8[first] === 48 && p - first > 1) || !endsNumber(U8[p])) return ODD;
  if (negative) value = -value;
  if (value < least || value > most) return ODD;
  I32[slot >>> 2] = value;
  return p;
}

export function readInt64(p: number, slot: number): number {
  const negative = U8[p] === 45;
  if (negative) p++;
  const first = p;
  let value = 0;
  for (let c = U8[p]; c >= 48 && c <= 57 && p - first < 15; c = U8[++p]) value = value * 10 + (c - 48);
  if (p === first || (U8[first] === 48 && p - first > 1)) return ODD;
  if (endsNumber(U8[p])) {
    writeInt64(slot, negative ? -value : value);
    return p;
  }
  let low = 0;
  let more = 0;
  for (let c = U8[p]; c >= 48 && c <= 57 && more < 4; c = U8[++p], more++) low = low * 10 + (c - 48);
  if (more === 0 || !endsNumber(U8[p])) return ODD;
  const magnitude = BigInt(value) * BigInt(POWERS[more]) + BigInt(low);
  if (magnitude > 9223372036854775807n) return ODD;
  I64[slot / 8] = negative ? -magnitude : magnitude;
  return p;
}

/** Decimal digits with at most 15 of them and no exponent: mantissa and digits behind the point. */
export const decimalParts = { mantissa: 0, scale: 0 };

export function readDecimal(p: number): number {
  const negative = U8[p] === 45;
  if (negative) p++;
  const first = p;
  let value = 0;
  let digits = 0;
  let c = U8[p];
  for (; c >= 48 && c <= 57 && digits < 16; c = U8[++p], digits++) value = value * 10 + (c - 48);
  if (digits === 0 || (U8[first] === 48 && digits > 1)) return ODD;
  let scale = 0;
  if (c === 46) {
    for (c = U8[++p]; c >= 48 && c <= 57 && digits < 16; c = U8[++p], digits++, scale++) value = value * 10 + (c - 48);
    if (scale === 0) return ODD;
  }
  if (digits > 15 || !endsNumber(c)) return ODD;
  decimalParts.mantissa = negative ? -value : value;
  decimalParts.scale = scale;
  return p;
}

/** A mantissa below 2^53 divided by an exact power of ten is rounded once, so this is the nearest double. */
export function readFloat64(p: number, slot: number): number {
  p = readDecimal(p);
  if (p !== ODD) F64[slot / 8] = decimalParts.mantissa / POWERS[decimalParts.scale];
  return p;
}

/** A numeric of up to 15 digits, kept with its own scale, or the column's (`scale` >= 0, at most `precision` digits). */
export function readNumeric(p: number, slot: number, precision: number, scale: number): number {
  p = readDecimal(p);
  if (p === ODD) return ODD;
  let { mantissa } = decimalParts;
  if (scale >= 0) {
    const add = scale - decimalParts.scale;
    if (add < 0 || add > 22) return ODD;
    mantissa *= POWERS[add];
    if (Math.abs(mantissa) > MAX_EXACT || (precision < 23 && Math.abs(mantissa) >= POWERS[precision])) return ODD;
  }
  if (mantissa === 0) mantissa = 0;
  writeInt64(slot, mantissa);
  I32[(slot >>> 2) + 2] = 0;
  I32[(slot >>> 2) + 3] = 0;
  U16[(slot + 8) >>> 1] = scale >= 0 ? scale : decimalParts.scale;
  return p;
}
