/**
 * The proleptic Gregorian calendar and the limits of PostgreSQL's date and time types.
 *
 *   Julian day 2451545 = 2000-01-01 = date 0 = timestamp 0      year 0 = 1 BC, year -1 = 2 BC
 *
 * Fields of a timestamp are plain numbers; only the microsecond count itself is a bigint.
 */
import { DATE_INFINITY, DATE_NEG_INFINITY, TIMESTAMP_INFINITY, TIMESTAMP_NEG_INFINITY } from '../../datum.ts';
import { SqlError } from '../../errors.ts';

export const POSTGRES_EPOCH_JULIAN = 2451545;
export const UNIX_EPOCH_JULIAN = 2440588;
/** From 1970-01-01, where Unix, Kafka and JavaScript begin, to 2000-01-01. */
export const EPOCH_DIFF_MICROS = 946_684_800_000_000n;
export const EPOCH_DIFF_MS = 946_684_800_000;
export const EPOCH_DIFF_SECONDS = 946_684_800;
export const EPOCH_DIFF_DAYS = 10_957;

export const MICROS_PER_SECOND = 1_000_000n;
export const MICROS_PER_MINUTE = 60_000_000n;
export const MICROS_PER_HOUR = 3_600_000_000n;
export const MICROS_PER_DAY = 86_400_000_000n;
export const SECONDS_PER_DAY = 86400;

export const MIN_TIMESTAMP = -211_813_488_000_000_000n;
/** First value past the range: 294277-01-01. */
const END_TIMESTAMP = 9_223_371_331_200_000_000n;
/** Dates are Julian days 0 to 2147483493. */
export const MIN_DATE = -POSTGRES_EPOCH_JULIAN;
export const END_DATE = 2_147_483_494 - POSTGRES_EPOCH_JULIAN;
/** First date that no timestamp can hold. */
export const TIMESTAMP_END_DATE = 109_203_528 - POSTGRES_EPOCH_JULIAN;

/** Broken-down time. `month` is 1-12, `day` 1-31, `micros` the fraction of the second. */
export interface DateTimeFields {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  micros: number;
}

/** Julian day of a date; month may be any integer 1-12. */
export function toJulian(year: number, month: number, day: number): number {
  const m = month > 2 ? month + 1 : month + 13;
  const y = month > 2 ? year + 4800 : year + 4799;
  const century = Math.floor(y / 100);
  return y * 365 - 32167 + Math.floor(y / 4) - century + Math.floor(century / 4) + Math.floor((7834 * m) / 256) + day;
}

/** Date of a Julian day. */
export function fromJulian(julian: number): { year: number; month: number; day: number } {
  // Days counted from 0000-03-01, so that the leap day is the last of its year.
  const z = julian - 1721120;
  const era = Math.floor(z / 146097);
  const dayOfEra = z - era * 146097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36524) - Math.floor(dayOfEra / 146096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const mp = Math.floor((5 * dayOfYear + 2) / 153);
  const month = mp < 10 ? mp + 3 : mp - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * mp + 2) / 5) + 1,
  };
}

/** Day of the week of a Julian day, Sunday 0. */
export function weekday(julian: number): number {
  return (((julian + 1) % 7) + 7) % 7;
}

function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

export function daysInMonth(year: number, month: number): number {
  return month === 2 && isLeapYear(year) ? 29 : MONTH_DAYS[month - 1];
}

/** Julian day of the Monday that starts an ISO 8601 week. */
export function isoWeekStart(isoYear: number, week: number): number {
  const jan4 = toJulian(isoYear, 1, 4);
  return (week - 1) * 7 + jan4 - ((weekday(jan4) + 6) % 7);
}

/** ISO 8601 week number and the year it belongs to. */
export function isoWeekOf(julian: number): { isoYear: number; week: number } {
  const { year } = fromJulian(julian);
  for (const isoYear of [year + 1, year]) {
    const start = isoWeekStart(isoYear, 1);
    if (julian >= start) return { isoYear, week: Math.floor((julian - start) / 7) + 1 };
  }
  return { isoYear: year - 1, week: Math.floor((julian - isoWeekStart(year - 1, 1)) / 7) + 1 };
}

/** Floor division of bigints; `b` > 0. */
export function floorDiv(a: bigint, b: bigint): bigint {
  const q = a / b;
  return a % b < 0n ? q - 1n : q;
}

const DAY = 86_400_000_000;

/** Fields of a finite timestamp (local time, no zone). */
export function timestampFields(t: bigint): DateTimeFields {
  let days: number;
  let time: number;
  const n = Number(t);
  if (Number.isSafeInteger(n)) {
    // Up to the year 2285 doubles are exact, and several times as fast.
    days = Math.floor(n / DAY);
    time = n - days * DAY;
  } else {
    const d = floorDiv(t, MICROS_PER_DAY);
    days = Number(d);
    time = Number(t - d * MICROS_PER_DAY);
  }
  const f = fromJulian(days + POSTGRES_EPOCH_JULIAN) as DateTimeFields;
  setClock(f, time);
  return f;
}

/** Hour, minute, second and fraction of a time of day; 24:00:00 keeps hour 24. */
export function timeFields(time: bigint): Pick<DateTimeFields, 'hour' | 'minute' | 'second' | 'micros'> {
  const f = { hour: 0, minute: 0, second: 0, micros: 0 };
  setClock(f, Number(time));
  return f;
}

function setClock(f: Pick<DateTimeFields, 'hour' | 'minute' | 'second' | 'micros'>, time: number): void {
  const seconds = Math.floor(time / 1_000_000);
  f.micros = time - seconds * 1_000_000;
  f.hour = Math.floor(seconds / 3600);
  f.minute = Math.floor(seconds / 60) % 60;
  f.second = seconds % 60;
}

export function timeOfFields(f: Pick<DateTimeFields, 'hour' | 'minute' | 'second' | 'micros'>): bigint {
  return BigInt(((f.hour * 60 + f.minute) * 60 + f.second) * 1_000_000 + f.micros);
}

/** Timestamp of fields without a range check of the result. */
export function timestampOfFields(f: DateTimeFields): bigint {
  const days = toJulian(f.year, f.month, f.day) - POSTGRES_EPOCH_JULIAN;
  const time = ((f.hour * 60 + f.minute) * 60 + f.second) * 1_000_000 + f.micros;
  const n = days * DAY + time;
  return Number.isSafeInteger(n) ? BigInt(n) : BigInt(days) * MICROS_PER_DAY + BigInt(time);
}

export function isFiniteTimestamp(t: bigint): boolean {
  return t !== TIMESTAMP_INFINITY && t !== TIMESTAMP_NEG_INFINITY;
}

export function isFiniteDate(d: number): boolean {
  return d !== DATE_INFINITY && d !== DATE_NEG_INFINITY;
}

export function timestampInRange(t: bigint): boolean {
  return t >= MIN_TIMESTAMP && t < END_TIMESTAMP;
}

/** The timestamp itself, or error 22008 when it is out of range. */
export function checkTimestamp(t: bigint): bigint {
  if (!timestampInRange(t)) throw timestampOutOfRange();
  return t;
}

export function timestampOutOfRange(): SqlError {
  return new SqlError('22008', 'timestamp out of range');
}

export function dateOutOfRange(): SqlError {
  return new SqlError('22008', 'date out of range');
}

export function intervalOutOfRange(): SqlError {
  return new SqlError('22008', 'interval out of range');
}

/** Half-way cases go to the even neighbour, as C's rint does. */
export function rint(x: number): number {
  const r = Math.round(x);
  return Math.abs(x % 1) === 0.5 && r % 2 !== 0 ? r - 1 : r;
}
