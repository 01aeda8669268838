/**
 * ON CONFLICT of INSERT.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import { hasColumns, type Relation } from '../catalog_reader.ts';
import { visitExpr } from '../logical/walk.ts';
import type { PgNode } from '../parse/ast.ts';
import { assignedRow, bindAssignments } from './assignment.ts';
import { toBoolean } from './coercion.ts';
import type { BoundConflict } from './env.ts';
import type { Level } from './level.ts';
import { locationOf } from './node.ts';
import { rowItem } from './returning.ts';
import { newRow } from './target_relation.ts';

/** Binds an OnConflictClause; `name` is what the statement calls the table. */
export function bindConflict(level: Level, relation: Relation, name: string, c: PgNode): BoundConflict {
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
  const row = { relation, name, current: existing, old: existing, new: null };
  level.namespace = [rowItem(level, row, name, existing), rowItem(level, row, 'excluded', excluded)];
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

/** The unique key whose columns the clause names; null when it names none. */
function conflictTarget(level: Level, relation: Relation, c: PgNode): number[] | null {
  const infer = c.infer;
  if (!infer) return null;
  const keys = level.shared.env.catalog.uniqueKeys(relation);
  if (infer.conname) {
    const named = keys.find(({ name, isConstraint }) => isConstraint && name === infer.conname);
    if (named !== undefined) return named.columns;
    throw level.error('42704', `constraint "${infer.conname}" for table "${relation.name}" does not exist`);
  }
  const wanted = (infer.indexElems as PgNode[]).map(({ IndexElem: e }) => {
    if (!e.name) throw level.unsupported('an expression as conflict target', locationOf(infer));
    const position = relation.columns.findIndex((r) => r.name === e.name);
    if (position < 0) throw level.error('42703', `column "${e.name}" does not exist`, locationOf(infer));
    return position;
  });
  const key = keys.find((k) => hasColumns(k, wanted));
  if (key === undefined) {
    throw level.error('42P10', 'there is no unique or exclusion constraint matching the ON CONFLICT specification');
  }
  return key.columns;
}
