/** pg_indexam_has_property, pg_index_has_property, pg_index_column_has_property, as what CREATE INDEX said has them in PostgreSQL. */
import { accessMethodName, methodCan } from '../../../../planner/types/access_method.ts';
import { type CatalogFunctions, numberOf, textOf } from './catalog_function.ts';

const OF_METHOD = ['can_order', 'can_unique', 'can_multi_col', 'can_exclude', 'can_include'];
const OF_INDEX = ['clusterable', 'index_scan', 'bitmap_scan', 'backward_scan'];

export const INDEX_PROPERTY_FUNCTIONS: CatalogFunctions = {
  pg_indexam_has_property: ([oid, property]) => {
    const method = accessMethodName(numberOf(oid));
    const name = textOf(property).toLowerCase();
    return method === null || !OF_METHOD.includes(name) ? null : methodCan(method, name);
  },
  pg_index_has_property: ([oid, property], { facts }) => {
    const index = facts.index(numberOf(oid));
    const name = textOf(property).toLowerCase();
    return index === undefined || !OF_INDEX.includes(name) ? null : methodCan(index.method, name);
  },
  pg_index_column_has_property: ([oid, column, property], { facts }) => {
    const index = facts.index(numberOf(oid));
    const at = numberOf(column);
    if (index === undefined || at < 1 || at > index.keys.length + index.include.length) return null;
    const { method } = index;
    const words = at > index.keys.length ? null : index.words[at - 1];
    const isOrdered = methodCan(method, 'orderable');
    switch (textOf(property).toLowerCase()) {
      case 'asc':
        return words && isOrdered && !words.descending;
      case 'desc':
        return words && isOrdered && words.descending;
      case 'nulls_first':
        return words && isOrdered && words.nullsFirst;
      case 'nulls_last':
        return words && isOrdered && !words.nullsFirst;
      case 'orderable':
        return words !== null && isOrdered;
      case 'distance_orderable':
        return words === null && methodCan(method, 'distance_orderable') ? null : false;
      case 'returnable':
        return methodCan(method, 'returnable');
      case 'search_array':
        return words && methodCan(method, 'search_array');
      case 'search_nulls':
        return words && methodCan(method, 'search_nulls');
      default:
        return null;
    }
  },
};
