/**
 * Range values: how they are made, their order, and what two of them have to do with each other.
 *
 *   [1,5)    lower bound 1, inclusive; upper bound 5, exclusive        (,5]    no lower bound: its value is null        empty    without a value, and so without bounds
 *
 * Ranges of int4, int8 and date have one form, [ and ), so that equal ones have equal fields. A bound of a side knows that it is one: 5) lies before 5], and [5 before (5.
 */
import { DATE_INFINITY, DATE_NEG_INFINITY, type Datum, type PgRange } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import { OID } from '../../types.ts';
import { comparatorOf } from '../compare.ts';
import { dateOutOfRange, END_DATE } from '../datetime/calendar.ts';

export interface Bound {
  /** null: none, beyond every value on its side. */
  value: Datum;
  inclusive: boolean;
  lower: boolean;
}

function lowerOf(r: PgRange): Bound {
  return { value: r.lower, inclusive: r.lowerInc, lower: true };
}

export function upperOf(r: PgRange): Bound {
  return { value: r.upper, inclusive: r.upperInc, lower: false };
}

export function emptyRange(sub: number): PgRange {
  return { k: 'range', sub, empty: true, lower: null, upper: null, lowerInc: false, upperInc: false };
}

/** The order of the values of two bounds, whether they are in or not. */
function compareValues(a: Bound, b: Bound, sub: number): number {
  if (a.value === null || b.value === null) {
    const place = (bound: Bound) => (bound.value !== null ? 0 : bound.lower ? -1 : 1);
    return place(a) - place(b);
  }
  return comparatorOf(sub)(a.value, b.value);
}

/** The order of two bounds, each a lower or an upper one. */
export function compareBounds(a: Bound, b: Bound, sub: number): number {
  const order = compareValues(a, b, sub);
  if (order !== 0 || a.value === null) return order;
  // How far a bound that is not in is from its value, to the side of what is in.
  const offset = (bound: Bound) => (bound.inclusive ? 0 : bound.lower ? 1 : -1);
  return offset(a) - offset(b);
}

const INTEGER_LIMITS = new Map<number, bigint>([
  [OID.int4, 2147483647n],
  [OID.int8, 9223372036854775807n],
]);

/** The value after an integer or a day. */
function next(value: Datum, sub: number): Datum {
  if (sub === OID.date) {
    const day = (value as number) + 1;
    if (day >= END_DATE) throw dateOutOfRange();
    return day;
  }
  const limit = INTEGER_LIMITS.get(sub);
  if (BigInt(value as number | bigint) === limit) {
    throw new SqlError('22003', `${sub === OID.int8 ? 'bigint' : 'integer'} out of range`);
  }
  return typeof value === 'bigint' ? value + 1n : (value as number) + 1;
}

/** Whether a range of values has a form of its own: between two neighbours there is nothing. */
function isDiscrete(sub: number): boolean {
  return sub === OID.date || INTEGER_LIMITS.has(sub);
}

/** Infinite days have no neighbours. */
function hasNext({ value }: Bound, sub: number): boolean {
  return value !== null && !(sub === OID.date && (value === DATE_INFINITY || value === DATE_NEG_INFINITY));
}

/** The range between two bounds, empty where nothing is; 22000 when they are the wrong way round. */
export function makeRange(sub: number, lower: Bound, upper: Bound): PgRange {
  let [from, to] = [lower, upper];
  if (isNothing(from, to, sub)) return emptyRange(sub);
  if (isDiscrete(sub)) {
    if (!from.inclusive && hasNext(from, sub)) from = { ...from, value: next(from.value, sub), inclusive: true };
    if (to.inclusive && hasNext(to, sub)) to = { ...to, value: next(to.value, sub), inclusive: false };
    if (isNothing(from, to, sub)) return emptyRange(sub);
  }
  return {
    k: 'range',
    sub,
    empty: false,
    lower: from.value,
    upper: to.value,
    lowerInc: from.inclusive && from.value !== null,
    upperInc: to.inclusive && to.value !== null,
  };
}

function isNothing(lower: Bound, upper: Bound, sub: number): boolean {
  const order = compareValues(lower, upper, sub);
  if (order > 0) throw new SqlError('22000', 'range lower bound must be less than or equal to range upper bound');
  return order === 0 && !(lower.inclusive && upper.inclusive);
}

/** The btree order: the empty range first, then by lower bounds, then by upper ones. */
export function compareRanges(a: PgRange, b: PgRange): number {
  if (a.empty || b.empty) return Number(b.empty) - Number(a.empty);
  return compareBounds(lowerOf(a), lowerOf(b), a.sub) || compareBounds(upperOf(a), upperOf(b), a.sub);
}

export function containsValue(r: PgRange, value: Datum): boolean {
  if (r.empty) return false;
  const at: Bound = { value, inclusive: true, lower: true };
  return compareBounds(lowerOf(r), at, r.sub) <= 0 && compareBounds(upperOf(r), at, r.sub) >= 0;
}

export function contains(a: PgRange, b: PgRange): boolean {
  if (a.empty || b.empty) return b.empty;
  return compareBounds(lowerOf(a), lowerOf(b), a.sub) <= 0 && compareBounds(upperOf(a), upperOf(b), a.sub) >= 0;
}

export function overlaps(a: PgRange, b: PgRange): boolean {
  if (a.empty || b.empty) return false;
  return compareBounds(lowerOf(a), upperOf(b), a.sub) <= 0 && compareBounds(lowerOf(b), upperOf(a), a.sub) <= 0;
}

export function isBefore(a: PgRange, b: PgRange): boolean {
  return !a.empty && !b.empty && compareBounds(upperOf(a), lowerOf(b), a.sub) < 0;
}

/** a &< b: it does not go beyond b's end. */
export function endsWithin(a: PgRange, b: PgRange): boolean {
  return !a.empty && !b.empty && compareBounds(upperOf(a), upperOf(b), a.sub) <= 0;
}

/** a &> b: it does not begin before b does. */
export function beginsWithin(a: PgRange, b: PgRange): boolean {
  return !a.empty && !b.empty && compareBounds(lowerOf(a), lowerOf(b), a.sub) >= 0;
}

/** The bound of the other side at the same place: what a range ends with that ends where this one begins. */
function opposite(bound: Bound): Bound {
  return { value: bound.value, inclusive: !bound.inclusive, lower: !bound.lower };
}

/** Whether a range that begins at `lower` goes on where one that ends at `upper` has ended. */
function meet(upper: Bound, lower: Bound, sub: number): boolean {
  const order = compareValues(upper, lower, sub);
  if (order === 0) return upper.inclusive !== lower.inclusive;
  return order < 0 && isDiscrete(sub) && makeRange(sub, opposite(upper), opposite(lower)).empty;
}

export function isAdjacent(a: PgRange, b: PgRange): boolean {
  if (a.empty || b.empty) return false;
  return meet(upperOf(a), lowerOf(b), a.sub) || meet(upperOf(b), lowerOf(a), a.sub);
}

function lesser(a: Bound, b: Bound, sub: number): Bound {
  return compareBounds(a, b, sub) <= 0 ? a : b;
}

function greater(a: Bound, b: Bound, sub: number): Bound {
  return compareBounds(a, b, sub) >= 0 ? a : b;
}

/** The smallest range that has both. */
export function merge(a: PgRange, b: PgRange): PgRange {
  if (a.empty) return b;
  if (b.empty) return a;
  return makeRange(a.sub, lesser(lowerOf(a), lowerOf(b), a.sub), greater(upperOf(a), upperOf(b), a.sub));
}

export function union(a: PgRange, b: PgRange): PgRange {
  if (!a.empty && !b.empty && !overlaps(a, b) && !isAdjacent(a, b)) {
    throw new SqlError('22000', 'result of range union would not be contiguous');
  }
  return merge(a, b);
}

export function intersection(a: PgRange, b: PgRange): PgRange {
  if (!overlaps(a, b)) return emptyRange(a.sub);
  return makeRange(a.sub, greater(lowerOf(a), lowerOf(b), a.sub), lesser(upperOf(a), upperOf(b), a.sub));
}

/** What is left of a without b: up to two ranges. */
export function without(a: PgRange, b: PgRange): PgRange[] {
  if (!overlaps(a, b)) return a.empty ? [] : [a];
  const left: PgRange[] = [];
  if (compareBounds(lowerOf(a), lowerOf(b), a.sub) < 0) left.push(makeRange(a.sub, lowerOf(a), opposite(lowerOf(b))));
  if (compareBounds(upperOf(a), upperOf(b), a.sub) > 0) left.push(makeRange(a.sub, opposite(upperOf(b)), upperOf(a)));
  return left;
}

export function difference(a: PgRange, b: PgRange): PgRange {
  const left = without(a, b);
  if (left.length > 1) throw new SqlError('22000', 'result of range difference would not be contiguous');
  return left.length === 0 ? emptyRange(a.sub) : left[0];
}
