/**
 * ON CONFLICT of INSERT.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import type { Relation, UniqueKey } from '../catalog_reader.ts';
import { conjuncts, rewriteExpr, sameExpr } from '../logical/expressions.ts';
import { visitExpr } from '../logical/walk.ts';
import type { PgNode } from '../parse/ast.ts';
import { neededFor, settled, settledShape } from '../rewrite/index_match.ts';
import { assignedRow, bindAssignments } from './assignment.ts';
import { resolveUnknown, toBoolean } from './coercion.ts';
import type { BoundConflict } from './env.ts';
import type { Level } from './level.ts';
import { locationOf } from './node.ts';
import { type ChangedRow, rowItem } from './returning.ts';
import { newRow } from './target_relation.ts';

/** Binds an OnConflictClause; `called` is what the statement calls the table. */
export function bindConflict(
  level: Level,
  relation: Relation,
  called: Pick<ChangedRow, 'name' | 'qualified'>,
  c: PgNode,
): BoundConflict {
  const target = conflictTarget(level, relation, c);
  if (c.action === 'ONCONFLICT_NOTHING') return { action: 'nothing', target };
  if (!target) {
    throw level.error(
      '42601',
      'ON CONFLICT DO UPDATE requires inference specification or constraint name',
      locationOf(c),
      { hint: 'For example, ON CONFLICT (column_name).' },
    );
  }
  const existing = newRow(level, relation);
  const excluded = newRow(level, relation);
  level.namespace = [
    rowItem(level, { relation, ...called }, existing),
    rowItem(level, { relation, name: 'excluded', qualified: false }, excluded),
  ];
  const set = assignedRow(level, relation, existing, bindAssignments(level, relation, c.targetList ?? []));
  const where = c.whereClause
    ? level.inClause('where', () => toBoolean(level, level.bind(c.whereClause), 'WHERE'))
    : null;
  for (const e of [...set, ...(where ? [where] : [])]) refuseSubqueries(level, e);
  return { action: 'update', target, existing, excluded, set, where };
}

function refuseSubqueries(level: Level, e: Expr): void {
  visitExpr(e, (x) => {
    if (x.k === 'col' && level.shared.columns.get(x.id)?.kind === 'subquery') {
      throw level.unsupported('a subquery in ON CONFLICT DO UPDATE', level.shared.locations.get(x));
    }
    return true;
  });
}

/** The names of the unique keys that the clause means; null when it names none. */
function conflictTarget(level: Level, relation: Relation, c: PgNode): string[] | null {
  const infer = c.infer;
  if (!infer) return null;
  const keys = level.shared.env.catalog.uniqueKeys(relation);
  if (infer.conname) {
    const named = keys.find(({ name, isConstraint }) => isConstraint && name === infer.conname);
    if (named !== undefined) return [named.name];
    throw level.error('42704', `constraint "${infer.conname}" for table "${relation.name}" does not exist`);
  }
  const row = newRow(level, relation);
  level.namespace = [rowItem(level, { relation, name: relation.name, qualified: false }, row)];
  const inRelation = (e: Expr) =>
    settled(rewriteExpr(e, (x) => (x.k === 'col' ? { ...x, id: row.findIndex(({ id }) => id === x.id) } : x)));
  const wanted = (infer.indexElems as PgNode[]).map(({ IndexElem: e }): Expr => {
    if (!e.name) return inRelation(level.inClause('index_expression', () => resolveUnknown(level, level.bind(e.expr))));
    const position = relation.columns.findIndex((r) => r.name === e.name);
    if (position < 0) throw level.error('42703', `column "${e.name}" does not exist`, locationOf(infer));
    return { k: 'col', id: position, t: relation.columns[position].type };
  });
  const where = infer.whereClause
    ? conjuncts(
        inRelation(level.inClause('index_predicate', () => toBoolean(level, level.bind(infer.whereClause), 'WHERE'))),
      )
    : [];
  const meant = keys.filter((key) => isOver(key, wanted, relation) && isWithin(key, where, relation));
  if (meant.length > 0) return meant.map(({ name }) => name);
  throw level.error('42P10', 'there is no unique or exclusion constraint matching the ON CONFLICT specification');
}

/** Whether the key is over these expressions, in any order. */
function isOver({ columns, shape }: UniqueKey, wanted: Expr[], relation: Relation): boolean {
  const own =
    shape === undefined
      ? columns.map((id): Expr => ({ k: 'col', id, t: relation.columns[id].type }))
      : settledShape(shape).keys;
  const within = (some: Expr[], all: Expr[]) => some.every((e) => all.some((other) => sameExpr(e, other)));
  return within(own, wanted) && within(wanted, own);
}

/** Whether its index has all rows for which the conditions are true. */
function isWithin({ shape }: UniqueKey, where: Expr[], relation: Relation): boolean {
  return shape === undefined || neededFor(settledShape(shape), where, relation)?.length === 0;
}
