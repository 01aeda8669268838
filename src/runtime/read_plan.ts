/** The one door of ad hoc reads: few rows at once, many in slices between ticks. */
import type { DataflowPlan, SortKey } from '../../operators/plan.ts';
import { hearingCancels } from './long_pass.ts';
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
  if (isLongRead(plan, reader)) return readInSlices(plan, width, order, reader, signal);
  const { batch, arena } = await hearingCancels(async () => readNow(plan, width, order, reader));
  return { pieces: [batch], arena };
}
