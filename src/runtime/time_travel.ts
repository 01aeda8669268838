/**
 * Reading AS OF an earlier tick.
 *
 *   rows at t  =  rows at the present  -  changes after t           (the change logs of the relations that the plan reads)
 *
 * A statement reads one moment: with AS OF anywhere in it, all that it reads is as of that tick. Cost: a read of the whole relation and of its
 * changes since t, which are held in memory while it runs.
 */
import { Arena } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { BatchBuilder } from '../../operators/batch/builder.ts';
import type { Datum } from '../../operators/datum.ts';
import { SqlError } from '../../operators/errors.ts';
import { evaluate } from '../../operators/expr/interpret.ts';
import { inputText, outputText } from '../../operators/expr/io/index.ts';
import type { EvalContext, Expr } from '../../operators/expr/ir.ts';
import type { DataflowPlan } from '../../operators/plan.ts';
import { consolidator } from '../../operators/state/consolidate.ts';
import { colType, OID } from '../../operators/types.ts';
import type { ChangeLog } from '../changes/change_log.ts';
import { batchOf } from '../changes/entry.ts';
import type { Snapshot } from '../changes/log_follower.ts';
import type { TidemarkEngine } from './engine.ts';
import type { Reader } from './reads.ts';
import { concat } from './signed_batches.ts';
import type { EngineTransaction } from './transaction.ts';
import { checkUnaltered } from './write_conflict.ts';

export function checkReached(engine: TidemarkEngine, tick: bigint): void {
  if (tick <= engine.loop.tick) return;
  throw new SqlError('22023', `tick ${tick} has not been reached`, {
    detail: `The present tick is ${engine.loop.tick}.`,
  });
}

/** All rows of a relation at a tick. */
export async function rowsAt(engine: TidemarkEngine, relation: number, tick: bigint): Promise<Snapshot> {
  const { loop } = engine;
  const scratch = new Arena();
  const pin = loop.pin();
  try {
    const log = engine.changes.log(relation);
    const undo = tick === pin.tick || log === null ? [] : await changesBetween(log, tick, pin.tick, scratch);
    const stored = loop.relations.get(relation);
    if (stored === undefined) throw new SqlError('42P01', 'the relation was dropped meanwhile');
    checkUnaltered(stored, pin.tick);
    for (const { deltas } of pin.since) {
      const delta = deltas.get(relation);
      if (delta !== undefined) undo.push(delta);
    }
    const now = stored.snapshot(scratch);
    const parts = [{ batch: now, sign: 1 as const }, ...undo.map((batch) => ({ batch, sign: -1 as const }))];
    const rows = undo.length === 0 ? now : consolidator(stored.types)(concat(parts, scratch), scratch);
    const arena = new Arena();
    const out = new BatchBuilder(stored.types, arena, Math.max(1, rows.n));
    out.append(rows);
    return { rows: out.build(), tick, arena };
  } finally {
    loop.unpin(pin);
    scratch.release();
  }
}

/** The changes after one tick up to another, in the arena. */
async function changesBetween(log: ChangeLog, after: bigint, upTo: bigint, arena: Arena): Promise<Batch[]> {
  const batches: Batch[] = [];
  const reader = log.reader(after);
  try {
    for (;;) {
      const entries = await reader.next();
      if (entries.length === 0) return batches;
      for (const entry of entries) {
        if (entry.tick > upTo) return batches;
        batches.push(batchOf(entry, arena));
      }
    }
  } finally {
    reader.close();
  }
}

/** The reader as it would have been at the moment that `asOf` says. Its rows hold until `release`. */
export async function readerAsOf(
  engine: TidemarkEngine,
  reader: Reader & { transaction: EngineTransaction },
  plan: DataflowPlan,
  asOf: Expr,
): Promise<{ reader: Reader; release(): void }> {
  const logs = logsOf(engine, plan);
  const present = reader.transaction.tick;
  const tick = await tickOf(engine, asOf, reader.context, logs);
  checkReached(engine, tick);
  if (tick > present) {
    throw new SqlError('22023', `tick ${tick} is after tick ${present}, which the transaction reads`, {
      hint: 'Read it in another transaction.',
    });
  }
  const arena = new Arena();
  try {
    const undo = new Map<number, Batch[]>();
    if (tick < present) {
      for (const [relation, log] of logs) {
        if (log === null) throw notKept(engine, relation);
        undo.set(relation, await changesBetween(log, tick, present, arena));
      }
    }
    const corrections = (relation: number) => [
      ...(undo.get(relation) ?? []).map((batch) => ({ batch, sign: -1 as const })),
      ...reader.transaction.pinned(relation),
    ];
    const context = { ...reader.context, tick };
    return {
      reader: {
        ...reader,
        transaction: { corrections, corrects: (relation) => corrections(relation).length > 0, ofKeys: null },
        context,
      },
      release: () => arena.release(),
    };
  } catch (error) {
    arena.release();
    throw error;
  }
}

/** The change logs of what the plan reads; an error when one has none. */
export function keptLogs(engine: TidemarkEngine, plan: DataflowPlan): Map<number, ChangeLog> {
  const logs = new Map<number, ChangeLog>();
  for (const [relation, log] of logsOf(engine, plan)) {
    if (log === null) throw notKept(engine, relation);
    logs.set(relation, log);
  }
  return logs;
}

/** The change logs of what the plan reads; null: it keeps rows, but no changes. */
function logsOf(engine: TidemarkEngine, plan: DataflowPlan): Map<number, ChangeLog | null> {
  const logs = new Map<number, ChangeLog | null>();
  for (const node of plan.nodes) {
    if (node.op !== 'source') continue;
    const { relation } = node;
    if (!engine.loop.relations.has(relation)) {
      const name = engine.catalog.relationByOid(relation)?.name ?? 'relation';
      throw new SqlError('0A000', `"${name}" cannot be read AS OF an earlier tick: its changes are not kept`, {
        hint: 'Tables, streams without a connector and materialized views keep theirs.',
      });
    }
    logs.set(relation, engine.changes.log(relation));
  }
  return logs;
}

function notKept(engine: TidemarkEngine, relation: number): SqlError {
  const name = engine.catalog.relationByOid(relation)?.name ?? 'relation';
  return new SqlError('55000', `the changes of "${name}" are not kept`, {
    detail: "It was made WITH (retention = '0').",
  });
}

/** The tick that AS OF means: a tick number, or the last tick that was over at a time. */
async function tickOf(
  engine: TidemarkEngine,
  asOf: Expr,
  context: EvalContext,
  logs: Map<number, ChangeLog | null>,
): Promise<bigint> {
  const value = evaluate(asOf, [], context);
  if (value === null) throw new SqlError('22004', 'AS OF must not be NULL');
  switch (asOf.t.oid) {
    case OID.int2:
    case OID.int4:
    case OID.int8:
      return BigInt(value as number | bigint);
    case OID.timestamptz:
      return tickAt(engine, value as bigint, logs, () => outputText(value, OID.timestamptz, context));
    case OID.timestamp:
    case OID.date:
    case OID.text:
    case OID.varchar:
    case OID.unknown:
      return tickOfText(engine, outputText(value, asOf.t.oid, context), context, logs);
    default:
      throw new SqlError('42804', 'AS OF takes a tick number or a timestamp');
  }
}

function tickOfText(
  engine: TidemarkEngine,
  text: string,
  context: EvalContext,
  logs: Map<number, ChangeLog | null>,
): Promise<bigint> | bigint {
  if (/^\s*\d{1,18}\s*$/.test(text)) return BigInt(text.trim());
  const clock: Datum = inputText(text, colType(OID.timestamptz), context);
  return tickAt(engine, clock as bigint, logs, () => text);
}

async function tickAt(
  engine: TidemarkEngine,
  clock: bigint,
  logs: Map<number, ChangeLog | null>,
  shown: () => string,
): Promise<bigint> {
  engine.loop.advanceClock();
  if (clock > engine.loop.now) throw new SqlError('22023', `AS OF a time that has not come: ${shown()}`);
  let tick = 0n;
  for (const [relation, log] of logs) {
    if (log === null) throw notKept(engine, relation);
    const found = await log.tickAt(clock);
    if (found === null) {
      throw new SqlError('55000', `changes of "${log.name}" since ${shown()} are not kept`, {
        detail: `The oldest tick to be had is ${log.floor.tick}.`,
      });
    }
    if (found > tick) tick = found;
  }
  return tick;
}
