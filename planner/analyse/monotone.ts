/**
 * Monotone columns: which columns follow a watermark, so that state and open windows can be bounded.
 *
 *   fact (sources, lag, strict) of column c:  every future change of the node has c >= watermark - lag   (> when strict)
 *
 * A source refuses rows older than its watermark, so its time column has lag 0. A monotone function keeps the fact with another
 * lag: date_bin(size) gives lag size, strict, because start > time - size; adding the size again gives window_end, lag 0, strict.
 * A change of a join pairs a new row with any old one, so a column stays monotone only when it is equal on both sides, or within a band of
 * a time of the other side, whose width is then its lag. A change of a grouped or partitioned operator stays within its group, so its group
 * columns stay monotone. Window functions in order of a monotone time change rows from the change on, or from as long before it as their
 * frames look ahead, so the time stays monotone.
 *
 * Dates and texts of to_char(time, 'YYYY-MM-DD') are times too, read as their first moment: lag one day, strict. Where a time zone comes between
 * (timestamptz to timestamp, date, text, and back), its greatest distance from UTC is added.
 */
import { timeTextStep } from '../../operators/expr/datetime/time_text.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import type { PlanNode } from '../../operators/plan.ts';
import { OID } from '../../operators/types.ts';
import { type Band, bandsOf } from './band.ts';
import { microseconds, shiftOf } from './constant_interval.ts';
import type { Monotone, NodeFacts } from './facts.ts';
import { followingTime } from './frame_reach.ts';
import { isWindowAssignment, slicedTime } from './keys.ts';
import { truncStep } from './near_time.ts';
import { zoneReach } from './zone_reach.ts';

const DAY = 86400000000n;

/**
 * Monotone facts per column; `source`: the relation's own, for sources. `fixed[i]`: input i never changes. `zone`: how far the session's local times
 * are from UTC (zone_reach.ts).
 */
export function monotoneOf(
  node: PlanNode,
  inputs: NodeFacts[],
  fixed: boolean[],
  source: (Monotone | null)[],
  zone: bigint,
): (Monotone | null)[] {
  const below = inputs[0]?.monotone ?? [];
  const none = (n: number): null[] => Array.from({ length: n }, () => null);
  const only = (kept: number[]): (Monotone | null)[] => below.map((m, i) => (kept.includes(i) ? m : null));
  switch (node.op) {
    case 'source':
      return node.columns.map((c) => source[c] ?? null);
    case 'constant':
      return none(node.types.length);
    case 'map':
      return node.project === null ? below : node.project.map((e) => monotoneExpr(e, below, zone));
    case 'flatmap':
      // A slice begins up to a slice's length, at most the window's, before the time.
      return [
        ...below.map((m, i) => (i === slicedTime(node) ? later(m, windowSize(node) ?? 0n, true) : m)),
        ...flatmapMonotone(node, below, node.types.length - below.length, zone),
      ];
    case 'union':
      return below.map((_, i) => inputs.map((f) => f.monotone[i]).reduce(both));
    case 'setop':
      return below.map((m, i) => (fixed[1] ? m : both(m, inputs[1].monotone[i])));
    case 'join':
      return joinMonotone(node, inputs, fixed);
    case 'aggregate':
      return [...node.keys.map((k) => below[k]), ...none(node.calls.length)];
    case 'topn':
      return [...only(node.partition), ...none(node.types.length - below.length)];
    case 'over':
      return [...overMonotone(node, below), ...none(node.calls.length)];
    case 'session': {
      // A change at time t touches only sessions that reach up to t; their starts and other rows may be older.
      const time = below[node.time];
      return [...only(node.keys), null, time && { ...time, strict: false }, ...none(node.counted ? 1 : 0)];
    }
    case 'asof': {
      // A change of b re-points the rows of a from its time on; other columns of those rows may be older.
      const time = both(below[node.leftTime], inputs[1].monotone[node.rightTime]);
      return node.types.map((_, i) => (i === node.leftTime ? time : null));
    }
    case 'recursive':
      return none(node.types.length);
    case 'single_row':
      return only(node.keys);
    case 'distinct':
      return below;
    case 'window_close':
      // A row leaves after it was held back, when the watermark has come to its time; its other columns may be behind by then.
      return node.types.map((_, i) =>
        i === node.time ? { sources: [...node.sources].sort((a, b) => a - b), lag: 0n, strict: true } : null,
      );
    case 'temporal':
      // A row may enter or leave by the clock alone, whatever its columns.
      return none(node.types.length);
  }
}

function overMonotone(node: PlanNode & { op: 'over' }, below: (Monotone | null)[]): (Monotone | null)[] {
  const [first] = node.order;
  const time = first && !first.desc && !first.nullsFirst ? below[first.col] : null;
  const aheads = node.calls.map((call) => (first ? followingTime(call, node.types[first.col].oid) : null));
  const known = time?.text === undefined && !aheads.includes(null);
  const ahead = aheads.reduce<bigint>((most, a) => (a !== null && a > most ? a : most), 0n);
  return below.map((m, i) => {
    if (node.partition.includes(i)) return m;
    return known && i === first?.col ? later(time, ahead, false) : null;
  });
}

/** The weaker of two facts; null when either is unknown. */
export function both(a: Monotone | null, b: Monotone | null): Monotone | null {
  if (a === null || b === null || a.text !== b.text) return null;
  const sources = [...new Set([...a.sources, ...b.sources])].sort((x, y) => x - y);
  if (a.lag === b.lag) return { ...a, sources, strict: a.strict && b.strict };
  return a.lag > b.lag ? { ...a, sources } : { ...b, sources };
}

/** Conversions between times: how far the value may be behind, and whether less than that; `zoned`: by the session's zone besides. */
const CONVERSIONS: Record<string, { lag: bigint; strict: boolean; zoned: boolean }> = {
  'date(timestamp)': { lag: DAY, strict: true, zoned: false },
  'date(timestamptz)': { lag: DAY, strict: true, zoned: true },
  'timestamp(date)': { lag: 0n, strict: false, zoned: false },
  'timestamptz(date)': { lag: 0n, strict: false, zoned: true },
  'timestamptz(timestamp)': { lag: 0n, strict: false, zoned: true },
  'timestamp(timestamptz)': { lag: 0n, strict: false, zoned: true },
};

/** The fact of a monotone function of one column. */
function monotoneExpr(e: Expr, below: (Monotone | null)[], zone: bigint): Monotone | null {
  if (e.k === 'col') return below[e.id] ?? null;
  if (e.k === 'cast') {
    // Other text types show the same text; a length would cut it.
    const same = (oid: number): boolean => oid === OID.text || oid === OID.varchar;
    return same(e.arg.t.oid) && same(e.t.oid) && e.t.typmod === -1 ? monotoneExpr(e.arg, below, zone) : null;
  }
  if (e.k !== 'call') return null;
  const [a, b, c] = e.args;
  const of = (x: Expr): Monotone | null => monotoneExpr(x, below, zone);
  const found = CONVERSIONS[e.fn];
  if (found !== undefined) return later(of(a), found.lag + (found.zoned ? zone : 0n), found.strict);
  const shift = shiftOf(e);
  if (shift !== null) return later(of(shift.time), shift.slack - shift.by, false);
  switch (e.fn) {
    case 'date_bin(interval,timestamp,timestamp)':
    case 'date_bin(interval,timestamptz,timestamptz)': {
      const size = microseconds(a);
      return size !== null && c.k === 'const' ? later(of(b), size, true) : null;
    }
    case 'date_trunc(text,timestamp)':
    case 'date_trunc(text,timestamptz)':
    case 'date_trunc(text,timestamptz,text)': {
      const step = truncStep(a, b);
      return step === null ? null : later(of(b), step, true);
    }
    case 'date_pli(date,int4)':
    case 'date_mii(date,int4)': {
      if (b.k !== 'const' || typeof b.v !== 'number') return null;
      const by = BigInt(b.v) * DAY;
      return later(of(a), e.fn.startsWith('date_pli') ? -by : by, false);
    }
    case 'timezone(text,timestamp)':
    case 'timezone(text,timestamptz)':
      return a.k === 'const' && typeof a.v === 'string' ? later(of(b), zoneReach(a.v), false) : null;
    case 'to_char(timestamp,text)':
    case 'to_char(timestamptz,text)': {
      const text = b.k === 'const' && typeof b.v === 'string' ? b.v : '';
      const step = timeTextStep(text);
      const m = step === null ? null : later(of(a), step + (a.t.oid === OID.timestamptz ? zone : 0n), true);
      return m && { ...m, text };
    }
    default:
      return null;
  }
}

function later(m: Monotone | null, lag: bigint, strict: boolean): Monotone | null {
  return m && { sources: m.sources, lag: m.lag + lag, strict: m.strict || strict };
}

/** window_start and window_end of hop and cumulate (args: time, slide, size, offset). */
function flatmapMonotone(
  node: PlanNode & { op: 'flatmap' },
  below: (Monotone | null)[],
  extra: number,
  zone: bigint,
): (Monotone | null)[] {
  const size = windowSize(node);
  if (size === null) return Array.from({ length: extra }, () => null);
  const time = monotoneExpr(node.args[0], below, zone);
  return [later(time, size, true), later(time, 0n, true)];
}

function windowSize(node: PlanNode & { op: 'flatmap' }): bigint | null {
  const size = node.args[2];
  return isWindowAssignment(node.fn) && size?.k === 'const' && typeof size.v === 'bigint' ? size.v : null;
}

function joinMonotone(node: PlanNode & { op: 'join' }, inputs: NodeFacts[], fixed: boolean[]): (Monotone | null)[] {
  const [left, right] = inputs.map((f) => f.monotone);
  const bands = bandsOf(node.residual);
  const pair = (keys: number[], side: 0 | 1, i: number): Monotone | null => {
    const at = keys.indexOf(i);
    const equal = at === -1 ? null : both(left[node.leftKeys[at]], right[node.rightKeys[at]]);
    return equal ?? near(bands, left, right, side, i);
  };
  // NOT IN shows or takes back all left rows at once when the right side gets its first row or its first NULL.
  if (node.nullAware && !fixed[1]) return left.map(() => null);
  // A left row's columns change with it alone only when the right side stands still.
  const l = left.map((m, i) => (fixed[1] ? m : pair(node.leftKeys, 0, i)));
  if (node.kind === 'semi' || node.kind === 'anti') return l;
  const padsLeft = node.kind === 'right' || node.kind === 'full';
  const padsRight = node.kind === 'left' || node.kind === 'full';
  const r = right.map((m, i) => (fixed[0] ? m : pair(node.rightKeys, 1, i)));
  return [...l.map((m) => (padsLeft ? null : m)), ...r.map((m) => (padsRight ? null : m))];
}

/** A column of one side whose times are at most so much before those of a column of the other: changes of both sides bound it. */
function near(
  bands: Band[],
  left: (Monotone | null)[],
  right: (Monotone | null)[],
  side: 0 | 1,
  i: number,
): Monotone | null {
  const own = side === 0 ? left[i] : right[i];
  const [position, others, first] = side === 0 ? [i, right, left.length] : [left.length + i, left, 0];
  if (!own) return null;
  return bands.reduce<Monotone | null>((least, { column, of, most }) => {
    const other = of === position ? later(others[column - first] ?? null, most, false) : null;
    const found = other && both(own, other);
    return found && (least === null || found.lag < least.lag) ? found : least;
  }, null);
}
