/**
 * CREATE SUBSCRIPTION s FOR view | (query); FETCH n FROM s; ACKNOWLEDGE s UP TO tick: following changes where the server keeps the position.
 *
 *   position: the tick up to which all was acknowledged, kept in the tick log and in checkpoints; null: nothing yet, begin with the rows
 *   cursor:   how far a session has fetched; a new session begins after the position
 *
 * Exactly once: a client keeps the last whole tick with what it makes of the changes, and on a new connection acknowledges that tick before it fetches.
 * Changes are those of the view's change log; a position does not hold them past their retention. A subscription for a query is a view of its own
 * that has no name: it keeps the query's rows and a log of their changes under its OID.
 */
import { SqlError, unsupported } from '../../operators/errors.ts';
import { inputText } from '../../operators/expr/io/index.ts';
import { colType, OID } from '../../operators/types.ts';
import type { Option, Statement } from '../../planner/parse/ast.ts';
import type { SubscriptionObject } from '../catalog/objects.ts';
import { SELECT, UPDATE } from '../catalog/privileges.ts';
import { leadingColumns } from '../changes/change_rows.ts';
import { LogFollower } from '../changes/log_follower.ts';
import { keepsNothing, retentionOf } from '../changes/retention.ts';
import type { ResultColumn, RowChunk, RowStream, SessionContext } from '../engine.ts';
import { checkObject, checkRead } from './access.ts';
import { becomeView, planView } from './create_view.ts';
import type { TidemarkEngine } from './engine.ts';
import { keepChanges, takeRetention } from './kept_changes.ts';
import { nameTaken, relationNamed } from './names.ts';
import { type RunnableStatement, runnable } from './prepared.ts';
import { targetSchema } from './target_schema.ts';
import { checkLasting } from './temporary.ts';
import { rowsAt } from './time_travel.ts';

type Kind<K extends Statement['k']> = Extract<Statement, { k: K }>;

export async function createSubscription(
  engine: TidemarkEngine,
  statement: Kind<'create_subscription'>,
  session: SessionContext,
  signal: AbortSignal,
): Promise<void> {
  const schema = targetSchema(engine, statement, session);
  if (nameTaken(engine, schema, statement.name, statement.ifNotExists, session)) return;
  const { retention, rest } = takeRetention(statement.options);
  const snapshot = flag(rest, 'snapshot', true);
  const progress = flag(rest, 'progress', false);
  for (const { name } of rest) {
    if (name === 'snapshot' || name === 'progress') continue;
    throw new SqlError('22023', `unrecognized parameter "${name}"`, {
      hint: 'A subscription has: retention, snapshot, progress.',
    });
  }
  const make = (followed: Pick<SubscriptionObject, 'oid' | 'follows' | 'physical' | 'dependencies'>) => {
    const { name, text: sql } = statement;
    return { kind: 'subscription' as const, schema, name, sql, retention, progress, ...followed };
  };
  const begin = ({ oid }: SubscriptionObject) => engine.subscriptions.set(oid, snapshot ? null : engine.loop.tick);
  if ('query' in statement.target) {
    if (keepsNothing(retentionOf(retention)))
      throw new SqlError('22023', 'a subscription to a query needs a retention: nobody else keeps its changes');
    const { bound, physical } = planView(engine, statement.target.query, session);
    checkLasting(engine, 'subscriptions', [...bound.dependencies, ...bound.types]);
    const oid = engine.catalog.newOid();
    const relations = bound.dependencies.filter((dependency) => engine.catalog.get(dependency) !== undefined);
    const dependencies = [...relations, ...bound.types];
    const object = make({ oid, follows: oid, physical, dependencies });
    await becomeView(engine, object, physical, session, [], signal);
    begin(object);
    return;
  }
  const target = statement.target.relation;
  const relation = relationNamed(engine, target, session);
  checkRead(engine, relation, session);
  checkLasting(engine, 'subscriptions', [relation.oid]);
  const dropped = engine.replay?.dropped(relation.oid) === true;
  if (!dropped && !engine.loop.relations.has(relation.oid)) {
    throw new SqlError('42809', `"${target.name}" keeps no rows, so there is nothing to subscribe to`, {
      hint: `Subscribe to a table, a materialized view, or a query: FOR (SELECT * FROM ${target.name}).`,
    });
  }
  if (relation.columns.some(({ dropped: gone }) => gone)) {
    throw new SqlError('0A000', `"${target.name}" has rows with places of columns that were dropped`, {
      hint: `Subscribe to a query: FOR (SELECT * FROM ${target.name}).`,
    });
  }
  const follows = relation.oid;
  const object = make({ oid: engine.catalog.newOid(), follows, physical: undefined, dependencies: [follows] });
  engine.define(object, session);
  keepChanges(engine, follows);
  begin(object);
}

function flag(options: Option[], name: string, absent: boolean): boolean {
  const option = options.find((o) => o.name === name);
  if (option === undefined) return absent;
  if (/^(true|on|yes|1)$/i.test(option.value)) return true;
  if (/^(false|off|no|0)$/i.test(option.value)) return false;
  throw new SqlError('22023', `${name} requires a Boolean value`);
}

function found(engine: TidemarkEngine, name: string, session: SessionContext, schema?: string): SubscriptionObject {
  const object = engine.catalog.find(schema, name, session.searchPath);
  if (object?.kind !== 'subscription') throw new SqlError('42704', `subscription "${name}" does not exist`);
  return object;
}

export function acknowledge(engine: TidemarkEngine, statement: Kind<'acknowledge'>, session: SessionContext): void {
  const object = found(engine, statement.name, session, statement.schema);
  checkObject(engine, object, UPDATE, session);
  const { oid, name } = object;
  const { upTo } = statement;
  const { durable } = engine.ticks;
  if (upTo > durable)
    throw new SqlError('22023', `tick ${upTo} has not been reached`, { detail: `The last one is ${durable}.` });
  if (cursors.get(session)?.get(oid)?.gaveAPartOf(upTo)) {
    throw new SqlError('55000', `tick ${upTo} of subscription "${name}" has been given in part only`, {
      hint: 'FETCH the rest of it first, or acknowledge the tick before it.',
    });
  }
  const position = engine.subscriptions.get(oid) ?? null;
  if (position !== null && upTo <= position) return;
  engine.subscriptions.set(oid, upTo);
  engine.journal?.acknowledged(engine.loop, oid, upTo);
}

/** How far sessions have fetched. */
const cursors = new WeakMap<SessionContext, Map<number, LogFollower>>();

export function prepareFetch(
  engine: TidemarkEngine,
  statement: Kind<'fetch'>,
  session: SessionContext,
): RunnableStatement {
  const object = found(engine, statement.name, session);
  if (statement.move) throw unsupported('MOVE in a subscription');
  if (statement.direction !== 'forward' || (statement.count !== 'all' && statement.count < 0))
    throw new SqlError('55000', 'a subscription can only be fetched forward');
  const columns: ResultColumn[] = [...leadingColumns(object.progress), ...followedColumns(engine, object)];
  const count = statement.count === 'all' ? Number.POSITIVE_INFINITY : statement.count;
  const prepared = runnable(statement, engine.catalogVersion, columns, async (_params, current, signal) => {
    const timeout = timeoutOf(statement.options, current);
    const follower = await cursorOf(engine, object, current);
    const rows = new FetchRows(engine, object, follower, count, timeout, current, signal);
    return { kind: 'rows', columns, rows, tag: (n) => `FETCH ${n}` };
  });
  return { ...prepared, needs: [{ relation: object.oid, privileges: SELECT, view: null }] };
}

function followedColumns(engine: TidemarkEngine, { follows, physical }: SubscriptionObject): ResultColumn[] {
  if (physical !== undefined) return physical.columns.map(({ name, type }) => ({ name, type, relation: 0, attnum: 0 }));
  const columns = engine.catalog.relationByOid(follows)?.columns ?? [];
  return columns.map(({ name, type }, i) => ({ name, type, relation: follows, attnum: i + 1 }));
}

/** In milliseconds; undefined: as long as it takes. */
function timeoutOf(options: Option[], session: SessionContext): number | undefined {
  const option = options.find(({ name }) => name === 'timeout');
  if (option === undefined) return undefined;
  const value = inputText(option.value, colType(OID.interval), session.evalContext);
  if (value === null || typeof value !== 'object' || !('micros' in value)) throw new Error('not an interval');
  return Math.max(0, (value.days + value.months * 30) * 86_400_000 + Number(value.micros) / 1000);
}

/** The session's cursor, at least at the position that was acknowledged. */
async function cursorOf(
  engine: TidemarkEngine,
  object: SubscriptionObject,
  session: SessionContext,
): Promise<LogFollower> {
  const position = engine.subscriptions.get(object.oid) ?? null;
  const known = cursors.get(session)?.get(object.oid);
  if (known !== undefined) {
    if (position !== null) known.skipTo(position);
    return known;
  }
  const log = engine.changes.log(object.follows);
  const types = engine.loop.relations.get(object.follows)?.types;
  if (log === null || types === undefined) throw new SqlError('55000', `changes of "${object.name}" are not kept`);
  const after = position ?? engine.loop.tick;
  const snapshot = position === null ? await rowsAt(engine, object.follows, after) : null;
  const { progress } = object;
  const follower = new LogFollower({ log, ticks: engine.ticks, types, progress, upTo: null, snapshot, after });
  let ofSession = cursors.get(session);
  if (ofSession === undefined) {
    ofSession = new Map();
    cursors.set(session, ofSession);
  }
  ofSession.set(object.oid, follower);
  session.onEnd?.(() => forget(object.oid, session));
  return follower;
}

function forget(oid: number, session: SessionContext): void {
  const ofSession = cursors.get(session);
  ofSession?.get(oid)?.close();
  ofSession?.delete(oid);
}

/** One FETCH: waits for the first row, then gives what is ready. What a cancelled one has given comes again. */
class FetchRows implements RowStream {
  readonly #follower: LogFollower;
  readonly #timeout: number | undefined;
  readonly #signal: AbortSignal;
  readonly #stop: () => void;
  readonly #forget: () => void;
  /** A session that does not tell when it ends keeps no cursor. */
  readonly #once: boolean;
  #left: number;
  #given = false;
  #open = true;

  constructor(
    engine: TidemarkEngine,
    object: SubscriptionObject,
    follower: LogFollower,
    count: number,
    timeout: number | undefined,
    session: SessionContext,
    signal: AbortSignal,
  ) {
    this.#follower = follower;
    this.#left = count;
    this.#timeout = timeout;
    this.#signal = signal;
    this.#once = session.onEnd === undefined;
    this.#forget = () => forget(object.oid, session);
    this.#stop = engine.loop.observe(object.follows, follower);
    signal.addEventListener('abort', () => this.close());
  }

  async next(maxRows: number): Promise<RowChunk | null> {
    if (!this.#open) return null;
    if (this.#left <= 0) {
      this.close();
      return null;
    }
    let chunk: RowChunk | null;
    try {
      chunk = await this.#follower.next(Math.min(maxRows, this.#left), this.#given ? 0 : this.#timeout);
    } catch (error) {
      this.#forget();
      this.close();
      throw error;
    }
    if (chunk === null || chunk.count === 0) {
      this.close();
      return null;
    }
    this.#given = true;
    this.#left -= chunk.count;
    return chunk;
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#stop();
    if (this.#once) this.#forget();
    else if (this.#signal.aborted) this.#follower.rewind();
    else this.#follower.mark();
  }
}
