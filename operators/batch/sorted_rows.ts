/**
 * Rows of pieces in order, rows equal by the sort keys in a fixed order (all columns), in steps of a millisecond or two: a generator, which yields between two steps.
 *
 *   pieces -> rows side by side, and a record of each piece's, sorted -> merged by their keys -> those with equal keys by comparing the rows (sort_records.ts)
 */
import { kernels } from '../kernels/index.ts';
import { RECORD_BYTES, RECORD_PIECE, RECORD_ROW, RECORD_SLACK } from '../kernels/sort_layout.ts';
import type { SortKey } from '../plan.ts';
import { type RowOps, rowCompare, rowOps } from '../state/row_ops.ts';
import { SortKeys } from '../state/sort_keys.ts';
import type { ColType } from '../types.ts';
import type { Arena } from './arena.ts';
import type { Batch } from './batch.ts';
import { I32, U32 } from './memory.ts';
import { mergedRuns, sortTie, ties } from './sort_records.ts';

/** Rows one behind the other, each with a weight. */
export interface RowList {
  ops: RowOps;
  /** Of row i. */
  address(i: number): number;
  weight(i: number): number;
}

/** All in the arena; long values stay where they are. The pieces are of some thousand rows at most. */
export function* sortedRowList(
  pieces: Batch[],
  types: ColType[],
  keys: SortKey[],
  arena: Arena,
): Generator<void, RowList> {
  const n = pieces.reduce((sum, piece) => sum + piece.n, 0);
  const ops = rowOps(types, 'identity');
  const { stride } = ops.layout;
  const rows = arena.alloc(n * stride);
  const weights = arena.alloc(n * 4) >>> 2;
  const room = n * RECORD_BYTES + RECORD_SLACK;
  const [made, other] = [arena.alloc(room), arena.alloc(room)];
  const sortKeys = new SortKeys(types, keys);
  let stored = 0;
  for (const piece of pieces) {
    ops.bind(piece.columns);
    kernels.copyBytes((weights + stored) * 4, piece.weights, piece.n * 4);
    const at = made + stored * RECORD_BYTES;
    sortKeys.write(piece, stored, at, arena);
    kernels.sortRun(at, piece.n, other);
    for (let row = 0; row < piece.n; row++) ops.storeShallow(row, rows + stored++ * stride);
    yield;
  }
  const runs = pieces.map((piece) => piece.n);
  const records = yield* mergedRuns(made, runs, other, arena);
  const compare = rowCompare(ops.layout, keys, true);
  for (const tie of ties(records, 0, n)) {
    if (tie === null) {
      yield;
      continue;
    }
    const [from, to] = tie;
    const tied = Uint32Array.from({ length: to - from }, (_, i) => rows + rowOf(records, from + i) * stride);
    yield* sortTie(records, tie, (a, b) => compare(tied[a], tied[b]));
  }
  return {
    ops,
    address: (i) => rows + rowOf(records, i) * stride,
    weight: (i) => I32[weights + rowOf(records, i)],
  };
}

/** The row of a record: those of a piece begin at a row of their own. */
function rowOf(records: number, i: number): number {
  const record = records + i * RECORD_BYTES;
  return U32[(record + RECORD_ROW) >>> 2] + U32[(record + RECORD_PIECE) >>> 2];
}
