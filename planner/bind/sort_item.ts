/**
 * One item of an ORDER BY: direction, place of NULLs, and whether its type can be ordered at all.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import { OID } from '../../operators/types.ts';
import type { OrderItem } from '../logical/plan.ts';
import type { PgNode } from '../parse/ast.ts';
import { equalityOf, lessThanOf } from '../types/catalog.ts';
import { formatType } from '../types/type_name.ts';
import { resolveUnknown } from './coercion.ts';
import type { Level } from './level.ts';
import { exprLocation } from './locate.ts';
import { names, rawLocation } from './node.ts';

/** Direction and NULLs of a SortBy node: NULLs are last ascending and first descending unless said. */
export function sortDirection(level: Level, sort: PgNode): { desc: boolean; nullsFirst: boolean } {
  let desc = sort.sortby_dir === 'SORTBY_DESC';
  if (sort.sortby_dir === 'SORTBY_USING') {
    const op = names(sort.useOp).at(-1)!;
    if (op !== '<' && op !== '>') {
      throw level.error('42809', `operator ${op} is not a valid ordering operator`, sort.location, {
        hint: 'Ordering operators must be "<" or ">" members of btree operator families.',
      });
    }
    desc = op === '>';
  }
  const nulls = sort.sortby_nulls ?? 'SORTBY_NULLS_DEFAULT';
  return { desc, nullsFirst: nulls === 'SORTBY_NULLS_DEFAULT' ? desc : nulls === 'SORTBY_NULLS_FIRST' };
}

/** The order by a bound expression; 42883 when its type has no order. */
export function sortItem(level: Level, sort: PgNode, bound: Expr): OrderItem {
  const expr = resolveUnknown(level, bound);
  checkOrdering(level, expr, rawLocation(sort.node));
  return { expr, ...sortDirection(level, sort) };
}

export function checkOrdering(level: Level, expr: Expr, location = exprLocation(level, expr)): void {
  if (expr.t.oid === OID.record || lessThanOf(expr.t.oid)) return;
  throw level.error('42883', `could not identify an ordering operator for type ${formatType(expr.t.oid)}`, location, {
    hint: 'Use an explicit ordering operator or modify the query.',
  });
}

export function checkEquality(level: Level, expr: Expr, location = exprLocation(level, expr)): void {
  if (expr.t.oid === OID.record || expr.t.oid === OID.unknown || equalityOf(expr.t.oid)) return;
  throw level.error('42883', `could not identify an equality operator for type ${formatType(expr.t.oid)}`, location);
}
