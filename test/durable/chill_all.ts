/** Moves together what deletes have left of chunks and sends all state that may go to disk, between two ticks: what happens little by little when memory is short. */
import type { TidemarkEngine } from '../../src/runtime/engine.ts';

export function chillAll({ loop }: TidemarkEngine): void {
  const relations = new Set(loop.relations.values());
  for (const relation of relations) relation.compact(Number.POSITIVE_INFINITY);
  for (const part of [loop.graph, ...relations])
    for (const index of part.coldStates()) {
      index.compact(Number.POSITIVE_INFINITY);
      index.chill(Number.POSITIVE_INFINITY);
    }
}
