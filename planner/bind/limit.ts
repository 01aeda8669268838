/**
 * LIMIT, OFFSET and FETCH FIRST: bigint expressions that name no column.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import { visitExpr } from '../logical/walk.ts';
import type { PgNode } from '../parse/ast.ts';
import { INT8, toSpecific } from './coercion.ts';
import type { Level } from './level.ts';
import { exprLocation } from './locate.ts';

/** Binds one of the two; null when it is absent or the constant NULL (no limit). */
export function bindLimit(level: Level, node: PgNode | undefined, what: 'LIMIT' | 'OFFSET'): Expr | null {
  if (!node) return null;
  const clause = what === 'LIMIT' ? 'limit' : 'offset';
  const bound = level.bindIn(clause, node);
  const expr = toSpecific(level, bound, INT8, what);
  visitExpr(expr, (x) => {
    if (x.k !== 'col') return true;
    const info = level.shared.columns.get(x.id);
    if (info?.kind === 'subquery') throw level.unsupported(`a subquery in ${what}`, exprLocation(level, expr));
    if (info?.level === level) {
      throw level.error('42P10', `argument of ${what} must not contain variables`, level.shared.locations.get(x));
    }
    throw level.unsupported(`a column of an outer query in ${what}`, exprLocation(level, expr));
  });
  return expr.k === 'const' && expr.v === null ? null : expr;
}
