/**
 * What a transaction sees otherwise than the live rows of a table, by key: a look-up of a key reads the live index and this one.
 *
 *   rows(key) = live rows(key) - deltas since the pin(key) + own deltas(key)
 *
 * Made at the first look-up of a table whose rows the transaction sees otherwise, and fed at each further one with what has come since, so
 * a statement costs what it changes, however large the table and the transaction are. Ends with the transaction, its pin, or what it takes back.
 */
import { type Arena, withScratch } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import type { KeyedIndex } from '../../operators/state/keyed_index.ts';
import { ComputedIndex } from './computed_index.ts';
import { negated } from './relation_scan.ts';
import { rowsInIndex } from './rows_in_index.ts';

export class CorrectionIndex {
  readonly #relation: number;
  readonly #index: KeyedIndex | ComputedIndex;
  #since = 0;
  #writes = 0;

  /** `index`: one without rows. */
  constructor(relation: number, index: KeyedIndex | ComputedIndex) {
    this.#relation = relation;
    this.#index = index;
  }

  /** Takes in what is new of two lists that only grow: ticks since the pinned one, and writes of the transaction, of any table. */
  feed(since: { deltas: Map<number, Batch> }[], writes: { relation: number; delta: Batch }[]): void {
    withScratch((arena) => {
      for (; this.#since < since.length; this.#since++) {
        const batch = since[this.#since].deltas.get(this.#relation);
        if (batch !== undefined) this.#index.apply(negated(batch, arena), arena);
      }
      for (; this.#writes < writes.length; this.#writes++) {
        const { relation, delta } = writes[this.#writes];
        if (relation === this.#relation) this.#index.apply(delta, arena);
      }
    });
    this.#index.endTick();
  }

  /** The corrections of some keys, not consolidated; `keys` is a batch of the key's columns. */
  ofKeys(keys: Batch, arena: Arena): Batch {
    return this.#index instanceof ComputedIndex
      ? this.#index.lookup(keys, arena)
      : rowsInIndex(this.#index, keys, arena);
  }

  release(): void {
    this.#index.release();
  }
}
