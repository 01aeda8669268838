/**
 * What a tick changes, by relation: a list of few, which is filled, gone through and emptied again in every tick.
 *
 *   relations   100      104      117           looked through from the end, as what was added last is asked for first;
 *   batches     Batch    Batch    Batch         of more than FEW relations there is a Map of places beside it
 *
 * A Map that is made in every tick is a tenth of what a tick of few rows leaves to the collector, and is gone through at ten times the cost (docs/decisions/0368).
 */
import type { Batch } from './batch/batch.ts';
import { empty } from './lists.ts';

const FEW = 8;

export class Deltas {
  /** In the order in which they came; as long as `batches`. Not to be changed. */
  readonly relations: number[] = [];
  readonly batches: Batch[] = [];
  /** Where relations stand, when there are more than a few. */
  #places: Map<number, number> | null = null;

  static of(entries: Iterable<readonly [relation: number, delta: Batch]>): Deltas {
    const deltas = new Deltas();
    for (const [relation, delta] of entries) deltas.set(relation, delta);
    return deltas;
  }

  get size(): number {
    return this.relations.length;
  }

  get(relation: number): Batch | undefined {
    const place = this.#place(relation);
    return place < 0 ? undefined : this.batches[place];
  }

  /** That of a relation; or of one of those that have the same rows, of which some may not be there any more. Null: there is none. */
  ofEqual(relation: number, equals: ReadonlyMap<number, unknown>): Batch | null {
    const delta = this.get(relation);
    if (delta !== undefined) return delta;
    for (const equal of equals.keys()) {
      const other = this.get(equal);
      if (other !== undefined) return other;
    }
    return null;
  }

  set(relation: number, delta: Batch): void {
    const place = this.#place(relation);
    if (place >= 0) {
      this.batches[place] = delta;
      return;
    }
    this.relations.push(relation);
    this.batches.push(delta);
    const { size } = this;
    if (size <= FEW) return;
    if (this.#places === null) this.#places = new Map(this.relations.map((known, i) => [known, i]));
    else this.#places.set(relation, size - 1);
  }

  /** -1: it has none. */
  #place(relation: number): number {
    if (this.#places !== null) return this.#places.get(relation) ?? -1;
    const { relations } = this;
    let i = relations.length - 1;
    while (i >= 0 && relations[i] !== relation) i--;
    return i;
  }

  clear(): void {
    empty(this.relations);
    empty(this.batches);
    this.#places = null;
  }
}
