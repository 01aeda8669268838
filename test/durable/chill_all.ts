/** Sends all state that may go to disk, between two ticks: what happens little by little when memory is short. */
import type { TidemarkEngine } from '../../src/runtime/engine.ts';

export function chillAll({ loop }: TidemarkEngine): void {
  for (const index of loop.graph.keyedIndexes()) index.chill(Number.POSITIVE_INFINITY);
  for (const relation of new Set(loop.relations.values()))
    for (const index of relation.keyedIndexes()) index.chill(Number.POSITIVE_INFINITY);
}
