/**
 * Whether a predicate rejects the padded rows of an outer join: it cannot be true when all the given columns are NULL.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import { constant, rewriteExpr } from '../logical/expressions.ts';
import { foldExpr } from './fold_constants.ts';

export function rejectsNulls(predicate: Expr, ids: ReadonlySet<number>): boolean {
  const padded = rewriteExpr(predicate, (e) => (e.k === 'col' && ids.has(e.id) ? constant(null, e.t) : e));
  return neverTrue(foldExpr(padded));
}

function neverTrue(e: Expr): boolean {
  if (e.k === 'const') return e.v !== true;
  if (e.k === 'and') return e.args.some(neverTrue);
  if (e.k === 'or') return e.args.every(neverTrue);
  return false;
}
