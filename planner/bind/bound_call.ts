/**
 * A function call whose function and arguments are settled.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import type { ColType } from '../../operators/types.ts';
import type { ResolvedFunction } from '../types/function.ts';

/** A call whose function is known. `args` are coerced; WITHIN GROUP's sort expressions are `sortArgs`. */
export interface BoundCall {
  f: ResolvedFunction;
  name: string;
  fn: string;
  args: Expr[];
  /** The arguments as written, before coercion. */
  written: Expr[];
  /** The call as an expression, for a plain function. */
  expr: Expr;
  sortArgs: Expr[];
  filter: Expr | null;
  t: ColType;
  location: number;
}
