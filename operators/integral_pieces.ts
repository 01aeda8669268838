/** The integral of an operator whose state has its rows in a table, in pieces (Operator.integralPieces). */
import type { Batch } from './batch/batch.ts';

/** `from`: what some slots from a place of the table on come to, and the place to go on from; -1 at the end. */
export function* integralPieces(from: (place: number) => { rows: Batch; next: number }): Iterable<Batch> {
  for (let place = 0; place >= 0; ) {
    const { rows, next } = from(place);
    place = next;
    yield rows;
  }
}
