/**
 * A map whose expressions give another value each time (nextval(), random()): equal rows come as one with a weight, and each of them gets a value of its own.
 *
 *   (r, 3)  ->  (r, 1) (r, 1) (r, 1)  ->  map
 *
 * For reads only, which step once: a maintained view has no such expression, as it could not take such a row back. Stateless; O(1) a row.
 */
import type { Batch } from './batch/batch.ts';
import { repeatRows } from './batch/sort.ts';
import { kernels } from './kernels/index.ts';
import type { Operator, Tick } from './operator.ts';
import { consolidator } from './state/consolidate.ts';
import { StatelessOperator } from './stateless.ts';
import type { ColType } from './types.ts';

export class EachRow extends StatelessOperator {
  readonly #map: Operator;
  readonly #net: ReturnType<typeof consolidator>;

  constructor(map: Operator, inputTypes: ColType[]) {
    super();
    this.#map = map;
    this.#net = consolidator(inputTypes);
  }

  step([input]: Batch[], tick: Tick): Batch {
    return this.#map.step([this.#each(input, tick)], tick);
  }

  #each(input: Batch, { arena }: Tick): Batch {
    if (kernels.allOne(input.weights, input.n) !== 0) return input;
    return repeatRows(this.#net(input, arena), input.columns.length, arena);
  }

  override release(): void {
    this.#map.release();
  }
}
