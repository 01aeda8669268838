/**
 * The newest rows of a relation that is never taken anything back from, and would grow for ever: what could not be read, what came late.
 *
 *   newer   takes what comes; when it is full at the end of a tick it is the older one from then on, and what was that is let go
 *   older   as it was when it was full; null at first
 *
 * What is kept hangs on ticks alone, so it is the same when the log is replayed, and a relation needs no order for it. The bytes are those of long values as they came,
 * not those of memory: these hang on what memory was used for before. State: one to two times LIMIT, and what a single tick brings beyond.
 */
import type { Arena } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { weightOf } from '../../operators/batch/builder.ts';
import { payloadBytes } from '../../operators/batch/payloads.ts';
import type { Undo } from '../../operators/state/undo.ts';
import type { ColType } from '../../operators/types.ts';
import { concat } from './signed_batches.ts';
import { type SavedRelation, StoredRelation } from './stored_relation.ts';

/** Of one generation. */
export const LIMIT = { rows: 50_000, bytes: 32 << 20 };

interface Generation {
  relation: StoredRelation;
  /** Equal rows counted as often as they came. */
  came: number;
  /** Of their long values. */
  bytes: number;
}

type SavedGeneration = {
  relation: SavedRelation;
  came: number;
  bytes: number;
};

export type SavedRecentRows = {
  newer: SavedGeneration;
  older: SavedGeneration | null;
};

export class RecentRows {
  readonly types: ColType[];
  readonly #limit: typeof LIMIT;
  #newer: Generation;
  #older: Generation | null = null;
  /** Rows have come in this tick. */
  #changed = false;

  constructor(types: ColType[], limit = LIMIT) {
    this.types = types;
    this.#limit = limit;
    this.#newer = this.#generation();
  }

  #generation(): Generation {
    return { relation: new StoredRelation(this.types), came: 0, bytes: 0 };
  }

  #generations(): Generation[] {
    return this.#older === null ? [this.#newer] : [this.#older, this.#newer];
  }

  #sum(figure: (generation: Generation) => number): number {
    return this.#generations().reduce((sum, generation) => sum + figure(generation), 0);
  }

  /** The older ones first. */
  get relations(): StoredRelation[] {
    return this.#generations().map(({ relation }) => relation);
  }

  /** Number of rows as they are kept: equal ones are one. */
  get rows(): number {
    return this.#sum(({ relation }) => relation.rows);
  }

  /** The same, equal ones counted as often as they came. */
  get came(): number {
    return this.#sum(({ came }) => came);
  }

  /** Of memory. */
  get bytes(): number {
    return this.#sum(({ relation }) => relation.bytes);
  }

  apply(rows: Batch): void {
    this.#changed = true;
    this.#newer.relation.apply(rows);
    for (let row = 0; row < rows.n; row++) this.#newer.came += weightOf(rows, row);
    for (const { phys, data, valid } of rows.columns) this.#newer.bytes += payloadBytes(phys, data, valid, rows.n);
  }

  /** The tick has passed. */
  endTick(): void {
    if (!this.#changed) return;
    this.#changed = false;
    const { relation, bytes } = this.#newer;
    relation.endTick();
    if (relation.rows < this.#limit.rows && bytes < this.#limit.bytes) return;
    this.#older?.relation.release();
    this.#older = this.#newer;
    this.#newer = this.#generation();
  }

  snapshot(arena: Arena): Batch {
    return concat(
      this.relations.map((relation) => ({ batch: relation.snapshot(arena), sign: 1 })),
      arena,
    );
  }

  keepIn(undo: Undo): void {
    const generation = this.#newer;
    const { came, bytes } = generation;
    generation.relation.keepIn(undo);
    undo.restore(() => {
      Object.assign(generation, { came, bytes });
      this.#changed = false;
    });
  }

  save(): SavedRecentRows {
    return { newer: savedOf(this.#newer), older: this.#older === null ? null : savedOf(this.#older) };
  }

  /** Into one without rows. */
  load({ newer, older }: SavedRecentRows): void {
    load(this.#newer, newer);
    if (older === null) return;
    this.#older = this.#generation();
    load(this.#older, older);
  }

  release(): void {
    for (const relation of this.relations) relation.release();
  }
}

function savedOf({ relation, came, bytes }: Generation): SavedGeneration {
  return { relation: relation.save(), came, bytes };
}

function load(generation: Generation, { relation, came, bytes }: SavedGeneration): void {
  generation.relation.load(relation);
  generation.came = came;
  generation.bytes = bytes;
}
