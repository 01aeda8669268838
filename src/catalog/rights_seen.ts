/** Whose something is, and who may what, for who has a search path: as its transaction has changed that, before it commits. */
import type { Catalog } from './catalog.ts';
import type { CatalogObject } from './objects.ts';
import type { Secured } from './rights.ts';

export function rightsOf(catalog: Catalog, object: CatalogObject, searchPath: string[]): Secured {
  const { acl } = catalog.pending.rightsOf(object.oid, searchPath) ?? object;
  return { owner: catalog.ownerOf(object, searchPath), acl: acl ?? null };
}

/** `place`: where its rights are kept (Catalog.placeOfSchema). */
export function rightsOfSchema(catalog: Catalog, oid: number, place: string, searchPath: string[]): Secured {
  return catalog.pending.rightsOf(oid, searchPath) ?? catalog.rights.schema(place);
}

export function rightsOfDatabase(catalog: Catalog, searchPath: string[]): Secured {
  return catalog.pending.rightsOf(0, searchPath) ?? catalog.rights.database;
}
