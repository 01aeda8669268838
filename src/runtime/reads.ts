/**
 * Ad hoc reads: the plan is run once over the relations as the transaction sees them, in one synchronous pass, and the result is copied
 * out so that ticks go on while the client takes it.
 *
 * Streams are not stored: a read of one replays its recorded history from the source, batch after batch.
 */
import { Arena } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { BatchBuilder, batchFromRows, emptyBatch, weightOf } from '../../operators/batch/builder.ts';
import { detach } from '../../operators/batch/detach.ts';
import { expandRows, sortedRows } from '../../operators/batch/sort.ts';
import { Dataflow } from '../../operators/dataflow.ts';
import type { Datum } from '../../operators/datum.ts';
import { evaluate } from '../../operators/expr/interpret.ts';
import type { EvalContext, Expr } from '../../operators/expr/ir.ts';
import type { DataflowPlan, SortKey } from '../../operators/plan.ts';
import { consolidator } from '../../operators/state/consolidate.ts';
import type { ColType } from '../../operators/types.ts';
import type { StreamRuntime } from './stream.ts';
import type { TickLoop } from './tick_loop.ts';
import { concat, type EngineTransaction } from './transaction.ts';

/** Where relations that are not stored come from. */
export interface ReadSources {
  /** Rows of a relation that the server computes (catalogs, ledgers); null when it is not one. */
  system(relation: number, context: EvalContext): { types: ColType[]; rows: Datum[][] } | Batch | null;
  stream(relation: number): StreamRuntime | undefined;
}

export interface ReadResult {
  batch: Batch;
  /** Holds the batch; the receiver gives it back. */
  arena: Arena;
}

/** Runs `plan`; gives the first `width` columns in the order asked for, each row once. */
export async function readPlan(
  plan: DataflowPlan,
  width: number,
  order: SortKey[],
  loop: TickLoop,
  sources: ReadSources,
  transaction: EngineTransaction,
  context: EvalContext,
): Promise<ReadResult> {
  const streams = streamSources(plan, sources);
  if (streams.length > 0) {
    const rows = await readWithStreams(plan, streams, loop, sources, transaction, context);
    try {
      return finish(rows.batch, width, order);
    } finally {
      rows.done();
    }
  }
  return readNow(plan, width, order, loop, sources, transaction, context);
}

/** As readPlan for plans that read no stream: at once, without leaving the present tick. */
export function readNow(
  plan: DataflowPlan,
  width: number,
  order: SortKey[],
  loop: TickLoop,
  sources: ReadSources,
  transaction: EngineTransaction,
  context: EvalContext,
): ReadResult {
  const arena = new Arena();
  const dataflow = new Dataflow(plan);
  try {
    const rows = relationRows(loop, sources, transaction, context, arena);
    return finish(dataflow.step(rows, tickOf(loop, arena, context)), width, order);
  } finally {
    dataflow.release();
    arena.release();
  }
}

function tickOf(loop: TickLoop, arena: Arena, context: EvalContext) {
  return {
    number: loop.tick,
    arena,
    evalContext: context,
    // In a plain SELECT a failing row fails the statement, as in PostgreSQL.
    errors: {
      report(error: Error) {
        throw error;
      },
    },
    now: context.now,
    watermark: () => null,
  };
}

/** The rows of a relation as a transaction sees them. */
export function relationRows(
  loop: TickLoop,
  sources: ReadSources,
  transaction: EngineTransaction,
  context: EvalContext,
  arena: Arena,
) {
  const cache = new Map<number, Batch>();
  return (relation: number, lookup?: { columns: number[]; values: Expr[] }): Batch => {
    const stored = loop.relations.get(relation);
    if (stored === undefined) return systemRows(relation, sources, context, arena, cache);
    const corrections = transaction.corrections(relation);
    if (lookup !== undefined && corrections.length === 0 && stored.index(lookup.columns) !== undefined) {
      const values = lookup.values.map((e) => evaluate(e, [], context));
      if (values.includes(null)) return emptyBatch(stored.types);
      return stored.lookup(
        lookup.columns,
        batchFromRows(
          lookup.columns.map((c) => stored.types[c]),
          [values],
          arena,
        ),
        arena,
      );
    }
    const known = cache.get(relation);
    if (known !== undefined) return known;
    const parts: { batch: Batch; sign: 1 | -1 }[] = [{ batch: stored.snapshot(arena), sign: 1 }, ...corrections];
    const batch = concat(parts, arena);
    cache.set(relation, batch);
    return batch;
  };
}

function systemRows(
  relation: number,
  sources: ReadSources,
  context: EvalContext,
  arena: Arena,
  cache: Map<number, Batch>,
): Batch {
  const known = cache.get(relation);
  if (known !== undefined) return known;
  const system = sources.system(relation, context);
  if (system === null) throw new Error(`relation ${relation} has no rows to read`);
  const batch = 'weights' in system ? system : batchFromRows(system.types, system.rows, arena);
  cache.set(relation, batch);
  return batch;
}

function streamSources(plan: DataflowPlan, sources: ReadSources): { stream: StreamRuntime; columns: number[] }[] {
  const needed = new Map<StreamRuntime, Set<number>>();
  for (const node of plan.nodes) {
    if (node.op !== 'source') continue;
    const stream = sources.stream(node.relation);
    if (stream === undefined) continue;
    const columns = needed.get(stream) ?? new Set<number>();
    for (const c of node.columns) columns.add(c);
    needed.set(stream, columns);
  }
  return [...needed].map(([stream, columns]) => ({ stream, columns: [...columns] }));
}

async function readWithStreams(
  plan: DataflowPlan,
  streams: { stream: StreamRuntime; columns: number[] }[],
  loop: TickLoop,
  sources: ReadSources,
  transaction: EngineTransaction,
  context: EvalContext,
): Promise<{ batch: Batch; done(): void }> {
  const dataflow = new Dataflow(plan);
  const kept = new Arena();
  const out = new BatchBuilder(plan.nodes[plan.root].types, kept);
  const collect = (batch: Batch) => {
    const copy = detach(batch, kept);
    for (let row = 0; row < copy.n; row++) {
      const to = out.addRow(weightOf(copy, row));
      for (let c = 0; c < copy.columns.length; c++) out.copySlot(c, to, copy.columns[c], row);
    }
  };
  try {
    // What was accepted when the read began is what it sees.
    const ranges = streams.map(({ stream, columns }) => ({
      stream,
      columns,
      history: stream.history.map((entry) => ({ ...entry })),
    }));
    for (const { stream, columns, history } of ranges) {
      for (const entry of history) {
        let arena = new Arena();
        for await (const batch of stream.replay(entry, columns, () => arena)) {
          collect(dataflow.step((r) => (r === stream.oid ? batch : null), tickOf(loop, arena, context)));
          dataflow.endTick();
          arena.release();
          arena = new Arena();
        }
        arena.release();
      }
    }
    const arena = new Arena();
    const rows = relationRows(loop, sources, transaction, context, arena);
    const isStream = new Set(streams.map((s) => s.stream.oid));
    collect(dataflow.step((r, lookup) => (isStream.has(r) ? null : rows(r, lookup)), tickOf(loop, arena, context)));
    arena.release();
  } catch (error) {
    kept.release();
    throw error;
  } finally {
    dataflow.release();
  }
  return { batch: out.build(), done: () => kept.release() };
}

/** Consolidates, sorts, expands weights and copies out. */
function finish(root: Batch, width: number, order: SortKey[]): ReadResult {
  const scratch = new Arena();
  const arena = new Arena();
  try {
    const net = consolidator(root.columns.map((c) => c.type))(root, scratch);
    const rows = expandRows(net, sortedRows(net, order, scratch), width, scratch);
    return { batch: detach(rows, arena), arena };
  } catch (error) {
    arena.release();
    throw error;
  } finally {
    scratch.release();
  }
}
