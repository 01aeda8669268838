/**
 * Rows as values: ROW(...).
 */
import type { Expr } from '../../operators/expr/ir.ts';
import type { PgNode } from '../parse/ast.ts';
import { RECORD } from './coercion.ts';
import { bindExprList } from './expr_list.ts';
import type { Level } from './level.ts';
import { locationOf } from './node.ts';

/** ROW(a, b) or (a, b); `t.*` inside is spread. */
export function bindRow(level: Level, c: PgNode): Expr {
  const items = bindExprList(level, c.args ?? []);
  const row: Expr = { k: 'row', items, t: RECORD };
  level.shared.shapes.set(row, { names: items.map((_, i) => `f${i + 1}`), types: items.map((i) => i.t) });
  return level.at(row, locationOf(c));
}
