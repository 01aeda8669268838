/** pg_class: tables and streams (r), views (v), materialized views (m), indexes (i), and PostgreSQL's own relations. */
import { type CatalogRelation, type CatalogRow, toRows } from './catalog_relation.ts';
import type { IndexFacts, RelationFacts } from './facts.ts';
import { BTREE, HEAP, OWNER } from './oids.ts';
import { staticRows } from './static_rows.ts';

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

/** Rows and 8 kB pages of what the engine keeps of a relation: null when it keeps nothing (a stream over a connector). */
export interface StoredSize {
  rows: number;
  bytes: number;
}

function relationRow(r: RelationFacts, stored: StoredSize | undefined): CatalogRow {
  return {
    ...COMMON,
    oid: r.oid,
    relname: r.name,
    relnamespace: r.schema.oid,
    relam: r.relkind === 'v' ? 0 : HEAP,
    relfilenode: r.relkind === 'v' ? 0 : r.oid,
    relpages: stored === undefined ? 0 : Math.ceil(stored.bytes / PAGE_BYTES),
    reltuples: stored === undefined ? -1 : stored.rows,
    relhasindex: r.indexes.length > 0,
    relkind: r.relkind,
    relnatts: r.relation.columns.length,
    relhasrules: r.relkind !== 'r',
    relreplident: r.relkind === 'v' ? 'n' : 'd',
  };
}

function indexRow(index: IndexFacts): CatalogRow {
  return {
    ...COMMON,
    oid: index.oid,
    relname: index.name,
    relnamespace: index.table.schema.oid,
    relam: BTREE,
    relfilenode: index.oid,
    relkind: 'i',
    relnatts: index.columns.length,
  };
}

const SYSTEM_ROWS: { rows: ReturnType<typeof staticRows> | null } = { rows: null };

export const PG_CLASS: CatalogRelation = {
  until: 'moment',
  rows({ facts }, columns) {
    SYSTEM_ROWS.rows ??= staticRows('pg_class', columns);
    const stored = facts.engine.loop.relations;
    return [
      ...SYSTEM_ROWS.rows,
      ...toRows(columns, [...facts.own.map((r) => relationRow(r, stored.get(r.oid))), ...facts.indexes.map(indexRow)]),
    ];
  },
};
