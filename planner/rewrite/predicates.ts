/**
 * What the rules that move predicates share.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import { isVolatile } from '../analyse/functions.ts';
import { conjunction, usesOnly } from '../logical/expressions.ts';
import type { Logical } from '../logical/plan.ts';
import { filterBy, outputIds } from '../logical/tree.ts';

/** Predicates that may move down by `test`, and those that stay; volatile ones always stay. */
export function split(list: Expr[], test: (e: Expr) => boolean): { down: Expr[]; stay: Expr[] } {
  const down: Expr[] = [];
  const stay: Expr[] = [];
  for (const e of list) (!isVolatile(e) && test(e) ? down : stay).push(e);
  return { down, stay };
}

/** Reads only columns of `p`. */
export function over(p: Logical): (e: Expr) => boolean {
  const ids = outputIds(p);
  return (e) => usesOnly(e, ids);
}

/** A filter over `p`, or `p` itself. */
export function above(p: Logical, predicates: Expr[]): Logical {
  return filterBy(p, conjunction(predicates));
}
