/** The one door of ad hoc reads: few rows at once, many in slices between ticks, some as they are taken. */
import type { DataflowPlan, SortKey } from '../../operators/plan.ts';
import { turn } from '../../operators/turn.ts';
import type { PhysicalQuery } from '../../planner/physical/index.ts';
import type { RowStream } from '../engine.ts';
import { hearingCancels } from './long_pass.ts';
import { type NarrowedPlan, narrowed } from './narrowed_plan.ts';
import { makeOrders } from './ordered_reads.ts';
import { type Reader, type ReadPieces, readNow } from './reads.ts';
import { isLongRead, readInSlices } from './sliced_read.ts';
import { streamedRead } from './streamed_read.ts';

/** Runs `plan`; gives the first `width` columns in the order asked for, each row once. `signal` ends a long read. */
export async function readPlan(
  plan: DataflowPlan,
  width: number,
  order: SortKey[],
  reader: Reader,
  signal: AbortSignal,
): Promise<ReadPieces> {
  const narrow = turn.of(signal, () => narrowed(plan, reader));
  return readNarrowed(narrow, width, order, signal);
}

/** The same, read as it is taken where that can be; orders of keys that it would have use of are made first. */
export async function readOrStream(
  physical: PhysicalQuery,
  reader: Reader,
  signal: AbortSignal,
): Promise<ReadPieces | RowStream> {
  const { plan, columns, order } = physical;
  await makeOrders(plan, reader, signal);
  const narrow = turn.of(signal, () => narrowed(plan, reader));
  const streamed = isLongRead(narrow.plan, narrow.reader) ? streamedRead(physical, reader, signal) : null;
  if (streamed === null) return readNarrowed(narrow, columns.length, order, signal);
  narrow.release();
  return streamed;
}

async function readNarrowed(
  narrow: NarrowedPlan,
  width: number,
  order: SortKey[],
  signal: AbortSignal,
): Promise<ReadPieces> {
  // What follows begins before anything else is heard: it is of the same tick.
  try {
    if (isLongRead(narrow.plan, narrow.reader))
      return await readInSlices(narrow.plan, width, order, narrow.reader, signal);
    const { batch, arena } = await hearingCancels(async () =>
      turn.of(signal, () => readNow(narrow.plan, width, order, narrow.reader)),
    );
    return { pieces: [batch], arena };
  } finally {
    narrow.release();
  }
}
