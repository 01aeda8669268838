/**
 * The loops of AggregateOperator (operators/aggregate.ts): the rows of a tick into the states of their groups, and states into output columns.
 * `groups` has an address a row. A stretch of rows goes through all calls before the next one, so that a group's bytes are fetched once.
 */
import {
  CALL_BYTES,
  CALL_COUNT,
  CALL_DATA,
  CALL_GREATEST_INT4,
  CALL_KIND,
  CALL_LEAST_INT4,
  CALL_LEAST_INT8,
  CALL_OFFSET,
  CALL_SUM_INT4,
  CALL_SUM_INT8,
  CALL_TOTAL_NUMERIC,
  CALL_TRUTH,
  CALL_VALID,
  CALL_WEIGHTS,
  EXTREME_INT4_BYTES,
  EXTREME_INT8_BYTES,
  EXTREME_TEXT_BYTES,
} from '../aggregate_layout';
import { SLOT_STATE, SLOT_TOUCHED, SLOT_USED } from '../table_layout';
import { addBits } from './bit_counts';
import { STRETCH } from './directory';
import { addProduct } from './int128';
import { announce } from './marks';
import { addTotals } from './totals';
import { INLINE } from './varlen';

/** The bytes of each row's group to `groups`: `payload` bytes into its slot. Lists the slots that are not touched yet, and are now; gives their number. */
export function touchGroups(slots: usize, n: u32, payload: u32, groups: usize, touched: usize): u32 {
  let count: u32 = 0;
  for (let row: u32 = 0; row < n; row++) {
    const slot: usize = load<u32>(slots + (row << 2));
    if (slot == 0) continue;
    store<u32>(groups + (row << 2), <u32>slot + payload);
    announce(slot + SLOT_STATE, 1);
    store<u32>(touched + (count << 2), <u32>slot);
    count += load<u8>(slot, SLOT_STATE) == SLOT_TOUCHED ? 0 : 1;
    store<u8>(slot, SLOT_TOUCHED, SLOT_STATE);
  }
  return count;
}

/** Slots that rows `fresh` made become groups: with numbers from `first` on as a double at `number`, and their deadlines, where there are any, at `deadline`. */
export function numberGroups(
  slots: usize,
  fresh: usize,
  made: u32,
  payload: u32,
  first: f64,
  number: u32,
  deadlines: usize,
  deadline: u32,
): void {
  for (let i: u32 = 0; i < made; i++) {
    const group: usize = load<u32>(slots + (load<u32>(fresh + (i << 2)) << 2)) + payload;
    store<f64>(group + number, first + <f64>i);
    if (deadlines != 0) store<f64>(group + deadline, load<f64>(deadlines + (i << 3)));
  }
}

/** Those of n groups' slots that have rows; gives their number. */
export function groupsWithRows(slots: usize, n: u32, payload: u32, to: usize): u32 {
  let count: u32 = 0;
  for (let i: u32 = 0; i < n; i++) {
    const slot: usize = load<u32>(slots + (i << 2));
    if (load<f64>(slot + payload) != 0) store<u32>(to + (count++ << 2), <u32>slot);
  }
  return count;
}

/** The n groups are not touched any more. Lists the slots of those that have no rows; gives their number. */
export function untouchGroups(slots: usize, n: u32, payload: u32, gone: usize): u32 {
  let count: u32 = 0;
  for (let i: u32 = 0; i < n; i++) {
    const slot: usize = load<u32>(slots + (i << 2));
    store<u8>(slot, SLOT_USED, SLOT_STATE);
    if (load<f64>(slot + payload) == 0) store<u32>(gone + (count++ << 2), <u32>slot);
  }
  return count;
}

/**
 * Takes n rows in; false when a row is retracted from a least or greatest value. Each call goes over a stretch of rows whose groups stay in the nearest cache, so
 * that what it does is decided once a stretch. A row of weight 0 may have no group, which is address 0.
 */
export function takeIn(calls: usize, count: u32, groups: usize, n: u32): bool {
  const end = calls + count * CALL_BYTES;
  for (let from: u32 = 0; from < n; from += STRETCH) {
    const to = min(from + STRETCH, n);
    for (let call = calls; call < end; call += CALL_BYTES) {
      const kind = load<u32>(call, CALL_KIND);
      if (kind == CALL_COUNT) countRows(call, groups, from, to);
      else if (kind <= <u32>CALL_SUM_INT8) sumRows(call, kind, groups, from, to);
      else if (kind >= <u32>CALL_TRUTH) addBits(call, kind, groups, from, to);
      else if (kind >= <u32>CALL_TOTAL_NUMERIC) addTotals(call, kind, groups, from, to);
      else if (!extremeRows(call, kind, groups, from, to)) return false;
    }
  }
  return true;
}

/** All rows from .. to are of one group. */
@inline
function areOneGroup(groups: usize, from: u32, to: u32): bool {
  const first = i32x4.splat(load<i32>(groups + (from << 2)));
  const end = groups + (to << 2);
  let at = groups + (from << 2);
  for (; at + 16 <= end; at += 16) if (!i32x4.all_true(i32x4.eq(v128.load(at), first))) return false;
  for (; at < end; at += 4) if (load<i32>(at) != i32x4.extract_lane(first, 0)) return false;
  return true;
}

/** Adds 0 rather than ask for it: which rows a filter keeps is not to be guessed. */
function countRows(call: usize, groups: usize, from: u32, to: u32): void {
  const weights: usize = load<u32>(call, CALL_WEIGHTS);
  const valid: usize = load<u32>(call, CALL_VALID);
  const offset = load<u32>(call, CALL_OFFSET);
  if (areOneGroup(groups, from, to)) {
    // In memory each addition would wait for the one before.
    let count: i64 = 0;
    for (let row = from; row < to; row++) {
      const weight = <i64>load<i32>(weights + (row << 2));
      count += valid == 0 || load<u8>(valid + row) != 0 ? weight : 0;
    }
    const group: usize = load<u32>(groups + (from << 2));
    if (group != 0) store<f64>(group + offset, load<f64>(group + offset) + <f64>count);
    return;
  }
  for (let row = from; row < to; row++) {
    const group: usize = load<u32>(groups + (row << 2));
    if (group == 0 || (valid != 0 && load<u8>(valid + row) == 0)) continue;
    const state = group + offset;
    store<f64>(state, load<f64>(state) + <f64>load<i32>(weights + (row << 2)));
  }
}

function sumRows(call: usize, kind: u32, groups: usize, from: u32, to: u32): void {
  const weights: usize = load<u32>(call, CALL_WEIGHTS);
  const valid: usize = load<u32>(call, CALL_VALID);
  const data: usize = load<u32>(call, CALL_DATA);
  const offset = load<u32>(call, CALL_OFFSET);
  for (let row = from; row < to; row++) {
    const weight = load<i32>(weights + (row << 2));
    if (weight == 0 || (valid != 0 && load<u8>(valid + row) == 0)) continue;
    const state = <usize>load<u32>(groups + (row << 2)) + offset;
    const value = kind == CALL_SUM_INT4 ? <i64>load<i32>(data + (row << 2)) : load<i64>(data + (row << 3));
    addProduct(state, value, weight);
    store<f64>(state, load<f64>(state, 16) + <f64>weight, 16);
  }
}

function extremeRows(call: usize, kind: u32, groups: usize, from: u32, to: u32): bool {
  const weights: usize = load<u32>(call, CALL_WEIGHTS);
  const valid: usize = load<u32>(call, CALL_VALID);
  const data: usize = load<u32>(call, CALL_DATA);
  const offset = load<u32>(call, CALL_OFFSET);
  for (let row = from; row < to; row++) {
    const weight = load<i32>(weights + (row << 2));
    if (weight == 0 || (valid != 0 && load<u8>(valid + row) == 0)) continue;
    if (weight < 0) return false;
    const state = <usize>load<u32>(groups + (row << 2)) + offset;
    if (kind <= <u32>CALL_GREATEST_INT4) {
      const value = load<i32>(data + (row << 2));
      if (load<u8>(state, EXTREME_INT4_BYTES) != 0) {
        const present = load<i32>(state);
        if (kind == CALL_LEAST_INT4 ? value >= present : value <= present) continue;
      }
      store<i32>(state, value);
      store<u8>(state, 1, EXTREME_INT4_BYTES);
    } else {
      const value = load<i64>(data + (row << 3));
      if (load<u8>(state, EXTREME_INT8_BYTES) != 0) {
        const present = load<i64>(state);
        if (kind == CALL_LEAST_INT8 ? value >= present : value <= present) continue;
      }
      store<i64>(state, value);
      store<u8>(state, 1, EXTREME_INT8_BYTES);
    }
  }
  return true;
}

/**
 * Least or greatest texts (bytes in order, a beginning before what goes on) of n rows, where the row's and the group's lie in their slots. Lists the other
 * rows; gives their number.
 */
export function extremeTexts(
  groups: usize,
  n: u32,
  offset: u32,
  weights: usize,
  data: usize,
  valid: usize,
  greatest: bool,
  rest: usize,
): u32 {
  let left: u32 = 0;
  for (let row: u32 = 0; row < n; row++) {
    const weight = load<i32>(weights + (row << 2));
    if (weight == 0 || (valid != 0 && load<u8>(valid + row) == 0)) continue;
    const value = data + (row << 4);
    const state: usize = load<u32>(groups + (row << 2)) + offset;
    const known = load<u8>(state, EXTREME_TEXT_BYTES) != 0;
    if (weight < 0 || load<u32>(value) > INLINE || (known && load<u32>(state) > INLINE)) {
      store<u32>(rest + (left++ << 2), row);
      continue;
    }
    if (known && !(greatest ? isBefore(state, value) : isBefore(value, state))) continue;
    store<u64>(state, load<u64>(value));
    store<u64>(state, load<u64>(value, 8), 8);
    store<u8>(state, 1, EXTREME_TEXT_BYTES);
  }
  return left;
}

/** Of two texts in their slots, whose unused bytes are zero. */
@inline
function isBefore(a: usize, b: usize): bool {
  const x = bswap<u32>(load<u32>(a, 4));
  const y = bswap<u32>(load<u32>(b, 4));
  if (x != y) return x < y;
  const u = bswap<u64>(load<u64>(a, 8));
  const v = bswap<u64>(load<u64>(b, 8));
  return u != v ? u < v : load<u32>(a) < load<u32>(b);
}

/** The counts at `offset` of n groups, as int8. */
export function writeCounts(groups: usize, n: u32, offset: u32, data: usize): void {
  for (let i: u32 = 0; i < n; i++) {
    const state: usize = load<u32>(groups + (i << 2)) + offset;
    store<i64>(data + (i << 3), <i64>load<f64>(state));
  }
}

/**
 * The 128-bit sums at `offset` of n groups: as int8, or (`numeric`) as numerics without decimals; NULL where no value was added up. Gives the number of groups done: it stops
 * at the first sum that does not fit.
 */
export function writeSums(groups: usize, n: u32, offset: u32, numeric: bool, data: usize, valid: usize): u32 {
  for (let i: u32 = 0; i < n; i++) {
    const state: usize = load<u32>(groups + (i << 2)) + offset;
    const low = load<i64>(state);
    const some = load<f64>(state, 16) != 0;
    if (some && low >> 63 != load<i64>(state, 8)) return i;
    store<u8>(valid + i, some ? 1 : 0);
    const slot = numeric ? data + (i << 4) : data + (i << 3);
    store<i64>(slot, some ? low : 0);
    if (numeric) store<u64>(slot, 0, 8);
  }
  return n;
}

/** The weights of the rows that a FILTER keeps, whose condition is true, not NULL; 0 for the others. Sixteen rows a step: which ones are kept is not to be guessed. */
export function passingWeights(data: usize, valid: usize, weights: usize, n: u32, to: usize): void {
  const zero = i8x16.splat(0);
  let row: u32 = 0;
  for (; row + 16 <= n; row += 16) {
    let kept = i8x16.ne(v128.load(data + row), zero);
    if (valid != 0) kept = v128.and(kept, i8x16.ne(v128.load(valid + row), zero));
    const low = i16x8.extend_low_i8x16_s(kept);
    const high = i16x8.extend_high_i8x16_s(kept);
    const from = weights + (row << 2);
    const out = to + (row << 2);
    v128.store(out, v128.and(i32x4.extend_low_i16x8_s(low), v128.load(from)));
    v128.store(out, v128.and(i32x4.extend_high_i16x8_s(low), v128.load(from, 16)), 16);
    v128.store(out, v128.and(i32x4.extend_low_i16x8_s(high), v128.load(from, 32)), 32);
    v128.store(out, v128.and(i32x4.extend_high_i16x8_s(high), v128.load(from, 48)), 48);
  }
  for (; row < n; row++) {
    const passes = load<u8>(data + row) != 0 && (valid == 0 || load<u8>(valid + row) != 0);
    store<i32>(to + (row << 2), passes ? load<i32>(weights + (row << 2)) : 0);
  }
}

/** Not 0 where a row's weight under one of the filters is not 0. A filter: | u32 address of its weights | u32 |. */
export function anyWeights(filters: usize, count: u32, n: u32, to: usize): void {
  const end = filters + (count << 3);
  for (let row: u32 = 0; row < n; row++) {
    let any = 0;
    for (let filter = filters; filter < end; filter += 8) any |= load<i32>(load<u32>(filter) + (row << 2));
    store<i32>(to + (row << 2), any);
  }
}

/** The numbers of the rows' groups, doubles at `offset` in their bytes, as an int8 column; 0 for rows of weight 0. */
export function groupNumbers(groups: usize, weights: usize, n: u32, offset: u32, to: usize): void {
  for (let row: u32 = 0; row < n; row++) {
    const group: usize = load<u32>(groups + (row << 2));
    store<i64>(to + (row << 3), load<i32>(weights + (row << 2)) == 0 ? 0 : <i64>load<f64>(group + offset));
  }
}

/** The slots that rows `fresh` made get the deadlines of the rows' groups, from `offset` in the groups' bytes to `at` in theirs. Lists them. */
export function freshDeadlines(
  slots: usize,
  fresh: usize,
  made: u32,
  groups: usize,
  offset: u32,
  at: u32,
  list: usize,
): void {
  for (let i: u32 = 0; i < made; i++) {
    const row = load<u32>(fresh + (i << 2)) << 2;
    const slot: usize = load<u32>(slots + row);
    store<f64>(slot + at, load<f64>(<usize>load<u32>(groups + row) + offset));
    store<u32>(list + (i << 2), <u32>slot);
  }
}

/**
 * flip() for input that never retracts, where a bit a filter says that the value is present: up to 64. False when a row is retracted.
 */
export function flipBits(slots: usize, n: u32, payload: u32, filters: usize, count: u32): bool {
  for (let row: u32 = 0; row < n; row++) {
    const slot: usize = load<u32>(slots + (row << 2));
    const before = slot == 0 ? 0 : load<u64>(slot + payload);
    let present = before;
    let filter = filters;
    for (let bit: u64 = 0; bit < count; bit++, filter += 8) {
      const weight = slot == 0 ? 0 : load<i32>(load<u32>(filter) + (row << 2));
      if (weight < 0) return false;
      const comes = weight != 0 && ((before >> bit) & 1) == 0;
      if (comes) present |= <u64>1 << bit;
      store<i32>(load<u32>(filter, 4) + (row << 2), comes ? 1 : 0);
    }
    if (present != before) store<u64>(slot + payload, present);
  }
  return true;
}

/**
 * DISTINCT (aggregates/distinct.ts): adds the rows' weights under each filter to their entries, and writes how the presence of each row's value changes. A filter:
 * | u32 address of its weights | u32 where the changes go |. Lists the slots all of whose weights became 0, perhaps not for good; gives their number.
 */
export function flip(slots: usize, n: u32, payload: u32, filters: usize, count: u32, emptied: usize): u32 {
  const end = filters + (count << 3);
  let left: u32 = 0;
  for (let row: u32 = 0; row < n; row++) {
    const slot: usize = load<u32>(slots + (row << 2));
    let some = false;
    let at = slot + payload;
    for (let filter = filters; filter < end; filter += 8, at += 8) {
      const weight = slot == 0 ? 0 : load<i32>(load<u32>(filter) + (row << 2));
      let change = 0;
      if (weight != 0) {
        const before = load<f64>(at);
        const after = before + <f64>weight;
        store<f64>(at, after);
        change = (after > 0 ? 1 : 0) - (before > 0 ? 1 : 0);
        if (after != 0) some = true;
      } else if (slot != 0 && load<f64>(at) != 0) some = true;
      store<i32>(load<u32>(filter, 4) + (row << 2), change);
    }
    if (slot != 0 && !some) store<u32>(emptied + (left++ << 2), <u32>slot);
  }
  return left;
}
