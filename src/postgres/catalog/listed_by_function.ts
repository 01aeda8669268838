/** Relations that a set-returning function lists too. */
import type { CatalogRelation } from './catalog_relation.ts';
import { PG_SETTINGS } from './pg_settings.ts';
import { SESSIONS } from './sessions.ts';
import { TIME_ZONES } from './time_zones.ts';

export const LISTED_BY_FUNCTION: Record<string, CatalogRelation> = {
  ...SESSIONS,
  ...TIME_ZONES,
  pg_settings: PG_SETTINGS,
};
