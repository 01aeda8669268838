/**
 * pg_stat_*, pg_statio_* of tables, indexes and the database. Counts that the engine does not keep are 0, as in a server that has just
 * started; live rows are what is stored. Relations about PostgreSQL's own machinery (WAL, checkpoints, replication) are empty.
 */
import { type CatalogRelation, type CatalogRow, type Moment, ofMoment } from './catalog_relation.ts';
import type { IndexFacts, RelationFacts } from './facts.ts';
import { DATABASE } from './oids.ts';

type Scope = 'all' | 'sys' | 'user';

function tables({ facts }: Moment, scope: Scope): RelationFacts[] {
  return facts.relations.filter(
    (r) => (r.relkind === 'r' || r.relkind === 'm') && (scope === 'all' || (r.system !== null) === (scope === 'sys')),
  );
}

function indexes({ facts }: Moment, scope: Scope): IndexFacts[] {
  return scope === 'sys' ? [] : facts.indexes;
}

function named(r: RelationFacts): CatalogRow {
  return { relid: r.oid, schemaname: r.schema.name, relname: r.name };
}

function namedIndex(index: IndexFacts): CatalogRow {
  return { ...named(index.table), indexrelid: index.oid, indexrelname: index.name };
}

const CHANGES: CatalogRow = {
  seq_scan: 0n,
  seq_tup_read: 0n,
  n_tup_ins: 0n,
  n_tup_upd: 0n,
  n_tup_del: 0n,
  n_tup_hot_upd: 0n,
  n_tup_newpage_upd: 0n,
};

function indexScans(r: RelationFacts): CatalogRow {
  return r.indexes.length === 0 ? {} : { idx_scan: 0n, idx_tup_fetch: 0n };
}

function tableRow(r: RelationFacts, { facts }: Moment): CatalogRow {
  return {
    ...named(r),
    ...CHANGES,
    ...indexScans(r),
    n_live_tup: BigInt(facts.engine.loop.relations.get(r.oid)?.rows ?? 0),
    n_dead_tup: 0n,
    n_mod_since_analyze: 0n,
    n_ins_since_vacuum: 0n,
    vacuum_count: 0n,
    autovacuum_count: 0n,
    analyze_count: 0n,
    autoanalyze_count: 0n,
    total_vacuum_time: 0,
    total_autovacuum_time: 0,
    total_analyze_time: 0,
    total_autoanalyze_time: 0,
  };
}

function ioRow(r: RelationFacts): CatalogRow {
  const ofIndexes: CatalogRow = r.indexes.length === 0 ? {} : { idx_blks_read: 0n, idx_blks_hit: 0n };
  return { ...named(r), heap_blks_read: 0n, heap_blks_hit: 0n, ...ofIndexes };
}

function byScope(name: (scope: Scope) => string, rows: (moment: Moment, scope: Scope) => CatalogRow[]) {
  return Object.fromEntries(
    (['all', 'sys', 'user'] as const).map((scope): [string, CatalogRelation] => [
      name(scope),
      ofMoment((moment) => rows(moment, scope)),
    ]),
  );
}

export const STATISTICS: Record<string, CatalogRelation> = {
  ...byScope(
    (scope) => `pg_stat_${scope}_tables`,
    (moment, scope) => tables(moment, scope).map((r) => tableRow(r, moment)),
  ),
  ...byScope(
    (scope) => `pg_stat_xact_${scope}_tables`,
    (moment, scope) => tables(moment, scope).map((r) => ({ ...named(r), ...CHANGES, ...indexScans(r) })),
  ),
  ...byScope(
    (scope) => `pg_statio_${scope}_tables`,
    (moment, scope) => tables(moment, scope).map(ioRow),
  ),
  ...byScope(
    (scope) => `pg_stat_${scope}_indexes`,
    (moment, scope) =>
      indexes(moment, scope).map((i) => ({ ...namedIndex(i), idx_scan: 0n, idx_tup_read: 0n, idx_tup_fetch: 0n })),
  ),
  ...byScope(
    (scope) => `pg_statio_${scope}_indexes`,
    (moment, scope) => indexes(moment, scope).map((i) => ({ ...namedIndex(i), idx_blks_read: 0n, idx_blks_hit: 0n })),
  ),
  pg_stat_database: ofMoment(({ context, sessions, statistics }) => [
    {
      datid: DATABASE,
      datname: context.database,
      numbackends: sessions?.sessions().length ?? 0,
      xact_commit: 0n,
      xact_rollback: 0n,
      blks_read: 0n,
      blks_hit: 0n,
      tup_returned: 0n,
      tup_fetched: 0n,
      tup_inserted: 0n,
      tup_updated: 0n,
      tup_deleted: 0n,
      conflicts: 0n,
      temp_files: 0n,
      temp_bytes: 0n,
      deadlocks: 0n,
      stats_reset: statistics.at,
    },
  ]),
};
