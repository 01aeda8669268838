/** The relations of information_schema that have rows. */
import type { CatalogRelation } from '../catalog_relation.ts';
import { CONSTRAINTS } from './constraints.ts';
import { PRIVILEGES } from './privileges.ts';
import { ROUTINES } from './routines.ts';
import { SCHEMATA } from './schemata.ts';
import { SEQUENCES } from './sequences.ts';
import { TABLES } from './tables.ts';

export const INFORMATION_SCHEMA: Record<string, CatalogRelation> = {
  ...CONSTRAINTS,
  ...PRIVILEGES,
  ...ROUTINES,
  ...SCHEMATA,
  ...SEQUENCES,
  ...TABLES,
};
