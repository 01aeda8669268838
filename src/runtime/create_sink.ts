/** CREATE SINK: a view's (or query's) changes written to a topic, from the view's present rows on. */
import { randomBytes } from 'node:crypto';
import { SqlError } from '../../operators/errors.ts';
import type { SelectNode, Statement } from '../../planner/parse/ast.ts';
import type { SinkObject } from '../catalog/objects.ts';
import type { SessionContext } from '../engine.ts';
import { openSink } from '../sinks/connectors.ts';
import { checkFilesOfOptions } from './access.ts';
import { becoming } from './becoming.ts';
import { fill, planView } from './create_view.ts';
import type { TidemarkEngine } from './engine.ts';
import { nameTaken, relationNamed } from './names.ts';
import type { Sink, SinkProgress } from './sink.ts';
import { targetSchema } from './target_schema.ts';
import { checkLasting } from './temporary.ts';
import { ViewRuntime } from './view.ts';
import { wholeRelation } from './whole_relation.ts';

type CreateSink = Extract<Statement, { k: 'create_sink' }>;

export async function createSink(
  engine: TidemarkEngine,
  statement: CreateSink,
  session: SessionContext,
  signal: AbortSignal,
): Promise<void> {
  const schema = targetSchema(engine, statement, session);
  if (nameTaken(engine, schema, statement.name, statement.ifNotExists, session)) return;
  const options = Object.fromEntries(statement.options.map((o) => [o.name, o.value]));
  checkFilesOfOptions(engine, options, session);
  const { bound, physical } = planView(engine, sinkQuery(engine, statement, session), session);
  checkLasting(engine, 'sinks', [...bound.dependencies, ...bound.types]);
  const oid = engine.catalog.newOid();
  const object: SinkObject = {
    kind: 'sink',
    oid,
    schema,
    name: statement.name,
    sql: statement.text,
    dependencies: [...bound.dependencies.filter((d) => engine.catalog.get(d) !== undefined), ...bound.types],
    options,
    identity: engine.replay?.identity ?? randomBytes(12).toString('hex'),
    physical,
  };
  if (engine.replay?.dropped(oid)) {
    // Dropped later in the log: nothing of it is written any more.
    engine.loop.run(new Map());
    engine.define(object, session);
    return;
  }
  const { check, live } = becoming(engine, object, session);
  const { replay } = engine;
  const log = {
    skip: replay?.delivered(oid) ?? 0n,
    known: replay?.lastTick ?? 0n,
    stopped: replay?.stopped(oid) ?? null,
  };
  const sink = await openSinkOf(engine, object, log, replay === null);
  const view = new ViewRuntime(oid, statement.name, physical, session.evalContext, null, engine.loop.rowsOf);
  const stop = engine.loop.observe(oid, sink);
  try {
    // While its connector was opened.
    signal.throwIfAborted();
    await fill(engine, view, {
      signal,
      check,
      live: () => {
        live();
        sink.live(engine.loop.tick);
      },
    });
  } catch (error) {
    stop();
    await sink.close(true);
    throw error;
  }
  engine.sinks.set(oid, sink);
}

/** Opens a sink's connector. `log`: what the log says of it; `made`: the statement that makes it runs now. */
export function openSinkOf(
  engine: TidemarkEngine,
  { oid, name, options, physical, identity }: SinkObject,
  log: Pick<SinkProgress, 'skip' | 'known' | 'stopped'>,
  made: boolean,
): Promise<Sink> {
  const columns = physical.columns.map((c) => ({ name: c.name, type: c.type }));
  const rows = { columns, key: physical.key, appendOnly: physical.appendOnly };
  const say = (message: string) => engine.log('warn', `sink ${name}: ${message}`);
  const progress: SinkProgress = {
    ...log,
    durable: (tick) => engine.journal?.log.durableTick(tick) ?? Promise.resolve(),
    delivered: (tick) => engine.journal?.delivered(engine.loop, oid, tick),
    ended: (tick, why) => engine.journal?.delivered(engine.loop, oid, tick, why),
  };
  return openSink(options, rows, say, engine.kafka, progress, identity, made);
}

function sinkQuery(engine: TidemarkEngine, statement: CreateSink, session: SessionContext): SelectNode {
  if (statement.query !== null) return statement.query;
  if (statement.from === null) throw new SqlError('42601', 'CREATE SINK needs FROM or AS');
  relationNamed(engine, statement.from, session);
  return wholeRelation(statement.from, statement.text);
}
