/**
 * What a session may know of: information_schema lists objects that one of its roles owns, or has some privilege on (PostgreSQL's information_schema.sql); pg_catalog lists all.
 * Superusers see everything.
 */
import type { EvalContext } from '../../../../operators/expr/ir.ts';
import type { CatalogObject } from '../../../catalog/objects.ts';
import { ALL_OF, SELECT } from '../../../catalog/privileges.ts';
import { allowedTo, SECRET } from '../../../runtime/access.ts';
import { objectSecurable, type Securable, schemaSecurable } from '../../../runtime/securables.ts';
import type { CatalogFacts, RelationFacts } from '../facts.ts';
import { OWNER } from '../oids.ts';

export interface Known {
  /** One of the session's roles is this owner. */
  owns(owner: number): boolean;
  /** It owns the relation, or has one of these privileges on it. */
  relation(relation: RelationFacts, privileges?: number): boolean;
  object(object: CatalogObject, privileges: number): boolean;
  schema(name: string, privileges: number): boolean;
}

const EVERYTHING: Known = { owns: () => true, relation: () => true, object: () => true, schema: () => true };

export function knownTo({ engine, path }: CatalogFacts, context: EvalContext): Known {
  if (context.restricted !== true) return EVERYTHING;
  const { roles } = engine.catalog;
  const acting = context.role ?? OWNER;
  const owns = (owner: number) => roles.hasRightsOf(acting, owner);
  const may = (on: Securable, privileges: number) =>
    owns(on.owner) || (allowedTo(engine, acting, on) & privileges) !== 0;
  const object = (one: CatalogObject, privileges: number) => may(objectSecurable(engine, one, path), privileges);
  return {
    owns,
    object,
    relation: (relation, privileges = ALL_OF.table) =>
      relation.object === null
        ? (privileges & SELECT) !== 0 && !SECRET.has(relation.name)
        : object(relation.object, privileges),
    schema: (name, privileges) => may(schemaSecurable(engine, name, path), privileges),
  };
}
