/**
 * Which objects have which name: by place (places.ts), the oldest first. Several have one only where transactions have not ended: one has dropped the first of them, or has given it another
 * name, and has made the next.
 *
 *   "public.t" -> [16384: dropped by 16402 | 16403: made by 16402]        16402 finds the second, all others the first
 */
import type { Catalog } from './catalog.ts';
import type { CatalogObject } from './objects.ts';
import { placeOf } from './places.ts';

export class NamedObjects {
  readonly #catalog: Catalog;
  readonly #oids = new Map<string, number[]>();

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  /** What has the place, be it another transaction's, but for what the transaction has dropped or renamed whose path this is. */
  at(place: string, searchPath: string[]): CatalogObject | undefined {
    const catalog = this.#catalog;
    const oids = this.#oids.get(place);
    if (oids === undefined) return undefined;
    if (!catalog.hasOpen) return catalog.get(oids[0]);
    const there = oids
      .filter((oid) => !catalog.isGone(oid, searchPath))
      .map((oid) => catalog.get(oid) as CatalogObject);
    const isAt = (object: CatalogObject) =>
      placeOf({ ...object, name: catalog.nameOf(object, searchPath) } as CatalogObject) === place;
    // Else one that another's transaction has given this name.
    return (
      there.find(isAt) ??
      there.find((object) => placeOf(object) !== place && catalog.nameOf(object, searchPath) === object.name)
    );
  }

  take(object: CatalogObject): void {
    const place = placeOf(object);
    const others = this.#oids.get(place);
    if (others === undefined) this.#oids.set(place, [object.oid]);
    else others.push(object.oid);
  }

  /** Once: it may have the place for another transaction as well. */
  free(object: CatalogObject): void {
    const place = placeOf(object);
    const others = [...(this.#oids.get(place) ?? [])];
    others.splice(others.indexOf(object.oid), 1);
    if (others.length === 0) this.#oids.delete(place);
    else this.#oids.set(place, others);
  }
}
