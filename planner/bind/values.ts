/**
 * VALUES lists.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import { oneRow } from '../logical/columns.ts';
import { someExpr } from '../logical/expressions.ts';
import type { Col, Logical } from '../logical/plan.ts';
import type { PgNode } from '../parse/ast.ts';
import { commonTypeOf, toCommon } from './coercion.ts';
import { bindExprList } from './expr_list.ts';
import type { BoundSelect, Level, SelectOptions } from './level.ts';
import { exprLocation } from './locate.ts';
import { finishRows } from './result_order.ts';
import { attachSetFunctions } from './set_function.ts';
import { attachSubqueries } from './subquery.ts';

/** Binds VALUES (...), (...) with its ORDER BY and LIMIT. */
export function bindValues(level: Level, c: PgNode, options: SelectOptions): BoundSelect {
  const rows = level.inClause('values', () => bindRows(level, c.valuesLists));
  const width = rows[0].length;
  const cols: Col[] = [];
  for (let i = 0; i < width; i++) {
    const column = rows.map((r) => r[i]);
    const t = commonTypeOf(level, column, 'VALUES');
    column.forEach((e, n) => {
      rows[n][i] = toCommon(level, e, t, 'VALUES');
    });
    cols.push(level.newCol(`column${i + 1}`, t, { kind: 'from', label: `*VALUES*.column${i + 1}` }));
  }
  const outputs = cols.map((col, i) => ({ name: col.name, col, location: exprLocation(level, rows[0][i]) }));
  return finishRows(level, c, rowsPlan(level, rows, cols), outputs, options);
}

/** Binds the rows; all must have one length. */
function bindRows(level: Level, lists: PgNode[]): Expr[][] {
  const rows = lists.map((l) => bindExprList(level, l.List.items ?? []));
  const wrong = rows.find((r) => r.length !== rows[0].length);
  if (wrong) {
    const at = wrong[0] && exprLocation(level, wrong[0]);
    throw level.error('42601', 'VALUES lists must all be the same length', at);
  }
  return rows;
}

/** A plan that gives these rows. Rows with subqueries become projections joined by UNION ALL. */
export function rowsPlan(level: Level, rows: Expr[][], cols: Col[]): Logical {
  const needsPlan = (e: Expr): boolean =>
    someExpr(e, (x) => x.k === 'col' && ['subquery', 'set'].includes(level.shared.columns.get(x.id)?.kind ?? ''));
  if (!rows.some((r) => r.some(needsPlan))) return { op: 'values', rows, cols };
  const plans = rows.map((row, n): Logical => {
    const own = rows.length === 1 && n === 0 ? cols : cols.map((c) => level.shared.newCol(c.name, c.type));
    const items = own.map((col, i) => ({ col, expr: row[i] }));
    const done = new Set<number>();
    const attach = (p: Logical, exprs: Expr[]): Logical => attachSubqueries(level, p, exprs, done);
    return { op: 'project', input: attach(attachSetFunctions(level, oneRow(), row, new Set(), attach), row), items };
  });
  return plans.reduce((left, right, i) => {
    const out = i === plans.length - 1 ? cols : cols.map((c) => level.shared.newCol(c.name, c.type));
    return { op: 'setop', kind: 'union', all: true, left, right, cols: out };
  });
}
