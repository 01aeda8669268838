/** Catalogs that are the same in every database: functions, operators, casts, access methods, collations, text search. */
import { pgArray } from '../../../operators/datum.ts';
import { OID } from '../../../operators/types.ts';
import type { SystemTable } from '../../../planner/types/catalog_table.ts';
import { OWN_FUNCTIONS } from '../../../planner/types/own_functions.ts';
import { type CatalogRelation, toRows } from './catalog_relation.ts';
import { OWNER, PG_CATALOG } from './oids.ts';
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

/** pg_proc: PostgreSQL's functions, then Tidemark's own. */
const PG_PROC: CatalogRelation = {
  until: 'release',
  rows: (_moment, columns) => [
    ...staticRows('pg_proc', columns),
    ...toRows(
      columns,
      OWN_FUNCTIONS.map((p) => ({
        oid: p.oid,
        proname: p.name,
        pronamespace: PG_CATALOG,
        proowner: OWNER,
        prolang: 12,
        procost: 1,
        prorows: 0,
        provariadic: p.variadic,
        prosupport: 0,
        prokind: p.kind,
        prosecdef: false,
        proleakproof: false,
        proisstrict: p.strict,
        proretset: p.retset,
        provolatile: p.volatility,
        proparallel: 's',
        pronargs: p.args.length,
        pronargdefaults: 0,
        prorettype: p.result,
        proargtypes: { ...pgArray(OID.oid, p.args), lower: p.args.length === 0 ? [] : [0] },
        prosrc: p.name,
      })),
    ),
  ],
};

export const RELEASE: Record<string, CatalogRelation> = {
  ...Object.fromEntries(TABLES.map((name) => [name, release(name)])),
  pg_collation: PG_COLLATION,
  pg_proc: PG_PROC,
};
