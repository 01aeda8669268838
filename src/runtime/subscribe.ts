/**
 * SUBSCRIBE: the rows of a view or query at one tick, then every change, each with its tick and diff.
 *
 *   tick bigint, [progress boolean,] diff bigint, columns...
 *
 * All changes of a tick come together, and not before the tick is on the disk. Relations whose changes are kept can be followed from an earlier tick
 * (AS OF), and so can queries over them (past_query.ts); others from now on.
 */
import { withScratch } from '../../operators/batch/arena.ts';
import { SqlError } from '../../operators/errors.ts';
import { colType } from '../../operators/types.ts';
import { presentColumns } from '../../planner/catalog_reader.ts';
import type { Statement, SubscribeStatement } from '../../planner/parse/ast.ts';
import { stillSame } from '../catalog/object_shape.ts';
import { SELECT } from '../catalog/privileges.ts';
import type { ChangeLog } from '../changes/change_log.ts';
import { leadingColumns } from '../changes/change_rows.ts';
import { LogFollower } from '../changes/log_follower.ts';
import { QueueFollower } from '../changes/queue_follower.ts';
import type { ResultColumn, RowStream, SessionContext } from '../engine.ts';
import { fill, planView } from './create_view.ts';
import type { TidemarkEngine } from './engine.ts';
import { relationNamed } from './names.ts';
import { subscribeToPast } from './past_query.ts';
import { type RunnableStatement, runnable } from './prepared.ts';
import type { Observer } from './tick_loop.ts';
import { checkReached, rowsAt } from './time_travel.ts';
import { ViewRuntime } from './view.ts';
import { wholeRelation } from './whole_relation.ts';

/** `statement` is what the client sent (SUBSCRIBE itself, or the COPY or DECLARE around it). */
export function prepareSubscribe(
  engine: TidemarkEngine,
  statement: Statement,
  subscribe: SubscribeStatement,
  session: SessionContext,
): RunnableStatement {
  const target = subscribeTarget(engine, subscribe, session);
  const columns: ResultColumn[] = [...leadingColumns(subscribe.progress), ...target.columns];
  const prepared = runnable(statement, engine.catalogVersion, columns, async (_params, current, signal) => {
    const rows = await startSubscription(engine, subscribe, target, current, signal);
    return { kind: 'rows', columns, rows, tag: (n) => `SUBSCRIBE ${n}` };
  });
  const needs = target.query?.bound.needs ?? [{ relation: target.stored as number, privileges: SELECT, view: null }];
  return { ...prepared, needs };
}

interface Target {
  /** A relation that is kept already, or a query to maintain. */
  stored: number | null;
  query: ReturnType<typeof planView> | null;
  columns: ResultColumn[];
}

function subscribeTarget(engine: TidemarkEngine, subscribe: SubscribeStatement, session: SessionContext): Target {
  if ('relation' in subscribe.target) {
    const named = subscribe.target.relation;
    const relation = relationNamed(engine, named, session);
    const columns = presentColumns(relation).map(({ name, position }) => ({
      name,
      type: relation.columns[position].type,
      relation: relation.oid,
      attnum: position + 1,
    }));
    const isWhole = columns.length === relation.columns.length;
    if (isWhole && engine.loop.relations.has(relation.oid)) return { stored: relation.oid, query: null, columns };
    const query = planView(engine, wholeRelation(named, subscribe.text), session);
    return { stored: null, query, columns };
  }
  const query = planView(engine, subscribe.target.query, session);
  const columns = query.physical.columns.map((c) => ({
    name: c.name,
    type: colType(c.type.oid, c.type.typmod),
    relation: 0,
    attnum: 0,
  }));
  return { stored: null, query, columns };
}

async function startSubscription(
  engine: TidemarkEngine,
  subscribe: SubscribeStatement,
  target: Target,
  session: SessionContext,
  signal: AbortSignal,
): Promise<RowStream> {
  if (target.stored !== null) {
    const log = engine.changes.log(target.stored);
    if (log !== null) return followLog(engine, subscribe, target.stored, log, signal);
    if (subscribe.asOf !== null) checkPresent(engine, subscribe.asOf);
    return followQueue(engine, subscribe, target.stored, () => undefined, signal);
  }
  if (target.query === null) throw new Error('nothing to subscribe to');
  const temporary = engine.catalog.newOid();
  // Changes since an earlier tick are followed by relation: a view that is younger than its equal has others.
  const rowsOf = subscribe.asOf === null ? engine.loop.rowsOf : undefined;
  const view = new ViewRuntime(temporary, 'subscription', target.query.physical, session.evalContext, [], rowsOf);
  if (subscribe.asOf !== null) {
    checkReached(engine, subscribe.asOf);
    return subscribeToPast(engine, view, subscribe, subscribe.asOf, signal);
  }
  const { dependencies, types } = target.query.bound;
  const check = stillSame(engine.catalog, [...dependencies, ...types]);
  await fill(engine, view, { signal, check, live: () => engine.journal?.passed(engine.loop) });
  return followQueue(engine, subscribe, temporary, () => engine.loop.detachView(temporary), signal);
}

/** What keeps no changes can be followed from the present tick only. */
function checkPresent(engine: TidemarkEngine, asOf: bigint): void {
  if (asOf === engine.loop.tick) return;
  throw new SqlError('22023', `changes since tick ${asOf} are not kept`, {
    detail: `The present tick is ${engine.loop.tick}.`,
    hint: 'Its changes are not kept: its retention is 0.',
  });
}

/** From the relation's change log: from any tick that it reaches back to. */
async function followLog(
  engine: TidemarkEngine,
  subscribe: SubscribeStatement,
  relation: number,
  log: ChangeLog,
  signal: AbortSignal,
): Promise<RowStream> {
  const { progress, upTo } = subscribe;
  const after = subscribe.asOf ?? engine.loop.tick;
  checkReached(engine, after);
  const snapshot = subscribe.snapshot ? await rowsAt(engine, relation, after) : null;
  const types = (engine.catalog.relationByOid(relation)?.columns ?? []).map((c) => c.type);
  const follower = new LogFollower({ log, ticks: engine.ticks, types, progress, upTo, snapshot, after });
  return observed(engine, relation, follower, () => undefined, signal);
}

/** From now on, through memory. `done`: called at the end. */
function followQueue(
  engine: TidemarkEngine,
  subscribe: SubscribeStatement,
  relation: number,
  done: () => void,
  signal: AbortSignal,
): RowStream {
  const { progress, snapshot, upTo } = subscribe;
  const { loop } = engine;
  const stored = loop.relations.get(relation);
  const follower = new QueueFollower(stored?.types ?? [], progress, upTo, engine.ticks);
  if (snapshot && stored !== undefined && stored.rows > 0)
    withScratch((arena) => follower.onTick(loop.tick, stored.snapshot(arena)));
  else if (progress) follower.onTick(loop.tick, null);
  return observed(engine, relation, follower, done, signal);
}

/** Hears of ticks until it is closed or its statement is cancelled. */
function observed(
  engine: TidemarkEngine,
  relation: number,
  follower: RowStream & Observer & { end(): void },
  done: () => void,
  signal: AbortSignal,
): RowStream {
  const stop = engine.loop.observe(relation, follower);
  let open = true;
  const end = () => {
    if (!open) return;
    open = false;
    stop();
    done();
    follower.end();
  };
  signal.addEventListener('abort', end);
  return {
    next: (maxRows, timeoutMs) => follower.next(maxRows, timeoutMs),
    early: follower.early,
    close() {
      end();
      follower.close();
    },
  };
}
