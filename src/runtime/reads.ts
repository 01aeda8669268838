/**
 * Ad hoc reads: the plan is run once over the relations as the transaction sees them, and the result is copied out so that ticks go on
 * while the client takes it. Here in one synchronous pass; long reads take the way of sliced_read.ts.
 */
import { Arena, withScratch } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { BatchBuilder, batchFromRows, emptyBatch } from '../../operators/batch/builder.ts';
import { detach } from '../../operators/batch/detach.ts';
import { I32 } from '../../operators/batch/memory.ts';
import { oneBatch } from '../../operators/batch/one_batch.ts';
import { RowPieces } from '../../operators/batch/row_pieces.ts';
import { expandRows, sortedRows } from '../../operators/batch/sort.ts';
import { Dataflow } from '../../operators/dataflow.ts';
import type { Datum } from '../../operators/datum.ts';
import { evaluate, isTrueOf } from '../../operators/expr/interpret.ts';
import type { EvalContext } from '../../operators/expr/ir.ts';
import { finalNodes } from '../../operators/held_nodes.ts';
import { Piecewise } from '../../operators/piecewise.ts';
import type { DataflowPlan, Lookup, SortKey, Within } from '../../operators/plan.ts';
import { consolidator } from '../../operators/state/consolidate.ts';
import type { ColType } from '../../operators/types.ts';
import { isVolatile } from '../../planner/analyse/functions.ts';
import { planExpressions } from '../../planner/physical/builder.ts';
import type { ComputedIndex } from './computed_index.ts';
import type { IndexName } from './index_name.ts';
import { makesMany } from './most_rows.ts';
import { concat, consolidatorOf } from './signed_batches.ts';
import type { StoredRelation } from './stored_relation.ts';
import type { StreamRuntime } from './stream.ts';
import type { TickLoop } from './tick_loop.ts';
import { droppedMeanwhile } from './write_conflict.ts';

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

/** A result whose rows lie in several batches, one behind the other. */
export interface ReadPieces {
  pieces: Batch[];
  /** Holds them; the receiver gives it back. */
  arena: Arena;
}

/** How what a reader sees differs from the live rows. */
export interface Corrections {
  /** Batches to add to the live rows of a relation. */
  corrections(relation: number): { batch: Batch; sign: 1 | -1 }[];
  corrects(relation: number): boolean;
  /** Of these those of some keys, not consolidated; `keys` is a batch of these columns. Null: nothing finds them by key. */
  ofKeys: ((relation: number, stored: StoredRelation, index: IndexName, keys: Batch, arena: Arena) => Batch) | null;
}

/** What reads rows that are stored. */
export interface RowReader {
  loop: TickLoop;
  transaction: Corrections;
}

/** What a read needs to know of the engine and of who reads. */
export interface Reader extends RowReader {
  sources: ReadSources;
  context: EvalContext;
}

/** Runs a plan that reads no stream at once, without leaving the present tick: the first `width` columns in order, each row once. */
export function readNow(plan: DataflowPlan, width: number, order: SortKey[], reader: Reader): ReadResult {
  const arena = new Arena();
  const dataflow = new Dataflow(finalNodes(plan));
  try {
    return finish(dataflow.step(relationRows(reader, arena), tickOf(reader, arena)), width, order);
  } finally {
    dataflow.release();
    arena.release();
  }
}

/** Steps of a read that is given up. */
const SOON = 32;

/** readNow() of a plan that reads few rows, which may be made many of; null: it takes long, or may while it has expressions that must not be worked out again: nextval() would leave a gap. */
export function readSoon(plan: DataflowPlan, width: number, reader: Reader): ReadResult | null {
  if (!plan.nodes.some(makesMany)) return readNow(plan, width, [], reader);
  if (plan.nodes.some((node) => planExpressions(node).some(isVolatile))) return null;
  const arena = new Arena();
  const dataflow = new Piecewise(plan);
  try {
    const rows = new RowPieces(plan.nodes[plan.root].types, arena);
    const tick = tickOf(reader, arena);
    let steps = 0;
    for (const pieces of [dataflow.steps(relationRows(reader, arena), tick), dataflow.rest(tick)])
      for (const piece of pieces) {
        if (++steps > SOON) return null;
        rows.append(piece);
      }
    return finish(oneBatch(rows.pieces(), plan.nodes[plan.root].types, arena), width, []);
  } finally {
    dataflow.release();
    arena.release();
  }
}

export function tickOf({ loop, context }: Reader, arena: Arena) {
  return {
    number: loop.tick,
    arena,
    evalContext: context,
    errors: FAILS,
    now: context.now,
    watermark: noWatermark,
  };
}

/** In a plain SELECT a failing row fails the statement, as in PostgreSQL. */
const FAILS = {
  report(error: Error): never {
    throw error;
  },
};

const noWatermark = () => null;

/** The rows of a relation as a transaction sees them. */
export function relationRows(reader: Reader, arena: Arena) {
  const { loop, sources, transaction, context } = reader;
  const cache = new Map<number, Batch>();
  return (relation: number, lookup?: Lookup): Batch => {
    const stored = loop.relations.get(relation);
    if (stored === undefined) return systemRows(relation, sources, context, arena, cache);
    const found = lookup === undefined ? null : lookupRows(relation, lookup, reader, arena);
    if (found !== null) return found;
    const known = cache.get(relation);
    if (known !== undefined) return known;
    const corrections = transaction.corrections(relation);
    const parts: { batch: Batch; sign: 1 | -1 }[] = [{ batch: stored.snapshot(arena), sign: 1 }, ...corrections];
    // Operators that were planned for append-only input must not see a row come and go.
    const batch = corrections.length === 0 ? parts[0].batch : consolidatorOf(stored.types)(concat(parts, arena), arena);
    cache.set(relation, batch);
    return batch;
  };
}

/** True when indexes have the rows of a key as the reader sees them. */
export function isIndexed(relation: number, index: IndexName, { loop, transaction }: RowReader): boolean {
  if (loop.relations.get(relation)?.has(index) !== true) return false;
  return transaction.ofKeys !== null || !transaction.corrects(relation);
}

/** True when an index has the rows that a source looks up. */
export function isServed(relation: number, { index, when = [] }: Lookup, reader: Reader): boolean {
  return isIndexed(relation, index, reader) && when.every((e) => isTrueOf(e, [], reader.context));
}

/** The rows of one key of a stored relation, as the reader sees them, when indexes have them; null when none does. */
export function lookupRows(relation: number, lookup: Lookup, reader: Reader, arena: Arena): Batch | null {
  const { loop, context } = reader;
  const stored = loop.relations.get(relation);
  if (stored === undefined || !isServed(relation, lookup, reader)) return null;
  const { index, values: exprs } = lookup;
  const values = exprs.map((e) => evaluate(e, [], context));
  if (values.includes(null)) return emptyBatch(stored.types);
  return rowsOfKeys(relation, index, batchFromRows(stored.keyTypes(index), [values], arena), reader, arena);
}

/** The rows of these keys of a stored relation, as the reader sees them; isIndexed() says that they can be had. */
export function rowsOfKeys(
  relation: number,
  index: IndexName,
  keys: Batch,
  { loop, transaction }: RowReader,
  arena: Arena,
): Batch {
  const stored = loop.relations.get(relation) as StoredRelation;
  const live = stored.lookup(index, keys, arena);
  if (transaction.ofKeys === null || !transaction.corrects(relation)) return live;
  const corrections = transaction.ofKeys(relation, stored, index, keys, arena);
  const parts: { batch: Batch; sign: 1 }[] = [live, corrections].map((batch) => ({ batch, sign: 1 }));
  return consolidatorOf(stored.types)(concat(parts, arena), arena);
}

/** All rows of one of some indexes, as the reader sees them, of that which has the fewest; null where they are more than `most` or on disk. */
export function rowsWithin(
  relation: number,
  within: Within[],
  most: number,
  reader: Reader,
  arena: Arena,
): Batch | null {
  const stored = reader.loop.relations.get(relation);
  if (stored === undefined) return null;
  const corrections = reader.transaction.corrections(relation);
  const others = corrections.reduce((sum, { batch }) => sum + batch.n, 0);
  const index = within
    .filter(({ when }) => when.every((e) => isTrueOf(e, [], reader.context)))
    .map(({ index }) => stored.computed(index))
    .filter((found) => found !== undefined && found.index.size + others <= most && found.index.coldBytes === 0)
    .sort((a, b) => (a as ComputedIndex).index.size - (b as ComputedIndex).index.size)[0];
  if (index === undefined) return null;
  const live = index.all(arena);
  if (corrections.length === 0) return live;
  // The map that finds them gives the same batch each time.
  const seen = corrections.map(({ batch, sign }) => ({ batch: copied(index.ofThese(batch, arena), arena), sign }));
  return consolidatorOf(stored.types)(concat([{ batch: live, sign: 1 }, ...seen], arena), arena);
}

function copied({ n, columns, weights }: Batch, arena: Arena): Batch {
  const out = new BatchBuilder(
    columns.map((c) => c.type),
    arena,
    Math.max(1, n),
  );
  for (let row = 0; row < n; row++) out.copyRow({ n, columns, weights }, row, I32[(weights >>> 2) + row]);
  return out.build();
}

export function systemRows(
  relation: number,
  sources: ReadSources,
  context: EvalContext,
  arena: Arena,
  cache: Map<number, Batch>,
): Batch {
  const known = cache.get(relation);
  if (known !== undefined) return known;
  const system = sources.system(relation, context);
  if (system === null) throw droppedMeanwhile();
  const batch = 'weights' in system ? system : batchFromRows(system.types, system.rows, arena);
  cache.set(relation, batch);
  return batch;
}

/** The rows in order, each as often as its weight says, copied out. */
export function finish(root: Batch, width: number, order: SortKey[]): ReadResult {
  return withScratch((scratch) => copyOut(inOrder(root, width, order, scratch)));
}

/** The same, sharing what it can with `root`. */
export function inOrder(root: Batch, width: number, order: SortKey[], scratch: Arena): Batch {
  // Only where something is taken back must equal rows be brought together.
  const net = hasRetractions(root) ? consolidator(root.columns.map((c) => c.type))(root, scratch) : root;
  return expandRows(net, sortedRows(net, order, scratch), width, scratch);
}

export function copyOut(rows: Batch): ReadResult {
  const arena = new Arena();
  try {
    return { batch: detach(rows, arena), arena };
  } catch (error) {
    arena.release();
    throw error;
  }
}

function hasRetractions(batch: Batch): boolean {
  const weights = batch.weights >>> 2;
  for (let row = 0; row < batch.n; row++) if (I32[weights + row] < 0) return true;
  return false;
}
