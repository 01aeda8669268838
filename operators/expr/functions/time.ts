/** Functions, operators and casts of time and timetz. */
import { type Interval, interval } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import { floorDiv, isFiniteTimestamp, MICROS_PER_DAY, MICROS_PER_SECOND, rint } from '../datetime/calendar.ts';
import { isFiniteInterval, roundMicros } from '../datetime/interval_value.ts';
import { sessionZone } from '../datetime/settings.ts';
import { localOffset, toLocal, unixSecondsOf, zoneOffsetAt } from '../datetime/time_zone.ts';
import { compareTimetz, makeTimetz, timetzParts } from '../datetime/timetz.ts';
import type { EvalContext } from '../ir.ts';
import { comparisons, larger, support } from './comparisons.ts';
import { register } from './registry.ts';
import { clockIsValid, secondsFixed } from './timestamp.ts';

const order = (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0);
comparisons('time_', 'time', 'time', order);
support('time_cmp(time,time)', order);
larger('time_larger', 'time_smaller', 'time', order);
comparisons('timetz_', 'timetz', 'timetz', compareTimetz);
support('timetz_cmp(timetz,timetz)', compareTimetz);
larger('timetz_larger', 'timetz_smaller', 'timetz', compareTimetz);

/** Time of day of any microsecond count. */
const ofDay = (micros: bigint) => micros - floorDiv(micros, MICROS_PER_DAY) * MICROS_PER_DAY;

function shift(t: bigint, i: Interval, sign: bigint): bigint {
  if (!isFiniteInterval(i)) {
    throw new SqlError(
      '22008',
      `cannot ${sign > 0n ? 'add infinite interval to' : 'subtract infinite interval from'} time`,
    );
  }
  // The sum wraps around 64 bits, as in PostgreSQL.
  return ofDay(BigInt.asIntN(64, t + sign * i.micros));
}

function shiftTimetz(d: string, i: Interval, sign: bigint): string {
  const { micros, offset } = timetzParts(d);
  return makeTimetz(shift(micros, i, sign), offset);
}

register('time_pl_interval(time,interval)', (t: bigint, i: Interval) => shift(t, i, 1n));
register('interval_pl_time(interval,time)', (i: Interval, t: bigint) => shift(t, i, 1n));
register('time_mi_interval(time,interval)', (t: bigint, i: Interval) => shift(t, i, -1n));
register('time_mi_time(time,time)', (a: bigint, b: bigint) => interval(0, 0, a - b));
register('timetz_pl_interval(timetz,interval)', (d: string, i: Interval) => shiftTimetz(d, i, 1n));
register('interval_pl_timetz(interval,timetz)', (i: Interval, d: string) => shiftTimetz(d, i, 1n));
register('timetz_mi_interval(timetz,interval)', (d: string, i: Interval) => shiftTimetz(d, i, -1n));

register('time(time,int4)', roundMicros);
register('timetz(timetz,int4)', (d: string, precision: number) => {
  const { micros, offset } = timetzParts(d);
  return makeTimetz(roundMicros(micros, precision), offset);
});
register('interval(time)', (t: bigint) => interval(0, 0, t));
register('time(interval)', (i: Interval) => {
  if (!isFiniteInterval(i)) throw new SqlError('22008', 'cannot convert infinite interval to time');
  return ofDay(i.micros);
});
register('time(timetz)', (d: string) => timetzParts(d).micros);
register('time(timestamp)', (t: bigint) => (isFiniteTimestamp(t) ? ofDay(t) : null));
register('time(timestamptz)', (t: bigint, ctx: EvalContext) =>
  isFiniteTimestamp(t) ? ofDay(toLocal(sessionZone(ctx), t)) : null,
);
register('timetz(timestamptz)', (t: bigint, ctx: EvalContext) => {
  if (!isFiniteTimestamp(t)) return null;
  const offset = zoneOffsetAt(sessionZone(ctx), t);
  return makeTimetz(ofDay(t + BigInt(offset) * MICROS_PER_SECOND), offset);
});
register('timetz(time)', (t: bigint, ctx: EvalContext) => {
  const zone = sessionZone(ctx);
  if (zone.fixed !== null) return makeTimetz(t, zone.fixed);
  const today = toLocal(zone, ctx.now);
  const local = today - ofDay(today) + t;
  return makeTimetz(t, localOffset(zone, unixSecondsOf(local)));
});

register('make_time(int4,int4,float8)', (hour: number, minute: number, second: number) => {
  if (!clockIsValid(hour, minute, second)) {
    const min = minute < 0 ? String(minute) : String(minute).padStart(2, '0');
    throw new SqlError('22008', `time field value out of range: ${hour}:${min}:${secondsFixed(second)}`);
  }
  return BigInt((hour * 60 + minute) * 60_000_000 + rint(second * 1_000_000));
});
