/**
 * A join of windows by their start and their end: where both sides' windows have one size the ends are equal when the starts are, so the pair of ends goes, and
 * mostly the columns with them. Keys, rows of indexes and what computes the ends get smaller.
 *
 *   join on l.start = r.start and l.end = r.end   ->   join on l.start = r.start        l.end = l.start + size, r.end = r.start + size
 *
 * Any kind of join: a condition of strict equalities is true for the same pairs as before (a NULL start has a NULL end).
 */
import type { Expr } from '../../operators/expr/ir.ts';
import { isEquality } from '../analyse/functions.ts';
import { outputColumns } from '../logical/columns.ts';
import { conjunction, conjuncts } from '../logical/expressions.ts';
import type { Logical } from '../logical/plan.ts';
import { rewritePlan } from '../logical/tree.ts';

type Join = Logical & { op: 'join' };

/** A column of times, or so much later: a window's end by its start. */
interface Time {
  column: number;
  type: number;
  later: bigint;
}

export function dropWindowEndPairs(plan: Logical): Logical {
  return rewritePlan(plan, (p) => {
    if (p.op !== 'join') return p;
    const all = conjuncts(p.on);
    const pairs = all.map((e) => timePair(p, e));
    const followsFrom = (end: TimePair, start: TimePair | null): boolean =>
      start !== null && start.left.later === 0n && start.right.later === 0n && sameColumns(start, end);
    const kept = all.filter((_, i) => {
      const pair = pairs[i];
      if (pair === null || pair.left.later === 0n || pair.left.later !== pair.right.later) return true;
      return !pairs.some((start) => followsFrom(pair, start));
    });
    return kept.length === all.length ? p : { ...p, on: conjunction(kept) };
  });
}

interface TimePair {
  left: Time;
  right: Time;
}

function sameColumns(a: TimePair, b: TimePair): boolean {
  return a.left.column === b.left.column && a.right.column === b.right.column;
}

/** The two sides of `a = b` over columns of left and right of one type. */
function timePair(p: Join, e: Expr): TimePair | null {
  if (e.k !== 'call' || e.args.length !== 2 || !isEquality(e.fn)) return null;
  const [a, b] = e.args;
  const left = timeOf(p.left, a) ?? timeOf(p.left, b);
  const right = timeOf(p.right, b) ?? timeOf(p.right, a);
  return left === null || right === null || left.type !== right.type ? null : { left, right };
}

/** Times of `p`'s rows as a column of one of its inputs, and how much later; null where they are neither, or not `p`'s. */
function timeOf(p: Logical, e: Expr): Time | null {
  if (e.k === 'col') return timeOfColumn(p, e.id);
  const later = e.k === 'call' && e.fn.includes('_pl_interval(') ? microsOf(e.args[1]) : null;
  if (later === null || e.k !== 'call' || e.args[0].k !== 'col') return null;
  const time = timeOfColumn(p, e.args[0].id);
  return time && { ...time, later: time.later + later };
}

/** A constant number of microseconds: no days, whose length may differ. */
function microsOf(e: Expr): bigint | null {
  const v = e.k === 'const' ? e.v : null;
  if (v === null || typeof v !== 'object' || !('k' in v) || v.k !== 'interval') return null;
  return v.months === 0 && v.days === 0 ? v.micros : null;
}

function timeOfColumn(p: Logical, id: number): Time | null {
  switch (p.op) {
    case 'project': {
      const item = p.items.find((i) => i.col.id === id);
      return item === undefined ? null : (timeOf(p.input, item.expr) ?? columnAsItIs(p, id));
    }
    case 'filter':
    case 'distinct':
      return timeOfColumn(p.input, id);
    case 'timewindow':
      if ((p.kind === 'tumble' || p.kind === 'hop') && id === p.end.id)
        return { column: p.start.id, type: p.start.type.oid, later: p.size };
      return columnAsItIs(p, id);
    default:
      return columnAsItIs(p, id);
  }
}

function columnAsItIs(p: Logical, id: number): Time | null {
  const col = outputColumns(p).find((c) => c.id === id);
  return col === undefined ? null : { column: id, type: col.type.oid, later: 0n };
}
