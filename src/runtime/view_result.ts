/**
 * The net deltas of a root of the graph, and its rows where views keep them: once for all views that are the same query.
 *
 *   root's delta -> first `width` columns, consolidated -> rows and their indexes -> the same net delta for every view
 *
 * Sinks keep no rows: they share a result among themselves.
 */
import type { Batch } from '../../operators/batch/batch.ts';
import { allPositive } from '../../operators/batch/weight.ts';
import type { GraphTick } from '../../operators/flow.ts';
import { consolidator } from '../../operators/state/consolidate.ts';
import type { ColType } from '../../operators/types.ts';
import { StoredRelation } from './stored_relation.ts';

export class ViewResult {
  readonly width: number;
  readonly stored: StoredRelation | null;
  readonly #consolidate: ReturnType<typeof consolidator>;
  #users = 1;
  #taken: { tick: GraphTick; net: Batch } | null = null;

  /** `indexes`: key columns of the indexes of the rows; null: the rows are not kept. `appendOnly`: none is ever taken back. `key`: as a StoredRelation knows it. */
  constructor(types: ColType[], indexes: number[][] | null, appendOnly: boolean, key: number[] | null) {
    this.width = types.length;
    this.stored = indexes === null ? null : new StoredRelation(types, indexes, appendOnly, key);
    this.#consolidate = consolidator(types);
  }

  /** The net delta of the root's delta; the rows have taken it in. Every view asks, the work is done once a tick. */
  take(delta: Batch, tick: GraphTick): Batch {
    if (this.#taken?.tick === tick) return this.#taken.net;
    const net = this.#net(delta, tick);
    this.stored?.apply(net);
    this.#taken = { tick, net };
    return net;
  }

  /** All rows at present, given the root's whole output: what a view that shares the result begins with. */
  all(output: Batch, tick: GraphTick): Batch {
    return this.stored === null ? this.#net(output, tick) : this.stored.snapshot(tick.arena);
  }

  #net(delta: Batch, tick: GraphTick): Batch {
    // Hidden sort columns of the root do not belong to the view.
    const { n, columns, weights } = delta;
    const visible = columns.length > this.width ? { n, columns: columns.slice(0, this.width), weights } : delta;
    // Where nothing is taken away nothing can cancel.
    return allPositive(visible.weights, visible.n) ? visible : this.#consolidate(visible, tick.arena);
  }

  endTick(): void {
    this.#taken = null;
    this.stored?.endTick();
  }

  share(): this {
    this.#users++;
    return this;
  }

  release(): void {
    if (--this.#users === 0) this.stored?.release();
  }
}
