/**
 * Semi join (EXISTS, IN) and anti join (NOT EXISTS).      out = { a : a has a match }   or   { a : a has none }
 *
 * State: the two shared indexes. O(changed rows + rows of keys that gain their first or lose their last match).
 * A predicate that fails for a pair makes the pair an error row, as in an inner join.
 */
import type { Batch } from './batch/batch.ts';
import { BatchBuilder } from './batch/builder.ts';
import { slices } from './batch/slice.ts';
import { children } from './expr/children.ts';
import type { Expr } from './expr/ir.ts';
import { JoinPairs } from './join_pairs.ts';
import { Residual } from './join_residual.ts';
import { freeSides, type JoinSide, type JoinSpec, joinSides } from './join_side.ts';
import { MatchChange } from './match_change.ts';
import { type IndexProvider, type PieceRoom, type Tick, tickWith } from './operator.ts';
import type { Watermarks } from './state/deadline.ts';
import { StatelessOperator } from './stateless.ts';
import type { ColType } from './types.ts';

/** Comparison functions by their name's end: they never fail. */
const COMPARISON = /(eq|ne|lt|le|gt|ge)\(/;

function mayFail(e: Expr): boolean {
  if (e.k === 'call' && !COMPARISON.test(e.fn)) return true;
  if (e.k === 'cast' || e.k === 'anyall' || e.k === 'subscript') return true;
  return children(e).some(mayFail);
}

export class SemiJoinOperator extends StatelessOperator {
  readonly #types: ColType[];
  readonly #sides: JoinSide[];
  readonly #residual: Residual | null;
  readonly #change: MatchChange;
  /** All pairs, computed for their errors alone; null when the predicate cannot fail. */
  readonly #pairs: JoinPairs | null;
  readonly #joinedTypes: ColType[];

  constructor(spec: JoinSpec & { kind: 'semi' | 'anti' }, inputTypes: ColType[][], indexes: IndexProvider) {
    super();
    this.#types = inputTypes[0];
    this.#joinedTypes = inputTypes.flat();
    const sides = joinSides(spec, inputTypes, indexes);
    const residual = spec.residual === null ? null : new Residual(spec.residual, this.#joinedTypes);
    this.#residual = residual;
    this.#sides = sides;
    this.#change = new MatchChange(sides[0], sides[1], residual, spec.kind === 'semi' ? 'matched' : 'unmatched');
    this.#pairs = spec.residual !== null && mayFail(spec.residual) ? new JoinPairs(sides, residual) : null;
  }

  /**
   * Rows give no more than themselves, but where a predicate without keys is all there is, each is compared with all of the other side. A few at a time, if no row of that side changed, which would be seen by
   * all of them.
   */
  *stepPieces(inputs: Batch[], tick: Tick, { arena, rows }: PieceRoom): Iterable<Batch> {
    const [left, right] = inputs;
    const [{ keys }, { index }] = this.#sides;
    const atOnce = keys.length > 0 || right.n > 0 ? left.n : Math.max(1, Math.floor(rows / Math.max(1, index.size)));
    const inPiece = tickWith(tick, arena);
    if (left.n === 0) yield this.step(inputs, inPiece);
    for (const some of slices(left, atOnce)) yield this.step([some, right], inPiece);
  }

  step(inputs: Batch[], tick: Tick): Batch {
    const [left, right] = inputs;
    const out = new BatchBuilder(this.#types, tick.arena, left.n + right.n);
    this.#pairs?.emit(inputs, new BatchBuilder(this.#joinedTypes, tick.arena), tick);
    const [side] = this.#sides;
    this.#change.emit(
      left,
      right,
      {
        fromDelta: (row, weight) => {
          side.copy.bind(left.columns);
          side.copy.copy(row, out.columns, out.addRow(weight));
        },
        fromIndex: (slot, entry, weight) => side.index.loadRow(slot, entry, out.columns, out.addRow(weight)),
      },
      tick,
    );
    return out.build();
  }

  free(watermarks: Watermarks): boolean {
    return freeSides(this.#sides, watermarks);
  }

  override release(): void {
    this.#residual?.release();
  }
}
