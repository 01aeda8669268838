/** Every relation that has rows, by schema and name. The others of systemRelations() are empty. */
import { type CatalogRelation, ofCatalog } from './catalog_relation.ts';
import { INFORMATION_SCHEMA } from './information_schema/index.ts';
import { LISTINGS } from './listings.ts';
import { PG_ATTRDEF } from './pg_attrdef.ts';
import { PG_ATTRIBUTE } from './pg_attribute.ts';
import { PG_CLASS } from './pg_class.ts';
import { PG_CONSTRAINT } from './pg_constraint.ts';
import { PG_DATABASE } from './pg_database.ts';
import { PG_DEFAULT_ACL } from './pg_default_acl.ts';
import { PG_DEPEND } from './pg_depend.ts';
import { EXTENSION_RELATIONS } from './pg_extension.ts';
import { PG_INDEX } from './pg_index.ts';
import { PG_NAMESPACE } from './pg_namespace.ts';
import { PUBLICATIONS } from './pg_publication.ts';
import { PG_REWRITE } from './pg_rewrite.ts';
import { SEQUENCES } from './pg_sequence.ts';
import { PG_SETTINGS } from './pg_settings.ts';
import { PG_ENUM, PG_TYPE } from './pg_type.ts';
import { PG_PROC } from './procs.ts';
import { RELEASE } from './release.ts';
import { ROLES } from './roles.ts';
import { SESSIONS } from './sessions.ts';
import { STATISTICS } from './statistics.ts';
import { TIME_ZONES } from './time_zones.ts';

/** Comments. */
const PG_DESCRIPTION = ofCatalog(({ comments }) => comments.map((comment) => ({ ...comment })));

const PG_CATALOG_RELATIONS: Record<string, CatalogRelation> = {
  ...LISTINGS,
  ...RELEASE,
  ...ROLES,
  ...SEQUENCES,
  ...SESSIONS,
  ...STATISTICS,
  ...TIME_ZONES,
  ...EXTENSION_RELATIONS,
  ...PUBLICATIONS,
  pg_attrdef: PG_ATTRDEF,
  pg_attribute: PG_ATTRIBUTE,
  pg_class: PG_CLASS,
  pg_constraint: PG_CONSTRAINT,
  pg_database: PG_DATABASE,
  pg_default_acl: PG_DEFAULT_ACL,
  pg_depend: PG_DEPEND,
  pg_description: PG_DESCRIPTION,
  pg_enum: PG_ENUM,
  pg_index: PG_INDEX,
  pg_namespace: PG_NAMESPACE,
  pg_rewrite: PG_REWRITE,
  pg_settings: PG_SETTINGS,
  pg_proc: PG_PROC,
  pg_type: PG_TYPE,
};

function inSchema(schema: string, relations: Record<string, CatalogRelation>): [string, CatalogRelation][] {
  return Object.entries(relations).map(([name, relation]) => [`${schema}.${name}`, relation]);
}

export const RELATIONS: Record<string, CatalogRelation> = Object.fromEntries([
  ...inSchema('pg_catalog', PG_CATALOG_RELATIONS),
  ...inSchema('information_schema', INFORMATION_SCHEMA),
]);
