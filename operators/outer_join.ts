/**
 * Left, right and full outer join.
 *
 *   out = matching pairs  +  rows without a match, padded with NULLs          (left: of A, right: of B, full: of both)
 *
 * Pairs are the inner join's; pads follow from which rows gained their first or lost their last match in the tick. A row with a NULL key has
 * no match. State: the two shared indexes. O(changed rows + matches + rows of keys that flip).
 */
import type { Batch } from './batch/batch.ts';
import { BatchBuilder } from './batch/builder.ts';
import { JoinPairs } from './join_pairs.ts';
import { Residual } from './join_residual.ts';
import { freeSides, type JoinSpec, joinSides } from './join_side.ts';
import { MatchChange, type MatchOutput } from './match_change.ts';
import { type IndexProvider, type PieceRoom, type Tick, tickWith } from './operator.ts';
import type { Watermarks } from './state/deadline.ts';
import { StatelessOperator } from './stateless.ts';
import type { ColType } from './types.ts';

export class OuterJoinOperator extends StatelessOperator {
  readonly #types: ColType[];
  readonly #pairs: JoinPairs;
  /** Unmatched rows of the left and of the right side; null where they are not kept. */
  readonly #unmatched: (MatchChange | null)[];

  constructor(
    spec: JoinSpec & { kind: 'left' | 'right' | 'full' },
    inputTypes: ColType[][],
    indexes: IndexProvider,
    types: ColType[],
  ) {
    super();
    this.#types = types;
    const residual = spec.residual === null ? null : new Residual(spec.residual, types);
    const sides = joinSides(spec, inputTypes, indexes);
    const [left, right] = sides;
    this.#pairs = new JoinPairs(sides, residual);
    this.#unmatched = [
      spec.kind === 'right' ? null : new MatchChange(left, right, residual, 'unmatched'),
      spec.kind === 'left' ? null : new MatchChange(right, left, residual, 'unmatched'),
    ];
  }

  step(inputs: Batch[], tick: Tick): Batch {
    const out = new BatchBuilder(this.#types, tick.arena, inputs[0].n + inputs[1].n);
    this.#pairs.emit(inputs, out, tick);
    this.#padUnmatched(inputs, out, tick);
    return out.build();
  }

  *stepPieces(inputs: Batch[], tick: Tick, room: PieceRoom): Iterable<Batch> {
    yield* this.#pairs.pieces(inputs, tick, room);
    const out = new BatchBuilder(this.#types, room.arena, inputs[0].n + inputs[1].n);
    this.#padUnmatched(inputs, out, tickWith(tick, room.arena));
    yield out.build();
  }

  #padUnmatched(inputs: Batch[], out: BatchBuilder, tick: Tick): void {
    this.#unmatched.forEach((change, i) => {
      change?.emit(inputs[i], inputs[1 - i], this.#pads(i, inputs[i], out), tick);
    });
  }

  #pads(i: number, delta: Batch, out: BatchBuilder): MatchOutput {
    const side = this.#pairs.sides[i];
    const other = this.#pairs.sides[1 - i];
    const own = out.columns.slice(side.at, side.at + side.types.length);
    const addRow = (weight: number): number => {
      const to = out.addRow(weight);
      for (let c = 0; c < other.types.length; c++) out.setNull(other.at + c, to);
      return to;
    };
    return {
      fromDelta: (row, weight) => {
        side.copy.bind(delta.columns);
        side.copy.copy(row, own, addRow(weight));
      },
      fromIndex: (slot, entry, weight) => side.index.loadRow(slot, entry, own, addRow(weight)),
    };
  }

  free(watermarks: Watermarks): boolean {
    return freeSides(this.#pairs.sides, watermarks);
  }

  override release(): void {
    this.#pairs.residual?.release();
  }
}
