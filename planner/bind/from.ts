/**
 * FROM: the list of items, each joined to those before it; LATERAL items are applied to them.
 */
import { oneRow, outputColumns } from '../logical/columns.ts';
import type { Logical } from '../logical/plan.ts';
import type { PgNode } from '../parse/ast.ts';
import { bindRangeFunction } from './from_function.ts';
import { type FromItem, queryItem } from './from_item.ts';
import { bindRangeVar } from './from_relation.ts';
import { bindJoin } from './join.ts';
import { bindJsonTable } from './json_table.ts';
import { dependsOn, namesClash } from './lateral.ts';
import { type BoundSelect, colRef, type Level } from './level.ts';
import { contentOf, kindOf, locationOf } from './node.ts';
import { bindTableSample } from './table_sample.ts';

/** Binds a FROM list; its names become the level's namespace. */
export function bindFrom(level: Level, list: PgNode[]): Logical {
  let plan: Logical | null = null;
  for (const node of list) {
    const item = bindFromItem(level, node);
    namesClash(level, level.namespace, item.items);
    for (const i of item.items) {
      i.lateralOnly = true;
      i.lateralOk = true;
    }
    level.namespace = [...level.namespace, ...item.items];
    plan = plan ? crossJoin(plan, item) : item.plan;
    if (list.length === 1 && item.order) level.inputOrder = item.order;
  }
  for (const i of level.namespace) {
    i.lateralOnly = false;
    i.lateralOk = true;
  }
  return plan ?? oneRow();
}

/** Binds one item. */
export function bindFromItem(level: Level, node: PgNode): FromItem {
  const kind = kindOf(node);
  const c = contentOf(node);
  switch (kind) {
    case 'RangeVar':
      return noted(level, bindRangeVar(level, c));
    case 'RangeSubselect':
      return noted(level, bindSubselect(level, c));
    case 'RangeFunction':
      return noted(level, bindRangeFunction(level, c));
    case 'JsonTable':
      return noted(level, bindJsonTable(level, c));
    case 'JoinExpr':
      return bindJoin(level, c, bindFromItem);
    case 'RangeTableSample':
      return noted(level, bindTableSample(level, c));
    default:
      throw level.unsupported(kind === 'RangeTableFunc' ? 'XMLTABLE' : `${kind} in FROM`, c.location);
  }
}

function noted(level: Level, item: FromItem): FromItem {
  level.entries.push(...item.items);
  return item;
}

function bindSubselect(level: Level, c: PgNode): FromItem {
  const saved = level.lateralActive;
  level.lateralActive = c.lateral === true;
  const query = level.inClause('from_subselect', () =>
    level.shared.binders.select(level, c.subquery, { resolveUnknown: true, keepOrder: true }),
  );
  level.lateralActive = saved;
  if (c.one_column && query.outputs.length !== 1) {
    throw level.error('42601', 'subquery must return only one column', locationOf(c.one_column));
  }
  const item = queryItem(level, query, c.alias, 'unnamed_subquery');
  if (query.order.length > 0) withOrder(item, query);
  if (!c.alias) item.self.relVisible = false;
  return item;
}

/** Notes in which order a subquery gives its rows; the sort columns stay in its plan. */
function withOrder(item: FromItem, query: BoundSelect): void {
  const columns = outputColumns(query.plan);
  item.plan = query.plan;
  item.order = query.order.map((o) => ({
    expr: colRef(columns.find((c) => c.id === o.id)!),
    desc: o.desc,
    nullsFirst: o.nullsFirst,
  }));
}

/** `left` with an item after a comma or CROSS JOIN. */
function crossJoin(left: Logical, item: FromItem): Logical {
  if (item.extend && dependsOn(item.plan, left)) return item.extend(left, false);
  if (dependsOn(item.plan, left)) return { op: 'apply', kind: 'cross', left, right: item.plan, on: null };
  return { op: 'join', kind: 'inner', left, right: item.plan, on: null };
}
