/**
 * Every setting that SET, SHOW and pg_settings know: PostgreSQL's own (with its boot values, limits and contexts, from the
 * generated pg_settings) and Tidemark's. Where Tidemark's boot value differs from PostgreSQL's, BOOT says so.
 */
import { systemTable } from '../../../planner/types/catalog_table.ts';
import type { SettingInfo } from '../options.ts';

export type SettingContext =
  | 'internal'
  | 'postmaster'
  | 'sighup'
  | 'superuser-backend'
  | 'backend'
  | 'superuser'
  | 'user';

export interface SettingDefinition {
  /** As PostgreSQL spells it; looked up without regard to case. */
  name: string;
  type: SettingInfo['type'];
  unit: string | null;
  min: number | null;
  max: number | null;
  enumValues: string[] | null;
  context: SettingContext;
  category: string;
  description: string;
  boot: string;
}

/** Settings whose changes go to the client as ParameterStatus. */
export const REPORTED = [
  'application_name',
  'client_encoding',
  'DateStyle',
  'default_transaction_read_only',
  'in_hot_standby',
  'integer_datetimes',
  'IntervalStyle',
  'is_superuser',
  'scram_iterations',
  'search_path',
  'server_encoding',
  'server_version',
  'session_authorization',
  'standard_conforming_strings',
  'TimeZone',
];

const BOOT: Record<string, string> = {
  wal_level: 'logical',
  client_encoding: 'UTF8',
  server_encoding: 'UTF8',
  TimeZone: 'UTC',
  log_timezone: 'UTC',
  lc_messages: 'C',
  timezone_abbreviations: 'Default',
  ssl: 'off',
};

const tidemark = (name: string, type: SettingInfo['type'], boot: string, description: string): SettingDefinition => ({
  name,
  type,
  unit: null,
  min: null,
  max: null,
  enumValues: null,
  context: 'user',
  category: 'Tidemark',
  description,
  boot,
});

/** Settings that PostgreSQL's pg_settings does not list, or does not have. */
const ADDED: SettingDefinition[] = [
  tidemark('strict_errors', 'bool', 'off', 'Reading a view that has rows in its error relation fails.'),
  {
    ...tidemark('memory_limit', 'integer', '-1', 'What state, batches and queues may take; -1: no limit.'),
    unit: 'kB',
    min: -1,
    max: 2147483647,
    context: 'postmaster',
  },
  {
    ...tidemark('is_superuser', 'bool', 'on', 'Shows whether the current user is a superuser.'),
    context: 'internal',
    category: 'Preset Options',
  },
  {
    ...tidemark('session_authorization', 'string', '', 'Sets the session user name.'),
    category: 'Ungrouped',
  },
  { ...tidemark('role', 'string', 'none', 'Sets the current role.'), category: 'Ungrouped' },
];

/** Reads PostgreSQL's text form of an array of enum labels. */
function enumLabels(text: string | null): string[] | null {
  if (text === null) return null;
  return [...text.slice(1, -1).matchAll(/"([^"]*)"|([^,]+)/g)].map((match) => match[1] ?? match[2]);
}

const numberOrNull = (text: string | null): number | null => (text === null ? null : Number(text));

function load(): Map<string, SettingDefinition> {
  const table = systemTable('pg_settings');
  const definitions = new Map<string, SettingDefinition>();
  for (let row = 0; row < table.rowCount; row++) {
    const name = table.text(row, 'name');
    definitions.set(name.toLowerCase(), {
      name,
      type: table.text(row, 'vartype') as SettingInfo['type'],
      unit: table.value(row, 'unit'),
      min: numberOrNull(table.value(row, 'min_val')),
      max: numberOrNull(table.value(row, 'max_val')),
      enumValues: enumLabels(table.value(row, 'enumvals')),
      context: table.text(row, 'context') as SettingContext,
      category: table.text(row, 'category'),
      description: table.text(row, 'short_desc'),
      boot: BOOT[name] ?? table.text(row, 'boot_val'),
    });
  }
  for (const definition of ADDED) definitions.set(definition.name, definition);
  return definitions;
}

let loaded: Map<string, SettingDefinition> | null = null;

/** All settings by lower-case name. */
export function settingDefinitions(): Map<string, SettingDefinition> {
  loaded ??= load();
  return loaded;
}
