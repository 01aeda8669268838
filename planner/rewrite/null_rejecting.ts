/**
 * Whether a predicate rejects the padded rows of an outer join: it cannot be true when all the given columns are NULL.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import { isVolatile } from '../analyse/functions.ts';
import { columnsOf, constant, rewriteExpr } from '../logical/expressions.ts';
import { foldExpr } from './fold_constants.ts';

export function rejectsNulls(predicate: Expr, ids: ReadonlySet<number>): boolean {
  const padded = rewriteExpr(predicate, (e) => (e.k === 'col' && ids.has(e.id) ? constant(null, e.t) : e));
  return neverTrue(foldExpr(padded));
}

function neverTrue(e: Expr): boolean {
  if (e.k === 'const') return e.v !== true;
  if (e.k === 'call' && e.strict && e.args.some((a) => a.k === 'const' && a.v === null)) {
    // Folding leaves `NULL > now() - interval '1 hour'`. What looks at no row fails for all rows or for none.
    return e.args.every((a) => columnsOf(a).size === 0 || a.k === 'col') && !isVolatile(e);
  }
  if (e.k === 'and') return e.args.some(neverTrue);
  if (e.k === 'or') return e.args.every(neverTrue);
  return false;
}
