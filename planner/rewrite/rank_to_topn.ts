/**
 * A filter that bounds row_number() or rank() from above becomes a Top-N, which keeps the first rows of a partition instead of all.
 *
 *   filter rn <= k (window row_number() as rn)   ->   topn k, rn appended       (rank(): with ties)
 *
 * Other window calls of the same node are computed before it, over all rows, as they were.
 */
import type { Datum } from '../../operators/datum.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import { type ComparisonName, comparisonOf } from '../analyse/functions.ts';
import { conjunction, conjuncts, constant, INT8 } from '../logical/expressions.ts';
import type { Logical, LogicalWindow } from '../logical/plan.ts';
import { filterBy, rewritePlan } from '../logical/tree.ts';

const RANKS = { 'row_number()': 'row_number', 'rank()': 'rank' } as const;
const MIRRORED: Record<ComparisonName, ComparisonName> = {
  '=': '=',
  '<>': '<>',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

export function rankToTopN(plan: Logical): Logical {
  return rewritePlan(plan, (p) => {
    if (p.op !== 'filter' || p.input.op !== 'window') return p;
    const window = p.input;
    for (const w of window.windows) {
      const bound = rankBound(p.predicate, w);
      if (bound) return topN(p.predicate, window, w, bound);
    }
    return p;
  });
}

interface Bound {
  limit: bigint;
  /** The conjunct says no more than the bound itself. */
  exact: Expr | null;
}

/** The least k with `w.out <= k` among the conjuncts. */
function rankBound(predicate: Expr, w: LogicalWindow): Bound | null {
  if (!(w.fn in RANKS)) return null;
  let best: Bound | null = null;
  for (const e of conjuncts(predicate)) {
    const found = upperBound(e, w.out.id);
    if (found && (best === null || found.limit < best.limit)) best = found;
  }
  return best;
}

function upperBound(e: Expr, id: number): Bound | null {
  if (e.k !== 'call' || e.args.length !== 2) return null;
  const comparison = comparisonOf(e.fn);
  if (comparison === null) return null;
  const [a, b] = e.args;
  const onLeft = a.k === 'col' && a.id === id;
  const value = onLeft ? b : a;
  const other = onLeft ? a : b;
  if (other.k !== 'col' || other.id !== id || value.k !== 'const') return null;
  const k = wholeNumber(value.v);
  if (k === null) return null;
  switch (onLeft ? comparison.name : MIRRORED[comparison.name]) {
    case '<=':
      return { limit: k, exact: e };
    case '<':
      return { limit: k - 1n, exact: e };
    case '=':
      return { limit: k, exact: k === 1n ? e : null };
    default:
      return null;
  }
}

function wholeNumber(v: Datum): bigint | null {
  if (typeof v === 'bigint') return v;
  return typeof v === 'number' && Number.isInteger(v) ? BigInt(v) : null;
}

function topN(predicate: Expr, window: Logical & { op: 'window' }, w: LogicalWindow, bound: Bound): Logical {
  const others = window.windows.filter((x) => x !== w);
  const input: Logical = others.length > 0 ? { ...window, windows: others } : window.input;
  const kind = RANKS[w.fn as keyof typeof RANKS];
  const ranked: Logical = {
    op: 'topn',
    input,
    partition: w.partition,
    order: w.order,
    limit: constant(bound.limit < 0n ? 0n : bound.limit, INT8),
    offset: null,
    withTies: kind === 'rank',
    rank: { out: w.out, kind },
  };
  return filterBy(ranked, conjunction(conjuncts(predicate).filter((e) => e !== bound.exact)));
}
