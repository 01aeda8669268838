/** What operators share that give their output in pieces (Operator.stepPieces, Operator.integralPieces). */
import type { Batch } from './batch/batch.ts';
import type { BatchBuilder } from './batch/builder.ts';
import type { PieceRoom } from './operator.ts';

/** For makers that stop when they have made so many rows: they make all at once. */
export const ALL = Number.POSITIVE_INFINITY;

/** What is in `out` whenever its maker stops, and at the end. */
export function* piecesOf(out: BatchBuilder, { arena, rows }: PieceRoom, maker: Iterable<void>): Iterable<Batch> {
  for (const _ of maker) {
    yield out.build();
    out.begin(arena, rows);
  }
  yield out.build();
}

/** The integral of an operator whose state has its rows in a table. `from`: what some slots from a place of the table on come to, and the place to go on from; -1 at the end. */
export function* integralPieces(from: (place: number) => { rows: Batch; next: number }): Iterable<Batch> {
  for (let place = 0; place >= 0; ) {
    const { rows, next } = from(place);
    place = next;
    yield rows;
  }
}
