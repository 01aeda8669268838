/**
 * Monotone columns: which columns follow a watermark, so that state and open windows can be bounded.
 *
 *   fact (sources, lag, strict) of column c:  every future change of the node has c >= watermark - lag   (> when strict)
 *
 * A source refuses rows older than its watermark, so its time column has lag 0. A monotone function keeps the fact with another
 * lag: date_bin(size) gives lag size, strict, because start > time - size; adding the size again gives window_end, lag 0, strict.
 * A change of a join pairs a new row with any old one, so a column stays monotone only when it is equal on both sides; a change
 * of a grouped or partitioned operator stays within its group, so its group columns stay monotone.
 */
import type { Interval } from '../../operators/datum.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import type { PlanNode } from '../../operators/plan.ts';
import type { Monotone, NodeFacts } from './facts.ts';
import { isWindowAssignment, slicedTime } from './keys.ts';

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

/** Monotone facts per column; `source`: the relation's own, for sources. `fixed[i]`: input i never changes. */
export function monotoneOf(
  node: PlanNode,
  inputs: NodeFacts[],
  fixed: boolean[],
  source: Monotone[],
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
      return node.project === null ? below : node.project.map((e) => monotoneExpr(e, below));
    case 'flatmap':
      // A slice begins up to a slice's length, at most the window's, before the time.
      return [
        ...below.map((m, i) => (i === slicedTime(node) ? later(m, windowSize(node) ?? 0n, true) : m)),
        ...flatmapMonotone(node, below, node.types.length - below.length),
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
      return [...only(node.partition), ...none(node.calls.length)];
    case 'session': {
      // A change at time t touches only sessions that reach up to t; their starts and other rows may be older.
      const time = below[node.time];
      return [...only(node.keys), null, time && { ...time, strict: false }];
    }
    case 'asof':
    case 'recursive':
      return none(node.types.length);
    case 'single_row':
      return only(node.keys);
    case 'distinct':
    case 'window_close':
      return below;
    case 'temporal':
      // A row may enter or leave by the clock alone, whatever its columns.
      return none(node.types.length);
  }
}

/** The weaker of two facts; null when either is unknown. */
export function both(a: Monotone | null, b: Monotone | null): Monotone | null {
  if (a === null || b === null) return null;
  const sources = [...new Set([...a.sources, ...b.sources])].sort((x, y) => x - y);
  if (a.lag === b.lag) return { sources, lag: a.lag, strict: a.strict && b.strict };
  return a.lag > b.lag ? { ...a, sources } : { ...b, sources };
}

/** The fact of a monotone function of one column. */
function monotoneExpr(e: Expr, below: (Monotone | null)[]): Monotone | null {
  if (e.k === 'col') return below[e.id] ?? null;
  if (e.k !== 'call') return null;
  const name = e.fn.slice(0, e.fn.indexOf('('));
  if (name === 'date_bin') {
    const size = microseconds(e.args[0]);
    return e.args[2].k === 'const' && size !== null ? later(monotoneExpr(e.args[1], below), size, true) : null;
  }
  if (name === 'date_trunc' && e.args.length === 2 && e.args[0].k === 'const') {
    const step = TRUNC[String(e.args[0].v).toLowerCase()];
    return step === undefined ? null : later(monotoneExpr(e.args[1], below), step, true);
  }
  if (/^(timestamp|timestamptz)_(pl|mi)_interval$/.test(name)) {
    const by = microseconds(e.args[1]);
    if (by === null) return null;
    return later(monotoneExpr(e.args[0], below), name.includes('_pl_') ? -by : by, false);
  }
  return null;
}

function later(m: Monotone | null, lag: bigint, strict: boolean): Monotone | null {
  return m && { sources: m.sources, lag: m.lag + lag, strict: m.strict || strict };
}

/** A constant interval without months and days (whose length a time zone may change). */
export function microseconds(e: Expr): bigint | null {
  if (e.k !== 'const' || e.v === null || typeof e.v !== 'object' || !('k' in e.v) || e.v.k !== 'interval') return null;
  const v: Interval = e.v;
  return v.months === 0 && v.days === 0 ? v.micros : null;
}

/** window_start and window_end of hop and cumulate (args: time, slide, size, offset). */
function flatmapMonotone(
  node: PlanNode & { op: 'flatmap' },
  below: (Monotone | null)[],
  extra: number,
): (Monotone | null)[] {
  const size = windowSize(node);
  if (size === null) return Array.from({ length: extra }, () => null);
  const time = monotoneExpr(node.args[0], below);
  return [later(time, size, true), later(time, 0n, true)];
}

function windowSize(node: PlanNode & { op: 'flatmap' }): bigint | null {
  const size = node.args[2];
  return isWindowAssignment(node.fn) && size?.k === 'const' && typeof size.v === 'bigint' ? size.v : null;
}

function joinMonotone(node: PlanNode & { op: 'join' }, inputs: NodeFacts[], fixed: boolean[]): (Monotone | null)[] {
  const [left, right] = inputs.map((f) => f.monotone);
  const pair = (keys: number[], i: number): Monotone | null => {
    const at = keys.indexOf(i);
    return at === -1 ? null : both(left[node.leftKeys[at]], right[node.rightKeys[at]]);
  };
  // A left row's columns change with it alone only when the right side stands still.
  const l = left.map((m, i) => (fixed[1] ? m : pair(node.leftKeys, i)));
  if (node.kind === 'semi' || node.kind === 'anti') return l;
  const padsLeft = node.kind === 'right' || node.kind === 'full';
  const padsRight = node.kind === 'left' || node.kind === 'full';
  const r = right.map((m, i) => (fixed[0] ? m : pair(node.rightKeys, i)));
  return [...l.map((m) => (padsLeft ? null : m)), ...r.map((m) => (padsRight ? null : m))];
}
