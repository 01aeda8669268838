/**
 * CREATE [MATERIALIZED] VIEW. A materialized view is filled before it becomes visible: stored inputs are read at one tick, streams are
 * replayed from their start with the same late rows refused, so that it equals a view that was there from the beginning.
 */
import { SqlError } from '../../operators/errors.ts';
import { bindQuery } from '../../planner/bind/index.ts';
import type { Relation, RelationColumn } from '../../planner/catalog_reader.ts';
import type { BoundQuery } from '../../planner/logical/plan.ts';
import type { SelectNode, Statement } from '../../planner/parse/ast.ts';
import { type PhysicalQuery, planQuery } from '../../planner/physical/index.ts';
import type { SessionContext } from '../engine.ts';
import { backfill } from './backfill.ts';
import type { TidemarkEngine } from './engine.ts';
import { creationSchema, nameTaken } from './names.ts';
import { ViewRuntime } from './view.ts';

type CreateView = Extract<Statement, { k: 'create_view' }>;

export async function createView(
  engine: TidemarkEngine,
  statement: CreateView,
  session: SessionContext,
): Promise<void> {
  const existing = engine.catalog.find(statement.schema ?? creationSchema(engine, session), statement.name);
  if (existing !== undefined && statement.orReplace && !statement.materialized) {
    if (existing.kind !== 'view') throw new SqlError('42809', `"${statement.name}" is not a view`);
    engine.catalog.remove(existing.oid);
  } else if (nameTaken(engine, statement.schema, statement.name, statement.ifNotExists, session)) return;
  for (const option of statement.options) {
    throw new SqlError('22023', `unrecognized parameter "${option.name}"`, { hint: 'A view has no options yet.' });
  }
  const bound = bindQuery(statement.query, engine.bindEnv(session, [], statement.materialized ? 'view' : 'read'));
  const columns = viewColumns(bound, statement.columnNames);
  const oid = engine.catalog.newOid();
  const base = {
    oid,
    schema: statement.schema ?? creationSchema(engine, session),
    name: statement.name,
    sql: statement.text,
    dependencies: directDependencies(engine, bound),
  };
  const relation: Relation = {
    oid,
    schema: base.schema,
    name: base.name,
    kind: statement.materialized ? 'materialized_view' : 'view',
    columns,
    key: null,
    appendOnly: false,
    indexes: [],
  };
  if (!statement.materialized) {
    engine.catalog.add({
      ...base,
      kind: 'view',
      relation: { ...relation, query: statement.query },
      query: statement.query,
    });
    return;
  }
  const physical = planQuery(bound, { mode: 'view', timeZone: session.evalContext.timeZone });
  relation.key = physical.key;
  relation.appendOnly = physical.appendOnly;
  relation.indexes = physical.key === null || physical.key.length === 0 ? [] : [physical.key];
  const view = new ViewRuntime(oid, statement.name, physical, session.evalContext, relation.indexes);
  await fill(engine, view);
  engine.catalog.add({ ...base, kind: 'materialized_view', relation, query: statement.query, physical });
  engine.watchClock();
}

/** Fills the view and makes it live; gives its memory back when that fails. */
export async function fill(engine: TidemarkEngine, view: ViewRuntime): Promise<void> {
  try {
    await backfill(engine, view);
  } catch (error) {
    view.release();
    throw error;
  }
}

function viewColumns(bound: BoundQuery, names: string[]): RelationColumn[] {
  if (names.length > bound.columns.length)
    throw new SqlError('42601', 'CREATE VIEW specifies more column names than columns');
  const seen = new Set<string>();
  return bound.columns.map(({ col }, i) => {
    const name = names[i] ?? col.name;
    if (seen.has(name)) throw new SqlError('42701', `column "${name}" specified more than once`);
    seen.add(name);
    return { name, type: col.type, notNull: false };
  });
}

/** Relations read, without those that are only seen through a plain view's body. */
function directDependencies(engine: TidemarkEngine, bound: BoundQuery): number[] {
  return bound.dependencies.filter((oid) => engine.catalog.get(oid) !== undefined);
}

/** What SUBSCRIBE and sinks need of a query: its plan as a view. */
export function planView(
  engine: TidemarkEngine,
  query: SelectNode,
  session: SessionContext,
): { bound: BoundQuery; physical: PhysicalQuery } {
  const bound = bindQuery(query, engine.bindEnv(session, [], 'view'));
  return { bound, physical: planQuery(bound, { mode: 'view', timeZone: session.evalContext.timeZone }) };
}
