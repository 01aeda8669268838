/** The relations of information_schema that have rows. Other sessions' temporary objects are not listed. */
import { isTemporary, temporaryIn } from '../../../../operators/expr/search_path.ts';
import type { CatalogRelation } from '../catalog_relation.ts';
import { CONSTRAINTS } from './constraints.ts';
import { DOMAINS } from './domains.ts';
import { PRIVILEGES } from './privileges.ts';
import { ROUTINES } from './routines.ts';
import { SCHEMATA } from './schemata.ts';
import { SEQUENCES } from './sequences.ts';
import { TABLES } from './tables.ts';

const ALL: Record<string, CatalogRelation> = {
  ...CONSTRAINTS,
  ...DOMAINS,
  ...PRIVILEGES,
  ...ROUTINES,
  ...SCHEMATA,
  ...SEQUENCES,
  ...TABLES,
};

function withoutOthers(relation: CatalogRelation): CatalogRelation {
  if (relation.until === 'release') return relation;
  return {
    ...relation,
    rows(moment, columns) {
      const own = temporaryIn(moment.context.searchPath);
      const schemas = columns.flatMap(({ name }, i) => (name.endsWith('_schema') ? [i] : []));
      const isOthers = (schema: unknown) => typeof schema === 'string' && isTemporary(schema) && schema !== own;
      return relation.rows(moment, columns).filter((row) => !schemas.some((i) => isOthers(row[i])));
    },
  };
}

export const INFORMATION_SCHEMA: Record<string, CatalogRelation> = Object.fromEntries(
  Object.entries(ALL).map(([name, relation]) => [name, withoutOthers(relation)]),
);
