/** Catalogs that are the same in every database: operators, casts, access methods, collations, text search. */
import type { SystemTable } from '../../../planner/types/catalog_table.ts';
import { type CatalogRelation, toRows } from './catalog_relation.ts';
import { JAVASCRIPT, OWNER } from './oids.ts';
import { staticRows } from './static_rows.ts';

const TABLES: SystemTable[] = [
  'pg_aggregate',
  'pg_am',
  'pg_amop',
  'pg_amproc',
  'pg_cast',
  'pg_conversion',
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

/** pg_language: PostgreSQL's, and what functions can be in besides. */
const PG_LANGUAGE: CatalogRelation = {
  until: 'release',
  rows: (_moment, columns) => [
    ...staticRows('pg_language', columns),
    ...toRows(columns, [
      {
        oid: JAVASCRIPT,
        lanname: 'javascript',
        lanowner: OWNER,
        lanispl: true,
        lanpltrusted: true,
        lanplcallfoid: 0,
        laninline: 0,
        lanvalidator: 0,
      },
    ]),
  ],
};

export const RELEASE: Record<string, CatalogRelation> = {
  ...Object.fromEntries(TABLES.map((name) => [name, release(name)])),
  pg_collation: PG_COLLATION,
  pg_language: PG_LANGUAGE,
};
