/**
 * CREATE [MATERIALIZED] VIEW. A materialized view is filled before it becomes visible: stored inputs are read at one tick, streams are
 * replayed from their start with the same late rows refused, so that it equals a view that was there from the beginning.
 */

import { SqlError } from '../../operators/errors.ts';
import { withoutClock } from '../../operators/expr/context.ts';
import { declaredOid } from '../../operators/types.ts';
import { type BindEnv, bindQuery } from '../../planner/bind/index.ts';
import type { Relation, RelationColumn } from '../../planner/catalog_reader.ts';
import type { BoundQuery } from '../../planner/logical/plan.ts';
import type { PgNode, SelectNode, Statement } from '../../planner/parse/ast.ts';
import { type PhysicalQuery, planQuery } from '../../planner/physical/index.ts';
import { formatType, typeWords } from '../../planner/types/type_name.ts';
import type { CatalogObject, ViewObject } from '../catalog/objects.ts';
import type { SessionContext } from '../engine.ts';
import { checkNeeds, checkOwner, type Need } from './access.ts';
import { type Becoming, backfill } from './backfill.ts';
import { becoming } from './becoming.ts';
import type { TidemarkEngine } from './engine.ts';
import { takeRetention } from './kept_changes.ts';
import { keptUsers, refuseWhileKept } from './kept_users.ts';
import { nameTaken } from './names.ts';
import { checkNotOthers, tellLeft } from './open_objects.ts';
import { replaceAtCommit, waitsForCommit } from './replace_at_commit.ts';
import { keepSeen, showSeen } from './seen_columns.ts';
import { takesValues } from './sequence_calls.ts';
import { settleUsers } from './settle_at_once.ts';
import { SettledLiterals } from './settled_literals.ts';
import { StoredRelation } from './stored_relation.ts';
import { targetSchema } from './target_schema.ts';
import { tellKept } from './tell_kept.ts';
import { checkLasting, readsTemporary } from './temporary.ts';
import { qualifyTypes } from './type_users.ts';
import { ViewRuntime } from './view.ts';
import { bindViewQuery, orNull } from './view_query.ts';
import { meaningOf } from './view_text.ts';

type CreateView = Extract<Statement, { k: 'create_view' }>;

export async function createView(
  engine: TidemarkEngine,
  statement: CreateView,
  session: SessionContext,
  signal: AbortSignal,
): Promise<void> {
  const { retention, rest } = statement.materialized
    ? takeRetention(statement.options)
    : { retention: undefined, rest: statement.options };
  for (const option of rest) {
    const hint = statement.materialized ? 'A materialized view has: retention.' : 'A view has no options.';
    throw new SqlError('22023', `unrecognized parameter "${option.name}"`, { hint });
  }
  if (!statement.materialized) return createPlainView(engine, statement, session);
  const schema = targetSchema(engine, statement, session);
  if (nameTaken(engine, schema, statement.name, statement.ifNotExists, session)) return;
  const { query, bound } = qualified(engine, statement.query, session, (copy, hearing) =>
    bindMaintained(engine, copy, session, hearing),
  );
  checkLasting(engine, 'materialized views', [...bound.dependencies, ...bound.types]);
  const relation = viewRelation(statement, bound, engine.catalog.newOid(), schema);
  const physical = planQuery(bound, viewOptions(engine, session));
  relation.key = physical.key;
  relation.appendOnly = physical.appendOnly;
  relation.monotone = physical.facts[physical.plan.root].monotone.slice(0, relation.columns.length);
  relation.indexes = physical.key === null || physical.key.length === 0 ? [] : [physical.key];
  const object: CatalogObject = {
    ...viewObject(engine, query, relation, bound),
    kind: 'materialized_view',
    retention,
    relation,
    query,
    physical,
  };
  tellKept(engine, physical, session);
  await becomeView(engine, object, physical, session, relation.indexes, signal);
}

/** Fills a view that keeps its rows, and makes it live and the object part of the catalog. */
export async function becomeView(
  engine: TidemarkEngine,
  object: CatalogObject,
  physical: PhysicalQuery,
  session: SessionContext,
  indexes: number[][],
  signal: AbortSignal,
): Promise<void> {
  if (engine.replay?.dropped(object.oid)) {
    // Dropped later in the log: only statements in between need it, and no rows.
    const types = physical.columns.map(({ type }) => type);
    engine.loop.addRelation(object.oid, new StoredRelation(types, indexes));
    engine.loop.run(new Map());
    engine.define(object, session);
    return;
  }
  const view = new ViewRuntime(object.oid, object.name, physical, session.evalContext, indexes, engine.loop.rowsOf);
  await fill(engine, view, { ...becoming(engine, object, session), signal });
  engine.sourceTicks.watchClock();
}

type Hearing = Pick<BindEnv, 'onRelation' | 'onFunction' | 'onLiteral'>;

/**
 * Under another search path, and beside temporary tables that come later, a view must mean the same relations, types and functions, so names are stored with their schema.
 * So are times that it says, as the session means them that makes it.
 * `bind`: a copy of the query, and what hears of each name of a relation and of a function of a user, and of each literal.
 */
function qualified(
  engine: TidemarkEngine,
  written: SelectNode,
  session: SessionContext,
  bind: (query: SelectNode, hearing: Hearing) => BoundQuery,
): { query: SelectNode; bound: BoundQuery } {
  const query = structuredClone(written);
  const named: [node: PgNode, schema: string][] = [];
  const called: [call: PgNode, path: string[]][] = [];
  const literals = new SettledLiterals(engine, session);
  const bound = bind(query, {
    onRelation: (node, relation) => void named.push([node, relation.schema]),
    onFunction: ({ name, made }, call) => void (call && called.push([call, [made!.schema, name]])),
    onLiteral: (node, type) => literals.hear(node, type),
  });
  literals.settle(query);
  for (const [node, schema] of named) node.schemaname = schema;
  for (const [call, path] of called) call.funcname = path.map((sval) => ({ String: { sval } }));
  qualifyTypes(engine, query.select, session.searchPath);
  return { query, bound };
}

function createPlainView(engine: TidemarkEngine, statement: CreateView, session: SessionContext): void {
  const { query, bound } = qualified(engine, statement.query, session, (copy, hearing) =>
    bindQuery(copy, { ...engine.bindEnv(session, [], 'read'), allowParams: false, ...hearing }),
  );
  const uses = [...bound.dependencies, ...bound.types];
  const becomesTemporary = statement.temporary !== true && readsTemporary(engine, uses);
  if (becomesTemporary) session.notice('NOTICE', '00000', `view "${statement.name}" will be a temporary view`);
  const schema = targetSchema(engine, becomesTemporary ? { ...statement, temporary: true } : statement, session);
  const replaced = statement.orReplace ? replacedView(engine, schema, statement.name, session) : null;
  if (replaced === null && nameTaken(engine, schema, statement.name, statement.ifNotExists, session)) return;
  if (engine.replay === null && takesValues(bound.plan)) {
    throw new SqlError('0A000', 'a view cannot take values from a sequence', {
      detail: 'A view must give the same rows however often it is read.',
    });
  }
  const waits = replaced !== null && waitsForCommit(engine, replaced, session);
  const oid = replaced === null || waits ? engine.catalog.newOid() : replaced.oid;
  const relation = viewRelation(statement, bound, oid, schema);
  relation.query = query;
  const object: ViewObject = { ...viewObject(engine, query, relation, bound), kind: 'view', relation, query };
  if (replaced === null) engine.define(object, session);
  else {
    if (bound.dependencies.includes(replaced.oid)) {
      throw new SqlError('42P17', `infinite recursion detected in rules for relation "${relation.name}"`);
    }
    checkReplacement(replaced.relation, relation);
    checkOwner(engine, replaced, session);
    if (waits) {
      replaceAtCommit(engine, replaced, object, session, object.dependencies);
      return;
    }
    const users = engine.replay === null ? keptUsers(engine, replaced, session) : [];
    if (users.length > 0 && givesOther(engine, replaced, bound, session)) refuseWhileKept(replaced, users);
    settleUsers(engine, replaced, session);
    tellLeft(engine, [replaced.oid], session);
    const { comments, ownedBy, acl } = replaced;
    const isWider = relation.columns.length > replaced.relation.columns.length;
    // Views that an earlier version left as they were stay so: later statements were given over what they gave.
    const keeps = isWider && (engine.replay === null || engine.replay.keeps);
    if (keeps) keepSeen(engine, replaced);
    const replacing: ViewObject = { ...object, comments, ownedBy, acl };
    engine.catalog.replace(replacing);
    if (keeps) showSeen(engine, replacing, session);
    const what = { sql: object.sql, made: object.oid, dropped: [], ...(keeps && { keeps: true as const }) };
    engine.defined(what, session, object.dependencies);
  }
}

/** The view that CREATE OR REPLACE replaces; null when there is none. */
function replacedView(
  engine: TidemarkEngine,
  schema: string,
  name: string,
  session: SessionContext,
): ViewObject | null {
  const existing = engine.catalog.in(schema, name, session.searchPath);
  if (existing === undefined) return null;
  checkNotOthers(engine, `relation "${name}"`, existing.oid, session);
  if (existing.kind !== 'view') throw new SqlError('42809', `"${name}" is not a view`);
  return existing;
}

/** What reads the view must go on working: columns may only be added, at the end. */
function checkReplacement(old: Relation, now: Relation): void {
  if (now.columns.length < old.columns.length) throw new SqlError('42P16', 'cannot drop columns from view');
  old.columns.forEach(({ name, type }, i) => {
    const column = now.columns[i];
    if (column.name !== name) {
      throw new SqlError('42P16', `cannot change name of view column "${name}" to "${column.name}"`, {
        hint: 'Use ALTER VIEW ... RENAME COLUMN ... to change name of view column instead.',
      });
    }
    if (declaredOid(column.type) !== declaredOid(type) || column.type.typmod !== type.typmod) {
      const [from, to] = [type, column.type].map((t) =>
        t.domain === undefined ? formatType(t.oid, t.typmod) : typeWords(t),
      );
      throw new SqlError('42P16', `cannot change data type of view column "${name}" from ${from} to ${to}`);
    }
  });
}

/** The same text may mean something else than when it was given first: other objects behind its names, more columns behind `*`. */
function givesOther(engine: TidemarkEngine, old: ViewObject, now: BoundQuery, session: SessionContext): boolean {
  const was = orNull(() => meaningOf(old, bindViewQuery(engine, old, old.query, session)));
  return was === null || was !== meaningOf(old, now);
}

function viewOptions(engine: TidemarkEngine, session: SessionContext) {
  return { mode: 'view' as const, timeZone: session.evalContext.timeZone, again: engine.replay !== null };
}

/** Binds a query that is kept up to date. Relations that the server computes have no changes to follow. */
function bindMaintained(
  engine: TidemarkEngine,
  query: SelectNode,
  session: SessionContext,
  hearing: Hearing = {},
): BoundQuery & { needs: Need[] } {
  // What an earlier version took is taken again.
  const literalContext = engine.replay === null ? withoutClock(session.evalContext) : undefined;
  const env = engine.bindEnv(session, [], 'view');
  const bound = bindQuery(query, { ...env, literalContext, ...hearing });
  checkNeeds(engine, env.needs, session);
  for (const oid of bound.dependencies) {
    const relation = engine.catalog.relationByOid(oid);
    const isComputed = relation?.kind === 'system' || relation?.kind === 'sequence';
    if (!isComputed || engine.loop.relations.has(oid)) continue;
    throw new SqlError('0A000', `"${relation.name}" is computed when it is read and cannot be followed`, {
      hint: 'Use a plain view, or SELECT.',
    });
  }
  return { ...bound, needs: env.needs };
}

function viewRelation(statement: CreateView, bound: BoundQuery, oid: number, schema: string): Relation {
  return {
    oid,
    schema,
    name: statement.name,
    kind: statement.materialized ? 'materialized_view' : 'view',
    columns: viewColumns(bound, statement.columnNames),
    key: null,
    appendOnly: false,
    indexes: [],
  };
}

function viewObject(engine: TidemarkEngine, { text }: SelectNode, relation: Relation, bound: BoundQuery) {
  const { oid, schema, name } = relation;
  return { oid, schema, name, sql: text, dependencies: directDependencies(engine, bound) };
}

/** Fills the view and makes it live; gives its memory back when that fails. */
export async function fill(engine: TidemarkEngine, view: ViewRuntime, becoming: Becoming): Promise<void> {
  try {
    await backfill(engine, view, becoming);
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
  return [...bound.dependencies.filter((oid) => engine.catalog.get(oid) !== undefined), ...bound.types];
}

/** What SUBSCRIBE and sinks need of a query: its plan as a view. */
export function planView(
  engine: TidemarkEngine,
  query: SelectNode,
  session: SessionContext,
): { bound: BoundQuery & { needs: Need[] }; physical: PhysicalQuery } {
  const bound = bindMaintained(engine, query, session);
  return { bound, physical: planQuery(bound, viewOptions(engine, session)) };
}
