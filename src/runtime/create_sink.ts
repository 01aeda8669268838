/** CREATE SINK: a view's (or query's) changes written to a topic, from the view's present rows on. */
import { SqlError } from '../../operators/errors.ts';
import type { SelectNode, Statement } from '../../planner/parse/ast.ts';
import type { CatalogObject } from '../catalog/objects.ts';
import type { SessionContext } from '../engine.ts';
import { openSink } from '../sinks/connectors.ts';
import { becoming, fill, planView } from './create_view.ts';
import type { TidemarkEngine } from './engine.ts';
import { creationSchema, nameTaken } from './names.ts';
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
  const log = (message: string) => engine.log('warn', `sink ${statement.name}: ${message}`);
  const columns = physical.columns.map(({ name, type }) => ({ name, type }));
  const rows = { columns, key: physical.key, appendOnly: physical.appendOnly };
  const oid = engine.catalog.newOid();
  let live = false;
  const sink = await openSink(options, rows, log, engine.kafka, {
    skip: engine.replay?.delivered(oid) ?? 0n,
    durable: (tick) => engine.journal?.log.durableTick(tick) ?? Promise.resolve(),
    delivered: (tick) => {
      // The first rows come in many parts, which belong together.
      if (live) engine.journal?.delivered(engine.loop, oid, tick);
    },
  });
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
