/** Functions, operators and casts of timestamp and timestamptz. */
import type { Datum, Interval } from '../../datum.ts';
import { TIMESTAMP_INFINITY, TIMESTAMP_NEG_INFINITY } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import { OID } from '../../types.ts';
import { compareDatum } from '../compare.ts';
import {
  addToTimestamp,
  addToTimestamptz,
  age,
  ageInZone,
  negateInterval,
  subtractTimestamps,
} from '../datetime/arithmetic.ts';
import {
  checkTimestamp,
  daysInMonth,
  END_DATE,
  EPOCH_DIFF_SECONDS,
  floorDiv,
  isFiniteTimestamp,
  MICROS_PER_DAY,
  POSTGRES_EPOCH_JULIAN,
  rint,
  timestampInRange,
  timestampOfFields,
  timestampOutOfRange,
  toJulian,
} from '../datetime/calendar.ts';
import { localNow, sessionZone } from '../datetime/settings.ts';
import { toInstant, toLocal, type Zone } from '../datetime/time_zone.ts';
import { binTimestamp, truncateTimestamp, truncateTimestamptz } from '../datetime/truncate.ts';
import { roundTimestamp } from '../io/datetime.ts';
import type { EvalContext } from '../ir.ts';
import { comparisons, larger, support } from './comparisons.ts';
import { verdict } from './date.ts';
import { register, registerSet, requireFunction } from './registry.ts';
import { zoneOfText } from './time_zone.ts';

const order = (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0);

for (const type of ['timestamp', 'timestamptz']) {
  comparisons(`${type}_`, type, type, order);
  support(`${type}_cmp(${type},${type})`, order);
  larger(`${type}_larger`, `${type}_smaller`, type, order);
  register(`${type}_mi(${type},${type})`, subtractTimestamps);
  register(`isfinite(${type})`, isFiniteTimestamp);
  register(`${type}(${type},int4)`, roundTimestamp);
  register(`date_bin(interval,${type},${type})`, binTimestamp);
}

register('timestamp_pl_interval(timestamp,interval)', addToTimestamp);
register('interval_pl_timestamp(interval,timestamp)', (i: Interval, t: bigint) => addToTimestamp(t, i));
register('timestamp_mi_interval(timestamp,interval)', (t: bigint, i: Interval) => addToTimestamp(t, negateInterval(i)));

const addZoned = (t: bigint, i: Interval, ctx: EvalContext) => addToTimestamptz(t, i, sessionZone(ctx));
const subtractZoned = (t: bigint, i: Interval, ctx: EvalContext) =>
  addToTimestamptz(t, negateInterval(i), sessionZone(ctx));
register('timestamptz_pl_interval(timestamptz,interval)', addZoned);
register('date_add(timestamptz,interval)', addZoned);
register('interval_pl_timestamptz(interval,timestamptz)', (i: Interval, t: bigint, ctx: EvalContext) =>
  addZoned(t, i, ctx),
);
register('timestamptz_mi_interval(timestamptz,interval)', subtractZoned);
register('date_subtract(timestamptz,interval)', subtractZoned);
register('date_add(timestamptz,interval,text)', (t: bigint, i: Interval, zone: string) =>
  addToTimestamptz(t, i, zoneOfText(zone)),
);
register('date_subtract(timestamptz,interval,text)', (t: bigint, i: Interval, zone: string) =>
  addToTimestamptz(t, negateInterval(i), zoneOfText(zone)),
);

register('age(timestamp,timestamp)', age);
register('age(timestamptz,timestamptz)', (a: bigint, b: bigint, ctx: EvalContext) => ageInZone(a, b, sessionZone(ctx)));
register('age(timestamp)', (t: bigint, ctx: EvalContext) => age(localMidnight(ctx), t));
register('age(timestamptz)', (t: bigint, ctx: EvalContext) => {
  const zone = sessionZone(ctx);
  return ageInZone(toInstant(zone, localMidnight(ctx)), t, zone);
});

function localMidnight(ctx: EvalContext): bigint {
  return floorDiv(localNow(ctx), MICROS_PER_DAY) * MICROS_PER_DAY;
}

register('date_trunc(text,timestamp)', truncateTimestamp);
register('date_trunc(text,timestamptz)', (unit: string, t: bigint, ctx: EvalContext) =>
  truncateTimestamptz(unit, t, sessionZone(ctx)),
);
register('date_trunc(text,timestamptz,text)', (unit: string, t: bigint, zone: string) =>
  truncateTimestamptz(unit, t, zoneOfText(zone)),
);

/** A local timestamp as the instant it is in the session's zone. */
function localToInstant(t: bigint, zone: Zone): bigint {
  return isFiniteTimestamp(t) ? checkTimestamp(toInstant(zone, t)) : t;
}

/** An instant as local time of a zone. */
function instantToLocal(t: bigint, zone: Zone): bigint {
  return isFiniteTimestamp(t) ? checkTimestamp(toLocal(zone, t)) : t;
}

/** date + time, local, as an instant. */
register('timestamptz(date,time)', (d: number, time: bigint, ctx: EvalContext) =>
  localToInstant(requireFunction('datetime_pl(date,time)')(d, time, ctx) as bigint, sessionZone(ctx)),
);
register('timestamptz(timestamp)', (t: bigint, ctx: EvalContext) => localToInstant(t, sessionZone(ctx)));
register('timestamp(timestamptz)', (t: bigint, ctx: EvalContext) => instantToLocal(t, sessionZone(ctx)));

for (const test of ['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'cmp'] as const) {
  const compareMixed = (local: bigint, t: bigint, ctx: EvalContext) =>
    order(isFiniteTimestamp(local) ? toInstant(sessionZone(ctx), local) : local, t);
  register(`timestamp_${test}_timestamptz(timestamp,timestamptz)`, (a: bigint, b: bigint, ctx: EvalContext) =>
    verdict(test, compareMixed(a, b, ctx)),
  );
  register(`timestamptz_${test}_timestamp(timestamptz,timestamp)`, (a: bigint, b: bigint, ctx: EvalContext) =>
    verdict(test, 0 - compareMixed(b, a, ctx)),
  );
}

/** Seconds since 1970 to an instant. */
register('to_timestamp(float8)', (seconds: number) => {
  const outOfRange = () => new SqlError('22008', `timestamp out of range: "${formatG(seconds)}"`);
  if (Number.isNaN(seconds)) throw new SqlError('22008', 'timestamp cannot be NaN');
  if (!Number.isFinite(seconds)) return seconds > 0 ? TIMESTAMP_INFINITY : TIMESTAMP_NEG_INFINITY;
  if (seconds < -210866803200 || seconds >= 9224318016000) throw outOfRange();
  const t = BigInt(rint((seconds - EPOCH_DIFF_SECONDS) * 1_000_000));
  return checkTimestamp(t);
});

/** C's %g. */
function formatG(x: number): string {
  const [mantissa, exponent] = x.toExponential(5).split('e');
  const e = Number(exponent);
  const trim = (s: string) => (s.includes('.') ? s.replace(/\.?0+$/, '') : s);
  if (e < -4 || e >= 6) return `${trim(mantissa)}e${e < 0 ? '-' : '+'}${String(Math.abs(e)).padStart(2, '0')}`;
  return trim(x.toFixed(5 - e));
}

function makeLocal(year: number, month: number, day: number, hour: number, minute: number, second: number): bigint {
  const astronomical = year < 0 ? year + 1 : year;
  const dateText = `${year}-${two(month)}-${two(day)}`;
  if (year === 0 || month < 1 || month > 12 || day < 1 || day > daysInMonth(astronomical, month)) {
    throw new SqlError('22008', `date field value out of range: ${year}-${two(month)}-${two(day)}`);
  }
  if (!clockIsValid(hour, minute, second)) {
    throw new SqlError('22008', `time field value out of range: ${hour}:${two(minute)}:${secondsFixed(second)}`);
  }
  const julian = toJulian(astronomical, month, day);
  if (julian < 0 || julian >= END_DATE + POSTGRES_EPOCH_JULIAN) {
    throw new SqlError('22008', `date out of range: ${dateText}`);
  }
  const midnight = timestampOfFields({ year: astronomical, month, day, hour, minute, second: 0, micros: 0 });
  const t = midnight + BigInt(rint(second * 1_000_000));
  if (!timestampInRange(t)) {
    throw new SqlError('22008', `timestamp out of range: ${dateText} ${hour}:${two(minute)}:${secondsFixed(second)}`);
  }
  return t;
}

/** True when make_time and the like accept a clock time: to 24:00:00, seconds to 60. */
export function clockIsValid(hour: number, minute: number, second: number): boolean {
  if (Number.isNaN(second) || hour < 0 || hour > 24 || minute < 0 || minute > 59) return false;
  const micros = rint(second * 1_000_000);
  return micros >= 0 && micros <= 60_000_000 && (hour * 60 + minute) * 60_000_000 + micros <= 86_400_000_000;
}

const two = (n: number) => (n < 0 ? String(n) : String(n).padStart(2, '0'));
/** C's %02g of the seconds in messages. */
export const secondsFixed = (s: number) => (Number.isNaN(s) ? 'NaN' : formatG(s).padStart(2, '0'));

register('make_timestamp(int4,int4,int4,int4,int4,float8)', makeLocal);
register(
  'make_timestamptz(int4,int4,int4,int4,int4,float8)',
  (y: number, mo: number, d: number, h: number, mi: number, s: number, ctx: EvalContext) =>
    localToInstant(makeLocal(y, mo, d, h, mi, s), sessionZone(ctx)),
);
register(
  'make_timestamptz(int4,int4,int4,int4,int4,float8,text)',
  (y: number, mo: number, d: number, h: number, mi: number, s: number, zone: string) =>
    localToInstant(makeLocal(y, mo, d, h, mi, s), zoneOfText(zone, true)),
);

const SERIES_STEP_ZERO = () => new SqlError('22023', 'step size cannot equal zero');

/** start, start+step, ... up to stop; each value comes from the one before, as in PostgreSQL. */
function* series(start: bigint, stop: bigint, step: Interval, next: (t: bigint) => bigint): Generator<Datum[]> {
  const zero = { k: 'interval', months: 0, days: 0, micros: 0n } as Interval;
  const sign = compareDatum(step, zero, OID.interval);
  if (sign === 0) throw SERIES_STEP_ZERO();
  if (!isFiniteStep(step)) throw new SqlError('22023', 'step size cannot be infinite');
  for (let t = start; sign > 0 ? t <= stop : t >= stop; t = next(t)) {
    yield [t];
    if (!isFiniteTimestamp(t)) throw timestampOutOfRange();
  }
}

function isFiniteStep(i: Interval): boolean {
  return Math.abs(i.months) < 2147483647 || Math.abs(i.days) < 2147483647;
}

registerSet('generate_series(timestamp,timestamp,interval)', (start: bigint, stop: bigint, step: Interval) =>
  series(start, stop, step, (t) => addToTimestamp(t, step)),
);
registerSet(
  'generate_series(timestamptz,timestamptz,interval)',
  (start: bigint, stop: bigint, step: Interval, ctx: EvalContext) => {
    const zone = sessionZone(ctx);
    return series(start, stop, step, (t) => addToTimestamptz(t, step, zone));
  },
);
registerSet(
  'generate_series(timestamptz,timestamptz,interval,text)',
  (start: bigint, stop: bigint, step: Interval, name: string) => {
    const zone = zoneOfText(name);
    return series(start, stop, step, (t) => addToTimestamptz(t, step, zone));
  },
);
