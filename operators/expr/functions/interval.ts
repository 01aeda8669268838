/** Functions, operators and casts of interval. */
import type { Interval } from '../../datum.ts';
import {
  addIntervals,
  divideInterval,
  justifyDays,
  justifyHours,
  justifyInterval,
  multiplyInterval,
  negateInterval,
  subtractIntervals,
} from '../datetime/arithmetic.ts';
import { intervalOutOfRange, rint } from '../datetime/calendar.ts';
import { checkedInterval, coerceInterval, compareInterval, isFiniteInterval } from '../datetime/interval_value.ts';
import { truncateInterval } from '../datetime/truncate.ts';
import { comparisons, larger, support } from './comparisons.ts';
import { register } from './registry.ts';

comparisons('interval_', 'interval', 'interval', compareInterval);
support('interval_cmp(interval,interval)', compareInterval);
larger('interval_larger', 'interval_smaller', 'interval', compareInterval);

register('interval_um(interval)', negateInterval);
register('interval_pl(interval,interval)', addIntervals);
register('interval_mi(interval,interval)', subtractIntervals);
register('interval_mul(interval,float8)', multiplyInterval);
register('mul_d_interval(float8,interval)', (factor: number, i: Interval) => multiplyInterval(i, factor));
register('interval_div(interval,float8)', divideInterval);
register('interval(interval,int4)', coerceInterval);
register('isfinite(interval)', isFiniteInterval);
register('justify_hours(interval)', justifyHours);
register('justify_days(interval)', justifyDays);
register('justify_interval(interval)', justifyInterval);
register('date_trunc(text,interval)', truncateInterval);

register(
  'make_interval(int4,int4,int4,int4,int4,int4,float8)',
  (years: number, months: number, weeks: number, days: number, hours: number, minutes: number, seconds: number) => {
    if (!Number.isFinite(seconds)) throw intervalOutOfRange();
    const micros = rint(seconds * 1_000_000);
    if (Math.abs(micros) >= 2 ** 63) throw intervalOutOfRange();
    const time = BigInt(hours) * 3_600_000_000n + BigInt(minutes) * 60_000_000n + BigInt(micros);
    return checkedInterval(years * 12 + months, weeks * 7 + days, time);
  },
);
