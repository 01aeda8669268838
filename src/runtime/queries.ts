/** SELECT: bound once, planned once (again for each execution when parameters decide the plan), read at the transaction's tick. */
import type { Datum } from '../../operators/datum.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import { bindQuery } from '../../planner/bind/index.ts';
import { someExpr } from '../../planner/logical/expressions.ts';
import type { BoundQuery, Logical } from '../../planner/logical/plan.ts';
import { planInputs } from '../../planner/logical/walk.ts';
import type { Statement } from '../../planner/parse/ast.ts';
import { type PhysicalQuery, planQuery } from '../../planner/physical/index.ts';
import { bindParameters } from '../../planner/physical/parameters.ts';
import type { Result, ResultColumn, RowStream, SessionContext } from '../engine.ts';
import type { TidemarkEngine } from './engine.ts';
import { throwIfAny } from './ledger.ts';
import { PointRead } from './point_read.ts';
import { type RunnableStatement, runnable } from './prepared.ts';
import { readOrStream, readPlan } from './read_plan.ts';
import type { Reader, ReadPieces, ReadResult } from './reads.ts';
import { BatchStream } from './row_streams.ts';
import type { StreamRuntime } from './stream.ts';
import { readerAsOf } from './time_travel.ts';
import type { EngineTransaction } from './transaction.ts';

export function resultColumns(bound: BoundQuery): ResultColumn[] {
  return bound.columns.map(({ col, origin }) => ({
    name: col.name,
    type: col.type,
    relation: origin?.relation ?? 0,
    attnum: origin?.attnum ?? 0,
  }));
}

function limitsAreConstant(plan: Logical): boolean {
  const constant = (e: Expr | null) => e === null || !someExpr(e, (x) => x.k === 'param');
  if (plan.op === 'topn' && (!constant(plan.limit) || !constant(plan.offset))) return false;
  return (plan.op === 'once' ? [plan.item.plan] : planInputs(plan)).every(limitsAreConstant);
}

export function prepareQuery(
  engine: TidemarkEngine,
  statement: Extract<Statement, { k: 'select' }>,
  paramTypes: number[],
  session: SessionContext,
): RunnableStatement {
  const types = [...paramTypes];
  const env = engine.bindEnv(session, types, 'read');
  const bound = bindQuery(statement.query, { ...env, allowAsOf: true });
  const { needs } = env;
  // LIMIT and OFFSET are numbers in a dataflow plan: with parameters there, every execution plans anew.
  const fixed = limitsAreConstant(bound.plan) ? planQuery(bound, { mode: 'read' }) : null;
  const { asOf } = bound;
  const point =
    fixed === null || asOf !== undefined ? null : PointRead.of(fixed.plan, fixed.columns.length, fixed.order);
  const columns = resultColumns(bound);
  const tag = (n: number) => `SELECT ${n}`;
  const rowsOf = ({ pieces, arena }: ReadPieces): Result => ({
    kind: 'rows',
    columns,
    rows: new BatchStream(pieces, arena),
    tag,
  });
  const foundRows = ({ batch, arena }: ReadResult) => rowsOf({ pieces: [batch], arena });
  const prepared = runnable(
    statement,
    engine.catalogVersion,
    columns,
    async (params, current, signal) => {
      const reader = readerOf(engine, bound.dependencies, current, params);
      const row = point?.read(reader) ?? null;
      if (row !== null) return foundRows(row);
      const physical =
        fixed === null
          ? planQuery(bindParameters(bound, params), { mode: 'read' })
          : params.length === 0
            ? fixed
            : { ...fixed, plan: bindParameters(fixed.plan, params) };
      const at = asOf === undefined ? null : bindParameters(asOf, params);
      if (at !== null) return rowsOf(await readAsOf(engine, physical, at, reader, signal));
      const found = await readOrStream(physical, reader, signal);
      return 'pieces' in found ? rowsOf(found) : { kind: 'rows', columns, rows: found, tag };
    },
    bound.parameters,
  );
  // What a volatile function asks of the session (pg_sleep) is waited for by who awaits the result.
  if (point === null || point.isVolatile) return { ...prepared, needs };
  const runNow: RunnableStatement['runNow'] = (params, current, take) => {
    const found = point.read(readerOf(engine, bound.dependencies, current, params), take);
    return found === null || found === 'taken' ? found : foundRows(found);
  };
  return { ...prepared, needs, runNow };
}

/** At another moment than that of the transaction. */
async function readAsOf(
  engine: TidemarkEngine,
  { plan, columns, order }: PhysicalQuery,
  asOf: Expr,
  reader: Reader & { transaction: EngineTransaction },
  signal: AbortSignal,
): Promise<ReadPieces> {
  const then = await readerAsOf(engine, reader, plan, asOf);
  try {
    return await readPlan(plan, columns.length, order, then.reader, signal);
  } finally {
    then.release();
  }
}

/** Reads a planned query in the session's transaction. */
export async function readQuery(
  engine: TidemarkEngine,
  physical: PhysicalQuery,
  { dependencies, asOf }: Pick<BoundQuery, 'dependencies' | 'asOf'>,
  session: SessionContext,
  signal: AbortSignal,
): Promise<ReadPieces> {
  const reader = readerOf(engine, dependencies, session, []);
  const { plan, columns, order } = physical;
  if (asOf === undefined) return readPlan(plan, columns.length, order, reader, signal);
  return readAsOf(engine, physical, asOf, reader, signal);
}

/** The same as rows to be sent, which are read as they are taken where that can be. */
export async function streamQuery(
  engine: TidemarkEngine,
  physical: PhysicalQuery,
  bound: Pick<BoundQuery, 'dependencies' | 'asOf'>,
  session: SessionContext,
  signal: AbortSignal,
): Promise<RowStream> {
  const found =
    bound.asOf === undefined
      ? await readOrStream(physical, readerOf(engine, bound.dependencies, session, []), signal)
      : await readQuery(engine, physical, bound, session, signal);
  return 'pieces' in found ? new BatchStream(found.pieces, found.arena) : found;
}

/** The session as a reader of these relations; from now on its transaction sees one tick. */
function readerOf(
  engine: TidemarkEngine,
  dependencies: number[],
  session: SessionContext,
  params: Datum[],
): Reader & { transaction: EngineTransaction } {
  if (session.getSetting('strict_errors') === 'on') checkErrors(engine, dependencies);
  for (const oid of dependencies) {
    tellUnread(engine.streams.get(oid), session);
    tellLetGo(engine, oid, session);
  }
  const transaction = engine.transactionOf(session);
  transaction.pin();
  return { loop: engine.loop, sources: engine.readSources, transaction, context: engine.contextOf(session, params) };
}

/** What a stream has taken in is none as long as nothing has made it read: an empty answer would look like an empty topic. */
function tellUnread(stream: StreamRuntime | undefined, session: SessionContext): void {
  if (stream === undefined || stream.opened) return;
  session.notice('NOTICE', '00000', `stream "${stream.relation.name}" has not been read yet`, {
    hint: 'Its records are taken in from when a materialized view, a sink or SUBSCRIBE needs them.',
  });
}

/** Of what a stream could not read, and of its late rows, the newest stay. */
function tellLetGo(engine: TidemarkEngine, oid: number, session: SessionContext): void {
  const kept = engine.system.kept(oid);
  if (kept === null || kept.came <= kept.rows) return;
  session.notice('NOTICE', '00000', `tidemark.${kept.name}() has the newest ${kept.rows} of ${kept.came} rows`, {
    hint: 'Older ones are counted, and not kept any more.',
  });
}

function checkErrors(engine: TidemarkEngine, dependencies: number[]): void {
  for (const oid of dependencies) {
    const name = engine.catalog.relationByOid(oid)?.name ?? String(oid);
    throwIfAny(engine.loop.view(oid)?.errors, name);
    throwIfAny(engine.streams.get(oid)?.errors, name);
  }
}
