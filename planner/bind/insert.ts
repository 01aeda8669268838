/**
 * INSERT: VALUES, a query or DEFAULT VALUES as full new rows of the table, with ON CONFLICT and RETURNING.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import { presentColumns, type Relation } from '../catalog_reader.ts';
import { oneRow } from '../logical/columns.ts';
import type { Col, Logical } from '../logical/plan.ts';
import type { PgNode } from '../parse/ast.ts';
import { bindConflict } from './conflict.ts';
import type { BindEnv, BoundInsert } from './env.ts';
import { bindExprList, isStar } from './expr_list.ts';
import { colRef, Level } from './level.ts';
import { exprLocation } from './locate.ts';
import { locationOf } from './node.ts';
import { bindReturning } from './returning.ts';
import { newShared } from './start.ts';
import { assigned, columnPosition, defaultValue, targetRelation } from './target_relation.ts';
import { rowsPlan } from './values.ts';
import { bindWith } from './with.ts';

/** Binds INSERT. */
export function insertStatement(stmt: PgNode, text: string, env: BindEnv): BoundInsert {
  const c = stmt.InsertStmt ?? stmt;
  const level = new Level(newShared(env), null, text);
  bindWith(level, c.withClause);
  const relation = targetRelation(level, c.relation, 'insert into');
  const targets = insertTargets(level, relation, c.cols);
  const columns = relation.columns.map((r) => level.shared.newCol(r.name, r.type));
  const source = bindSource(level, relation, c, targets, columns);
  const name: string = c.relation.alias?.aliasname ?? relation.name;
  const onConflict = c.onConflictClause ? bindConflict(level, relation, name, c.onConflictClause) : null;
  const row = { relation, name, current: columns, old: null, new: columns };
  const returning = bindReturning(level, c.returningClause, row, []);
  return {
    k: 'insert',
    relation,
    source,
    columns,
    asOf: level.shared.asOf,
    onConflict,
    returning,
    dependencies: [...level.shared.dependencies],
    parameters: env.paramTypes,
  };
}

/** The columns that values are given for, in the order given. */
interface Targets {
  positions: number[];
  locations: (number | undefined)[];
  explicit: boolean;
}

function insertTargets(level: Level, relation: Relation, cols: PgNode[] | undefined): Targets {
  if (!cols) {
    const positions = presentColumns(relation).map(({ position }) => position);
    return { positions, locations: [], explicit: false };
  }
  const positions: number[] = [];
  for (const { ResTarget: t } of cols) {
    const position = columnPosition(level, relation, t);
    if (positions.includes(position)) {
      throw level.error('42701', `column "${t.name}" specified more than once`, locationOf(t));
    }
    positions.push(position);
  }
  return { positions, locations: cols.map((n) => locationOf(n.ResTarget)), explicit: true };
}

function bindSource(level: Level, relation: Relation, c: PgNode, targets: Targets, columns: Col[]): Logical {
  const stmt = c.selectStmt?.SelectStmt;
  const full = (given: Expr[]): Expr[] =>
    relation.columns.map((_, i) => {
      const at = targets.positions.indexOf(i);
      return at >= 0 && at < given.length ? given[at] : defaultValue(level, relation, i);
    });
  if (!c.selectStmt) return rowsPlan(level, [full([])], columns);
  if (stmt.valuesLists && !stmt.sortClause && !stmt.limitCount && !stmt.limitOffset && !stmt.withClause) {
    return rowsPlan(level, insertRows(level, relation, stmt.valuesLists, targets).map(full), columns);
  }
  const query = level.shared.binders.select(level, c.selectStmt, { resolveUnknown: false, keepOrder: false });
  checkWidth(
    level,
    targets,
    query.outputs.map((o) => o.location),
  );
  const given = query.outputs.map((o, i) => {
    const { type } = relation.columns[targets.positions[i]];
    o.retype?.(type);
    const ref = level.at(colRef(o.col), o.location);
    return assigned(level, relation, targets.positions[i], ref);
  });
  const items = full(given).map((expr, i) => ({ col: columns[i], expr }));
  return { op: 'project', input: query.plan ?? oneRow(), items };
}

function insertRows(level: Level, relation: Relation, lists: PgNode[], targets: Targets): Expr[][] {
  const clause = lists.length === 1 ? 'values_single' : 'values';
  let width: number | null = null;
  return lists.map((l) => {
    const nodes: PgNode[] = l.List.items ?? [];
    const bound = nodes.flatMap((node, i): { expr: Expr; at: number | undefined }[] => {
      if (node.SetToDefault) {
        const position = targets.positions[i];
        const at = locationOf(node.SetToDefault);
        if (position === undefined) return [{ expr: { k: 'const', v: null, t: { oid: 705, typmod: -1 } }, at }];
        return [{ expr: defaultValue(level, relation, position), at }];
      }
      const exprs = level.inClause(clause, () => bindExprList(level, [node]));
      return exprs.map((expr) => ({ expr, at: isStar(node) ? undefined : exprLocation(level, expr) }));
    });
    if (width !== null && bound.length !== width) {
      throw level.error('42601', 'VALUES lists must all be the same length', bound[0]?.at);
    }
    width = bound.length;
    checkWidth(
      level,
      targets,
      bound.map((b) => b.at),
    );
    return bound.map((b, i) => assigned(level, relation, targets.positions[i], b.expr));
  });
}

function checkWidth(level: Level, targets: Targets, locations: (number | undefined)[]): void {
  const { positions } = targets;
  if (locations.length > positions.length) {
    throw level.error('42601', 'INSERT has more expressions than target columns', locations[positions.length]);
  }
  if (targets.explicit && locations.length < positions.length) {
    throw level.error('42601', 'INSERT has more target columns than expressions', targets.locations[locations.length]);
  }
}
