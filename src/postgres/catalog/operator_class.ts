/** The btree operator class that PostgreSQL would give an index on a column of a type. */
import { isBinaryCoercible } from '../../../planner/types/catalog.ts';
import { systemTable } from '../../../planner/types/catalog_table.ts';
import { BTREE } from './oids.ts';

const known = new Map<number, number>();

/** pg_opclass.oid of the type's default btree class; 0 when it has none. */
export function defaultOperatorClass(type: number): number {
  let found = known.get(type);
  if (found === undefined) {
    found = find(type);
    known.set(type, found);
  }
  return found;
}

function find(type: number): number {
  const t = systemTable('pg_opclass');
  let coercible = 0;
  for (let r = 0; r < t.rowCount; r++) {
    if (t.number(r, 'opcmethod') !== BTREE || !t.boolean(r, 'opcdefault')) continue;
    const input = t.number(r, 'opcintype');
    if (input === type) return t.number(r, 'oid');
    if (coercible === 0 && isBinaryCoercible(type, input)) coercible = t.number(r, 'oid');
  }
  return coercible;
}
