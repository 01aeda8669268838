/** pg_indexam_has_property, pg_index_has_property, pg_index_column_has_property. All indexes answer as btree, ascending, NULLs last. */
import { BTREE } from '../oids.ts';
import { type CatalogFunctions, numberOf, textOf } from './catalog_function.ts';

const ACCESS_METHOD: Record<string, boolean> = {
  can_order: true,
  can_unique: true,
  can_multi_col: true,
  can_exclude: true,
  can_include: true,
};

const INDEX: Record<string, boolean> = {
  clusterable: true,
  index_scan: true,
  bitmap_scan: true,
  backward_scan: true,
};

const COLUMN: Record<string, boolean> = {
  asc: true,
  desc: false,
  nulls_first: false,
  nulls_last: true,
  orderable: true,
  distance_orderable: false,
  returnable: true,
  search_array: true,
  search_nulls: true,
};

/** NULL for properties that there are not. */
function property(properties: Record<string, boolean>, name: string): boolean | null {
  return properties[name.toLowerCase()] ?? null;
}

export const INDEX_PROPERTY_FUNCTIONS: CatalogFunctions = {
  pg_indexam_has_property: ([method, name]) => (method === BTREE ? property(ACCESS_METHOD, textOf(name)) : null),
  pg_index_has_property: ([oid, name], { facts }) =>
    facts.index(numberOf(oid)) === undefined ? null : property(INDEX, textOf(name)),
  pg_index_column_has_property: ([oid, column, name], { facts }) => {
    const columns = facts.index(numberOf(oid))?.columns.length ?? 0;
    const at = numberOf(column);
    return at < 1 || at > columns ? null : property(COLUMN, textOf(name));
  },
};
