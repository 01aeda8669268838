/** Functions, operators and casts of date. Timestamps compared with dates treat the date as its midnight. */
import type { Interval } from '../../datum.ts';
import { DATE_INFINITY, DATE_NEG_INFINITY, TIMESTAMP_INFINITY, TIMESTAMP_NEG_INFINITY } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import { addDays, addToTimestamp, negateInterval, timestampOfDate, timestamptzOfDate } from '../datetime/arithmetic.ts';
import {
  checkTimestamp,
  daysInMonth,
  END_DATE,
  floorDiv,
  isFiniteDate,
  isFiniteTimestamp,
  MICROS_PER_DAY,
  MICROS_PER_SECOND,
  MIN_DATE,
  MIN_TIMESTAMP,
  POSTGRES_EPOCH_JULIAN,
  TIMESTAMP_END_DATE,
  toJulian,
} from '../datetime/calendar.ts';
import { sessionZone } from '../datetime/settings.ts';
import { toInstant, toLocal } from '../datetime/time_zone.ts';
import { timetzParts } from '../datetime/timetz.ts';
import type { EvalContext } from '../ir.ts';
import { comparisons, larger, support } from './comparisons.ts';
import { register } from './registry.ts';

const compareDates = (a: number, b: number) => a - b;
comparisons('date_', 'date', 'date', compareDates);
support('date_cmp(date,date)', compareDates);
larger('date_larger', 'date_smaller', 'date', compareDates);

register('date_mi(date,date)', (a: number, b: number) => {
  if (!isFiniteDate(a) || !isFiniteDate(b)) throw new SqlError('22008', 'cannot subtract infinite dates');
  return a - b;
});
register('date_pli(date,int4)', addDays);
register('integer_pl_date(int4,date)', (n: number, d: number) => addDays(d, n));
register('date_mii(date,int4)', (d: number, n: number) => addDays(d, -n));
register('isfinite(date)', isFiniteDate);

register('date_pl_interval(date,interval)', (d: number, i: Interval) => addToTimestamp(timestampOfDate(d), i));
register('interval_pl_date(interval,date)', (i: Interval, d: number) => addToTimestamp(timestampOfDate(d), i));
register('date_mi_interval(date,interval)', (d: number, i: Interval) =>
  addToTimestamp(timestampOfDate(d), negateInterval(i)),
);

const dateAndTime = (d: number, time: bigint) => {
  const midnight = timestampOfDate(d);
  return isFiniteTimestamp(midnight) ? checkTimestamp(midnight + time) : midnight;
};
register('datetime_pl(date,time)', dateAndTime);
register('timestamp(date,time)', dateAndTime);
register('timedate_pl(time,date)', (time: bigint, d: number) => dateAndTime(d, time));

const dateAndTimetz = (d: number, timetz: string) => {
  if (!isFiniteDate(d)) return d > 0 ? TIMESTAMP_INFINITY : TIMESTAMP_NEG_INFINITY;
  if (d >= TIMESTAMP_END_DATE) throw new SqlError('22008', 'date out of range for timestamp');
  const { micros, offset } = timetzParts(timetz);
  return checkTimestamp(BigInt(d) * MICROS_PER_DAY + micros - BigInt(offset) * MICROS_PER_SECOND);
};
register('datetimetz_pl(date,timetz)', dateAndTimetz);
register('timestamptz(date,timetz)', dateAndTimetz);
register('timetzdate_pl(timetz,date)', (timetz: string, d: number) => dateAndTimetz(d, timetz));

register('timestamp(date)', timestampOfDate);
register('timestamptz(date)', (d: number, ctx: EvalContext) => timestamptzOfDate(d, sessionZone(ctx)));

/** The date of a local timestamp. */
function dateOfTimestamp(t: bigint): number {
  if (!isFiniteTimestamp(t)) return t > 0n ? DATE_INFINITY : DATE_NEG_INFINITY;
  return Number(floorDiv(t, MICROS_PER_DAY));
}
register('date(timestamp)', dateOfTimestamp);
register('date(timestamptz)', (t: bigint, ctx: EvalContext) =>
  dateOfTimestamp(isFiniteTimestamp(t) ? toLocal(sessionZone(ctx), t) : t),
);

register('make_date(int4,int4,int4)', (year: number, month: number, day: number) => {
  const astronomical = year < 0 ? year + 1 : year;
  const bad = () => new SqlError('22008', `date field value out of range: ${astronomical}-${two(month)}-${two(day)}`);
  if (year === 0 || month < 1 || month > 12 || day < 1 || day > daysInMonth(astronomical, month)) throw bad();
  const d = toJulian(astronomical, month, day) - POSTGRES_EPOCH_JULIAN;
  if (d < MIN_DATE || d >= END_DATE) {
    throw new SqlError('22008', `date out of range: ${astronomical}-${two(month)}-${two(day)}`);
  }
  return d;
});

const two = (n: number) => (n < 0 ? String(n) : String(n).padStart(2, '0'));

/** A date among timestamps: its midnight; beyond their range it is greater than all but infinity. */
function comparableDate(d: number): bigint {
  return isFiniteDate(d) && d >= TIMESTAMP_END_DATE ? TIMESTAMP_INFINITY - 1n : timestampOfDate(d);
}
const order = (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0);
const dateToTimestamp = (d: number, t: bigint) => order(comparableDate(d), t);
comparisons('date_', 'date', 'timestamp', dateToTimestamp, '_timestamp');
support('date_cmp_timestamp(date,timestamp)', dateToTimestamp);
comparisons('timestamp_', 'timestamp', 'date', (t: bigint, d: number) => -dateToTimestamp(d, t), '_date');
support('timestamp_cmp_date(timestamp,date)', (t: bigint, d: number) => -dateToTimestamp(d, t));

for (const test of ['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'cmp'] as const) {
  register(`date_${test}_timestamptz(date,timestamptz)`, (d: number, t: bigint, ctx: EvalContext) =>
    verdict(test, order(dateInZone(d, ctx), t)),
  );
  register(`timestamptz_${test}_date(timestamptz,date)`, (t: bigint, d: number, ctx: EvalContext) =>
    verdict(test, order(t, dateInZone(d, ctx))),
  );
}

/** A date among instants: as `comparableDate`, and before the first instant it is less than all but -infinity. */
function dateInZone(d: number, ctx: EvalContext): bigint {
  if (!isFiniteDate(d)) return timestampOfDate(d);
  if (d >= TIMESTAMP_END_DATE) return TIMESTAMP_INFINITY - 1n;
  const t = toInstant(sessionZone(ctx), timestampOfDate(d));
  return t < MIN_TIMESTAMP ? TIMESTAMP_NEG_INFINITY + 1n : t;
}

/** What a comparison function answers for an order of -1, 0 or 1. */
export function verdict(test: 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge' | 'cmp', c: number): boolean | number {
  switch (test) {
    case 'eq':
      return c === 0;
    case 'ne':
      return c !== 0;
    case 'lt':
      return c < 0;
    case 'le':
      return c <= 0;
    case 'gt':
      return c > 0;
    case 'ge':
      return c >= 0;
    case 'cmp':
      return c;
  }
}
