/** Brings together the pairs that pass a join's residual predicate, found a piece at a time: those that do not pass never lie in memory all at once. */
import type { Arena } from './batch/arena.ts';
import { BatchBuilder } from './batch/builder.ts';
import { PLACE } from './join_residual.ts';
import { kernels } from './kernels/index.ts';
import type { Pairs } from './state/index_probe.ts';
import { turn } from './turn.ts';

/** Each of `pieces` puts some into `pairs`, in the scratch arena; in the end `pairs` has all of them, in `arena`. */
export function collectPairs(pairs: Pairs, pieces: Iterable<void>, scratch: Arena, arena: Arena): void {
  const found = new BatchBuilder([PLACE, PLACE], arena, 1);
  for (const _ of pieces) {
    turn.look();
    if (pairs.n > 0) {
      const to = found.addRows(pairs.n, 1) * 4;
      kernels.copyBytes(found.columns[0].data + to, pairs.rows, pairs.n * 4);
      kernels.copyBytes(found.columns[1].data + to, pairs.others, pairs.n * 4);
      kernels.copyBytes(found.weights + to, pairs.weights, pairs.n * 4);
    }
    scratch.reset();
  }
  const [rows, others] = found.columns;
  pairs.n = found.n;
  pairs.rows = rows.data;
  pairs.others = others.data;
  pairs.weights = found.weights;
}
