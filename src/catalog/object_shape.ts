/** What of an object a statement relies on that was bound with it: as a text, to be compared later. */

import { SqlError } from '../../operators/errors.ts';
import type { DomainType } from '../../operators/expr/domain_types.ts';
import type { EnumType } from '../../operators/expr/enum_types.ts';
import { typeObjectOid } from '../../operators/types.ts';
import { userTypeOf } from '../../planner/types/user_types.ts';
import type { Catalog } from './catalog.ts';
import { type CatalogObject, KIND_NAMES } from './objects.ts';

/** What ALTER and CREATE OR REPLACE may change of an object that a statement was bound with. */
export function shapeOf(object: CatalogObject): string {
  const columns = 'relation' in object ? object.relation.columns : [];
  if (object.kind === 'function') return JSON.stringify([object.name, object.source, object.proc]);
  const query = object.kind === 'view' ? object.query.select : null;
  const types = object.kind === 'type' ? [shapeOfType(object.type)] : columns.map(({ type }) => shapeOfOid(type.oid));
  return JSON.stringify([object.name, columns, types, query]);
}

function shapeOfOid(oid: number): unknown {
  const type = typeObjectOid(oid) === 0 ? undefined : userTypeOf(oid);
  return type === undefined ? 0 : shapeOfType(type);
}

/** What a value's text means, and what a value has to fit. */
function shapeOfType(type: EnumType | DomainType): unknown {
  if ('labels' in type) return type.renames;
  return [type.notNull, type.checks.map(({ name }) => name), shapeOfOid(type.base.domain ?? type.base.oid)];
}

/**
 * For a statement that waits between reading these objects and being written down: throws when one has gone or was altered by then, as the statement done
 * again would not find it, or with columns that are NOT NULL no more would be planned in another way.
 */
export function stillSame(catalog: Catalog, oids: number[]): () => void {
  const known = oids.map((oid) => catalog.get(oid));
  const before = known.map((object) => object && shapeOf(object));
  return () => {
    const changed = oids.findIndex((oid, i) => {
      const now = catalog.get(oid);
      return (now && shapeOf(now)) !== before[i];
    });
    if (changed < 0) return;
    throw new SqlError('40001', 'a relation was dropped or altered while it was read', {
      detail: `It was the ${KIND_NAMES[(known[changed] as CatalogObject).kind]} with OID ${oids[changed]}.`,
      hint: 'Run the statement again.',
    });
  };
}
