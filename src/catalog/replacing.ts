/** What CREATE OR REPLACE has made in transactions that have not ended (replace_at_commit.ts). */
import type { Catalog } from './catalog.ts';

/** What is to take the place of these, which transactions have dropped. */
export function replacementsOf(catalog: Catalog, oids: number[]): number[] {
  return [...catalog.open.keys()].filter((oid) => {
    const object = catalog.get(oid);
    return object !== undefined && 'replaces' in object && oids.includes(object.replaces ?? 0);
  });
}

/** What these have replaced that has not gone: one after the other, in one transaction. */
export function replacedBefore(catalog: Catalog, oids: number[]): number[] {
  return oids.flatMap((oid) => {
    const before: number[] = [];
    for (let object = catalog.get(oid); object !== undefined && 'replaces' in object; ) {
      object = catalog.get(object.replaces ?? 0);
      if (object !== undefined && catalog.going.has(object.oid) && !oids.includes(object.oid)) before.push(object.oid);
    }
    return before;
  });
}
