/** Functions of the catalog that PUBLIC may not call, as PostgreSQL has it; each with the role whose members may beside superusers. */
export const RESTRICTED_FUNCTIONS: ReadonlyMap<string, string | null> = new Map([
  ['pg_current_logfile', 'pg_monitor'],
  ['pg_reload_conf', null],
  ['pg_rotate_logfile', null],
  ['pg_stat_reset', null],
  ['pg_stat_reset_shared', null],
  ['pg_stat_reset_single_table_counters', null],
]);
