/**
 * Constant folding: calls of immutable functions over constants are evaluated once, at planning.
 *
 *   int4pl(1, 2)  ->  3        now()  stays        1/0  stays: it fails for each row that reaches it, and only then
 *   repeat('x', 500000000)  stays: a plan is compared, printed and kept as text, with all of its constants
 *   f(1) in another language  ->  its value, where it takes few steps: others stay, as planning cannot be ended (operators/turn.ts)
 */

import type { Datum } from '../../operators/datum.ts';
import { SqlError } from '../../operators/errors.ts';
import { defaultContext } from '../../operators/expr/context.ts';
import { conditionsOf, DOMAIN_CHECK } from '../../operators/expr/domain_types.ts';
import { EXTERNAL_CALL, runnerOf } from '../../operators/expr/external.ts';
import { evaluate } from '../../operators/expr/interpret.ts';
import type { EvalContext, Expr } from '../../operators/expr/ir.ts';
import { nodeVolatility, volatilityOf } from '../analyse/functions.ts';
import { constant, rewriteExpr } from '../logical/expressions.ts';
import type { Logical } from '../logical/plan.ts';
import { exprChildren, mapExprsDeep } from '../logical/walk.ts';

/** Longer texts and bytes are made where they are needed. */
const LONGEST_CONSTANT = 1 << 16;

/** Folds every expression of a plan. */
export function foldConstants(plan: Logical): Logical {
  return mapExprsDeep(plan, (e) => foldExpr(e));
}

/** Folds one expression; 'stable' also folds stable functions, in `context`. */
export function foldExpr(e: Expr, what: 'immutable' | 'stable' = 'immutable', context = defaultContext()): Expr {
  return rewriteExpr(e, (x) => foldNode(x, what, context));
}

function foldNode(e: Expr, what: 'immutable' | 'stable', context: EvalContext): Expr {
  if (e.k === 'const' || e.k === 'col' || e.k === 'param' || e.k === 'row') return e;
  // A plan of before a domain was altered is made anew.
  if (e.k === 'call' && e.fn === DOMAIN_CHECK && !conditionsOf(e.t).every((x) => volatilityOf(x) === 'i')) return e;
  if (e.k === 'call' && e.strict && e.args.some((a) => a.k === 'const' && a.v === null)) {
    // The other arguments may still fail, so they must be constants or columns for the call to be dropped.
    if (e.args.every((a) => a.k === 'const' || a.k === 'col')) return constant(null, e.t);
  }
  if (!exprChildren(e).every((x) => x.k === 'const')) return e;
  const volatility = nodeVolatility(e);
  if (volatility === 'v' || (volatility === 's' && what === 'immutable')) return e;
  try {
    const value = e.k === 'call' && e.fn === EXTERNAL_CALL ? briefValue(e) : evaluate(e, [], context);
    return value === undefined || isLong(value) ? e : constant(value, e.t);
  } catch (error) {
    if (error instanceof SqlError) return e;
    throw error;
  }
}

function briefValue({ args }: Extract<Expr, { k: 'call' }>): Datum | undefined {
  const [about, ...values] = args.map((arg) => (arg as Extract<Expr, { k: 'const' }>).v);
  return runnerOf(about).briefValue(values);
}

function isLong(value: Datum): boolean {
  return (typeof value === 'string' || value instanceof Uint8Array) && value.length > LONGEST_CONSTANT;
}
