/** Constant intervals as a length of time, and times that are moved by them. */
import type { Interval } from '../../operators/datum.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import { OID } from '../../operators/types.ts';

const DAY = 86400000000n;

/** How far apart two offsets of one zone are at most, at whatever times: Apia has been at -11:30 and at +14. */
export const OFFSET_CHANGE = 26n * 3600000000n;

/** How much longer or shorter whole days may be than 24 hours each, all together. */
export function offsetChange(e: Expr): bigint {
  return e.t.oid === OID.timestamptz ? OFFSET_CHANGE : 0n;
}

/** A constant interval without months, a day as 24 hours. */
export function microseconds(e: Expr): bigint | null {
  const v = constantInterval(e);
  return v === null || v.months !== 0 ? null : BigInt(v.days) * DAY + v.micros;
}

function constantInterval(e: Expr): Interval | null {
  if (e.k !== 'const' || e.v === null || typeof e.v !== 'object' || !('k' in e.v) || e.v.k !== 'interval') return null;
  return e.v;
}

/** Of `time + constant interval` and `-`: it is `by` microseconds after the time, up to `slack` more or less where a zone may make days longer or shorter; null for other expressions. */
export function shiftOf(e: Expr): { time: Expr; by: bigint; slack: bigint } | null {
  const match = e.k === 'call' ? /^timestamp(?:tz)?_(pl|mi)_interval\(/.exec(e.fn) : null;
  if (e.k !== 'call' || match === null) return null;
  const [time, interval] = e.args;
  const length = microseconds(interval);
  if (length === null) return null;
  const slack = constantInterval(interval)?.days === 0 ? 0n : offsetChange(e);
  return { time, by: match[1] === 'pl' ? length : -length, slack };
}
