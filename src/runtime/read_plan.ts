/** The one door of ad hoc reads: few rows at once, many in slices between ticks. */
import type { DataflowPlan, SortKey } from '../../operators/plan.ts';
import { turn } from '../../operators/turn.ts';
import { hearingCancels } from './long_pass.ts';
import { narrowed } from './narrowed_plan.ts';
import { type Reader, type ReadPieces, readNow } from './reads.ts';
import { isLongRead, readInSlices } from './sliced_read.ts';

/** Runs `plan`; gives the first `width` columns in the order asked for, each row once. `signal` ends a long read. */
export async function readPlan(
  plan: DataflowPlan,
  width: number,
  order: SortKey[],
  reader: Reader,
  signal: AbortSignal,
): Promise<ReadPieces> {
  const narrow = turn.of(signal, () => narrowed(plan, reader));
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
