/**
 * The writers' schemas that a stream's messages name by id. What an id means never changes: neither in the registry nor here, where an id that the registry did
 * not have stays one that it did not have. So a record that is read again is the same row. The tick log and checkpoints keep them (docs/decisions/0514).
 */

/** Schemas in the order in which they name each other, the last one is meant; or why there is none. */
export type KnownSchema = { texts: string[] } | { missing: string };

export type SavedSchemas = [id: number, schema: KnownSchema][];

export class Schemas {
  readonly #known = new Map<number, KnownSchema>();

  has(id: number): boolean {
    return this.#known.has(id);
  }

  get(id: number): KnownSchema {
    const known = this.#known.get(id);
    if (known === undefined) throw new Error(`schema ${id} was not asked for`);
    return known;
  }

  add(id: number, schema: KnownSchema): void {
    if (!this.#known.has(id)) this.#known.set(id, schema);
  }

  save(): SavedSchemas {
    return [...this.#known];
  }

  load(saved: SavedSchemas): void {
    for (const [id, schema] of saved) this.add(id, schema);
  }
}
