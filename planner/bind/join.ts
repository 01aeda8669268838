/**
 * JOIN: ON, USING and NATURAL; ASOF joins; joins with a LATERAL right side.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import type { JoinKind } from '../../operators/plan.ts';
import { outputColumns } from '../logical/columns.ts';
import type { Logical } from '../logical/plan.ts';
import { visitExpr } from '../logical/walk.ts';
import type { PgNode } from '../parse/ast.ts';
import { asofJoin, systemTimeJoin } from './asof.ts';
import { BOOL, commonTypeOf, operatorCall, toBoolean, toCommon } from './coercion.ts';
import { aliasNames, type FromItem, namespaceItem } from './from_item.ts';
import { dependsOn, namesClash } from './lateral.ts';
import type { Level, NamespaceColumn, NamespaceItem } from './level.ts';
import { names } from './node.ts';
import { attachSubqueries, subqueryOf } from './subquery.ts';

const KIND: Record<string, JoinKind> = {
  JOIN_INNER: 'inner',
  JOIN_LEFT: 'left',
  JOIN_RIGHT: 'right',
  JOIN_FULL: 'full',
};

/** Binds a JoinExpr; `bindItem` binds its sides. */
export function bindJoin(level: Level, c: PgNode, bindItem: (level: Level, node: PgNode) => FromItem): FromItem {
  const kind = KIND[c.jointype ?? 'JOIN_INNER'];
  const left = bindItem(level, c.larg);
  const outer = level.namespace;
  for (const i of left.items) {
    i.lateralOnly = true;
    i.lateralOk = kind === 'inner' || kind === 'left';
  }
  level.namespace = [...outer, ...left.items];
  const asOf = c.rarg.RangeVar?.systemTimeAsOf as PgNode | undefined;
  const rightNode = asOf ? { RangeVar: { ...c.rarg.RangeVar, systemTimeAsOf: undefined } } : c.rarg;
  const right = bindItem(level, rightNode);
  level.namespace = outer;
  namesClash(level, left.items, right.items);
  const items = [...left.items, ...right.items];
  for (const i of items) {
    i.lateralOnly = false;
    i.lateralOk = true;
  }

  const using = c.isNatural ? commonNames(left.self, right.self) : c.usingClause ? names(c.usingClause) : null;
  const merged = using ? mergeColumns(level, kind, left.self, right.self, using) : null;
  const on = merged ? merged.on : c.quals ? bindOn(level, items, c.quals) : null;
  const plan = asOf
    ? systemTimeJoin(level, kind, left, right, on, bindOnNode(level, items, asOf))
    : c.asof
      ? asofJoin(level, kind, left.plan, right.plan, on)
      : joinPlan(level, kind, left, right, on);
  return joinItem(level, c, plan, left, right, items, merged);
}

function bindOnNode(level: Level, items: NamespaceItem[], node: PgNode): Expr {
  const outer = level.namespace;
  level.namespace = items;
  try {
    return level.bindIn('join_on', node);
  } finally {
    level.namespace = outer;
  }
}

/** ON sees the two sides only (and outer queries). */
function bindOn(level: Level, items: NamespaceItem[], quals: PgNode): Expr {
  return toBoolean(level, bindOnNode(level, items, quals), 'JOIN/ON');
}

function commonNames(left: NamespaceItem, right: NamespaceItem): string[] {
  const other = new Set(right.columns.map((c) => c.name));
  return [...new Set(left.columns.filter((c) => other.has(c.name)).map((c) => c.name))];
}

interface Merged {
  on: Expr | null;
  names: string[];
  columns: NamespaceColumn[];
}

function mergeColumns(
  level: Level,
  kind: JoinKind,
  left: NamespaceItem,
  right: NamespaceItem,
  using: string[],
): Merged {
  const tests: Expr[] = [];
  const columns = using.map((name, i) => {
    if (using.indexOf(name) < i) {
      throw level.error('42701', `column name "${name}" appears more than once in USING clause`);
    }
    const l = sideColumn(level, left, name, 'left');
    const r = sideColumn(level, right, name, 'right');
    tests.push(operatorCall(level, '=', l, r, undefined));
    return { name, expr: mergedColumn(level, kind, l, r) };
  });
  const on: Expr | null =
    tests.length === 0 ? null : tests.length === 1 ? tests[0] : { k: 'and', args: tests, t: BOOL };
  return { on, names: using, columns };
}

function sideColumn(level: Level, side: NamespaceItem, name: string, which: string): Expr {
  const found = side.columns.filter((c) => c.name === name);
  if (found.length > 1) {
    throw level.error('42702', `common column name "${name}" appears more than once in ${which} table`);
  }
  if (found.length === 0) {
    throw level.error('42703', `column "${name}" specified in USING clause does not exist in ${which} table`);
  }
  return found[0].expr;
}

/** The one column that two merged ones give: the side that is never padded with NULLs, or both in a full join. */
function mergedColumn(level: Level, kind: JoinKind, l: Expr, r: Expr): Expr {
  const t = commonTypeOf(level, [l, r], 'JOIN/USING');
  const left = toCommon(level, l, t, 'JOIN/USING');
  const right = toCommon(level, r, t, 'JOIN/USING');
  if (kind === 'right') return right;
  if (kind === 'full') return { k: 'coalesce', args: [left, right], t };
  return kind === 'inner' && left !== l && right === r ? right : left;
}

function joinItem(
  level: Level,
  c: PgNode,
  plan: Logical,
  left: FromItem,
  right: FromItem,
  items: NamespaceItem[],
  merged: Merged | null,
): FromItem {
  const rest = (item: FromItem): NamespaceColumn[] =>
    item.self.columns.filter((x) => !merged?.names.includes(x.name) && !x.hidden);
  const columns = [...(merged?.columns ?? []), ...rest(left), ...rest(right)];
  const alias: PgNode | undefined = c.alias;
  const labels = aliasNames(
    level,
    alias,
    columns.map((x) => x.name),
    'unnamed_join',
  );
  const self = namespaceItem(
    alias?.aliasname ?? 'unnamed_join',
    columns.map((x, i) => ({ ...x, name: labels[i] })),
  );
  self.relVisible = alias !== undefined;
  if (alias) {
    level.entries.push(self);
    return { plan, items: [self], self };
  }
  for (const i of items) i.colsVisible = false;
  const all = [...items, self];
  if (c.join_using_alias) {
    const usingItem = namespaceItem(c.join_using_alias.aliasname, merged?.columns ?? []);
    usingItem.colsVisible = false;
    namesClash(level, items, [usingItem]);
    level.entries.push(usingItem);
    all.push(usingItem);
  }
  return { plan, items: all, self };
}

/** The join itself. A right side that reads the left is applied to it; subqueries in ON go to the side they read. */
function joinPlan(level: Level, kind: JoinKind, left: FromItem, right: FromItem, on: Expr | null): Logical {
  if (right.extend && (kind === 'inner' || kind === 'left') && dependsOn(right.plan, left.plan)) {
    if (kind === 'inner') return filtered(level, right.extend(left.plan, false), on);
    if (!on || (on.k === 'const' && on.v === true)) return right.extend(left.plan, true);
  }
  if (kind === 'inner' && on && usesSubquery(level, on)) {
    return filtered(level, joinPlan(level, kind, left, right, null), on);
  }
  if (dependsOn(right.plan, left.plan)) {
    const applied = kind === 'left' ? 'left' : 'cross';
    if (!on || !usesSubquery(level, on)) return { op: 'apply', kind: applied, left: left.plan, right: right.plan, on };
    return { op: 'apply', kind: 'left', left: left.plan, right: filtered(level, right.plan, on), on: null };
  }
  if (on && usesSubquery(level, on)) return outerJoinWithSubquery(level, kind, left.plan, right.plan, on);
  return { op: 'join', kind, left: left.plan, right: right.plan, on };
}

function filtered(level: Level, plan: Logical, on: Expr | null): Logical {
  return on ? { op: 'filter', input: attachSubqueries(level, plan, [on], new Set()), predicate: on } : plan;
}

function usesSubquery(level: Level, e: Expr): boolean {
  let found = false;
  visitExpr(e, (x) => {
    if (x.k === 'col' && subqueryOf(level, x.id)) found = true;
    return !found;
  });
  return found;
}

/** a LEFT JOIN b ON p(a, b, subquery): for each row of a, the rows of b that pass; NULLs when none does. */
function outerJoinWithSubquery(level: Level, kind: JoinKind, left: Logical, right: Logical, on: Expr): Logical {
  if (kind === 'full') throw level.unsupported('a subquery in the condition of a FULL JOIN');
  const [kept, padded] = kind === 'left' ? [left, right] : [right, left];
  const columns = new Set(outputColumns(padded).map((c) => c.id));
  const filteredSide = filtered(level, padded, on);
  // Columns of the subqueries themselves are dropped again.
  const items = outputColumns(filteredSide).filter((c) => columns.has(c.id));
  const inner: Logical = {
    op: 'project',
    input: filteredSide,
    items: items.map((col) => ({ col, expr: { k: 'col', id: col.id, t: col.type } })),
  };
  return { op: 'apply', kind: 'left', left: kept, right: inner, on: null };
}
