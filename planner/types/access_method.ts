/**
 * PostgreSQL's access methods of indexes, and what each can do, by the names of pg_indexam_has_property and the like. `distance_orderable` hangs on the operator class as well.
 */
import { systemTable } from './catalog_table.ts';

const ABILITIES: Record<string, readonly string[]> = {
  btree: [
    ...['can_order', 'can_unique', 'can_multi_col', 'can_exclude', 'can_include'],
    ...['clusterable', 'index_scan', 'bitmap_scan', 'backward_scan'],
    ...['orderable', 'returnable', 'search_array', 'search_nulls'],
  ],
  hash: ['can_exclude', 'index_scan', 'bitmap_scan', 'backward_scan'],
  gist: [
    'can_multi_col',
    'can_exclude',
    'can_include',
    'clusterable',
    'index_scan',
    'bitmap_scan',
    'search_nulls',
    'distance_orderable',
  ],
  spgist: [
    'can_exclude',
    'can_include',
    'index_scan',
    'bitmap_scan',
    'returnable',
    'search_nulls',
    'distance_orderable',
  ],
  gin: ['can_multi_col', 'bitmap_scan'],
  brin: ['can_multi_col', 'bitmap_scan', 'search_nulls'],
};

/** pg_am.oid of an access method of indexes; null when there is none of this name. */
export function accessMethodOid(name: string): number | null {
  const t = systemTable('pg_am');
  for (let r = 0; r < t.rowCount; r++) {
    if (t.text(r, 'amname') === name && t.text(r, 'amtype') === 'i') return t.number(r, 'oid');
  }
  return null;
}

export function accessMethodName(oid: number): string | null {
  return Object.keys(ABILITIES).find((name) => accessMethodOid(name) === oid) ?? null;
}

export function methodCan(method: string, ability: string): boolean {
  return ABILITIES[method].includes(ability);
}
