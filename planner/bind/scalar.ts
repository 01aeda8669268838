import type { Expr } from '../../operators/expr/ir.ts';
import type { ColType } from '../../operators/types.ts';
import type { Col } from '../logical/plan.ts';
import type { PgNode } from '../parse/ast.ts';
import type { BindEnv } from './env.ts';

export interface ScalarOptions {
  /** Columns the expression may name. */
  columns?: Col[];
  /** Type that the value is coerced to. */
  target?: ColType;
  /** How: default 'assignment'. */
  context?: 'implicit' | 'assignment' | 'explicit';
  /** Where the expression stands, for errors: `aggregate functions are not allowed in DEFAULT expressions`. */
  place?: 'default' | 'execute' | 'option' | 'check';
}

/** Binds one expression outside a query (DEFAULT, options, EXECUTE arguments). No subqueries, aggregates or windows. */
export declare function bindScalar(node: PgNode, text: string, env: BindEnv, options?: ScalarOptions): Expr;
