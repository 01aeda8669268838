/** Runs an operator as a plan that is run once does (piecewise.ts): its input in pieces, then its output in pieces. */
import assert from 'node:assert/strict';
import { Arena } from '../batch/arena.ts';
import { batchFromRows } from '../batch/builder.ts';
import { pages } from '../batch/pages.ts';
import type { Datum } from '../datum.ts';
import type { Operator } from '../operator.ts';
import type { ColType } from '../types.ts';
import { Bag, type Random } from './property.ts';
import { testTick } from './tick.ts';

export interface OnceOutput {
  texts: string[];
  /** Most rows that the operator had in its state. */
  most: number;
}

/** Rows with their weights, in pieces of 1 to `pieceRows`. All memory has to be given back. */
export function runOnce(
  make: () => Operator,
  types: ColType[],
  rows: Datum[][],
  weights: number[],
  pieceRows: number,
  chance: Random,
): OnceOutput {
  const used = pages.usedPages;
  const operator = make();
  const arena = new Arena();
  const tick = testTick(arena, { first: false });
  const out = new Bag();
  let most = 0;
  for (let from = 0; from < rows.length; ) {
    const to = Math.min(from + 1 + chance.below(pieceRows), rows.length);
    operator.absorb?.([batchFromRows(types, rows.slice(from, to), arena, weights.slice(from, to))], tick);
    operator.endTick();
    most = Math.max(most, operator.state().rows);
    arena.reset();
    from = to;
  }
  for (const batch of operator.integralPieces?.(tick, 1 + chance.below(pieceRows)) ?? []) {
    out.addBatch(batch);
    operator.endTick();
    arena.reset();
  }
  operator.release();
  arena.release();
  assert.equal(pages.usedPages, used, 'pages are given back');
  return { texts: out.texts(), most };
}
