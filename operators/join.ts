/**
 * Inner join (also self and cross join).      out = { a ++ b x wa * wb : keys equal, residual true }
 *
 * No state of its own: it probes the shared indexes of its inputs (join_pairs.ts). O(changed rows + matches).
 */
import type { Batch } from './batch/batch.ts';
import { JoinPairs } from './join_pairs.ts';
import { Residual } from './join_residual.ts';
import { freeSides, type JoinSpec, joinSides } from './join_side.ts';
import type { IndexProvider, PieceRoom, Tick } from './operator.ts';
import type { Watermarks } from './state/deadline.ts';
import { StatelessOperator } from './stateless.ts';
import type { ColType } from './types.ts';

export class JoinOperator extends StatelessOperator {
  readonly #pairs: JoinPairs;

  constructor(spec: JoinSpec, inputTypes: ColType[][], indexes: IndexProvider, types: ColType[]) {
    super();
    const residual = spec.residual === null ? null : new Residual(spec.residual, types);
    this.#pairs = new JoinPairs(joinSides(spec, inputTypes, indexes), residual);
  }

  step(inputs: Batch[], tick: Tick): Batch {
    return this.#pairs.delta(inputs, tick);
  }

  stepPieces(inputs: Batch[], tick: Tick, room: PieceRoom): Iterable<Batch> {
    return this.#pairs.pieces(inputs, tick, room);
  }

  free(watermarks: Watermarks): boolean {
    return freeSides(this.#pairs.sides, watermarks);
  }

  override release(): void {
    this.#pairs.residual?.release();
  }
}
