/** CREATE SINK: a view's (or query's) changes written to a topic, from the view's present rows on. */
import { SqlError } from '../../operators/errors.ts';
import type { SelectNode, Statement } from '../../planner/parse/ast.ts';
import type { CatalogObject, SinkObject } from '../catalog/objects.ts';
import type { SessionContext } from '../engine.ts';
import { openSink } from '../sinks/connectors.ts';
import { becoming, fill, planView } from './create_view.ts';
import type { TidemarkEngine } from './engine.ts';
import { creationSchema, nameTaken } from './names.ts';
import type { Sink } from './sink.ts';
import { ViewRuntime } from './view.ts';

type CreateSink = Extract<Statement, { k: 'create_sink' }>;

export async function createSink(
  engine: TidemarkEngine,
  statement: CreateSink,
  session: SessionContext,
): Promise<void> {
  if (nameTaken(engine, statement.schema, statement.name, statement.ifNotExists, session)) return;
  const options = Object.fromEntries(statement.options.map((o) => [o.name, o.value]));
  const { bound, physical } = planView(engine, sinkQuery(engine, statement, session), session);
  const oid = engine.catalog.newOid();
  let live = false;
  const parts = { oid, name: statement.name, options, physical };
  // The first rows come in many parts, which belong together.
  const sink = await openSinkOf(engine, parts, engine.replay?.delivered(oid) ?? 0n, () => live);
  const view = new ViewRuntime(oid, statement.name, physical, session.evalContext, null);
  const object: CatalogObject = {
    kind: 'sink',
    oid,
    schema: statement.schema ?? creationSchema(engine, session),
    name: statement.name,
    sql: statement.text,
    dependencies: bound.dependencies.filter((d) => engine.catalog.get(d) !== undefined),
    options,
    physical,
  };
  const stop = engine.loop.observe(oid, sink);
  try {
    await fill(engine, view, becoming(engine, object, session));
    live = true;
  } catch (error) {
    stop();
    await sink.close();
    throw error;
  }
  engine.sinks.set(oid, sink);
}

/** Opens a sink's connector. Changes up to tick `skip` were written before; while it is not live, nobody is told what was written. */
export function openSinkOf(
  engine: TidemarkEngine,
  { oid, name, options, physical }: Pick<SinkObject, 'oid' | 'name' | 'options' | 'physical'>,
  skip: bigint,
  isLive: () => boolean,
): Promise<Sink> {
  const columns = physical.columns.map((c) => ({ name: c.name, type: c.type }));
  const rows = { columns, key: physical.key, appendOnly: physical.appendOnly };
  const log = (message: string) => engine.log('warn', `sink ${name}: ${message}`);
  return openSink(options, rows, log, engine.kafka, {
    skip,
    durable: (tick) => engine.journal?.log.durableTick(tick) ?? Promise.resolve(),
    delivered: (tick) => {
      if (isLive()) engine.journal?.delivered(engine.loop, oid, tick);
    },
  });
}

function sinkQuery(engine: TidemarkEngine, statement: CreateSink, session: SessionContext): SelectNode {
  if (statement.query !== null) return statement.query;
  if (statement.from === null) throw new SqlError('42601', 'CREATE SINK needs FROM or AS');
  const { schema, name } = statement.from;
  if (engine.catalog.relation(schema, name, session.searchPath) === null)
    throw new SqlError('42P01', `relation "${name}" does not exist`);
  const from = {
    RangeVar: {
      ...(schema === undefined ? {} : { schemaname: schema }),
      relname: name,
      inh: true,
      relpersistence: 'p',
    },
  };
  const all = { ResTarget: { val: { ColumnRef: { fields: [{ A_Star: {} }] } } } };
  return {
    select: { targetList: [all], fromClause: [from], limitOption: 'LIMIT_OPTION_DEFAULT', op: 'SETOP_NONE' },
    text: statement.text,
  };
}
