/**
 * Exact sums of doubles in the bytes of their groups (aggregate_layout.ts): 192 bits in units of a power of two, which the first value chooses such that values of 2^41 times and of 2^-64
 * times its size have room as well.
 *
 *   double = mantissa x 2^e      sum += mantissa x weight x 2^(e - unit)
 *
 * A value outside of that window, unless its low bits are zero, and NaN and the infinities are refused, and left to aggregates/float_totals.ts. Sums and averages are rounded once.
 */
import { FLOAT_COUNT, FLOAT_UNIT, FORM_TOTAL, TOTAL_FORM } from '../aggregate_layout';
import { exponentOf, isNumber, LEAST_EXPONENT, mantissaOf } from './doubles';
import { nearest, rounded, startMagnitude } from './round';

/** Bits below the first value. */
const BELOW = 64;
/** A mantissa has 53 bits and a weight 31: shifted so far they stay below 2^189. */
const MOST_SHIFT = 105;
const HALF: u64 = 0xffffffff;

export function addFloat(state: usize, x: f64, weight: i32): bool {
  const bits = reinterpret<u64>(x);
  if (!isNumber(bits)) return false;
  if (bits << 1 != 0 && !addShifted(state, mantissaOf(bits), exponentOf(bits), bits >> 63 != 0 != weight < 0, weight)) return false;
  store<f64>(state, load<f64>(state, FLOAT_COUNT) + <f64>weight, FLOAT_COUNT);
  return true;
}

@inline
function addShifted(state: usize, mantissa: u64, e: i32, negative: bool, weight: i32): bool {
  const s0 = load<u64>(state);
  const s1 = load<u64>(state, 8);
  const s2 = load<u64>(state, 16);
  let unit: i32 = load<i16>(state, FLOAT_UNIT);
  if ((s0 | s1 | s2) == 0) unit = max(LEAST_EXPONENT, e - BELOW);
  // One more product cannot reach 2^191.
  else if (<i64>s2 >= 0x2000000000000000 || <i64>s2 < -0x2000000000000000) return false;
  let shift = e - unit;
  if (shift < 0) {
    if (shift <= -53 || (mantissa & (((<u64>1) << -shift) - 1)) != 0) return false;
    mantissa >>= -shift;
    shift = 0;
  }
  if (shift > MOST_SHIFT) return false;
  const by = weight < 0 ? 0 - <u64>weight : <u64>weight;
  const a = (mantissa & HALF) * by;
  const b = (mantissa >> 32) * by + (a >> 32);
  const low = (b << 32) | (a & HALF);
  const high = b >> 32;
  let w0: u64 = 0;
  let w1: u64 = low;
  let w2: u64 = high;
  if (shift > 64) {
    w2 = (high << (shift - 64)) | (low >> (128 - shift));
    w1 = low << (shift - 64);
  } else if (shift < 64) {
    w0 = low << shift;
    w1 = shift == 0 ? high : (high << shift) | (low >> (64 - shift));
    w2 = shift == 0 ? 0 : high >> (64 - shift);
  }
  if (negative) {
    w0 = ~w0 + 1;
    w1 = ~w1 + (w0 == 0 ? 1 : 0);
    w2 = ~w2 + (w0 == 0 && w1 == 0 ? 1 : 0);
  }
  const t0 = s0 + w0;
  const carry: u64 = t0 < s0 ? 1 : 0;
  const t1 = s1 + w1;
  const t1c = t1 + carry;
  const next: u64 = (t1 < s1 ? 1 : 0) + (t1c < t1 ? 1 : 0);
  store<u64>(state, t0);
  store<u64>(state, t1c, 8);
  store<u64>(state, s2 + w2 + next, 16);
  store<i16>(state, <i16>unit, FLOAT_UNIT);
  return true;
}

/**
 * The sums at `offset` of n groups, or their averages, as doubles, or (`single`) sums as floats, which lie in doubles as well. Gives the number done: it stops at a record and
 * at results that are not normal numbers.
 */
export function writeFloats(
  groups: usize,
  n: u32,
  offset: u32,
  average: bool,
  single: bool,
  data: usize,
  valid: usize,
): u32 {
  for (let i: u32 = 0; i < n; i++, data += 8) {
    const state: usize = load<u32>(groups + (i << 2)) + offset;
    if (load<u8>(state, TOTAL_FORM) != FORM_TOTAL) return i;
    const count = load<f64>(state, FLOAT_COUNT);
    store<u8>(valid + i, count != 0 ? 1 : 0);
    let m0 = load<u64>(state);
    let m1 = load<u64>(state, 8);
    let m2 = load<u64>(state, 16);
    if (count == 0 || (m0 | m1 | m2) == 0) {
      store<f64>(data, 0);
      continue;
    }
    if (average && !(count > 0 && count < 4294967296)) return i;
    const negative = <i64>m2 < 0;
    if (negative) {
      m0 = ~m0 + 1;
      m1 = ~m1 + (m0 == 0 ? 1 : 0);
      m2 = ~m2 + (m0 == 0 && m1 == 0 ? 1 : 0);
    }
    startMagnitude(m2, m1, m0);
    if (!nearest(load<i16>(state, FLOAT_UNIT), average ? <u64>count : 1, negative, false)) return i;
    const shown = single ? <f64>(<f32>rounded) : rounded;
    if (!isFinite<f64>(shown)) return i;
    store<f64>(data, shown);
  }
  return n;
}
