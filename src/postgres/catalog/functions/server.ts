/** Encodings, sizes, and facts about the server. */
import { SqlError } from '../../../../operators/errors.ts';
import { EPOCH_DIFF_MICROS } from '../../../../operators/expr/datetime/calendar.ts';
import { isTemporary, temporaryIn } from '../../../../operators/expr/search_path.ts';
import { formatType } from '../../../../planner/types/type_name.ts';
import { isPublishable } from '../../../runtime/publications.ts';
import { endOf, lsnText, parseLsn } from '../../replication/lsn.ts';
import type { Moment } from '../catalog_relation.ts';
import { DATABASE } from '../oids.ts';
import { namedBy, roleName } from '../roles.ts';
import { type CatalogFunction, type CatalogFunctions, numberOf, textOf } from './catalog_function.ts';

const UTF8 = 6;

/** Bytes that the engine keeps of a relation with its indexes; NULL when there is no such relation. */
function sizeOf(oid: number, { facts }: Moment): bigint | null {
  if (facts.index(oid) !== undefined) return 0n;
  if (facts.relation(oid) === undefined) return null;
  return BigInt(facts.engine.loop.relations.get(oid)?.bytes ?? 0);
}

/** Of the indexes that are not the rows themselves, as that of a primary key is. */
function indexBytes(oid: number, { facts }: Moment): bigint {
  return BigInt(facts.engine.loop.relations.get(oid)?.indexBytes ?? 0);
}

function databaseSize({ facts }: Moment): bigint {
  let bytes = 0;
  // Views that are the same query have one store.
  for (const stored of new Set(facts.engine.loop.relations.values())) bytes += stored.bytes;
  return BigInt(bytes);
}

const STARTED = BigInt(Math.round(performance.timeOrigin * 1000)) - EPOCH_DIFF_MICROS;

/** Bits of pg_relation_is_updatable. */
const UPDATE = 4;
const INSERT = 8;
const DELETE = 16;

/** What may be done to the rows of a relation. */
function events(oid: number, { facts }: Moment): number {
  const object = facts.relation(oid)?.object;
  if (object === null || object === undefined || !('source' in object) || object.source !== null) return 0;
  return object.kind === 'table' ? UPDATE | INSERT | DELETE : INSERT;
}

const wholeSize: CatalogFunction = ([oid], moment) => sizeOf(numberOf(oid), moment);

/** Without its indexes. */
const tableSize: CatalogFunction = ([oid], moment) => {
  const size = sizeOf(numberOf(oid), moment);
  return size === null ? null : size - indexBytes(numberOf(oid), moment);
};

/** PostgreSQL's names of the files of a relation; here its rows are all there is. */
const FORKS = ['main', 'fsm', 'vm', 'init'];

const relationSize: CatalogFunction = ([oid, fork = 'main'], moment) => {
  if (!FORKS.includes(textOf(fork))) {
    throw new SqlError('22023', 'invalid fork name', {
      hint: 'Valid fork names are "main", "fsm", "vm", and "init".',
    });
  }
  const size = tableSize([oid], moment);
  return size === null || fork === 'main' ? size : 0n;
};
const LOG_FORMATS = ['stderr', 'csvlog', 'jsonlog'];

const NULL: CatalogFunction = () => null;

export const SERVER_FUNCTIONS: CatalogFunctions = {
  format_type: ([oid, typmod], { context }) =>
    oid === null ? null : formatType(numberOf(oid), typmod === null ? null : numberOf(typmod), context.searchPath),
  getdatabaseencoding: () => 'UTF8',
  oidvectortypes: ([vector]) =>
    vector !== null && typeof vector === 'object' && 'items' in vector
      ? vector.items.map((t) => formatType(numberOf(t))).join(', ')
      : '',
  pg_char_to_encoding: ([name]) => (/^utf-?8$|^unicode$/i.test(textOf(name)) ? UTF8 : -1),
  pg_encoding_to_char: ([encoding]) => (encoding === UTF8 ? 'UTF8' : ''),
  pg_encoding_max_length: ([encoding]) => (encoding === UTF8 ? 4 : null),
  pg_get_userbyid: ([oid], { facts, context }) =>
    roleName(numberOf(oid), namedBy(facts, context)) ?? `unknown (OID=${numberOf(oid)})`,
  pg_collation_for: NULL,
  pg_tablespace_location: () => '',
  inet_client_addr: (_args, { session }) => session?.info().clientAddress ?? null,
  inet_client_port: (_args, { session }) => session?.info().clientPort ?? null,
  inet_server_addr: (_args, { session }) => session?.info().serverAddress ?? null,
  inet_server_port: (_args, { session }) => session?.info().serverPort ?? null,
  current_query: (_args, { session }) => session?.info().query ?? null,
  pg_postmaster_start_time: () => STARTED,
  pg_conf_load_time: () => STARTED,
  pg_relation_is_updatable: ([oid], moment) => events(numberOf(oid), moment),
  pg_column_is_updatable: ([oid], moment) => (events(numberOf(oid), moment) & UPDATE) !== 0,
  pg_stat_get_numscans: () => 0n,
  pg_stat_get_xact_numscans: () => 0n,
  pg_is_in_recovery: () => false,
  // Of a server that replays another's log.
  pg_last_wal_receive_lsn: NULL,
  pg_last_wal_replay_lsn: NULL,
  pg_last_xact_replay_timestamp: NULL,
  // The log is the standard error.
  pg_current_logfile: ([format = null]) => {
    if (format === null || LOG_FORMATS.includes(textOf(format))) return null;
    throw new SqlError('22023', `log format "${textOf(format)}" is not supported`, {
      hint: 'The supported log formats are "stderr", "csvlog", and "jsonlog".',
    });
  },
  pg_is_other_temp_schema: ([oid], { facts, context }) => {
    const name = facts.schema(numberOf(oid))?.name;
    return name !== undefined && isTemporary(name) && name !== temporaryIn(context.searchPath);
  },
  pg_my_temp_schema: (_args, { facts, context }) => {
    return facts.engine.catalog.schemaOid(temporaryIn(context.searchPath) ?? '');
  },
  pg_jit_available: () => false,
  // There are no triggers, no partitions, and notifications are handed on at once.
  pg_trigger_depth: () => 0,
  pg_partition_root: NULL,
  pg_notification_queue_usage: () => 0,
  row_security_active: () => false,
  pg_relation_is_publishable: ([oid], { facts }) => isPublishable(facts.engine, numberOf(oid)),
  pg_wal_lsn_diff: ([a, b]) => ({ k: 'dec', m: parseLsn(textOf(a)) - parseLsn(textOf(b)), s: 0 }),
  pg_current_wal_lsn: (_args, { facts }) => lsnText(endOf(facts.engine.replication.durable)),
  pg_relation_filenode: ([oid]) => oid,
  pg_relation_filepath: NULL,
  pg_relation_size: relationSize,
  pg_table_size: tableSize,
  pg_total_relation_size: wholeSize,
  pg_indexes_size: ([oid], moment) =>
    moment.facts.relation(numberOf(oid)) === undefined ? null : indexBytes(numberOf(oid), moment),
  pg_database_size: ([database], moment) => {
    if (database !== DATABASE && database !== moment.context.database) {
      throw new SqlError('3D000', `database "${String(database)}" does not exist`);
    }
    return databaseSize(moment);
  },
  pg_tablespace_size: (_args, moment) => databaseSize(moment),
  version: (_args, moment) => {
    const postgres = moment.context.session?.getSetting('server_version') ?? '';
    return `PostgreSQL ${postgres}`;
  },
};
