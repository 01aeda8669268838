/** What SET CONSTRAINTS has said in a transaction: which deferrable foreign keys are looked at when it ends. */
import type { ForeignKey } from '../catalog/objects.ts';

/** A constraint by its table and number. */
export interface ConstraintPlace {
  table: number;
  number: number;
}

const placeOf = ({ table, number }: ConstraintPlace): string => `${table}.${number}`;

export class Deferral {
  /** null: nothing was said of all. */
  readonly #all: boolean | null;
  readonly #named: ReadonlyMap<string, boolean>;

  constructor(all: boolean | null = null, named: ReadonlyMap<string, boolean> = new Map()) {
    this.#all = all;
    this.#named = named;
  }

  /** `some` null: of all. */
  with(some: ConstraintPlace[] | null, deferred: boolean): Deferral {
    const named = new Map(some === null ? [] : this.#named);
    for (const place of some ?? []) named.set(placeOf(place), deferred);
    return new Deferral(some === null ? deferred : this.#all, named);
  }

  isDeferred(table: number, { number, initiallyDeferred }: ForeignKey): boolean {
    return this.said({ table, number }) ?? this.#all ?? initiallyDeferred;
  }

  /** What was said of this one by name. */
  said(place: ConstraintPlace): boolean | undefined {
    return this.#named.get(placeOf(place));
  }
}
