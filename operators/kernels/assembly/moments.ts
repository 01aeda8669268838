/**
 * Moments of doubles in the bytes of their groups (aggregate_layout.ts): exact sums of x and x^2, of pairs those of y, y^2 and xy as well; and what variances, correlations and
 * regressions are made of.
 *
 *   x^2 = mantissa^2 x 2^2e, 106 bits          n sum(x^2) - sum(x)^2, exact, over n: rounded once
 *
 * NaN and the infinities, large weights and values for which a sum has no room are refused before anything is written, and left to aggregates/float_moments.ts.
 */
import {
  CENTRED_MEAN_X,
  CENTRED_MEAN_Y,
  CENTRED_SXY,
  CENTRED_SYY,
  FORM_TOTAL,
  MOMENTS_COUNT,
  MOMENT_XX,
  MOMENT_XY,
  MOMENT_Y,
  MOMENT_YY,
  TOTAL_FORM,
  UNIT_X,
  UNIT_XX,
  UNIT_XY,
  UNIT_Y,
  UNIT_YY,
} from '../aggregate_layout';
import { exponentOf, isNumber, mantissaOf } from './doubles';
import { addExact, isZero, makeRoom } from './exact_sums';
import { productHigh, productLow, startProduct, times } from './int128';
import { nearest, rounded, startMagnitude } from './round';

const HALF: u64 = 0xffffffff;

/** a x b x weight to productLow and productHigh; false where it does not fit. */
@inline
function product(a: u64, b: u64, weight: u64): bool {
  const a0 = a & HALF;
  const a1 = a >> 32;
  const b0 = b & HALF;
  const b1 = b >> 32;
  const least = a0 * b0;
  const middle = a1 * b0 + a0 * b1;
  const low = least + (middle << 32);
  startProduct(low, a1 * b1 + (middle >> 32) + (low < least ? 1 : 0));
  return weight == 1 || times(weight);
}

/** The value, or pair of values, of a row, with its weight, into one group's sums; false, and no sum is another one, where that is not for it. Of pairs `data` has y and `other` x. */
export function addToMoments(pairs: bool, state: usize, data: usize, other: usize, row: u32, weight: i32): bool {
  const xBits = load<u64>((pairs ? other : data) + (row << 3));
  const yBits = pairs ? load<u64>(data + (row << 3)) : 0;
  if (!isNumber(xBits) || !isNumber(yBits)) return false;
  const by = weight < 0 ? 0 - <u64>weight : <u64>weight;
  const taken = weight < 0;
  const mx = mantissaOf(xBits);
  const ex = exponentOf(xBits);
  const xNegative = xBits >> 63 != 0;
  const xx = state + MOMENT_XX;
  if (!product(mx, mx, by)) return false;
  const xxLow = productLow;
  const xxHigh = productHigh;
  if (!makeRoom(xx, state + UNIT_XX, xxLow, xxHigh, ex * 2)) return false;
  product(mx, 1, by);
  const xLow = productLow;
  const xHigh = productHigh;
  if (!makeRoom(state, state + UNIT_X, xLow, xHigh, ex)) return false;
  if (pairs && !addOther(state, mx, ex, xNegative, yBits, by, taken)) return false;
  addExact(xx, state + UNIT_XX, xxLow, xxHigh, ex * 2, taken);
  addExact(state, state + UNIT_X, xLow, xHigh, ex, xNegative != taken);
  store<f64>(state, load<f64>(state, MOMENTS_COUNT) + <f64>weight, MOMENTS_COUNT);
  return true;
}

/** What y adds; likewise. */
function addOther(state: usize, mx: u64, ex: i32, xNegative: bool, yBits: u64, by: u64, taken: bool): bool {
  const my = mantissaOf(yBits);
  const ey = exponentOf(yBits);
  const yNegative = yBits >> 63 != 0;
  const y = state + MOMENT_Y;
  const yy = state + MOMENT_YY;
  const xy = state + MOMENT_XY;
  if (!product(my, my, by)) return false;
  const yyLow = productLow;
  const yyHigh = productHigh;
  if (!makeRoom(yy, state + UNIT_YY, yyLow, yyHigh, ey * 2)) return false;
  if (!product(mx, my, by)) return false;
  const xyLow = productLow;
  const xyHigh = productHigh;
  if (!makeRoom(xy, state + UNIT_XY, xyLow, xyHigh, ex + ey)) return false;
  product(my, 1, by);
  if (!makeRoom(y, state + UNIT_Y, productLow, productHigh, ey)) return false;
  addExact(y, state + UNIT_Y, productLow, productHigh, ey, yNegative != taken);
  addExact(yy, state + UNIT_YY, yyLow, yyHigh, ey * 2, taken);
  addExact(xy, state + UNIT_XY, xyLow, xyHigh, ex + ey, xNegative != yNegative != taken);
  return true;
}

/**
 * The centred sums and the means of a group's values, rounded once, to `out` (aggregate_layout.ts, CENTRED_BYTES). False where that is not for it: a record, no values or too many,
 * sums whose units are far apart, results that are no normal numbers.
 */
export function centreMoments(state: usize, pairs: bool, out: usize): bool {
  if (load<u8>(state, TOTAL_FORM) != FORM_TOTAL) return false;
  const count = load<f64>(state, MOMENTS_COUNT);
  if (!(count > 0 && count < 4294967296)) return false;
  const n = <u64>count;
  const x = state;
  const ux: i32 = load<i16>(state, UNIT_X);
  if (!mean(x, ux, n, out + CENTRED_MEAN_X)) return false;
  if (!centre(x, ux, x, ux, state + MOMENT_XX, load<i16>(state, UNIT_XX), n, out, out)) return false;
  if (!pairs) return true;
  const y = state + MOMENT_Y;
  const uy: i32 = load<i16>(state, UNIT_Y);
  return (
    mean(y, uy, n, out + CENTRED_MEAN_Y) &&
    centre(y, uy, y, uy, state + MOMENT_YY, load<i16>(state, UNIT_YY), n, out, out + CENTRED_SYY) &&
    centre(x, ux, y, uy, state + MOMENT_XY, load<i16>(state, UNIT_XY), n, out, out + CENTRED_SXY)
  );
}

function mean(sum: usize, unit: i32, n: u64, to: usize): bool {
  let m3 = load<u64>(sum, 24);
  const negative = <i64>m3 < 0;
  const inverted: u64 = negative ? ~(<u64>0) : 0;
  const m0 = (load<u64>(sum) ^ inverted) + (negative ? 1 : 0);
  let carry: u64 = negative && m0 == 0 ? 1 : 0;
  const m1 = (load<u64>(sum, 8) ^ inverted) + carry;
  carry = m1 == 0 ? carry : 0;
  const m2 = (load<u64>(sum, 16) ^ inverted) + carry;
  carry = m2 == 0 ? carry : 0;
  m3 = (m3 ^ inverted) + carry;
  if ((m0 | m1 | m2 | m3) == 0) {
    store<f64>(to, 0);
    return true;
  }
  if (m3 == 0) {
    startMagnitude(m2, m1, m0);
    if (!nearest(unit, n, negative, false)) return false;
  } else {
    startMagnitude(m3, m2, m1);
    if (!nearest(unit + 64, n, negative, m0 != 0)) return false;
  }
  store<f64>(to, rounded);
  return true;
}

/** Scratch memory: integers of 32-bit limbs, lowest first. */
const A: usize = 64;
const B: usize = A + 48;
const LEFT: usize = B + 48;
const LIMBS: u32 = 44;
const RIGHT: usize = LEFT + 176;
/** Further apart there is no room: a product of 512 bits and a bit shift, and as much below. */
const MOST_APART = 800;

/** The magnitude of a sum, shifted left by less than 32 bits, as nine limbs at `to`; whether it is negative. */
function magnitude(sum: usize, bits: u32, to: usize): bool {
  const negative = load<i64>(sum, 24) < 0;
  const inverted: u64 = negative ? HALF : 0;
  let add: u64 = negative ? 1 : 0;
  let carried: u64 = 0;
  for (let i: usize = 0; i < 32; i += 4) {
    const limb = (<u64>load<u32>(sum + i) ^ inverted) + add;
    add = limb >> 32;
    const shifted = ((limb & HALF) << bits) | carried;
    store<u32>(to + i, <u32>shifted);
    carried = shifted >> 32;
  }
  store<u32>(to, <u32>carried, 32);
  return negative;
}

/** To LEFT: n c 2^uc - a b 2^(ua + ub), over n, as a double to `to`. */
function centre(
  a: usize,
  ua: i32,
  b: usize,
  ub: i32,
  c: usize,
  uc: i32,
  n: u64,
  scratch: usize,
  to: usize,
): bool {
  const some = !isZero(a);
  const others = !isZero(b);
  const squares = !isZero(c);
  // A sum of 0 has no unit.
  let unit = ua + ub;
  if (!(some && others)) unit = uc;
  else if (squares) unit = min(unit, uc);
  const left = scratch + LEFT;
  const right = scratch + RIGHT;
  memory.fill(left, 0, LIMBS << 2);
  memory.fill(right, 0, LIMBS << 2);
  let negativeLeft = false;
  let negativeRight = false;
  if (squares) {
    const shift = uc - unit;
    if (shift > MOST_APART) return false;
    negativeLeft = magnitude(c, shift & 31, scratch + A);
    const at = left + ((shift >> 5) << 2);
    let carry: u64 = 0;
    for (let i: usize = 0; i < 36; i += 4) {
      carry += <u64>load<u32>(scratch + A + i) * n;
      store<u32>(at + i, <u32>carry);
      carry >>= 32;
    }
    store<u32>(at, <u32>carry, 36);
  }
  if (some && others) {
    const shift = ua + ub - unit;
    if (shift > MOST_APART) return false;
    negativeRight = magnitude(a, shift & 31, scratch + A) != magnitude(b, 0, scratch + B);
    multiply(scratch + A, scratch + B, right + ((shift >> 5) << 2));
  }
  const negative = difference(left, right, negativeLeft != negativeRight) != negativeLeft;
  let top = <i32>LIMBS - 1;
  while (top >= 0 && load<u32>(left + (top << 2)) == 0) top--;
  if (top < 0) {
    store<f64>(to, 0);
    return true;
  }
  const lowest = max(top - 5, 0);
  let more = false;
  for (let i = 0; i < lowest; i++) more = more || load<u32>(left + (i << 2)) != 0;
  const at = left + (lowest << 2);
  startMagnitude(load<u64>(at, 16), load<u64>(at, 8), load<u64>(at));
  if (!nearest(unit + lowest * 32, n, negative, more)) return false;
  store<f64>(to, rounded);
  return true;
}

/** Nine limbs by eight. */
function multiply(a: usize, b: usize, to: usize): void {
  for (let i: usize = 0; i < 36; i += 4) {
    const factor = <u64>load<u32>(a + i);
    if (factor == 0) continue;
    let carry: u64 = 0;
    for (let j: usize = 0; j < 32; j += 4) {
      carry += <u64>load<u32>(to + i + j) + factor * <u64>load<u32>(b + j);
      store<u32>(to + i + j, <u32>carry);
      carry >>= 32;
    }
    store<u32>(to + i, <u32>carry, 32);
  }
}

/** left - right, or (`sum`) left + right, to `left`, as a magnitude; whether it is negative. */
function difference(left: usize, right: usize, sum: bool): bool {
  let carry: i64 = 0;
  for (let i: usize = 0; i < LIMBS << 2; i += 4) {
    const other = <i64>load<u32>(right + i);
    carry += <i64>load<u32>(left + i) + (sum ? other : -other);
    store<u32>(left + i, <u32>carry);
    carry >>= 32;
  }
  if (carry >= 0) return false;
  let add: u64 = 1;
  for (let i: usize = 0; i < LIMBS << 2; i += 4) {
    add += <u64>load<u32>(left + i) ^ HALF;
    store<u32>(left + i, <u32>add);
    add >>= 32;
  }
  return true;
}
