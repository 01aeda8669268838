/**
 * Lists of expressions in which `t.*` stands for the columns of t: ROW(t.*), VALUES (t.*), function arguments keep whole rows.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import type { PgNode } from '../parse/ast.ts';
import type { Level } from './level.ts';
import { contentOf, kindOf } from './node.ts';
import { expandStar } from './star.ts';

/** True for `*`, `t.*` and `(x).*`. */
export function isStar(node: PgNode): boolean {
  const c = contentOf(node);
  if (kindOf(node) === 'ColumnRef') return c.fields.at(-1)?.A_Star !== undefined;
  if (kindOf(node) === 'A_Indirection') return c.indirection.at(-1)?.A_Star !== undefined;
  return false;
}

/** Binds a list, stars spread out. */
export function bindExprList(level: Level, nodes: PgNode[]): Expr[] {
  return nodes.flatMap((n) => (isStar(n) ? expandStar(level, n).map((c) => c.expr) : [level.bind(n)]));
}
