/**
 * How far the frames of window functions reach in time, in order of a time, ascending.
 *
 *   a change at time t     changes rows from  t - ahead  on                (followingTime)
 *   such a row at time r   reads rows from    r - back   to  r + ahead     (timeReach)
 *
 * null: not bounded, or nothing is known of the function.
 */
import type { FrameBound, WindowCall } from '../../operators/plan.ts';
import { OID } from '../../operators/types.ts';

const DAY = 86400000000n;
/** Functions of the rows up to the row itself, whatever the frame. */
const LOOKS_BACK = /^(lag|row_number|rank|dense_rank)\(/;
const OF_FRAME = /^(first_value|last_value|nth_value)\(/;

interface TimeReach {
  back: bigint;
  ahead: bigint;
}

/** Zero for frames that are bounded in rows; `oid`: type of the time. */
export function timeReach(call: WindowCall, oid: number): TimeReach | null {
  const inRows: TimeReach = { back: 0n, ahead: 0n };
  if (/^(lag|lead)\(/.test(call.fn)) return call.args.length === 1 ? inRows : null;
  if (!call.aggregate && !OF_FRAME.test(call.fn)) return null;
  const { mode, start, end, exclude } = call.frame;
  if (start.k === 'unboundedPreceding' || end.k === 'unboundedFollowing' || mode === 'groups') return null;
  if (mode === 'rows') return exclude === 'none' || exclude === 'current' ? inRows : null;
  const bounds = [start, end].map((bound) => boundTime(bound, oid));
  if (bounds.includes(null)) return null;
  const [from, to] = bounds as bigint[];
  return { back: positive(-from), ahead: positive(to) };
}

/** How much earlier than a change a row may be that changes with it. */
export function followingTime(call: WindowCall, oid: number): bigint | null {
  // lag(x, -1) looks ahead.
  if (LOOKS_BACK.test(call.fn)) return call.args.length <= 1 ? 0n : null;
  if (!call.aggregate && !OF_FRAME.test(call.fn)) return null;
  const { mode, end } = call.frame;
  if (end.k === 'current' || end.k === 'preceding') return 0n;
  if (end.k !== 'following' || mode !== 'range') return null;
  const ahead = boundTime(end, oid);
  return ahead === null ? null : positive(ahead);
}

const positive = (x: bigint): bigint => (x > 0n ? x : 0n);

/** Where a bound of a RANGE frame lies, in microseconds after the row, at the most away from it. */
function boundTime(bound: FrameBound, oid: number): bigint | null {
  if (bound.k === 'current') return 0n;
  if (bound.k !== 'preceding' && bound.k !== 'following') return null;
  const { offset } = bound;
  if (oid !== OID.timestamp && oid !== OID.timestamptz) return null;
  if (offset === null || typeof offset !== 'object' || !('k' in offset) || offset.k !== 'interval') return null;
  if (offset.months !== 0) return null;
  const slack = oid === OID.timestamptz && offset.days !== 0 ? DAY : 0n;
  const by = BigInt(offset.days) * DAY + offset.micros + slack;
  return bound.k === 'preceding' ? -by : by;
}
