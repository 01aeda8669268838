/** Comments by OID, as psql's \\d+ and administration tools ask for them. */
import { CATALOG } from '../oids.ts';
import { type CatalogFunctions, numberOf, textOf } from './catalog_function.ts';

export const COMMENT_FUNCTIONS: CatalogFunctions = {
  col_description: ([table, column], { facts }) => facts.comment(CATALOG.pg_class, numberOf(table), numberOf(column)),
  /** Without the catalog's name any object with that OID will do. */
  obj_description: ([oid, catalog], { facts }) => {
    const names = catalog === undefined ? Object.keys(CATALOG) : [textOf(catalog)];
    for (const name of names) {
      const found = facts.comment(CATALOG[name as keyof typeof CATALOG] ?? 0, numberOf(oid), 0);
      if (found !== null) return found;
    }
    return null;
  },
  /** Databases, roles and tablespaces have none. */
  shobj_description: () => null,
};
