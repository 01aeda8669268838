/**
 * Live sessions: pg_stat_activity, pg_stat_ssl, pg_stat_gssapi, pg_locks; and of the calling one: pg_cursors, pg_prepared_statements.
 */
import { pgArray } from '../../../operators/datum.ts';
import { OID } from '../../../operators/types.ts';
import type { SessionInfo } from '../options.ts';
import { type CatalogRelation, type CatalogRow, type Moment, ofMoment } from './catalog_relation.ts';
import { DATABASE, OWNER } from './oids.ts';

/** What others do is shown to superusers, to roles that have theirs, and to members of pg_read_all_stats. */
function activity(s: SessionInfo, { facts, context }: Moment): CatalogRow {
  const idle = s.state !== 'active';
  const who = { datid: DATABASE, datname: s.database, pid: s.pid, usesysid: s.role, usename: s.user };
  if (context.restricted === true) {
    const { roles } = facts.engine.catalog;
    const mine = roles.rightsOf(context.role ?? OWNER);
    if (!mine.has(s.role) && !mine.has(roles.named('pg_read_all_stats').oid))
      return { ...who, query: '<insufficient privilege>' };
  }
  return {
    ...who,
    application_name: s.applicationName,
    client_addr: s.clientAddress,
    client_port: s.clientPort,
    backend_start: s.backendStart,
    xact_start: s.transactionStart,
    query_start: s.queryStart,
    state_change: s.stateChange,
    wait_event_type: idle ? 'Client' : null,
    wait_event: idle ? 'ClientRead' : null,
    state: s.state,
    query: s.query,
    backend_type: 'client backend',
  };
}

export const SESSIONS: Record<string, CatalogRelation> = {
  pg_stat_activity: ofMoment((moment) => (moment.sessions?.sessions() ?? []).map((s) => activity(s, moment))),
  pg_stat_ssl: ofMoment(({ sessions }) =>
    (sessions?.sessions() ?? []).map(({ pid, tls }) => ({
      pid,
      ssl: tls !== null,
      version: tls?.version ?? null,
      cipher: tls?.cipher ?? null,
      bits: tls?.bits ?? null,
    })),
  ),
  pg_stat_gssapi: ofMoment(({ sessions }) =>
    (sessions?.sessions() ?? []).map((s) => ({
      pid: s.pid,
      gss_authenticated: false,
      encrypted: false,
      credentials_delegated: false,
    })),
  ),
  pg_locks: ofMoment(({ locks }) =>
    locks.held().map((lock) => ({
      locktype: 'advisory',
      database: DATABASE,
      classid: lock.classid,
      objid: lock.objid,
      objsubid: lock.objsubid,
      pid: lock.pid,
      mode: lock.shared ? 'ShareLock' : 'ExclusiveLock',
      granted: true,
      fastpath: false,
    })),
  ),
  pg_cursors: ofMoment(({ session }) =>
    (session?.cursors() ?? []).map((c) => ({
      name: c.name,
      statement: c.statement,
      is_holdable: c.holdable,
      is_binary: c.binary,
      is_scrollable: c.scrollable,
      creation_time: c.creationTime,
    })),
  ),
  pg_prepared_statements: ofMoment(({ session }) =>
    (session?.preparedStatements() ?? []).map((p) => ({
      name: p.name,
      statement: p.statement,
      prepare_time: p.prepareTime,
      parameter_types: pgArray(OID.regtype, p.parameterTypes),
      result_types: p.resultTypes === null ? null : pgArray(OID.regtype, p.resultTypes),
      from_sql: p.fromSql,
      generic_plans: 0n,
      custom_plans: 0n,
    })),
  ),
};
