/**
 * Relations in FROM: WITH items, tables, streams, materialized and system relations, and plain views, which are expanded.
 */
import { SqlError } from '../../operators/errors.ts';
import { presentColumns, type Relation } from '../catalog_reader.ts';
import type { Logical } from '../logical/plan.ts';
import type { PgNode, SeenRelation } from '../parse/ast.ts';
import { columnsItem, type FromItem, queryItem } from './from_item.ts';
import { Level } from './level.ts';
import { locationOf } from './node.ts';

/** Binds a RangeVar. */
export function bindRangeVar(level: Level, c: PgNode): FromItem {
  const at = locationOf(c);
  if (c.systemTimeAsOf) {
    throw level.error('0A000', 'FOR SYSTEM_TIME AS OF is only supported on the right side of a JOIN', at);
  }
  const item = bindNamed(level, c, at);
  if (c.asOf) level.shared.readAsOf(level, c.asOf, at);
  return item;
}

function bindNamed(level: Level, c: PgNode, at: number): FromItem {
  if (!c.schemaname) {
    const cte = level.cte(c.relname);
    if (cte) {
      if (!cte.use) throw level.error('42P01', `relation "${c.relname}" does not exist`, at);
      return queryItem(level, cte.use(level, at), c.alias, c.relname);
    }
  }
  return relationItem(level, findRelation(level, c), c.alias);
}

/** The relation that a RangeVar names; 42P01 when there is none. */
export function findRelation(level: Level, c: PgNode): Relation {
  const at = locationOf(c);
  const { env } = level.shared;
  if (c.catalogname && c.catalogname !== env.evalContext.database) {
    const path = [c.catalogname, c.schemaname, c.relname].join('.');
    throw level.error('0A000', `cross-database references are not implemented: "${path}"`, at);
  }
  const relation = env.catalog.relation(c.schemaname, c.relname);
  if (!relation) {
    const name = c.schemaname ? `${c.schemaname}.${c.relname}` : c.relname;
    throw level.error('42P01', `relation "${name}" does not exist`, at);
  }
  if (!level.isForeign) env.onRelation?.(c, relation);
  return relation;
}

/** A FROM item over a relation of the catalog. `whole`: the plan has all columns of a stored row, whatever can be named. */
export function relationItem(level: Level, relation: Relation, alias: PgNode | undefined, whole = false): FromItem {
  const { shared } = level;
  if (relation.kind === 'index' || relation.kind === 'sink') {
    throw level.error('42809', `cannot open relation "${relation.name}"`, undefined, {
      detail: `This operation is not supported for ${relation.kind === 'index' ? 'indexes' : 'sinks'}.`,
    });
  }
  shared.dependencies.add(relation.oid);
  // What is changed is noted where it is named (target_relation.ts).
  if (!whole) shared.env.onRead?.(relation, shared.view);
  const item = relation.query ? expandView(level, relation, alias) : getRelation(level, relation, alias, whole);
  item.self.relation = relation;
  item.self.qualified = !alias;
  return item;
}

/** The columns that can be named: those of now, or of when the text was written. */
function namedColumns(level: Level, relation: Relation): SeenRelation['columns'] {
  return level.seen.find((seen) => seen.relation === relation.oid)?.columns ?? presentColumns(relation);
}

function getRelation(level: Level, relation: Relation, alias: PgNode | undefined, whole: boolean): FromItem {
  const named = namedColumns(level, relation);
  const columns = whole ? relation.columns.map((_, i) => i) : named.map(({ position }) => position);
  const cols = columns.map((i) => level.shared.newCol(relation.columns[i].name, relation.columns[i].type));
  const plan: Logical = { op: 'get', relation, columns, cols };
  const shown = named.map(({ name, position }) => ({
    name,
    col: cols[columns.indexOf(position)],
    origin: { relation: relation.oid, attnum: position + 1 },
  }));
  return columnsItem(level, plan, alias, relation.name, shown);
}

/** A plain view: its query, bound in a scope of its own. Its errors have no position: the text is not the user's. */
function expandView(level: Level, view: Relation, alias: PgNode | undefined): FromItem {
  const body = view.query!;
  const top = new Level(level.shared, null, body.text, body.seen);
  const { view: outer } = level.shared;
  level.shared.view = view;
  try {
    const query = level.shared.binders.select(top, body.select, { resolveUnknown: true, keepOrder: false });
    const outputs = namedColumns(level, view).map(({ name, position }) => ({
      ...query.outputs[position],
      name,
      origin: { relation: view.oid, attnum: position + 1 },
    }));
    return queryItem(level, { plan: query.plan, outputs }, alias, view.name);
  } catch (e) {
    if (!(e instanceof SqlError) || e.fields.position === undefined) throw e;
    throw new SqlError(e.sqlstate, e.message, { ...e.fields, position: undefined });
  } finally {
    level.shared.view = outer;
  }
}
