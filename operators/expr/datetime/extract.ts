/**
 * EXTRACT and date_part: one field of a date, time, timestamp or interval.
 *
 * A field is computed once as an exact decimal; date_part is its float8. NULL and +-Infinity are the fields of infinite
 * values: NULL for the fields that go round (month, hour), infinity for those that grow (year, epoch).
 */
import { type Decimal, decimal, type Interval } from '../../datum.ts';
import type { SqlError } from '../../errors.ts';
import { add, divide, round } from '../decimal/arithmetic.ts';
import { decimalToNumber } from '../decimal/text.ts';
import {
  type DateTimeFields,
  EPOCH_DIFF_MICROS,
  fromJulian,
  isFiniteDate,
  isFiniteTimestamp,
  isoWeekOf,
  MICROS_PER_DAY,
  MICROS_PER_SECOND,
  POSTGRES_EPOCH_JULIAN,
  timeFields,
  timeOfFields,
  timestampFields,
  toJulian,
  weekday,
} from './calendar.ts';
import { intervalParts } from './interval_output.ts';
import { INT64_MAX, intervalInfinitySign, isFiniteInterval } from './interval_value.ts';
import { type Zone, zoneOffsetAt } from './time_zone.ts';
import { TRUNC_UNITS, unitError } from './truncate.ts';
import { extractUnit, isReservedWord, type Unit } from './words.ts';

const int = (n: number | bigint) => decimal(BigInt(n));

const INFINITY: Decimal = { k: 'dec', m: 0n, s: 0, special: 'Infinity' };
const NEG_INFINITY: Decimal = { k: 'dec', m: 0n, s: 0, special: '-Infinity' };

const GROWING = new Set<Unit>(['year', 'decade', 'century', 'millennium', 'julian', 'isoyear', 'epoch']);
const ZONE_UNITS = new Set<Unit>(['timezone', 'timezone_hour', 'timezone_minute']);
const TIME_UNITS = new Set<Unit>(['microsecond', 'millisecond', 'second', 'minute', 'hour', 'epoch']);
const CLOCK_UNITS = new Set<Unit>(['microsecond', 'millisecond', 'second', 'minute', 'hour']);

/** The error of a name that is no unit; `now` and the like are known, if unfit. */
function unknownField(name: string, typeName: string): SqlError {
  return unitError(name, isReservedWord(name), typeName);
}

function infiniteField(unit: Unit, positive: boolean): Decimal | null {
  return GROWING.has(unit) ? (positive ? INFINITY : NEG_INFINITY) : null;
}

/** A year as people count it: there is no year zero. */
const countedYear = (year: number) => (year > 0 ? year : year - 1);

function clockField(unit: Unit, f: Pick<DateTimeFields, 'hour' | 'minute' | 'second' | 'micros'>): Decimal | undefined {
  const micros = BigInt(f.second) * MICROS_PER_SECOND + BigInt(f.micros);
  switch (unit) {
    case 'microsecond':
      return decimal(micros);
    case 'millisecond':
      return decimal(micros, 3);
    case 'second':
      return decimal(micros, 6);
    case 'minute':
      return int(f.minute);
    case 'hour':
      return int(f.hour);
    default:
      return undefined;
  }
}

function dateField(unit: Unit, year: number, month: number, day: number): Decimal | undefined {
  switch (unit) {
    case 'day':
      return int(day);
    case 'month':
      return int(month);
    case 'quarter':
      return int(Math.floor((month - 1) / 3) + 1);
    case 'week':
      return int(isoWeekOf(toJulian(year, month, day)).week);
    case 'year':
      return int(countedYear(year));
    case 'decade':
      return int(year >= 0 ? Math.floor(year / 10) : -Math.floor((8 - (year - 1)) / 10));
    case 'century':
      return int(year > 0 ? Math.floor((year + 99) / 100) : -Math.floor((99 - (year - 1)) / 100));
    case 'millennium':
      return int(year > 0 ? Math.floor((year + 999) / 1000) : -Math.floor((999 - (year - 1)) / 1000));
    case 'isoyear':
      return int(countedYear(isoWeekOf(toJulian(year, month, day)).isoYear));
    case 'dow':
      return int(weekday(toJulian(year, month, day)));
    case 'isodow':
      return int(weekday(toJulian(year, month, day)) || 7);
    case 'doy':
      return int(toJulian(year, month, day) - toJulian(year, 1, 1) + 1);
    default:
      return undefined;
  }
}

/** extract(field from timestamp); NULL for a field that an infinite timestamp does not have. */
export function extractFromTimestamp(name: string, t: bigint): Decimal | null {
  const typeName = 'timestamp without time zone';
  const unit = extractUnit(name);
  if (!unit) throw unknownField(name, typeName);
  if (!isFiniteTimestamp(t)) return infiniteField(unit, t > 0n);
  if (ZONE_UNITS.has(unit)) throw unitError(name, true, typeName);
  return fieldOf(unit, timestampFields(t), t);
}

/** extract(field from timestamptz) in a zone. */
export function extractFromTimestamptz(name: string, t: bigint, zone: Zone): Decimal | null {
  const unit = extractUnit(name);
  if (!unit) throw unknownField(name, 'timestamp with time zone');
  if (!isFiniteTimestamp(t)) return infiniteField(unit, t > 0n);
  const offset = zoneOffsetAt(zone, t);
  if (ZONE_UNITS.has(unit)) return offsetField(unit, offset);
  return fieldOf(unit, timestampFields(t + BigInt(offset) * MICROS_PER_SECOND), t);
}

/** Seconds since 1970. Where the sum does not fit 64 bits PostgreSQL divides numerics, with their 16 significant digits. */
function epochOf(t: bigint): Decimal {
  const micros = t + EPOCH_DIFF_MICROS;
  return micros <= INT64_MAX ? decimal(micros, 6) : round(divide(decimal(micros), decimal(MICROS_PER_SECOND)), 6);
}

function offsetField(unit: Unit, offset: number): Decimal {
  if (unit === 'timezone') return int(offset);
  if (unit === 'timezone_hour') return int(Math.trunc(offset / 3600));
  return int(Math.trunc(offset / 60) % 60);
}

function fieldOf(unit: Unit, f: DateTimeFields, t: bigint): Decimal {
  if (unit === 'epoch') return epochOf(t);
  if (unit === 'julian') {
    return add(int(toJulian(f.year, f.month, f.day)), divide(decimal(timeOfFields(f)), decimal(MICROS_PER_DAY)));
  }
  return clockField(unit, f) ?? dateField(unit, f.year, f.month, f.day)!;
}

/** extract(field from date): fields of the day only. */
export function extractFromDate(name: string, d: number): Decimal | null {
  const unit = extractUnit(name);
  if (!unit) throw unknownField(name, 'date');
  if (ZONE_UNITS.has(unit) || CLOCK_UNITS.has(unit)) throw unitError(name, true, 'date');
  if (!isFiniteDate(d)) return infiniteField(unit, d > 0);
  const { year, month, day } = fromJulian(d + POSTGRES_EPOCH_JULIAN);
  if (unit === 'epoch') return int(BigInt(d) * 86400n + EPOCH_DIFF_MICROS / MICROS_PER_SECOND);
  if (unit === 'julian') return int(d + POSTGRES_EPOCH_JULIAN);
  return dateField(unit, year, month, day)!;
}

/** extract(field from time) */
export function extractFromTime(name: string, t: bigint): Decimal {
  const unit = extractUnit(name);
  if (!unit) throw unitError(name, false, 'time without time zone');
  if (!TIME_UNITS.has(unit)) throw unitError(name, true, 'time without time zone');
  return unit === 'epoch' ? decimal(t, 6) : clockField(unit, timeFields(t))!;
}

/** extract(field from timetz); `offset` is seconds east of UTC. */
export function extractFromTimetz(name: string, t: bigint, offset: number): Decimal {
  const unit = extractUnit(name);
  if (unit && ZONE_UNITS.has(unit)) return offsetField(unit, offset);
  if (!unit) throw unitError(name, false, 'time with time zone');
  if (!TIME_UNITS.has(unit)) throw unitError(name, true, 'time with time zone');
  return unit === 'epoch' ? decimal(t - BigInt(offset) * MICROS_PER_SECOND, 6) : clockField(unit, timeFields(t))!;
}

const INTERVAL_UNITS = new Set<Unit>([...TRUNC_UNITS, 'epoch']);
const INTERVAL_GROWING = new Set<Unit>(['hour', 'day', 'year', 'decade', 'century', 'millennium', 'epoch']);

/** extract(field from interval); a year has 365.25 days in its epoch. */
export function extractFromInterval(name: string, i: Interval): Decimal | null {
  const unit = extractUnit(name);
  if (!unit) throw unitError(name, !isFiniteInterval(i) && isReservedWord(name), 'interval');
  if (!INTERVAL_UNITS.has(unit)) throw unitError(name, true, 'interval');
  const sign = intervalInfinitySign(i);
  if (sign !== 0) return INTERVAL_GROWING.has(unit) ? (sign > 0 ? INFINITY : NEG_INFINITY) : null;
  const p = intervalParts(i);
  const ofTime = clockField(unit, { hour: Number(p.hours), minute: p.minutes, second: p.seconds, micros: p.micros });
  if (ofTime !== undefined) return ofTime;
  switch (unit) {
    case 'day':
      return int(p.days);
    case 'week':
      return int(Math.trunc(p.days / 7));
    case 'month':
      return int(p.months);
    case 'quarter':
      return int(i.months >= 0 ? Math.trunc(p.months / 3) + 1 : -(Math.trunc(-p.months / 3) + 1));
    case 'year':
      return int(p.years);
    case 'decade':
      return int(Math.trunc(p.years / 10));
    case 'century':
      return int(Math.trunc(p.years / 100));
    case 'millennium':
      return int(Math.trunc(p.years / 1000));
    default: {
      const quarterDays = BigInt(p.years) * 1461n + BigInt(p.months * 30 + p.days) * 4n;
      return decimal(quarterDays * (MICROS_PER_DAY / 4n) + i.micros, 6);
    }
  }
}

/** The float8 of an extracted field: date_part. */
export function asFloat(field: Decimal | null): number | null {
  return field === null ? null : decimalToNumber(field);
}

/** date_part of an interval: its epoch is summed in float8, from the time part up. */
export function floatFromInterval(name: string, i: Interval): number | null {
  const field = extractFromInterval(name, i);
  if (extractUnit(name) !== 'epoch' || intervalInfinitySign(i) !== 0) return asFloat(field);
  let seconds = Number(i.micros) / 1_000_000;
  seconds += 365.25 * 86400 * Math.trunc(i.months / 12);
  seconds += 30 * 86400 * (i.months % 12);
  return seconds + 86400 * i.days + 0;
}
