/**
 * Numeric totals in the bytes of their groups (aggregate_layout.ts): rows into them, and their sums out.
 *
 *   all values of one scale     sum += value x weight; one number of values
 *   another scale               found among six; the value, or once the sum, multiplied to the larger one
 *
 * What does not fit (a value that is wide, NaN or infinite, a seventh scale, a sum of 125 bits, numbers of values beyond 32 bits) is refused before anything is written, and
 * left to aggregates/numeric_totals.ts.
 */
import {
  CALL_SQUARES_INT4,
  CALL_SQUARES_NUMERIC,
  CALL_TOTAL_NUMERIC,
  FORM_TOTAL,
  TOTAL_COUNTS,
  TOTAL_FORM,
  TOTAL_KINDS,
  TOTAL_MOST_SCALE,
  TOTAL_SCALE,
  TOTAL_SCALES,
  TOTAL_SQUARES,
} from '../aggregate_layout';
import { add128, addProduct, productHigh, productLow, startProduct, startSquare, times, timesPower } from './int128';
import { NUMERIC_SMALL, storeWide } from './numeric';

/** The value of a row, with its weight, into one group's total; false, and nothing is done, where that is not for it. */
@inline
export function addNumeric(kind: u32, state: usize, data: usize, row: u32, weight: i32): bool {
  if (!hasRoom(load<i64>(state, 8))) return false;
  let value: i64;
  let scale: u32 = 0;
  if (kind <= <u32>CALL_SQUARES_NUMERIC) {
    const slot = data + (row << 4);
    scale = load<u16>(slot, 8);
    if (load<u8>(slot, 10) != NUMERIC_SMALL || scale > <u32>TOTAL_MOST_SCALE) return false;
    value = load<i64>(slot);
  } else value = kind == CALL_SQUARES_INT4 ? <i64>load<i32>(data + (row << 2)) : load<i64>(data + (row << 3));
  const squares = kind != CALL_TOTAL_NUMERIC;
  if (load<u8>(state, TOTAL_SCALES) != scale || load<u8>(state, TOTAL_SCALE) != scale)
    return addScaled(state, value, scale, weight, squares);
  const count = <i64>load<i32>(state, TOTAL_COUNTS) + <i64>weight;
  if (<i64>(<i32>count) != count) return false;
  if (squares && !addSquare(state, value, weight)) return false;
  addProduct(state, value, weight);
  store<i32>(state, <i32>count, TOTAL_COUNTS);
  return true;
}

/** A product below 2^125 can be added. */
@inline
function hasRoom(high: i64): bool {
  return high < 0x2000000000000000 && high >= -0x2000000000000000;
}

@inline
function magnitude(value: i64): u64 {
  return value < 0 ? 0 - <u64>value : <u64>value;
}

@inline
function addSigned(at: usize, low: u64, high: u64, negative: bool): void {
  if (negative) add128(at, 0 - low, ~(<i64>high) + (low == 0 ? 1 : 0));
  else add128(at, low, <i64>high);
}

function addSquare(state: usize, value: i64, weight: i32): bool {
  if (!hasRoom(load<i64>(state, TOTAL_SQUARES + 8))) return false;
  if (!startSquare(magnitude(value)) || !times(magnitude(weight))) return false;
  addSigned(state + TOTAL_SQUARES, productLow, productHigh, weight < 0);
  return true;
}

/** The place among a total's scales that is this one's, or free; -1: there is none. */
function placeOf(state: usize, scale: u32): i32 {
  let free = -1;
  for (let i = 0; i < TOTAL_KINDS; i++) {
    if (load<i32>(state + (i << 2), TOTAL_COUNTS) == 0) free = free < 0 ? i : free;
    else if (load<u8>(state + i, TOTAL_SCALES) == scale) return i;
  }
  return free;
}

/** A total in which there is no value, and nothing is due. */
function isEmpty(state: usize, squares: bool): bool {
  let some = load<u64>(state) | load<u64>(state, 8);
  for (let i = 0; i < TOTAL_KINDS; i++) some |= <u64>load<u32>(state + (i << 2), TOTAL_COUNTS);
  if (squares) some |= load<u64>(state, TOTAL_SQUARES) | load<u64>(state, TOTAL_SQUARES + 8);
  return some == 0;
}

/** Multiplies the 128-bit integer at `at` by 10^n, to productLow and productHigh; gives whether that is negative in `raisedSign`. */
let raisedNegative: bool = false;
function raise(at: usize, n: u32): bool {
  const low = load<u64>(at);
  const high = load<i64>(at, 8);
  raisedNegative = high < 0;
  if (high < 0) startProduct(0 - low, <u64>(~high + (low == 0 ? 1 : 0)));
  else startProduct(low, <u64>high);
  return timesPower(n);
}

function addScaled(state: usize, value: i64, scale: u32, weight: i32, squares: bool): bool {
  const place = placeOf(state, scale);
  if (place < 0) return false;
  const counts = state + (place << 2);
  const count = <i64>load<i32>(counts, TOTAL_COUNTS) + <i64>weight;
  if (<i64>(<i32>count) != count) return false;
  let present: u32 = load<u8>(state, TOTAL_SCALE);
  if (present != scale && isEmpty(state, squares)) present = scale;
  const by = weight < 0 ? 0 - <u64>weight : <u64>weight;
  const negative = value < 0 != weight < 0;
  // What is to be added, in units of the larger scale.
  startProduct(magnitude(value), 0);
  if (present > scale && !timesPower(present - scale)) return false;
  const root = productLow;
  if (squares && productHigh != 0) return false;
  if (!times(by)) return false;
  const low = productLow;
  const high = productHigh;
  let squareLow: u64 = 0;
  let squareHigh: u64 = 0;
  if (squares) {
    if (!hasRoom(load<i64>(state, TOTAL_SQUARES + 8)) || !startSquare(root) || !times(by)) return false;
    squareLow = productLow;
    squareHigh = productHigh;
  }
  if (scale > present) {
    const more = scale - present;
    if (!raise(state, more)) return false;
    const sumLow = productLow;
    const sumHigh = productHigh;
    const sumNegative = raisedNegative;
    if (squares) {
      if (!raise(state + TOTAL_SQUARES, more * 2)) return false;
      store<u64>(state, 0, TOTAL_SQUARES);
      store<u64>(state, 0, TOTAL_SQUARES + 8);
      addSigned(state + TOTAL_SQUARES, productLow, productHigh, raisedNegative);
    }
    store<u64>(state, 0);
    store<u64>(state, 0, 8);
    addSigned(state, sumLow, sumHigh, sumNegative);
  }
  if (squares) addSigned(state + TOTAL_SQUARES, squareLow, squareHigh, weight < 0);
  addSigned(state, low, high, negative);
  store<i32>(counts, <i32>count, TOTAL_COUNTS);
  store<u8>(state + place, <u8>scale, TOTAL_SCALES);
  store<u8>(state, <u8>max(present, scale), TOTAL_SCALE);
  return true;
}

/** How many values there are. */
export function totalCount(state: usize): i64 {
  let sum: i64 = 0;
  for (let i = 0; i < TOTAL_KINDS; i++) sum += <i64>load<i32>(state + (i << 2), TOTAL_COUNTS);
  return sum;
}

/** The scale of the sum, if it is the largest that a value has, as PostgreSQL shows it; else -1. */
export function totalScale(state: usize): i32 {
  const scale = load<u8>(state, TOTAL_SCALE);
  for (let i = 0; i < TOTAL_KINDS; i++)
    if (load<u8>(state + i, TOTAL_SCALES) == scale && load<i32>(state + (i << 2), TOTAL_COUNTS) != 0) return scale;
  return -1;
}

/** The sums of n totals at `offset`, as numerics; `outside`: 16 bytes a group for what is wider than its slot. Gives the number done: it stops at what is not for it. */
export function writeTotals(groups: usize, n: u32, offset: u32, data: usize, valid: usize, outside: usize): u32 {
  for (let i: u32 = 0; i < n; i++, data += 16, outside += 16) {
    const state: usize = load<u32>(groups + (i << 2)) + offset;
    if (load<u8>(state, TOTAL_FORM) != FORM_TOTAL) return i;
    if (totalCount(state) == 0) {
      store<u8>(valid + i, 0);
      store<u64>(data, 0);
      store<u64>(data, 0, 8);
      continue;
    }
    const scale = totalScale(state);
    if (scale < 0) return i;
    store<u8>(valid + i, 1);
    const low = load<u64>(state);
    const high = load<i64>(state, 8);
    if (high < 0) storeWide(0 - low, <u64>(~high + (low == 0 ? 1 : 0)), true, scale, data, outside);
    else storeWide(low, <u64>high, false, scale, data, outside);
  }
  return n;
}
