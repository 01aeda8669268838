/** The least and the greatest time of a batch's rows: what late rows and watermarks are decided by. */
import type { Arena } from '../../operators/batch/arena.ts';
import type { Column } from '../../operators/batch/batch.ts';
import { I64 } from '../../operators/batch/memory.ts';
import { kernels } from '../../operators/kernels/index.ts';
import type { TimeBounds } from '../formats/format.ts';

/** Over rows from .. to that are not NULL; null when there is none. */
export function timeBounds(column: Column, from: number, to: number, arena: Arena): TimeBounds | null {
  const result = arena.alloc(16);
  const valid = column.valid === 0 ? 0 : column.valid + from;
  if (kernels.boundsOfInt64(column.data + from * 8, valid, to - from, result) === 0) return null;
  return { least: I64[result / 8], greatest: I64[result / 8 + 1] };
}
