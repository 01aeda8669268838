/** The rows of a modification's source, as its transaction sees them, or as the tables were at another moment (AS OF). */
import { getHeapStatistics } from 'node:v8';
import { budget } from '../../operators/batch/budget.ts';
import { readRow } from '../../operators/batch/builder.ts';
import { pages } from '../../operators/batch/pages.ts';
import type { Datum } from '../../operators/datum.ts';
import { OutOfMemory } from '../../operators/errors.ts';
import { evaluate } from '../../operators/expr/interpret.ts';
import type { DataflowPlan, SortKey } from '../../operators/plan.ts';
import { turn } from '../../operators/turn.ts';
import type { BoundModification } from '../../planner/bind/index.ts';
import type { Logical } from '../../planner/logical/plan.ts';
import { planRows } from '../../planner/physical/index.ts';
import type { ModifyContext } from './modify.ts';
import { narrowed } from './narrowed_plan.ts';
import { type Reader, type ReadPieces, readNow } from './reads.ts';
import { isLongRead, readInPieces, readInSlices, readsStream } from './sliced_read.ts';

/** What reads the source, and its rows. */
export interface SourcePieces extends ReadPieces {
  plan: DataflowPlan;
}

/** `ids`: the columns of each row. */
export async function sourcePieces(
  bound: BoundModification,
  ids: number[],
  at: ModifyContext,
  plan = planRows(bound.source, ids),
): Promise<SourcePieces> {
  const asOf = bound.k === 'insert' ? bound.asOf : null;
  const order: SortKey[] = (bound.k === 'insert' ? bound.order : []).map(({ id, desc, nullsFirst }) => {
    return { col: ids.indexOf(id), desc, nullsFirst };
  });
  const then = asOf === null ? null : await at.asOf(plan, asOf);
  try {
    return { plan, ...(await piecesOf(plan, ids.length, order, then?.reader ?? at, at, takesAway(bound))) };
  } finally {
    then?.release();
  }
}

/** Whether the source is a list of expressions over no rows. */
export function isValueList({ source }: BoundModification): boolean {
  return source.op === 'values' && source.returned === undefined;
}

/** The rows of INSERT ... VALUES, which need no plan; parameters may be in the context. Null for other sources. */
export function listedRows({ source }: BoundModification, { context }: ModifyContext): Datum[][] | null {
  if (source.op !== 'values' || source.returned !== undefined) return null;
  return source.rows.map((row) => row.map((value) => evaluate(value, [], context)));
}

/** The rows of an item of WITH that several parts of a statement refer to. The parts may take rows away: it sees what they see. */
export async function itemRows(plan: Logical, ids: number[], at: ModifyContext): Promise<Datum[][]> {
  const found = await piecesOf(planRows(plan, ids), ids.length, [], at, at, true);
  try {
    return turn.of(at.signal, () => rowsOfPieces(found));
  } finally {
    found.arena.release();
  }
}

/** The rows in JavaScript. */
export function rowsOfPieces({ pieces, arena }: ReadPieces): Datum[][] {
  const width = pieces[0]?.columns.length ?? 0;
  const count = pieces.reduce((sum, piece) => sum + piece.n, 0);
  checkHeap(count * (ROW_BYTES + width * DATUM_BYTES) + arena.bytes);
  const rows: Datum[][] = [];
  for (const piece of pieces) {
    turn.look();
    for (let i = 0; i < piece.n; i++) rows.push(readRow(piece, i));
  }
  return rows;
}

/** Whether rows that it sees go. New rows fit whatever others commit while the source is read. */
export function takesAway(bound: BoundModification): boolean {
  return bound.k !== 'insert' || bound.onConflict?.action === 'update';
}

/**
 * Rows that a statement takes away have to be there still when it has read them: it sees the tick at which it begins to read in slices to its end, and what others commit meanwhile is a conflict if it
 * is about the same rows. Then it runs again, and reads at once: nobody can overtake it any more.
 */
async function piecesOf(
  plan: DataflowPlan,
  width: number,
  order: SortKey[],
  reader: Reader,
  { signal, transaction }: ModifyContext,
  changesRows: boolean,
): Promise<ReadPieces> {
  const narrow = turn.of(signal, () => narrowed(plan, reader));
  try {
    const atOnce = changesRows && transaction.overtaken;
    if (atOnce ? readsStream(narrow.plan, narrow.reader) : isLongRead(narrow.plan, narrow.reader)) {
      if (changesRows) transaction.pin();
      return await readInSlices(narrow.plan, width, order, narrow.reader, signal);
    }
    return turn.of(signal, () => readAtOnce(narrow.plan, width, order, narrow.reader));
  } finally {
    narrow.release();
  }
}

function readAtOnce(plan: DataflowPlan, width: number, order: SortKey[], at: Reader): ReadPieces {
  if (order.length === 0 && isLongRead(plan, at)) return readInPieces(plan, width, at);
  const { batch, arena } = readNow(plan, width, order, at);
  return { pieces: [batch], arena };
}

/** About what a row and a value of it take in JavaScript. */
const ROW_BYTES = 64;
const DATUM_BYTES = 24;

/** Rows of a statement lie in JavaScript's heap, whose end would be that of the process. */
export function checkHeap(bytes: number): void {
  budget.check(pages.usedBytes, bytes);
  const { heap_size_limit, used_heap_size } = getHeapStatistics();
  const left = (heap_size_limit - used_heap_size) / 2;
  if (bytes > left) throw new OutOfMemory(bytes, heap_size_limit);
}
