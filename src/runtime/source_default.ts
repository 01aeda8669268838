/**
 * The DEFAULT of a column over a connector. Its records are read again for views made later and after a restart, so the value may depend
 * on the record, the settings of the session that made the relation, and the tick's clock, which the history keeps, and on nothing else.
 */
import { SqlError } from '../../operators/errors.ts';
import { evaluate } from '../../operators/expr/interpret.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import { isVolatile, volatilityOf } from '../../planner/analyse/functions.ts';
import { someExpr } from '../../planner/logical/expressions.ts';
import { TICK_FUNCTION } from '../../planner/types/own_functions.ts';
import type { SessionContext } from '../engine.ts';
import type { FieldDefault } from '../formats/defaults.ts';

/** Refuses what another reading of the same records could not repeat. */
export function sourceDefault(column: string, expr: Expr, session: SessionContext): FieldDefault {
  if (isVolatile(expr) || someExpr(expr, (e) => e.k === 'call' && e.fn === TICK_FUNCTION)) {
    throw new SqlError(
      '0A000',
      `the DEFAULT of column "${column}" must give the same value when its records are read again`,
      {
        detail: 'Records of a connector are read again for views made later and after a restart.',
        hint: 'Use now(), another stable function, or a constant.',
      },
    );
  }
  const context = { ...session.evalContext, session: undefined };
  try {
    evaluate(expr, [], context);
  } catch (error) {
    // What needs a session never works here; any other error is that of the records that need the value, as it would be an INSERT's.
    if (!(error instanceof SqlError) || error.sqlstate === '0A000') throw error;
  }
  return { expr, context, clocked: volatilityOf(expr) !== 'i' };
}
