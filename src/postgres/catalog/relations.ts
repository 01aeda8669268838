/** Every relation that has rows, by schema and name. The others of systemRelations() are empty. */
import type { CatalogRelation } from './catalog_relation.ts';
import { PG_ATTRDEF } from './pg_attrdef.ts';
import { PG_ATTRIBUTE } from './pg_attribute.ts';
import { PG_CLASS } from './pg_class.ts';
import { PG_CONSTRAINT } from './pg_constraint.ts';
import { PG_DATABASE } from './pg_database.ts';
import { PG_INDEX } from './pg_index.ts';
import { PG_NAMESPACE } from './pg_namespace.ts';
import { PG_SETTINGS } from './pg_settings.ts';
import { RELEASE } from './release.ts';
import { ROLES } from './roles.ts';

const PG_CATALOG_RELATIONS: Record<string, CatalogRelation> = {
  ...RELEASE,
  ...ROLES,
  pg_attrdef: PG_ATTRDEF,
  pg_attribute: PG_ATTRIBUTE,
  pg_class: PG_CLASS,
  pg_constraint: PG_CONSTRAINT,
  pg_database: PG_DATABASE,
  pg_index: PG_INDEX,
  pg_namespace: PG_NAMESPACE,
  pg_settings: PG_SETTINGS,
};

export const RELATIONS: Record<string, CatalogRelation> = Object.fromEntries(
  Object.entries(PG_CATALOG_RELATIONS).map(([name, relation]) => [`pg_catalog.${name}`, relation]),
);
