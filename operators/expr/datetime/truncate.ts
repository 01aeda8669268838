/** date_trunc and date_bin over timestamps and intervals. */
import { type Interval, interval } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import {
  checkTimestamp,
  type DateTimeFields,
  fromJulian,
  isFiniteTimestamp,
  isoWeekOf,
  isoWeekStart,
  MICROS_PER_DAY,
  MICROS_PER_SECOND,
  timestampFields,
  timestampOfFields,
  timestampOutOfRange,
  toJulian,
} from './calendar.ts';
import { intervalParts } from './interval_output.ts';
import { checkedInterval, INT64_MAX, INT64_MIN, isFiniteInterval } from './interval_value.ts';
import { localOffset, unixSecondsOf, type Zone, zoneOffsetAt } from './time_zone.ts';
import { truncUnit, type Unit } from './words.ts';

/** Error of a unit that a type does not have (0A000) or that does not exist (22023). */
export function unitError(unit: string, known: boolean, typeName: string): SqlError {
  const name = unit.toLowerCase();
  return known
    ? new SqlError('0A000', `unit "${name}" not supported for type ${typeName}`)
    : new SqlError('22023', `unit "${name}" not recognized for type ${typeName}`);
}

/** Cuts fields to a unit in place; false when the unit is none of date_trunc's. */
function truncateFields(f: DateTimeFields, unit: Unit): boolean {
  switch (unit) {
    case 'week': {
      const { isoYear, week } = isoWeekOf(toJulian(f.year, f.month, f.day));
      Object.assign(f, fromJulian(isoWeekStart(isoYear, week)));
      clearTime(f);
      return true;
    }
    case 'millennium':
      f.year =
        f.year > 0
          ? Math.floor((f.year + 999) / 1000) * 1000 - 999
          : -Math.floor((999 - (f.year - 1)) / 1000) * 1000 + 1;
      break;
    case 'century':
      f.year =
        f.year > 0 ? Math.floor((f.year + 99) / 100) * 100 - 99 : -Math.floor((99 - (f.year - 1)) / 100) * 100 + 1;
      break;
    case 'decade':
      f.year = f.year > 0 ? Math.floor(f.year / 10) * 10 : -Math.floor((8 - (f.year - 1)) / 10) * 10;
      break;
    case 'year':
      break;
    case 'quarter':
      f.month = 3 * Math.floor((f.month - 1) / 3) + 1;
      f.day = 1;
      clearTime(f);
      return true;
    case 'month':
      f.day = 1;
      clearTime(f);
      return true;
    case 'day':
      clearTime(f);
      return true;
    case 'hour':
      f.minute = 0;
      f.second = 0;
      f.micros = 0;
      return true;
    case 'minute':
      f.second = 0;
      f.micros = 0;
      return true;
    case 'second':
      f.micros = 0;
      return true;
    case 'millisecond':
      f.micros = Math.floor(f.micros / 1000) * 1000;
      return true;
    case 'microsecond':
      return true;
    default:
      return false;
  }
  f.month = 1;
  f.day = 1;
  clearTime(f);
  return true;
}

function clearTime(f: DateTimeFields): void {
  f.hour = 0;
  f.minute = 0;
  f.second = 0;
  f.micros = 0;
}

export const TRUNC_UNITS = new Set<Unit>([
  'microsecond',
  'millisecond',
  'second',
  'minute',
  'hour',
  'day',
  'week',
  'month',
  'quarter',
  'year',
  'decade',
  'century',
  'millennium',
]);

function requireTruncUnit(name: string, typeName: string): Unit {
  const unit = truncUnit(name);
  if (!unit || !TRUNC_UNITS.has(unit)) throw unitError(name, unit !== undefined, typeName);
  return unit;
}

/** date_trunc(unit, timestamp) */
export function truncateTimestamp(name: string, t: bigint): bigint {
  const unit = requireTruncUnit(name, 'timestamp without time zone');
  if (!isFiniteTimestamp(t)) return t;
  const f = timestampFields(t);
  truncateFields(f, unit);
  return checkTimestamp(timestampOfFields(f));
}

/** date_trunc(unit, timestamptz) in a zone; units below a day keep the offset they had. */
export function truncateTimestamptz(name: string, t: bigint, zone: Zone): bigint {
  const unit = requireTruncUnit(name, 'timestamp with time zone');
  if (!isFiniteTimestamp(t)) return t;
  const offset = zoneOffsetAt(zone, t);
  const f = timestampFields(t + BigInt(offset) * MICROS_PER_SECOND);
  truncateFields(f, unit);
  const local = timestampOfFields(f);
  const small =
    unit === 'hour' || unit === 'minute' || unit === 'second' || unit === 'millisecond' || unit === 'microsecond';
  const newOffset = small ? offset : localOffset(zone, unixSecondsOf(local));
  return checkTimestamp(local - BigInt(newOffset) * MICROS_PER_SECOND);
}

/** date_trunc(unit, interval) */
export function truncateInterval(name: string, i: Interval): Interval {
  const unit = truncUnit(name);
  if (unit === 'week') {
    throw new SqlError('0A000', `unit "${name.toLowerCase()}" not supported for type interval`, {
      detail: 'Months usually have fractional weeks.',
    });
  }
  requireTruncUnit(name, 'interval');
  if (!isFiniteInterval(i)) return i;
  const p = intervalParts(i);
  const step = (n: number, size: number) => Math.trunc(n / size) * size + 0;
  const cut = (size: bigint) => (i.micros / size) * size;
  switch (unit) {
    case 'millennium':
      return checkedInterval(step(p.years, 1000) * 12, 0, 0n);
    case 'century':
      return checkedInterval(step(p.years, 100) * 12, 0, 0n);
    case 'decade':
      return checkedInterval(step(p.years, 10) * 12, 0, 0n);
    case 'year':
      return checkedInterval(p.years * 12, 0, 0n);
    case 'quarter':
      return checkedInterval(p.years * 12 + step(p.months, 3), 0, 0n);
    case 'month':
      return interval(i.months, 0, 0n);
    case 'day':
      return interval(i.months, i.days, 0n);
    case 'hour':
      return interval(i.months, i.days, cut(3_600_000_000n));
    case 'minute':
      return interval(i.months, i.days, cut(60_000_000n));
    case 'second':
      return interval(i.months, i.days, cut(1_000_000n));
    case 'millisecond':
      return interval(i.months, i.days, cut(1000n));
    default:
      return i;
  }
}

/** date_bin(stride, t, origin) */
export function binTimestamp(stride: Interval, t: bigint, origin: bigint): bigint {
  if (!isFiniteTimestamp(t)) return t;
  if (!isFiniteTimestamp(origin)) throw new SqlError('22008', 'origin out of range');
  if (!isFiniteInterval(stride)) throw new SqlError('22008', 'timestamps cannot be binned into infinite intervals');
  if (stride.months !== 0) {
    throw new SqlError('0A000', 'timestamps cannot be binned into intervals containing months or years');
  }
  const size = BigInt(stride.days) * MICROS_PER_DAY + stride.micros;
  if (size > INT64_MAX || size < INT64_MIN) throw new SqlError('22008', 'interval out of range');
  if (size <= 0n) throw new SqlError('22008', 'stride must be greater than zero');
  const diff = t - origin;
  if (diff > INT64_MAX || diff < INT64_MIN) throw new SqlError('22008', 'interval out of range');
  const rest = diff % size;
  const result = t - rest - (rest < 0n ? size : 0n);
  if (result < INT64_MIN) throw timestampOutOfRange();
  return checkTimestamp(result);
}
