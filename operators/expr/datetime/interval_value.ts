/**
 * Interval values: limits, infinity, order, and the length coercion of `interval day to second(3)` and the like.
 *
 *   infinity = (2^31-1 months, 2^31-1 days, 2^63-1 µs)     -infinity = the three minima
 *
 * typmod = range bits << 16 | precision; the range bits are those of PostgreSQL's field numbers.
 */
import { type Interval, interval } from '../../datum.ts';
import { intervalOutOfRange, MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE } from './calendar.ts';

export const INT32_MAX = 2147483647;
export const INT32_MIN = -2147483648;
export const INT64_MAX = 9223372036854775807n;
export const INT64_MIN = -9223372036854775808n;

export const INTERVAL_INFINITY: Interval = interval(INT32_MAX, INT32_MAX, INT64_MAX);
export const INTERVAL_NEG_INFINITY: Interval = interval(INT32_MIN, INT32_MIN, INT64_MIN);

export function isPositiveInfinity(i: Interval): boolean {
  return i.months === INT32_MAX && i.days === INT32_MAX && i.micros === INT64_MAX;
}

export function isNegativeInfinity(i: Interval): boolean {
  return i.months === INT32_MIN && i.days === INT32_MIN && i.micros === INT64_MIN;
}

export function isFiniteInterval(i: Interval): boolean {
  return !isPositiveInfinity(i) && !isNegativeInfinity(i);
}

/** 1, -1 or 0 for finite. */
export function intervalInfinitySign(i: Interval): number {
  return isPositiveInfinity(i) ? 1 : isNegativeInfinity(i) ? -1 : 0;
}

/** A finite interval, or error 22008 when a part is out of its width or the whole reads as infinite. */
export function checkedInterval(months: number, days: number, micros: bigint): Interval {
  const fits =
    months >= INT32_MIN &&
    months <= INT32_MAX &&
    days >= INT32_MIN &&
    days <= INT32_MAX &&
    micros >= INT64_MIN &&
    micros <= INT64_MAX;
  const result = interval(months + 0, days + 0, micros);
  if (!fits || !isFiniteInterval(result)) throw intervalOutOfRange();
  return result;
}

/** Length in microseconds with months of 30 days: what intervals are ordered by. */
function intervalSpan(i: Interval): bigint {
  return BigInt(i.months * 30 + i.days) * MICROS_PER_DAY + i.micros;
}

export function compareInterval(a: Interval, b: Interval): number {
  const d = intervalSpan(a) - intervalSpan(b);
  return d < 0n ? -1 : d > 0n ? 1 : 0;
}

export const RANGE = { month: 2, year: 4, day: 8, hour: 1024, minute: 2048, second: 4096 } as const;
const FULL_RANGE = 0x7fff;
const FULL_PRECISION = 0xffff;

/** Range bits of an interval typmod; the full range for -1. */
export function intervalRange(typmod: number): number {
  return typmod < 0 ? FULL_RANGE : (typmod >> 16) & 0x7fff;
}

/** Cuts and rounds an interval to its typmod. */
export function coerceInterval(i: Interval, typmod: number): Interval {
  if (typmod < 0 || !isFiniteInterval(i)) return i;
  const range = intervalRange(typmod);
  const precision = typmod & 0xffff;
  let { months, days, micros } = i;
  if (range !== FULL_RANGE) {
    const time = RANGE.hour | RANGE.minute | RANGE.second;
    if (range === RANGE.year) months = Math.trunc(months / 12) * 12 + 0;
    if (!(range & (RANGE.day | time))) days = 0;
    if (!(range & time)) micros = 0n;
    else if (!(range & (RANGE.minute | RANGE.second))) micros = (micros / MICROS_PER_HOUR) * MICROS_PER_HOUR;
    else if (!(range & RANGE.second)) micros = (micros / MICROS_PER_MINUTE) * MICROS_PER_MINUTE;
  }
  if (precision !== FULL_PRECISION) {
    // Half a step is added before the cut, and that sum must fit.
    const half = precision < 6 ? 5n * 10n ** BigInt(5 - precision) : 0n;
    if (micros + half > INT64_MAX || micros - half < INT64_MIN) throw intervalOutOfRange();
    micros = roundMicros(micros, precision);
  }
  return interval(months, days, micros);
}

/** Microseconds rounded to a number of decimal places of the second, halves away from zero. */
export function roundMicros(micros: bigint, precision: number): bigint {
  if (precision < 0 || precision >= 6) return micros;
  const scale = 10n ** BigInt(6 - precision);
  const half = scale / 2n;
  return micros >= 0n ? ((micros + half) / scale) * scale : 0n - ((half - micros) / scale) * scale;
}

/** Adds within int32 or reports `interval out of range`. */
export function addInt32(a: number, b: number): number {
  const sum = a + b;
  if (sum > INT32_MAX || sum < INT32_MIN) throw intervalOutOfRange();
  return sum;
}
