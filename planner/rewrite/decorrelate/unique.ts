/**
 * Whether a logical plan gives at most one row once the given columns are fixed: what spares a scalar subquery its guard.
 */
import type { Expr } from '../../../operators/expr/ir.ts';
import { isEquality } from '../../analyse/functions.ts';
import { columnsOf, conjuncts, usesAny } from '../../logical/expressions.ts';
import type { Logical } from '../../logical/plan.ts';
import { outputIds } from '../../logical/tree.ts';

/** At most one row for any values of the columns `fixed`; outer columns count as fixed. */
export function uniqueOn(p: Logical, fixed: ReadonlySet<number>): boolean {
  switch (p.op) {
    case 'get': {
      const key = p.relation.key;
      return key?.every((c) => p.columns.some((x, i) => x === c && fixed.has(p.cols[i].id))) ?? false;
    }
    case 'values':
      return p.rows.length <= 1;
    case 'once': {
      const inside = p.columns.filter((_, i) => fixed.has(p.cols[i].id)).map((c) => p.item.outputs[c].id);
      return uniqueOn(p.item.plan, new Set(inside));
    }
    case 'filter': {
      const local = outputIds(p.input);
      const more = new Set(fixed);
      for (const e of conjuncts(p.predicate)) for (const id of fixedBy(e, local)) more.add(id);
      return uniqueOn(p.input, more);
    }
    case 'project': {
      const below = new Set<number>();
      for (const i of p.items) if (fixed.has(i.col.id) && i.expr.k === 'col') below.add(i.expr.id);
      return uniqueOn(p.input, below);
    }
    case 'aggregate':
      return p.groupingSets === undefined && p.keys.every((k) => fixed.has(k.col.id));
    case 'topn': {
      const single = p.limit?.k === 'const' && p.limit.v !== null && Number(p.limit.v) <= 1 && !p.withTies;
      const whole = p.partition.every((e) => [...columnsOf(e)].every((id) => fixed.has(id)));
      return (single && whole) || uniqueOn(p.input, fixed);
    }
    case 'distinct':
      return [...outputIds(p.input)].every((id) => fixed.has(id)) || uniqueOn(p.input, fixed);
    case 'single_row':
      return p.keys.every((id) => fixed.has(id)) || uniqueOn(p.input, fixed);
    case 'window':
    case 'temporal':
      return uniqueOn(p.input, fixed);
    case 'join':
      if (p.kind === 'semi' || p.kind === 'anti') return uniqueOn(p.left, fixed);
      return p.kind !== 'full' && uniqueOn(p.left, fixed) && uniqueOn(p.right, fixed);
    case 'apply':
      if (p.kind === 'cross' || p.kind === 'left') return uniqueOn(p.left, fixed) && uniqueOn(p.right, fixed);
      return uniqueOn(p.left, fixed);
    default:
      return false;
  }
}

/** Columns that an equality with something from outside fixes. */
function fixedBy(e: Expr, local: ReadonlySet<number>): number[] {
  if (e.k !== 'call' || e.args.length !== 2 || !isEquality(e.fn)) return [];
  const [a, b] = e.args;
  if (a.k === 'col' && local.has(a.id) && !usesAny(b, local)) return [a.id];
  if (b.k === 'col' && local.has(b.id) && !usesAny(a, local)) return [b.id];
  return [];
}
