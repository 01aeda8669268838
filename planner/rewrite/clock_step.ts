/**
 * Times of the row beside the beginning of the present day, hour, month: what a dashboard of today asks for.
 *
 *   d = current_date          ts >= date_trunc('hour', now())          date_trunc('month', ts) = date_trunc('month', now())
 *
 * T(now) stands still until the next boundary, so with next(e) = date_trunc(unit, e) + 1 unit, the first boundary after e, and e a whole number of
 * microseconds:
 *
 *   T(now) <= e     now < next(e)                  until = next(e)
 *   T(now) <  e     T(now) <= e - 1 µs             until = next(e - 1 µs)
 *   T(now) >= e     not (T(now) < e)               from  = next(e - 1 µs)
 *   T(now) >  e     not (T(now) <= e)              from  = next(e)
 *   T(now) =  e     both of <= and >=              none when e is on no boundary: from = until
 *
 * With a constant d of days and less, e OP T(now) + d is e - d OP T(now). All in a zone of one offset: elsewhere local time jumps back once a year. Times within
 * some thousand years of the first and the last that there are count as -infinity and infinity: from now on they are on that side of the clock.
 */
import {
  type Datum,
  type Interval,
  interval,
  TIMESTAMP_INFINITY,
  TIMESTAMP_NEG_INFINITY,
} from '../../operators/datum.ts';
import { truncUnit } from '../../operators/expr/datetime/words.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import { colType, OID } from '../../operators/types.ts';
import type { ComparisonName } from '../analyse/functions.ts';
import { constant } from '../logical/expressions.ts';

const TIMESTAMP = colType(OID.timestamp);
const TIMESTAMPTZ = colType(OID.timestamptz);
const INTERVAL = colType(OID.interval);
const DAY = 86_400_000_000n;
/** Days from 2000-01-01: the years 290000 and -4600. */
const FAR = [105_000_000, -2_410_000];

/** One of each unit. */
const UNITS: Record<string, Interval> = {
  second: interval(0, 0, 1_000_000n),
  minute: interval(0, 0, 60_000_000n),
  hour: interval(0, 0, 3_600_000_000n),
  day: interval(0, 1, 0n),
  week: interval(0, 7, 0n),
  month: interval(1, 0, 0n),
  quarter: interval(3, 0, 0n),
  year: interval(12, 0, 0n),
};

/** T(now) + delta. */
export interface ClockStep {
  unit: string;
  delta: Interval;
}

/** At most so many microseconds T(now) + delta is before now(). */
export function stepBack({ unit, delta }: ClockStep): bigint {
  const length = ({ months, days, micros }: Interval) => BigInt(months * 31 + days) * DAY + micros;
  return length(UNITS[unit]) - length(delta);
}

/** What the expression is, where it is a step of the clock; `isClock`: it is now() itself. */
export function clockStep(e: Expr, isClock: (e: Expr) => boolean): ClockStep | null {
  if (e.k !== 'call') return null;
  const [first, second] = e.args;
  switch (e.fn) {
    case 'date(timestamptz)':
    case 'date(timestamp)':
      return isNow(first, isClock) ? { unit: 'day', delta: interval(0, 0, 0n) } : null;
    case 'date_trunc(text,timestamptz)':
    case 'date_trunc(text,timestamp)': {
      const unit = first.k === 'const' && typeof first.v === 'string' ? truncUnit(first.v) : undefined;
      if (unit === undefined || !(unit in UNITS) || !isNow(second, isClock)) return null;
      return { unit, delta: interval(0, 0, 0n) };
    }
    case 'timestamp(date)':
    case 'timestamptz(date)':
    case 'timestamp(timestamptz)':
    case 'timestamptz(timestamp)':
      return clockStep(first, isClock);
  }
  const moved = /^(?:timestamp|timestamptz|date)_(pl|mi)_interval\(|^date_(pl|mi)i\(/.exec(e.fn);
  const d = moved && daysAndLess(second);
  const step = d ? clockStep(first, isClock) : null;
  if (moved === null || !d || step === null) return null;
  return { unit: step.unit, delta: sum(step.delta, d, (moved[1] ?? moved[2]) === 'pl' ? 1 : -1) };
}

/** now(), or the same as a local time. */
function isNow(e: Expr, isClock: (e: Expr) => boolean): boolean {
  if (e.k === 'call' && e.fn === 'timestamp(timestamptz)') return isNow(e.args[0], isClock);
  return isClock(e) && e.t.oid === OID.timestamptz;
}

/** A constant interval without months, or a number of days. */
function daysAndLess(e: Expr): Interval | null {
  const v: Datum = e.k === 'const' ? e.v : null;
  if (typeof v === 'number') return interval(0, v, 0n);
  return v !== null && typeof v === 'object' && 'k' in v && v.k === 'interval' && v.months === 0 ? v : null;
}

function sum(a: Interval, b: Interval, sign: 1 | -1): Interval {
  return interval(0, a.days + sign * b.days, a.micros + BigInt(sign) * b.micros);
}

/** Between which instants `e <comparison> step` holds; null where neither is known. */
export function stepBounds(
  e: Expr,
  comparison: ComparisonName,
  { unit, delta }: ClockStep,
): { from?: Expr; until?: Expr } | null {
  const near = asLocal(e);
  if (near === null) return null;
  const local = nearTimes(e, near);
  const next = (before: bigint) => {
    const moved = call('timestamp_mi_interval(timestamp,interval)', [
      local,
      constant(sum(delta, interval(0, 0, before), 1), INTERVAL),
    ]);
    const begin = call('date_trunc(text,timestamp)', [constant(unit, colType(OID.text)), moved]);
    const end = call('timestamp_pl_interval(timestamp,interval)', [begin, constant(UNITS[unit], INTERVAL)]);
    return call('timestamptz(timestamp)', [end], TIMESTAMPTZ);
  };
  switch (comparison) {
    case '>=':
      return { until: next(0n) };
    case '>':
      return { until: next(1n) };
    case '<=':
      return { from: next(1n) };
    case '<':
      return { from: next(0n) };
    case '=':
      return { from: next(1n), until: next(0n) };
    default:
      return null;
  }
}

/** `near`, or infinite where `e` is as far as that on the sides that count. */
export function nearTimes(e: Expr, near: Expr, sides: ('gt' | 'lt')[] = ['gt', 'lt']): Expr {
  const date = e.t.oid === OID.date;
  const bound = (days: number) => (date ? constant(days, e.t) : constant(BigInt(days) * DAY, colType(e.t.oid)));
  const type = date ? 'date' : e.t.oid === OID.timestamp ? 'timestamp' : 'timestamptz';
  const compare = (op: 'gt' | 'lt'): Expr => {
    return {
      k: 'call',
      fn: `${type}_${op}(${type},${type})`,
      args: [e, bound(op === 'gt' ? FAR[0] : FAR[1])],
      t: colType(OID.bool),
      strict: true,
    };
  };
  const infinite = (op: 'gt' | 'lt') => constant(op === 'gt' ? TIMESTAMP_INFINITY : TIMESTAMP_NEG_INFINITY, near.t);
  return {
    k: 'case',
    whens: sides.map((op) => ({ when: compare(op), then: infinite(op) })),
    else: near,
    t: near.t,
  };
}

function asLocal(e: Expr): Expr | null {
  if (e.t.oid === OID.timestamp) return e;
  if (e.t.oid === OID.date) return call('timestamp(date)', [e]);
  return e.t.oid === OID.timestamptz ? call('timestamp(timestamptz)', [e]) : null;
}

function call(fn: string, args: Expr[], t = TIMESTAMP): Expr {
  return { k: 'call', fn, args, t, strict: true };
}
