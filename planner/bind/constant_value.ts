/**
 * The value of a constant expression, where the plan holds a value and not an expression (frame offsets, window sizes).
 */
import type { Datum } from '../../operators/datum.ts';
import { evaluate } from '../../operators/expr/interpret.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import { visitExpr } from '../logical/walk.ts';
import type { Level } from './level.ts';
import { exprLocation } from './locate.ts';

/** Evaluates an expression without columns and parameters; 0A000 naming `what` when it has some. */
export function constantValue(level: Level, expr: Expr, what: string): Datum {
  visitExpr(expr, (x) => {
    if (x.k === 'col' || x.k === 'param') throw level.unsupported(what, exprLocation(level, expr));
    return true;
  });
  return level.locate(exprLocation(level, expr), () => evaluate(expr, [], level.shared.env.evalContext));
}
