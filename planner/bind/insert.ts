/**
 * INSERT: VALUES, a query or DEFAULT VALUES as full new rows of the table, with ON CONFLICT and RETURNING; the row of INSERT within MERGE.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import { colType } from '../../operators/types.ts';
import { isVolatile } from '../analyse/functions.ts';
import { presentColumns, type Relation } from '../catalog_reader.ts';
import { oneRow, outputColumns } from '../logical/columns.ts';
import type { Col } from '../logical/plan.ts';
import type { PgNode } from '../parse/ast.ts';
import { bindConflict } from './conflict.ts';
import type { BoundInsert } from './env.ts';
import { bindExprList, isStar } from './expr_list.ts';
import { colRef, type Level } from './level.ts';
import { exprLocation } from './locate.ts';
import { locationOf } from './node.ts';
import { bindReturning } from './returning.ts';
import { assigned, columnPosition, defaultValue, newRow, nullOf, targetRelation } from './target_relation.ts';
import { rowsPlan } from './values.ts';
import { bindWith, modifyingItems } from './with.ts';

/** Binds INSERT at a level of its own; `c` is the content of the node. */
export function insertStatement(level: Level, c: PgNode): BoundInsert {
  bindWith(level, c.withClause);
  const relation = targetRelation(level, c, 'insert into');
  const targets = insertTargets(level, relation, c.cols, c.override);
  const columns = newRow(level, relation);
  const { source, order, inOrder } = bindSource(level, relation, c, targets, columns);
  const name: string = c.relation.alias?.aliasname ?? relation.name;
  const qualified = !c.relation.alias;
  const onConflict = c.onConflictClause ? bindConflict(level, relation, { name, qualified }, c.onConflictClause) : null;
  const old = onConflict?.action === 'update' ? onConflict.existing : null;
  const row = { relation, name, qualified, current: columns, old, new: columns };
  const returning = bindReturning(level, c.returningClause, row, []);
  const items = modifyingItems(level);
  if (level.shared.asOf !== null && items.length > 0) {
    throw level.unsupported('reading AS OF another tick beside a data-modifying statement in WITH');
  }
  return {
    k: 'insert',
    relation,
    items,
    source,
    columns,
    order,
    inOrder,
    asOf: level.shared.asOf,
    onConflict,
    returning,
    dependencies: [...level.shared.dependencies],
    parameters: level.shared.env.paramTypes,
  };
}

/** The columns that values are given for, in the order given. */
interface Targets {
  positions: number[];
  locations: (number | undefined)[];
  explicit: boolean;
  /** OVERRIDING USER VALUE | SYSTEM VALUE. */
  overriding: 'user' | 'system' | null;
}

const OVERRIDING: Record<string, Targets['overriding']> = {
  OVERRIDING_USER_VALUE: 'user',
  OVERRIDING_SYSTEM_VALUE: 'system',
};

function insertTargets(
  level: Level,
  relation: Relation,
  cols: PgNode[] | undefined,
  override: string | undefined,
): Targets {
  const overriding = OVERRIDING[override ?? ''] ?? null;
  if (!cols) {
    const positions = presentColumns(relation).map(({ position }) => position);
    return { positions, locations: [], explicit: false, overriding };
  }
  const positions: number[] = [];
  for (const { ResTarget: t } of cols) {
    const position = columnPosition(level, relation, t);
    if (positions.includes(position)) {
      throw level.error('42701', `column "${t.name}" specified more than once`, locationOf(t));
    }
    positions.push(position);
  }
  return { positions, locations: cols.map((n) => locationOf(n.ResTarget)), explicit: true, overriding };
}

/** The new row of INSERT (cols) VALUES (...) within MERGE; without values: DEFAULT VALUES. */
export function insertRow(level: Level, relation: Relation, clause: PgNode): Expr[] {
  const targets = insertTargets(level, relation, clause.targetList, clause.override);
  const [given] = clause.values ? insertRows(level, relation, [{ List: { items: clause.values } }], targets) : [[]];
  return fullRow(level, relation, targets, given);
}

function fullRow(level: Level, relation: Relation, targets: Targets, given: Expr[]): Expr[] {
  return relation.columns.map((_, i) => {
    const at = targets.positions.indexOf(i);
    return at >= 0 && at < given.length ? given[at] : defaultValue(level, relation, i);
  });
}

type Source = Pick<BoundInsert, 'source' | 'order' | 'inOrder'>;

function bindSource(level: Level, relation: Relation, c: PgNode, targets: Targets, columns: Col[]): Source {
  const stmt = c.selectStmt?.SelectStmt;
  const full = (given: Expr[]) => fullRow(level, relation, targets, given);
  const rows = (list: Expr[][]): Source => ({ source: rowsPlan(level, list, columns), order: [], inOrder: [] });
  if (!c.selectStmt) return rows([full([])]);
  if (stmt.valuesLists && !stmt.sortClause && !stmt.limitCount && !stmt.limitOffset && !stmt.withClause) {
    return rows(insertRows(level, relation, stmt.valuesLists, targets).map(full));
  }
  const query = level.shared.binders.select(level, c.selectStmt, { resolveUnknown: false, keepOrder: true });
  checkWidth(
    level,
    targets,
    query.outputs.map((o) => o.location),
  );
  const given = query.outputs.map((o, i) => {
    const { type } = relation.columns[targets.positions[i]];
    o.retype?.(colType(type.oid, type.typmod));
    const ref = level.at(colRef(o.col), o.location);
    return givenValue(level, relation, targets, i, ref);
  });
  const { order } = query;
  const inOrder: Source['inOrder'] = [];
  const items = full(given).map((value, column) => {
    // Volatile values that are given stand in the query, those of defaults come when its rows are in order.
    if (order.length === 0 || targets.positions.indexOf(column) in given || !isVolatile(value)) {
      return { col: columns[column], expr: value };
    }
    inOrder.push({ column, value });
    return { col: columns[column], expr: nullOf(relation.columns[column].type) };
  });
  const input = query.plan ?? oneRow();
  if (inOrder.length === 0) return { source: { op: 'project', input, items }, order: [], inOrder };
  const keys = outputColumns(input).filter((col) => order.some(({ id }) => id === col.id));
  for (const col of keys) items.push({ col, expr: colRef(col) });
  return { source: { op: 'project', input, items }, order, inOrder };
}

function insertRows(level: Level, relation: Relation, lists: PgNode[], targets: Targets): Expr[][] {
  const clause = lists.length === 1 ? 'values_single' : 'values';
  let width: number | null = null;
  return lists.map((l) => {
    const nodes: PgNode[] = l.List.items ?? [];
    const bound = nodes.flatMap((node, i): { expr: Expr; at: number | undefined; isDefault: boolean }[] => {
      if (node.SetToDefault) {
        const position = targets.positions[i];
        const at = locationOf(node.SetToDefault);
        if (position === undefined)
          return [{ expr: { k: 'const', v: null, t: { oid: 705, typmod: -1 } }, at, isDefault: true }];
        return [{ expr: defaultValue(level, relation, position), at, isDefault: true }];
      }
      const exprs = level.inClause(clause, () => bindExprList(level, [node]));
      return exprs.map((expr) => ({
        expr,
        at: isStar(node) ? undefined : exprLocation(level, expr),
        isDefault: false,
      }));
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
    return bound.map((b, i) => (b.isDefault ? b.expr : givenValue(level, relation, targets, i, b.expr)));
  });
}

/** A value that is not DEFAULT, as one of its column; an identity column takes it or not. */
function givenValue(level: Level, relation: Relation, targets: Targets, i: number, expr: Expr): Expr {
  const position = targets.positions[i];
  const { name, identity, generated } = relation.columns[position];
  if (generated) {
    throw level.error('428C9', `cannot insert a non-DEFAULT value into column "${name}"`, undefined, {
      detail: `Column "${name}" is a generated column.`,
    });
  }
  if (identity !== undefined && targets.overriding === 'user') return defaultValue(level, relation, position);
  if (identity === 'a' && targets.overriding === null) {
    throw level.error('428C9', `cannot insert a non-DEFAULT value into column "${name}"`, undefined, {
      detail: `Column "${name}" is an identity column defined as GENERATED ALWAYS.`,
      hint: 'Use OVERRIDING SYSTEM VALUE to override.',
    });
  }
  return assigned(level, relation, position, expr);
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
