/**
 * PostgreSQL's storage parameters of tables (CREATE TABLE ... WITH (fillfactor = 90)): how its pages and its vacuum work. They
 * change no result and have no counterpart here, so scripts that carry them run and nothing comes of them.
 */
import type { Option } from '../../planner/parse/ast.ts';

const NAMES = new Set([
  'fillfactor',
  'toast_tuple_target',
  'parallel_workers',
  'vacuum_index_cleanup',
  'vacuum_truncate',
  'user_catalog_table',
]);
const PREFIXES = ['autovacuum_', 'log_autovacuum_', 'toast.'];

/** The options that are not storage parameters. */
export function withoutStorageParameters(options: Option[]): Option[] {
  return options.filter(({ name }) => !NAMES.has(name) && !PREFIXES.some((prefix) => name.startsWith(prefix)));
}
