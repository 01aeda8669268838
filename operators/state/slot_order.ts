/**
 * Equality, hash and order of slots for the kinds that are more than plain words: called by generated row operations.
 *
 * Equality is PostgreSQL's `=` of the type's default operator class (1.0 = 1.00, '1 mon' = '30 days', char(n) without trailing
 * blanks), so slots with different bytes can be equal; equal slots hash alike.
 */
import { compareRecordsAt } from '../batch/composite.ts';
import { I32, I64, U8, U16, U32 } from '../batch/memory.ts';
import { NUMERIC_SMALL, NUMERIC_WIDE, readSlot, varlenAddress } from '../batch/slots.ts';
import type { Decimal } from '../datum.ts';
import { compareDatum } from '../expr/compare.ts';
import { compareDecimal } from '../expr/decimal/compare.ts';
import { normalizeDecimal } from '../expr/decimal/normal.ts';
import { kernels } from '../kernels/index.ts';
import { OID } from '../types.ts';

export function mix(h: number, word: number): number {
  h = Math.imul(h ^ word, 0x9e3779b1);
  return (h << 15) | (h >>> 17);
}

/** Last step of a hash: spreads all bits; the result is an unsigned 32-bit number. */
export function finish(h: number): number {
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Varlen values up to this length lie in their slots. */
const INLINE = 12;
/** From this many bytes on the call of a WebAssembly kernel pays. */
const LONG = 32;

function hashBytes(h: number, address: number, length: number): number {
  if (length >= LONG) return kernels.hashBytes(h, address, length);
  const end = address + length;
  let at = address;
  for (; at + 4 <= end; at += 4) h = mix(h, U8[at] | (U8[at + 1] << 8) | (U8[at + 2] << 16) | (U8[at + 3] << 24));
  let rest = 0;
  for (let shift = 0; at < end; at++, shift += 8) rest |= U8[at] << shift;
  return mix(mix(h, rest), length);
}

function bytesEqual(a: number, b: number, length: number): boolean {
  if (length >= LONG) return kernels.equalBytes(a, b, length) !== 0;
  for (let i = 0; i < length; i++) if (U8[a + i] !== U8[b + i]) return false;
  return true;
}

export function hashVarlen(h: number, slot: number): number {
  const word = slot >>> 2;
  const length = U32[word];
  if (length > INLINE) return hashBytes(h, U32[word + 2], length);
  // Unused bytes are zero.
  return mix(mix(mix(mix(h, U32[word + 1]), U32[word + 2]), U32[word + 3]), length);
}

export function equalVarlen(a: number, b: number): boolean {
  const x = a >>> 2;
  const y = b >>> 2;
  const length = U32[x];
  if (length !== U32[y] || U32[x + 1] !== U32[y + 1]) return false;
  if (length <= 12) return U32[x + 2] === U32[y + 2] && U32[x + 3] === U32[y + 3];
  return bytesEqual(U32[x + 2], U32[y + 2], length);
}

/** Bytewise order, shorter first when one is the beginning of the other: the "C" collation, and bytea's order. */
export function compareVarlen(a: number, b: number): number {
  return compareBytes(varlenAddress(a), U32[a >>> 2], varlenAddress(b), U32[b >>> 2]);
}

function compareBytes(a: number, aLength: number, b: number, bLength: number): number {
  const shared = aLength < bLength ? aLength : bLength;
  const difference = kernels.compareBytes(a, b, shared);
  return difference !== 0 ? difference : aLength - bLength;
}

function trimmedLength(slot: number): number {
  const address = varlenAddress(slot);
  let length = U32[slot >>> 2];
  while (length > 0 && U8[address + length - 1] === 32) length--;
  return length;
}

export function hashBpchar(h: number, slot: number): number {
  return hashBytes(h, varlenAddress(slot), trimmedLength(slot));
}

export function compareBpchar(a: number, b: number): number {
  return compareBytes(varlenAddress(a), trimmedLength(a), varlenAddress(b), trimmedLength(b));
}

function decimalOf(slot: number): Decimal {
  return readSlot('numeric', OID.numeric, slot) as Decimal;
}

export function hashNumeric(h: number, slot: number): number {
  const word = slot >>> 2;
  if (U8[slot + 10] === NUMERIC_SMALL) {
    if (U16[(slot + 8) >>> 1] === 0) return mix(mix(h, I32[word]), I32[word + 1]);
    return kernels.hashSmallNumeric(h, slot);
  }
  const value = normalizeDecimal(decimalOf(slot));
  if (value.special !== undefined) return mix(h, value.special.length);
  const low = Number(BigInt.asIntN(32, value.m));
  const high = Number(BigInt.asIntN(32, value.m >> 32n));
  const hashed = mix(mix(h, low), high);
  return value.s === 0 ? hashed : mix(hashed, value.s);
}

export function equalNumeric(a: number, b: number): boolean {
  const x = a >>> 2;
  const y = b >>> 2;
  if (U8[a + 10] === NUMERIC_SMALL && U8[b + 10] === NUMERIC_SMALL && U16[(a + 8) >>> 1] === U16[(b + 8) >>> 1]) {
    return I32[x] === I32[y] && I32[x + 1] === I32[y + 1];
  }
  return compareNumeric(a, b) === 0;
}

/** Some of a varlen value: its slot, and of a long value words from the middle and the end. */
export function hashSample(h: number, slot: number): number {
  const word = slot >>> 2;
  const length = U32[word];
  const known = mix(mix(h, length), I32[word + 1]);
  if (length <= 12) return mix(mix(known, I32[word + 2]), I32[word + 3]);
  const address = U32[word + 2];
  return mix(
    mix(mix(known, wordAt(address + (length >>> 1) - 2)), wordAt(address + length - 8)),
    wordAt(address + length - 4),
  );
}

function wordAt(address: number): number {
  return U8[address] | (U8[address + 1] << 8) | (U8[address + 2] << 16) | (U8[address + 3] << 24);
}

/** Equal and shown with the same scale. */
export function sameNumeric(a: number, b: number): boolean {
  if (U8[a + 10] === NUMERIC_WIDE && U8[b + 10] === NUMERIC_WIDE) {
    const x = a >>> 2;
    const y = b >>> 2;
    // A value and scale have one representation.
    if (U32[x] !== U32[y] || U32[x + 1] !== U32[y + 1] || U16[(a + 8) >>> 1] !== U16[(b + 8) >>> 1]) return false;
    return bytesEqual(U32[x + 3], U32[y + 3], U32[x]);
  }
  return U16[(a + 8) >>> 1] === U16[(b + 8) >>> 1] && equalNumeric(a, b);
}

export function compareNumeric(a: number, b: number): number {
  if (U8[a + 10] === NUMERIC_SMALL && U8[b + 10] === NUMERIC_SMALL && U16[(a + 8) >>> 1] === U16[(b + 8) >>> 1]) {
    return compareInt64(a, b);
  }
  return compareDecimal(decimalOf(a), decimalOf(b));
}

export function compareInt64(a: number, b: number): number {
  const x = a >>> 2;
  const y = b >>> 2;
  const high = I32[x + 1];
  const otherHigh = I32[y + 1];
  if (high !== otherHigh) return high < otherHigh ? -1 : 1;
  const low = U32[x];
  const otherLow = U32[y];
  return low < otherLow ? -1 : low > otherLow ? 1 : 0;
}

/** Total length in microseconds with months of 30 days, as PostgreSQL compares intervals. */
function intervalLength(slot: number): bigint {
  const days = BigInt(I32[(slot + 8) >>> 2]) + BigInt(I32[(slot + 12) >>> 2]) * 30n;
  return days * 86400000000n + I64[slot / 8];
}

export function hashInterval(h: number, slot: number): number {
  const length = intervalLength(slot);
  return mix(mix(h, Number(BigInt.asIntN(32, length))), Number(BigInt.asIntN(32, length >> 32n)));
}

export function compareInterval(a: number, b: number): number {
  const x = intervalLength(a);
  const y = intervalLength(b);
  return x < y ? -1 : x > y ? 1 : 0;
}

/** By value, then by the scale shown. */
export function compareNumericAndScale(a: number, b: number): number {
  return compareNumeric(a, b) || U16[(a + 8) >>> 1] - U16[(b + 8) >>> 1];
}

/** By length, then by months and days: '1 mon' and '30 days' are different rows. */
export function compareIntervalFields(a: number, b: number): number {
  const x = a >>> 2;
  const y = b >>> 2;
  return compareInterval(a, b) || I32[x + 3] - I32[y + 3] || I32[x + 2] - I32[y + 2];
}

export function compareFloat(a: number, b: number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  if (a === b) return 0;
  const aNan = Number.isNaN(a);
  const bNan = Number.isNaN(b);
  return aNan === bNan ? 0 : aNan ? 1 : -1;
}

/** By value, then -0 before 0. */
export function compareFloatLook(a: number, b: number): number {
  return a === 0 && b === 0 ? Number(Object.is(b, -0)) - Number(Object.is(a, -0)) : compareFloat(a, b);
}

export function compareUuid(a: number, b: number): number {
  return compareBytes(a, 16, b, 16);
}

/** Arrays, records, jsonb: decoded and compared as datums. */
export function compareDecoded(a: number, b: number, oid: number): number {
  const order = oid === OID.record ? compareRecordsAt(varlenAddress(a), varlenAddress(b), compareDatum) : null;
  if (order !== null) return order;
  return compareDatum(readSlot('varlen', oid, a), readSlot('varlen', oid, b), oid);
}
