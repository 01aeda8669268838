/**
 * Nullability: per column, a proof that it is never NULL. Two-valued lattice.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import type { PlanNode } from '../../operators/plan.ts';
import { conjuncts } from '../logical/expressions.ts';
import type { NodeFacts } from './facts.ts';
import { comparisonOf } from './functions.ts';
import { isWindowAssignment } from './keys.ts';

/** Columns of a node that are never NULL; `source`: NOT NULL of the relation's columns, for sources. */
export function notNullOf(node: PlanNode, inputs: NodeFacts[], source: boolean[]): boolean[] {
  const below = inputs[0]?.notNull ?? [];
  const none = (n: number): boolean[] => Array.from({ length: n }, () => false);
  const extra = node.types.length - below.length;
  switch (node.op) {
    case 'source':
      return node.columns.map((c) => source[c] ?? false);
    case 'constant':
      return node.types.map((_, i) => node.rows.every((r) => exprNotNull(r[i], [])));
    case 'map': {
      const kept = withFilter(node.filter, below);
      return node.project === null ? kept : node.project.map((e) => exprNotNull(e, kept));
    }
    case 'flatmap':
      return [...below, ...Array.from({ length: extra }, (_, i) => flatmapNotNull(node, i, extra))];
    case 'union':
      return below.map((_, i) => inputs.every((f) => f.notNull[i]));
    case 'setop':
      return below.map((n, i) => n || (node.kind === 'intersect' && inputs[1].notNull[i]));
    case 'join': {
      if (node.kind === 'semi' || node.kind === 'anti') return below;
      const strict = (keys: number[], i: number): boolean =>
        node.kind === 'inner' && keys.some((k, j) => k === i && !node.nullSafe[j]);
      const padsLeft = node.kind === 'right' || node.kind === 'full';
      const padsRight = node.kind === 'left' || node.kind === 'full';
      return [
        ...below.map((n, i) => !padsLeft && (n || strict(node.leftKeys, i))),
        ...inputs[1].notNull.map((n, i) => !padsRight && (n || strict(node.rightKeys, i))),
      ];
    }
    case 'aggregate':
      return [...node.keys.map((k) => below[k]), ...node.calls.map((c) => /^(count|regr_count)\(/.test(c.fn))];
    case 'over':
      return [
        ...below,
        ...node.calls.map((c) => /^(count|row_number|rank|dense_rank|percent_rank|cume_dist)\(/.test(c.fn)),
      ];
    case 'session':
      return [...below, true, true, ...(node.counted ? [true] : [])];
    case 'asof':
      return [...below, ...inputs[1].notNull.map((n) => n && !node.left)];
    case 'topn':
      return node.rank === 'none' ? below : [...below, true];
    case 'recursive':
      return none(node.types.length);
    case 'distinct':
    case 'temporal':
    case 'window_close':
    case 'single_row':
      return below;
  }
}

function flatmapNotNull(node: PlanNode & { op: 'flatmap' }, i: number, extra: number): boolean {
  if (node.left) return false;
  return isWindowAssignment(node.fn) || /^generate_series\(/.test(node.fn) || (node.ordinality && i === extra - 1);
}

/** Columns a passing row cannot have NULL: those that a strict comparison or IS NOT NULL tests. */
function withFilter(filter: Expr | null, below: boolean[]): boolean[] {
  const kept = [...below];
  for (const e of conjuncts(filter)) {
    if (e.k === 'isnull' && e.negated && e.arg.k === 'col') kept[e.arg.id] = true;
    if (e.k === 'call' && comparisonOf(e.fn)) for (const a of e.args) if (a.k === 'col') kept[a.id] = true;
  }
  return kept;
}

/** True when the expression cannot be NULL, given which columns cannot. */
export function exprNotNull(e: Expr, columns: boolean[]): boolean {
  const of = (x: Expr): boolean => exprNotNull(x, columns);
  switch (e.k) {
    case 'col':
      return columns[e.id] ?? false;
    case 'const':
      return e.v !== null;
    case 'isnull':
    case 'istruth':
    case 'distinct':
    case 'array':
    case 'row':
      return true;
    case 'call':
      return comparisonOf(e.fn) !== null && e.args.every(of);
    case 'and':
    case 'or':
    case 'extreme':
      return e.k === 'extreme' ? e.args.some(of) : e.args.every(of);
    case 'not':
      return of(e.arg);
    case 'cast':
      return of(e.arg);
    case 'coalesce':
      return e.args.some(of);
    case 'case':
      return e.else !== null && of(e.else) && e.whens.every((w) => of(w.then));
    default:
      return false;
  }
}
