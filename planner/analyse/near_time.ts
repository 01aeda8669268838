/**
 * Expressions that stay near a time of the row: the time itself, shifted by a constant interval, cut down to a unit.
 *
 *   column + least <= e <= column + most        date_trunc('hour', at) + INTERVAL '5 min'     -55 min, +5 min
 *
 * Infinite times stay what they are. No zone may come between, as its offset is not constant; where one makes days longer or shorter, the bounds are wider.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import { isTimestamp } from '../../operators/types.ts';
import { microseconds, offsetChange, shiftOf } from './constant_interval.ts';

const DAY = 86400000000n;
/** The longest that date_trunc may step back, in microseconds. */
const TRUNC: Record<string, bigint> = {
  microseconds: 1n,
  milliseconds: 1000n,
  second: 1000000n,
  minute: 60000000n,
  hour: 3600000000n,
  day: DAY,
  week: 7n * DAY,
  month: 31n * DAY,
  quarter: 92n * DAY,
  year: 366n * DAY,
};

export interface NearTime {
  column: number;
  least: bigint;
  most: bigint;
  /** The OID of the expression's type. */
  type: number;
}

/** How far date_trunc(unit, time) may be before the time; null for a unit that is not constant. Units below a day keep the offset from UTC that the time has. */
export function truncStep(unit: Expr, time: Expr): bigint | null {
  const step = unit.k === 'const' ? TRUNC[String(unit.v).toLowerCase()] : undefined;
  return step === undefined ? null : step + (step < DAY ? 0n : offsetChange(time));
}

/** Null when the expression is not known to be near one column. */
export function nearTime(e: Expr): NearTime | null {
  if (e.k === 'col') return isTimestamp(e.t.oid) ? { column: e.id, least: 0n, most: 0n, type: e.t.oid } : null;
  if (e.k !== 'call') return null;
  const [a, b, c] = e.args;
  const moved = (arg: Expr, least: bigint, most: bigint): NearTime | null => {
    const inner = nearTime(arg);
    return inner && { column: inner.column, least: inner.least + least, most: inner.most + most, type: e.t.oid };
  };
  const shift = shiftOf(e);
  if (shift !== null) return moved(shift.time, shift.by - shift.slack, shift.by + shift.slack);
  switch (e.fn) {
    case 'date_trunc(text,timestamp)':
    case 'date_trunc(text,timestamptz)': {
      const step = truncStep(a, b);
      // Where clocks are set back past midnight, a day begins at the second one, after the first's times.
      return step === null ? null : moved(b, -step, step < DAY ? 0n : offsetChange(b));
    }
    case 'date_bin(interval,timestamp,timestamp)':
    case 'date_bin(interval,timestamptz,timestamptz)': {
      const size = microseconds(a);
      return size === null || c.k !== 'const' ? null : moved(b, -size, 0n);
    }
    case 'date(timestamp)':
      return moved(a, -DAY, 0n);
    case 'timestamp(date)':
      return moved(a, 0n, 0n);
    default:
      return null;
  }
}
