/**
 * UPDATE and DELETE: a query over the target (and FROM or USING) that gives, for each row to change, the old row and the new one.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import type { Relation } from '../catalog_reader.ts';
import { outputColumns } from '../logical/columns.ts';
import type { Col, Logical } from '../logical/plan.ts';
import type { PgNode } from '../parse/ast.ts';
import { assignedRow, bindAssignments } from './assignment.ts';
import { toBoolean } from './coercion.ts';
import type { BoundDelete, BoundUpdate } from './env.ts';
import { bindFrom } from './from.ts';
import type { FromItem } from './from_item.ts';
import { relationItem } from './from_relation.ts';
import { colRef, type Level, type NamespaceItem } from './level.ts';
import { bindReturning } from './returning.ts';
import { attachSubqueries } from './subquery.ts';
import { newRow, targetRelation } from './target_relation.ts';
import { bindWith, modifyingItems } from './with.ts';

/** The target joined to the other items, before WHERE. */
interface Base {
  relation: Relation;
  target: FromItem;
  others: NamespaceItem[];
  plan: Logical;
  old: Col[];
}

function bindBase(level: Level, c: PgNode, verb: 'update' | 'delete from', list: PgNode[]): Base {
  bindWith(level, c.withClause);
  const relation = targetRelation(level, c, verb);
  const target = relationItem(level, relation, c.relation.alias, true);
  level.entries.push(...target.items);
  // LATERAL items of FROM see the target's name but may not use it.
  target.self.lateralOnly = true;
  target.self.lateralOk = false;
  level.namespace = target.items;
  const from = list.length > 0 ? bindFrom(level, list) : null;
  target.self.lateralOnly = false;
  target.self.lateralOk = true;
  const others = level.namespace.slice(target.items.length);
  const plan: Logical = from ? { op: 'join', kind: 'inner', left: target.plan, right: from, on: null } : target.plan;
  return { relation, target, others, plan, old: outputColumns(target.plan) };
}

function bindWhere(level: Level, node: PgNode | undefined): Expr | null {
  if (node?.CurrentOfExpr) throw level.unsupported('WHERE CURRENT OF');
  return node ? level.inClause('where', () => toBoolean(level, level.bind(node), 'WHERE')) : null;
}

function filtered(level: Level, plan: Logical, where: Expr | null): Logical {
  if (!where) return plan;
  return { op: 'filter', input: attachSubqueries(level, plan, [where], new Set()), predicate: where };
}

/** Binds UPDATE at a level of its own; `c` is the content of the node. */
export function updateStatement(level: Level, c: PgNode): BoundUpdate {
  const { relation, target, others, plan, old } = bindBase(level, c, 'update', c.fromClause ?? []);
  const assignments = bindAssignments(level, relation, c.targetList ?? []);
  const where = bindWhere(level, c.whereClause);
  const values = assignedRow(level, relation, old, assignments);
  const newColumns = newRow(level, relation);
  const input = attachSubqueries(level, filtered(level, plan, where), values, new Set());
  const kept = outputColumns(plan).map((col) => ({ col, expr: colRef(col) as Expr }));
  const source: Logical = {
    op: 'project',
    input,
    items: [
      ...kept.slice(0, old.length),
      ...newColumns.map((col, i) => ({ col, expr: values[i] })),
      ...kept.slice(old.length),
    ],
  };
  const row = {
    relation,
    name: target.self.name,
    qualified: target.self.qualified,
    current: newColumns,
    old,
    new: newColumns,
  };
  const returning = bindReturning(level, c.returningClause, row, others);
  return {
    k: 'update',
    relation,
    items: modifyingItems(level),
    source,
    oldColumns: old,
    newColumns,
    returning,
    dependencies: [...level.shared.dependencies],
    parameters: level.shared.env.paramTypes,
  };
}

/** Binds DELETE at a level of its own; `c` is the content of the node. */
export function deleteStatement(level: Level, c: PgNode): BoundDelete {
  const { relation, target, others, plan, old } = bindBase(level, c, 'delete from', c.usingClause ?? []);
  const where = bindWhere(level, c.whereClause);
  const items = outputColumns(plan).map((col) => ({ col, expr: colRef(col) as Expr }));
  const source: Logical = { op: 'project', input: filtered(level, plan, where), items };
  const row = { relation, name: target.self.name, qualified: target.self.qualified, current: old, old, new: null };
  const returning = bindReturning(level, c.returningClause, row, others);
  return {
    k: 'delete',
    relation,
    items: modifyingItems(level),
    source,
    oldColumns: old,
    returning,
    dependencies: [...level.shared.dependencies],
    parameters: level.shared.env.paramTypes,
  };
}
