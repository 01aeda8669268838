/**
 * Arithmetic of timestamps, dates and intervals.
 *
 * Months are added on the calendar and the day is cut to the month's last; then days, then microseconds. For timestamptz
 * months and days move the local time of a zone, so a day may have 23 or 25 hours.
 */
import { type Interval, interval, TIMESTAMP_INFINITY, TIMESTAMP_NEG_INFINITY } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import {
  checkTimestamp,
  type DateTimeFields,
  dateOutOfRange,
  daysInMonth,
  intervalOutOfRange,
  isFiniteDate,
  isFiniteTimestamp,
  MICROS_PER_DAY,
  MICROS_PER_SECOND,
  rint,
  TIMESTAMP_END_DATE,
  timestampFields,
  timestampInRange,
  timestampOfFields,
  timestampOutOfRange,
} from './calendar.ts';
import {
  addInt32,
  checkedInterval,
  INT32_MAX,
  INT32_MIN,
  INT64_MAX,
  INT64_MIN,
  INTERVAL_INFINITY,
  INTERVAL_NEG_INFINITY,
  intervalInfinitySign,
  isFiniteInterval,
} from './interval_value.ts';
import { localOffset, toInstant, toLocal, unixSecondsOf, type Zone } from './time_zone.ts';

/** timestamp + interval. */
export function addToTimestamp(t: bigint, i: Interval): bigint {
  const special = addInfinities(t, i);
  return special ?? checkTimestamp(shiftLocal(t, i.months, i.days) + i.micros);
}

/** timestamptz + interval in a zone. */
export function addToTimestamptz(t: bigint, i: Interval, zone: Zone): bigint {
  const special = addInfinities(t, i);
  if (special !== null) return special;
  let result = t;
  if (i.months !== 0 || i.days !== 0) {
    const local = shiftLocal(toLocal(zone, t), i.months, i.days);
    result = local - BigInt(localOffset(zone, unixSecondsOf(local))) * MICROS_PER_SECOND;
  }
  return checkTimestamp(result + i.micros);
}

function addInfinities(t: bigint, i: Interval): bigint | null {
  const sign = intervalInfinitySign(i);
  if (sign !== 0) {
    if (t === (sign > 0 ? TIMESTAMP_NEG_INFINITY : TIMESTAMP_INFINITY)) throw timestampOutOfRange();
    return sign > 0 ? TIMESTAMP_INFINITY : TIMESTAMP_NEG_INFINITY;
  }
  return isFiniteTimestamp(t) ? null : t;
}

function shiftLocal(t: bigint, months: number, days: number): bigint {
  let result = t;
  if (months !== 0) {
    const f = timestampFields(t);
    const month = f.month - 1 + months;
    f.year += Math.floor(month / 12);
    f.month = (((month % 12) + 12) % 12) + 1;
    f.day = Math.min(f.day, daysInMonth(f.year, f.month));
    result = timestampOfFields(f);
    if (!timestampInRange(result)) throw timestampOutOfRange();
  }
  return result + BigInt(days) * MICROS_PER_DAY;
}

/** -interval; infinities change places. */
export function negateInterval(i: Interval): Interval {
  const sign = intervalInfinitySign(i);
  if (sign !== 0) return sign > 0 ? INTERVAL_NEG_INFINITY : INTERVAL_INFINITY;
  return checkedInterval(0 - i.months, 0 - i.days, -i.micros);
}

export function addIntervals(a: Interval, b: Interval): Interval {
  const [sa, sb] = [intervalInfinitySign(a), intervalInfinitySign(b)];
  if (sa !== 0 || sb !== 0) {
    if (sa * sb < 0) throw intervalOutOfRange();
    return sa !== 0 ? a : b;
  }
  return checkedInterval(a.months + b.months, a.days + b.days, a.micros + b.micros);
}

export function subtractIntervals(a: Interval, b: Interval): Interval {
  const [sa, sb] = [intervalInfinitySign(a), intervalInfinitySign(b)];
  if (sa !== 0 || sb !== 0) {
    if (sa === sb) throw intervalOutOfRange();
    return sa !== 0 ? a : negateInterval(b);
  }
  return checkedInterval(a.months - b.months, a.days - b.days, a.micros - b.micros);
}

/** timestamp - timestamp: days and time, no months. */
export function subtractTimestamps(a: bigint, b: bigint): Interval {
  if (!isFiniteTimestamp(a) || !isFiniteTimestamp(b)) {
    if (a === b) throw intervalOutOfRange();
    return a === TIMESTAMP_INFINITY || b === TIMESTAMP_NEG_INFINITY ? INTERVAL_INFINITY : INTERVAL_NEG_INFINITY;
  }
  const diff = a - b;
  if (diff > INT64_MAX || diff < INT64_MIN) throw intervalOutOfRange();
  return justifyHours(interval(0, 0, diff));
}

/** Whole 24 hours become days; days and time get the same sign. */
export function justifyHours(i: Interval): Interval {
  if (!isFiniteInterval(i)) return i;
  const wholeDays = i.micros / MICROS_PER_DAY;
  let micros = i.micros - wholeDays * MICROS_PER_DAY;
  let days = addInt32(i.days, Number(wholeDays));
  if (days > 0 && micros < 0n) {
    micros += MICROS_PER_DAY;
    days--;
  } else if (days < 0 && micros > 0n) {
    micros -= MICROS_PER_DAY;
    days++;
  }
  return interval(i.months, days, micros);
}

/** Whole 30 days become months; months and days get the same sign. */
export function justifyDays(i: Interval): Interval {
  if (!isFiniteInterval(i)) return i;
  const wholeMonths = Math.trunc(i.days / 30);
  let days = i.days - wholeMonths * 30;
  let months = addInt32(i.months, wholeMonths);
  if (months > 0 && days < 0) {
    days += 30;
    months--;
  } else if (months < 0 && days > 0) {
    days -= 30;
    months++;
  }
  return interval(months, days + 0, i.micros);
}

/** Both justifications, all parts of one sign. */
export function justifyInterval(i: Interval): Interval {
  if (!isFiniteInterval(i)) return i;
  let { months, days, micros } = i;
  if ((days > 0 && micros > 0n) || (days < 0 && micros < 0n)) {
    const wholeMonths = Math.trunc(days / 30);
    days -= wholeMonths * 30;
    months = addInt32(months, wholeMonths);
  }
  const wholeDays = micros / MICROS_PER_DAY;
  micros -= wholeDays * MICROS_PER_DAY;
  days = addInt32(days, Number(wholeDays));
  const wholeMonths = Math.trunc(days / 30);
  days -= wholeMonths * 30;
  months = addInt32(months, wholeMonths);
  if (months > 0 && (days < 0 || (days === 0 && micros < 0n))) {
    days += 30;
    months--;
  } else if (months < 0 && (days > 0 || (days === 0 && micros > 0n))) {
    days -= 30;
    months++;
  }
  if (days > 0 && micros < 0n) {
    micros += MICROS_PER_DAY;
    days--;
  } else if (days < 0 && micros > 0n) {
    micros -= MICROS_PER_DAY;
    days++;
  }
  return interval(months, days + 0, micros);
}

/** interval * float8; fractions of months go to days (30 a month) and of days to time, rounded at each step. */
export function multiplyInterval(i: Interval, factor: number): Interval {
  return scaleInterval(i, factor, false);
}

/** interval / float8. */
export function divideInterval(i: Interval, divisor: number): Interval {
  if (divisor === 0) throw new SqlError('22012', 'division by zero');
  return scaleInterval(i, divisor, true);
}

const roundMicroFraction = (x: number) => rint(x * 1_000_000) / 1_000_000;

function scaleInterval(i: Interval, factor: number, isDivision: boolean): Interval {
  const scale = (part: number) => (isDivision ? part / factor : part * factor);
  if (Number.isNaN(factor)) throw intervalOutOfRange();
  const sign = intervalInfinitySign(i);
  if (sign !== 0) {
    if (factor === 0 || (isDivision && !Number.isFinite(factor))) throw intervalOutOfRange();
    return sign * factor > 0 ? INTERVAL_INFINITY : INTERVAL_NEG_INFINITY;
  }
  if (!Number.isFinite(factor) && !isDivision) {
    const span = BigInt(i.months * 30 + i.days) * MICROS_PER_DAY + i.micros;
    if (span === 0n) throw intervalOutOfRange();
    return span > 0n === factor > 0 ? INTERVAL_INFINITY : INTERVAL_NEG_INFINITY;
  }
  const exactMonths = scale(i.months);
  const exactDays = scale(i.days);
  const months = whole32(exactMonths);
  let days = whole32(exactDays);
  const monthDays = roundMicroFraction((exactMonths - months) * 30);
  let seconds = roundMicroFraction((exactDays - days + monthDays - Math.trunc(monthDays)) * 86400);
  if (Math.abs(seconds) >= 86400) {
    const extra = Math.trunc(seconds / 86400);
    days = addInt32(days, extra);
    seconds -= extra * 86400;
  }
  days = addInt32(days, Math.trunc(monthDays));
  const micros = rint(scale(Number(i.micros)) + seconds * 1_000_000);
  if (Number.isNaN(micros) || micros >= 2 ** 63 || micros < -(2 ** 63)) throw intervalOutOfRange();
  return checkedInterval(months, days, BigInt(micros));
}

function whole32(v: number): number {
  if (Number.isNaN(v) || v > INT32_MAX || v < INT32_MIN) throw intervalOutOfRange();
  return Math.trunc(v) + 0;
}

/** age(a, b): years, months, days and time between two local timestamps, counted on the calendar. */
export function age(a: bigint, b: bigint): Interval {
  if (!isFiniteTimestamp(a) || !isFiniteTimestamp(b)) return subtractTimestamps(a, b);
  return ageOfFields(timestampFields(a), timestampFields(b), a < b);
}

function ageOfFields(a: DateTimeFields, b: DateTimeFields, negative: boolean): Interval {
  const sign = negative ? -1 : 1;
  let micros = sign * (a.micros - b.micros);
  let second = sign * (a.second - b.second);
  let minute = sign * (a.minute - b.minute);
  let hour = sign * (a.hour - b.hour);
  let day = sign * (a.day - b.day);
  let month = sign * (a.month - b.month);
  let year = sign * (a.year - b.year);
  // The month whose length a borrowed day takes is that of the earlier timestamp.
  const borrow = negative ? daysInMonth(a.year, a.month) : daysInMonth(b.year, b.month);
  if (micros < 0) [micros, second] = [micros + 1_000_000, second - 1];
  while (second < 0) [second, minute] = [second + 60, minute - 1];
  while (minute < 0) [minute, hour] = [minute + 60, hour - 1];
  while (hour < 0) [hour, day] = [hour + 24, day - 1];
  while (day < 0) [day, month] = [day + borrow, month - 1];
  while (month < 0) [month, year] = [month + 12, year - 1];
  const time = BigInt((hour * 60 + minute) * 60 + second) * MICROS_PER_SECOND + BigInt(micros);
  return checkedInterval(sign * (year * 12 + month) + 0, sign * day + 0, BigInt(sign) * time);
}

/** age of two instants: their local times in a zone. */
export function ageInZone(a: bigint, b: bigint, zone: Zone): Interval {
  if (!isFiniteTimestamp(a) || !isFiniteTimestamp(b)) return subtractTimestamps(a, b);
  return ageOfFields(timestampFields(toLocal(zone, a)), timestampFields(toLocal(zone, b)), a < b);
}

/** date as the timestamp of its midnight. */
export function timestampOfDate(d: number): bigint {
  if (!isFiniteDate(d)) return d > 0 ? TIMESTAMP_INFINITY : TIMESTAMP_NEG_INFINITY;
  if (d >= TIMESTAMP_END_DATE) throw new SqlError('22008', 'date out of range for timestamp');
  return BigInt(d) * MICROS_PER_DAY;
}

/** date as the instant of its local midnight in a zone. */
export function timestamptzOfDate(d: number, zone: Zone): bigint {
  const local = timestampOfDate(d);
  if (!isFiniteTimestamp(local)) return local;
  const t = toInstant(zone, local);
  if (!timestampInRange(t)) throw new SqlError('22008', 'date out of range for timestamp');
  return t;
}

/** date + days. */
export function addDays(d: number, days: number): number {
  if (!isFiniteDate(d)) return d;
  const result = d + days;
  if (result < -2451545 || result >= 2_147_483_494 - 2451545) throw dateOutOfRange();
  return result;
}
