/** Catalogs that are the same in every database: operators, casts, access methods, collations, text search. */
import type { SystemTable } from '../../../planner/types/catalog_table.ts';
import type { CatalogRelation } from './catalog_relation.ts';
import { staticRows } from './static_rows.ts';

const TABLES: SystemTable[] = [
  'pg_aggregate',
  'pg_am',
  'pg_amop',
  'pg_amproc',
  'pg_cast',
  'pg_conversion',
  'pg_language',
  'pg_opclass',
  'pg_operator',
  'pg_opfamily',
  'pg_range',
  'pg_tablespace',
  'pg_ts_config',
  'pg_ts_dict',
  'pg_ts_parser',
  'pg_ts_template',
];

function release(name: SystemTable): CatalogRelation {
  return { until: 'release', rows: (_moment, columns) => staticRows(name, columns) };
}

/** pg_collation: `colliculocale` is the older name of `colllocale`, for ICU's collations only. */
const PG_COLLATION: CatalogRelation = {
  until: 'release',
  rows: (_moment, columns) =>
    staticRows('pg_collation', columns, {
      colliculocale: (t, r) => (t.text(r, 'collprovider') === 'i' ? t.value(r, 'colllocale') : null),
    }),
};

export const RELEASE: Record<string, CatalogRelation> = {
  ...Object.fromEntries(TABLES.map((name) => [name, release(name)])),
  pg_collation: PG_COLLATION,
};
