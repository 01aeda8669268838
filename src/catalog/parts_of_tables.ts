/** What tables have elsewhere in the catalog: foreign keys that reference them, unique indexes. Asked by every statement that writes, so it is not looked for among all objects each time. */
import type { Catalog } from './catalog.ts';
import type { ForeignKey, IndexObject, RelationObject } from './objects.ts';

/** A foreign key, with the table that has it. */
export interface Reference {
  table: RelationObject;
  key: ForeignKey;
}

interface Found {
  version: number;
  references: Map<number, Reference[]>;
  uniques: Map<number, IndexObject[]>;
}

export class PartsOfTables {
  readonly #catalog: Catalog;
  #found: Found = { version: 0, references: new Map(), uniques: new Map() };

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  /** By OID of the table. */
  now(): Found {
    const { version } = this.#catalog;
    if (this.#found.version === version) return this.#found;
    const references = new Map<number, Reference[]>();
    const uniques = new Map<number, IndexObject[]>();
    for (const object of this.#catalog.objects()) {
      if (object.kind === 'index' && object.unique) addTo(uniques, object.on, object);
      if (object.kind !== 'table') continue;
      for (const key of object.foreignKeys) addTo(references, key.references, { table: object, key });
    }
    this.#found = { version, references, uniques };
    return this.#found;
  }

  /** The foreign keys that reference a table, and the tables that have them: without what the transaction whose path this is has dropped. */
  referencing(oid: number, searchPath: string[]): Reference[] {
    const { going, pending } = this.#catalog;
    const all = this.now().references.get(oid) ?? [];
    const there = going.size === 0 ? all : all.filter(({ table }) => !this.#catalog.isGone(table.oid, searchPath));
    if (pending.alteredIn(searchPath).length === 0) return there;
    return there.flatMap(({ table, key }) => {
      const seen = pending.asSeen(table, searchPath);
      return seen.foreignKeys.includes(key) ? [{ table: seen, key }] : [];
    });
  }
}

export function addTo<K, T>(lists: Map<K, T[]>, key: K, item: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}
