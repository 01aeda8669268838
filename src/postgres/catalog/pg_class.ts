/** pg_class: tables and streams (r), views (v), materialized views (m), indexes (i), sequences (S), and PostgreSQL's own relations. */
import { F64, I32 } from '../../../operators/batch/memory.ts';
import { type Datum, pgArray } from '../../../operators/datum.ts';
import type { EvalContext } from '../../../operators/expr/ir.ts';
import { isTemporary } from '../../../operators/expr/search_path.ts';
import { OID } from '../../../operators/types.ts';
import { accessMethodOid } from '../../../planner/types/access_method.ts';
import { aclArray } from './acl.ts';
import { type CatalogRelation, type CatalogRow, toRows } from './catalog_relation.ts';
import type { CatalogFacts, IndexFacts, RelationFacts } from './facts.ts';
import { HEAP, OWNER } from './oids.ts';
import { namedBy } from './roles.ts';
import { staticRows } from './static_rows.ts';
import { systemRelation, systemRelations } from './system_relations.ts';

const PAGE_BYTES = 8192;

const COMMON: CatalogRow = {
  reltype: 0,
  reloftype: 0,
  relowner: OWNER,
  reltablespace: 0,
  relpages: 0,
  reltuples: -1,
  relallvisible: 0,
  relallfrozen: 0,
  reltoastrelid: 0,
  relhasindex: false,
  relisshared: false,
  relpersistence: 'p',
  relchecks: 0,
  relhasrules: false,
  relhastriggers: false,
  relhassubclass: false,
  relrowsecurity: false,
  relforcerowsecurity: false,
  relispopulated: true,
  relreplident: 'n',
  relispartition: false,
  relrewrite: 0,
  relfrozenxid: 0,
  relminmxid: 0,
};

const persistence = ({ schema }: RelationFacts): string => (isTemporary(schema.name) ? 't' : 'p');

function relationRow(r: RelationFacts, facts: CatalogFacts, context: EvalContext): CatalogRow {
  return {
    ...COMMON,
    oid: r.oid,
    relname: r.name,
    relowner: r.owner,
    relacl: aclArray(r.object?.acl, namedBy(facts, context)),
    relpersistence: persistence(r),
    relnamespace: r.schema.oid,
    ...(r.relkind === 'S' ? { relpages: 1, reltuples: 1 } : {}),
    relam: r.relkind === 'v' || r.relkind === 'S' ? 0 : HEAP,
    relfilenode: r.relkind === 'v' ? 0 : r.oid,
    relhasindex: r.indexes.length > 0,
    relkind: r.relkind,
    relchecks: r.checks.length,
    relnatts: r.relation.columns.length,
    // Foreign keys are triggers to PostgreSQL, and psql and pg_dump ask for them where there are triggers.
    relhastriggers: r.foreignKeys.length > 0 || facts.engine.catalog.referencing(r.oid).length > 0,
    relhasrules: r.relkind === 'v' || r.relkind === 'm',
    relreplident: r.relkind === 'v' || r.relkind === 'S' ? 'n' : 'd',
  };
}

function indexRow(index: IndexFacts): CatalogRow {
  return {
    ...COMMON,
    oid: index.oid,
    relname: index.name,
    relowner: index.table.owner,
    relpersistence: persistence(index.table),
    relnamespace: index.table.schema.oid,
    relam: accessMethodOid(index.method),
    relfilenode: index.oid,
    relkind: 'i',
    relnatts: index.keys.length + index.include.length,
    reloptions: optionsOf(index),
  };
}

function optionsOf({ options }: IndexFacts): Datum {
  const texts = options.map(({ name, value }) => `${name}=${value}`);
  return texts.length === 0 ? null : pgArray(OID.text, texts);
}

export const PG_CLASS: CatalogRelation = {
  until: 'catalog',
  rows: ({ facts, context }, columns) => [
    ...staticRows('pg_class', columns),
    ...toRows(columns, [...facts.own.map((r) => relationRow(r, facts, context)), ...facts.indexes.map(indexRow)]),
  ],
  /** Rows and 8 kB pages of what is stored now. */
  refresh({ facts }, batch) {
    const names = systemRelation('pg_catalog', 'pg_class')?.columns.map((c) => c.name) ?? [];
    const pages = batch.columns[names.indexOf('relpages')].data >>> 2;
    const tuples = batch.columns[names.indexOf('reltuples')].data >>> 3;
    // The users' relations follow the system's.
    const first = systemRelations().length;
    facts.own.forEach((r, i) => {
      const stored = facts.engine.loop.relations.get(r.oid);
      if (stored === undefined) return;
      I32[pages + first + i] = Math.ceil(stored.bytes / PAGE_BYTES);
      F64[tuples + first + i] = Math.fround(stored.rows);
    });
  },
};
