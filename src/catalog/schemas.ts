/**
 * Schemas by name and OID. Two have one name only while a transaction that has dropped the older one (Catalog.going) has made another: when it commits, the older goes, and the younger takes
 * its place.
 *
 *   public   [2200]                     s   [16390, 16402]: dropped and made anew by a transaction that has not ended
 */

const BUILT_IN: [name: string, oid: number][] = [
  ['public', 2200],
  ['pg_catalog', 11],
  ['information_schema', 12424],
  // Outside the ranges that PostgreSQL uses, below the users'.
  ['tidemark', 14999],
];

export class Schemas {
  /** PostgreSQL's OIDs where it has the schema. */
  readonly #byName = new Map(BUILT_IN.map(([name, oid]) => [name, [oid]]));
  readonly #byOid = new Map(BUILT_IN.map(([name, oid]) => [oid, name]));

  save(): [name: string, oid: number][] {
    return [...this.#byName].flatMap(([name, oids]) => oids.map((oid): [string, number] => [name, oid]));
  }

  load(saved: [name: string, oid: number][]): void {
    this.#byName.clear();
    this.#byOid.clear();
    for (const [name, oid] of saved) this.add(name, oid);
  }

  get names(): string[] {
    return [...this.#byName.keys()];
  }

  /** Those of this name, the oldest first. */
  oids(name: string): readonly number[] {
    return this.#byName.get(name) ?? [];
  }

  nameOf(oid: number): string | undefined {
    return this.#byOid.get(oid);
  }

  /** A name that no other has: its own, unless an older one still has that. Empty: there is none with the OID. */
  place(oid: number): string {
    const name = this.#byOid.get(oid);
    if (name === undefined) return '';
    return this.oids(name)[0] === oid ? name : `${name}/${oid}`;
  }

  add(name: string, oid: number): void {
    this.#byName.set(name, [...this.oids(name), oid]);
    this.#byOid.set(oid, name);
  }

  /** Gives the place that the next one of its name had until now; null: the name is free, or was another's. */
  remove(oid: number): string | null {
    const name = this.#byOid.get(oid) as string;
    const [first, next] = this.oids(name);
    const place = first === oid && next !== undefined ? this.place(next) : null;
    const left = this.oids(name).filter((other) => other !== oid);
    if (left.length === 0) this.#byName.delete(name);
    else this.#byName.set(name, left);
    this.#byOid.delete(oid);
    return place;
  }
}
