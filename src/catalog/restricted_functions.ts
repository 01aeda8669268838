/** Functions of the catalog that PUBLIC may not call, as PostgreSQL has it: those who may besides superusers are members of one role, or nobody. No GRANT changes it. */
import { type Acl, EXECUTE } from './privileges.ts';
import { BOOTSTRAP, type Roles } from './roles.ts';

const MEMBERS_OF: Record<string, string[]> = {
  pg_monitor: [
    'pg_current_logfile',
    'pg_ls_archive_statusdir',
    'pg_ls_logdir',
    'pg_ls_logicalmapdir',
    'pg_ls_logicalsnapdir',
    'pg_ls_replslotdir',
    'pg_ls_summariesdir',
    'pg_ls_tmpdir',
    'pg_ls_waldir',
  ],
  pg_read_all_stats: [
    'pg_get_aios',
    'pg_get_backend_memory_contexts',
    'pg_get_shmem_allocations',
    'pg_get_shmem_allocations_numa',
  ],
};

const NOBODY = [
  'lo_export',
  'lo_import',
  'pg_backup_start',
  'pg_backup_stop',
  'pg_config',
  'pg_create_restore_point',
  'pg_hba_file_rules',
  'pg_ident_file_mappings',
  'pg_log_backend_memory_contexts',
  'pg_log_standby_snapshot',
  'pg_ls_dir',
  'pg_promote',
  'pg_read_binary_file',
  'pg_read_file',
  'pg_reload_conf',
  'pg_replication_origin_advance',
  'pg_replication_origin_create',
  'pg_replication_origin_drop',
  'pg_replication_origin_oid',
  'pg_replication_origin_progress',
  'pg_replication_origin_session_is_setup',
  'pg_replication_origin_session_progress',
  'pg_replication_origin_session_reset',
  'pg_replication_origin_session_setup',
  'pg_replication_origin_xact_reset',
  'pg_replication_origin_xact_setup',
  'pg_rotate_logfile',
  'pg_show_all_file_settings',
  'pg_show_replication_origin_status',
  'pg_stat_file',
  'pg_stat_have_stats',
  'pg_stat_reset',
  'pg_stat_reset_backend_stats',
  'pg_stat_reset_replication_slot',
  'pg_stat_reset_shared',
  'pg_stat_reset_single_function_counters',
  'pg_stat_reset_single_table_counters',
  'pg_stat_reset_slru',
  'pg_stat_reset_subscription_stats',
  'pg_switch_wal',
  'pg_wal_replay_pause',
  'pg_wal_replay_resume',
];

/** By name, with the role whose members may. */
const RESTRICTED: ReadonlyMap<string, string | null> = new Map([
  ...Object.entries(MEMBERS_OF).flatMap(([group, names]) => names.map((name) => [name, group] as const)),
  ...NOBODY.map((name) => [name, null] as const),
]);

/** `name`: of a function of the catalog. */
export function isRestrictedFunction(name: string): boolean {
  return RESTRICTED.has(name);
}

export function mayCall(roles: Roles, role: number, name: string): boolean {
  const group = RESTRICTED.get(name);
  if (group === undefined || roles.isSuperuser(role)) return true;
  return group !== null && roles.hasRightsOf(role, roles.named(group).oid);
}

/** Null: everybody may call it. */
export function aclOfFunction(roles: Roles, name: string): Acl | null {
  const group = RESTRICTED.get(name);
  if (group === undefined) return null;
  const grantees = group === null ? [BOOTSTRAP] : [BOOTSTRAP, roles.named(group).oid];
  return grantees.map((grantee) => ({ grantee, grantor: BOOTSTRAP, privileges: EXECUTE, grantable: 0 }));
}
