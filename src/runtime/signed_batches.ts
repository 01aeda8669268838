/** Deltas of one relation as one batch: their sum, and what is left of it when what cancels is gone. */
import type { Arena } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { BatchBuilder, weightOf } from '../../operators/batch/builder.ts';
import { I32 } from '../../operators/batch/memory.ts';
import { consolidator } from '../../operators/state/consolidate.ts';
import type { ColType } from '../../operators/types.ts';

const MOST_CONSOLIDATORS = 256;
const consolidators = new Map<string, ReturnType<typeof consolidator>>();

/** Code is made for a list of types: made anew for every commit, it would be compiled anew too, and never be warm. */
export function consolidatorOf(types: ColType[]): ReturnType<typeof consolidator> {
  const key = JSON.stringify(types);
  const known = consolidators.get(key);
  if (known !== undefined) return known;
  if (consolidators.size === MOST_CONSOLIDATORS) consolidators.clear();
  const made = consolidator(types);
  consolidators.set(key, made);
  return made;
}

/** The sum of signed batches of the same columns. */
export function concat(parts: { batch: Batch; sign: 1 | -1 }[], arena: Arena): Batch {
  if (parts.length === 1 && parts[0].sign === 1) return parts[0].batch;
  const first = parts[0].batch;
  const types = first.columns.map((c) => c.type);
  const out = new BatchBuilder(
    types,
    arena,
    Math.max(
      1,
      parts.reduce((n, p) => n + p.batch.n, 0),
    ),
  );
  for (const { batch, sign } of parts) {
    const first = out.n;
    out.appendShallow(batch);
    const weights = out.weights >>> 2;
    if (sign < 0) for (let row = first; row < out.n; row++) I32[weights + row] = -I32[weights + row];
  }
  return out.build();
}

/** True for a batch that only takes rows away. */
export function retractsOnly(batch: Batch): boolean {
  for (let row = 0; row < batch.n; row++) if (weightOf(batch, row) > 0) return false;
  return true;
}
