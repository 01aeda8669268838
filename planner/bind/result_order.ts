/**
 * ORDER BY and LIMIT of VALUES and of set operations: they see the result columns only.
 */
import type { Logical } from '../logical/plan.ts';
import type { PgNode } from '../parse/ast.ts';
import { namespaceItem } from './from_item.ts';
import { type BoundSelect, colRef, type Level, type Output, type SelectOptions } from './level.ts';
import { bindLimit } from './limit.ts';
import { exprLocation } from './locate.ts';
import { rawLocation } from './node.ts';
import { bindOrderBy } from './order_clause.ts';
import { attachSubqueries } from './subquery.ts';
import type { Target } from './target.ts';

/** Puts ORDER BY, OFFSET and LIMIT of `c` on top of a plan. `plainOnly`: ORDER BY may name result columns, no expressions. */
export function finishRows(
  level: Level,
  c: PgNode,
  input: Logical,
  outputs: Output[],
  options: SelectOptions,
  plainOnly = false,
): BoundSelect {
  const item = namespaceItem(
    '*',
    outputs.map((o) => ({ name: o.name, expr: colRef(o.col) })),
  );
  item.relVisible = false;
  level.namespace = [item];
  const targets = outputs.map((o): Target => ({ name: o.name, expr: colRef(o.col), hidden: false }));
  const order = bindOrderBy(level, targets, c.sortClause);
  const extra = targets.slice(outputs.length);
  if (extra.length > 0 && plainOnly) {
    const at = exprLocation(level, extra[0].expr) ?? rawLocation(c.sortClause[0]);
    throw level.error('0A000', 'invalid UNION/INTERSECT/EXCEPT ORDER BY clause', at, {
      detail: 'Only result column names can be used, not expressions or functions.',
      hint: 'Add the expression/function to every SELECT, or move the UNION into a FROM clause.',
    });
  }
  const offset = bindLimit(level, c.limitOffset, 'OFFSET');
  const limit = bindLimit(level, c.limitCount, 'LIMIT');
  let plan = input;
  const cols = [...outputs.map((o) => o.col), ...extra.map((t) => level.shared.newCol(t.name, t.expr.t))];
  if (extra.length > 0) {
    const items = cols.map((col, i) => ({ col, expr: targets[i].expr }));
    plan = {
      op: 'project',
      input: attachSubqueries(
        level,
        plan,
        extra.map((t) => t.expr),
        new Set(),
      ),
      items,
    };
  }
  const sorted = order.map((o) => ({
    col: cols[targets.indexOf(o.target)],
    desc: o.desc,
    nullsFirst: o.nullsFirst,
  }));
  if (limit || offset) {
    const items = sorted.map(({ col, desc, nullsFirst }) => ({ expr: colRef(col), desc, nullsFirst }));
    const withTies = c.limitOption === 'LIMIT_OPTION_WITH_TIES';
    plan = { op: 'topn', input: plan, partition: [], order: items, limit, offset, withTies };
  }
  const presentation = sorted.map(({ col, desc, nullsFirst }) => ({ id: col.id, desc, nullsFirst }));
  return { plan, outputs, order: options.keepOrder ? presentation : [] };
}
