/** The rows of a modification's source, as its transaction sees them, or as the tables were at another moment (AS OF). */
import { getHeapStatistics } from 'node:v8';
import { budget } from '../../operators/batch/budget.ts';
import { readRow } from '../../operators/batch/builder.ts';
import { pages } from '../../operators/batch/pages.ts';
import type { Datum } from '../../operators/datum.ts';
import { OutOfMemory } from '../../operators/errors.ts';
import { evaluate } from '../../operators/expr/interpret.ts';
import type { DataflowPlan, SortKey } from '../../operators/plan.ts';
import type { BoundModification } from '../../planner/bind/index.ts';
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
    const signal = overtaken(bound) ? null : at.signal;
    return { plan, ...(await piecesOf(plan, ids.length, order, then?.reader ?? at, signal)) };
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

/** The rows in JavaScript. */
export function rowsOfPieces({ pieces, arena }: ReadPieces): Datum[][] {
  const width = pieces[0]?.columns.length ?? 0;
  const count = pieces.reduce((sum, piece) => sum + piece.n, 0);
  checkHeap(count * (ROW_BYTES + width * DATUM_BYTES) + arena.bytes);
  const rows: Datum[][] = [];
  for (const piece of pieces) for (let i = 0; i < piece.n; i++) rows.push(readRow(piece, i));
  return rows;
}

/** Whether a commit while the source is read would be a conflict that PostgreSQL's users do not know: new rows fit whatever comes in between. */
function overtaken(bound: BoundModification): boolean {
  return bound.k !== 'insert' || bound.onConflict?.action === 'update';
}

/** `signal`: the rows may be read in slices, and this ends it; null: at once wherever that is possible. */
async function piecesOf(
  plan: DataflowPlan,
  width: number,
  order: SortKey[],
  at: Reader,
  signal: AbortSignal | null,
): Promise<ReadPieces> {
  const narrow = narrowed(plan, at);
  try {
    const inSlices = signal === null ? readsStream : isLongRead;
    return inSlices(narrow.plan, narrow.reader)
      ? await readInSlices(narrow.plan, width, order, narrow.reader, signal)
      : readAtOnce(narrow.plan, width, order, narrow.reader);
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
