/**
 * Command tags of statements that have no shape of their own: accepted where they are harmless, refused by the executor where they are
 * not. A tag is what PostgreSQL sends in CommandComplete (its manual lists them under "Event Trigger Firing Matrix" and in each command).
 *
 * Statements that are in no table here get an error 0A000 that names them.
 */
import type { PgNode } from './ast.ts';

/** Words of an object kind as they stand in a tag: OBJECT_MATVIEW -> MATERIALIZED VIEW. */
const OBJECT_WORDS: Record<string, string> = {
  MATVIEW: 'MATERIALIZED VIEW',
  COLUMN: 'TABLE',
  TABCONSTRAINT: 'TABLE',
  ATTRIBUTE: 'TYPE',
  DOMCONSTRAINT: 'DOMAIN',
  FDW: 'FOREIGN DATA WRAPPER',
  FOREIGN_SERVER: 'SERVER',
  TSCONFIGURATION: 'TEXT SEARCH CONFIGURATION',
  TSDICTIONARY: 'TEXT SEARCH DICTIONARY',
  TSPARSER: 'TEXT SEARCH PARSER',
  TSTEMPLATE: 'TEXT SEARCH TEMPLATE',
  OPCLASS: 'OPERATOR CLASS',
  OPFAMILY: 'OPERATOR FAMILY',
  LARGEOBJECT: 'LARGE OBJECT',
  STATISTIC_EXT: 'STATISTICS',
};

/** OBJECT_MATVIEW -> MATERIALIZED VIEW, OBJECT_EVENT_TRIGGER -> EVENT TRIGGER. */
export function objectWords(objectType: string): string {
  const bare = objectType.replace(/^OBJECT_/, '');
  return OBJECT_WORDS[bare] ?? bare.replaceAll('_', ' ');
}

const alterOf = (field: string) => (node: PgNode) => `ALTER ${objectWords(node[field] ?? 'OBJECT_TABLE')}`;

const TAGS: Record<string, string | ((node: PgNode) => string)> = {
  VacuumStmt: (node) => (node.is_vacuumcmd ? 'VACUUM' : 'ANALYZE'),
  LockStmt: 'LOCK TABLE',
  CommentStmt: 'COMMENT',
  SecLabelStmt: 'SECURITY LABEL',
  CheckPointStmt: 'CHECKPOINT',
  ReindexStmt: 'REINDEX',
  ClusterStmt: 'CLUSTER',
  LoadStmt: 'LOAD',
  RefreshMatViewStmt: 'REFRESH MATERIALIZED VIEW',
  AlterTableStmt: alterOf('objtype'),
  RenameStmt: alterOf('renameType'),
  AlterObjectSchemaStmt: alterOf('objectType'),
  AlterObjectDependsStmt: alterOf('objectType'),
  AlterTableMoveAllStmt: alterOf('objtype'),
  AlterFunctionStmt: alterOf('objtype'),
  AlterDatabaseStmt: 'ALTER DATABASE',
  AlterDatabaseSetStmt: 'ALTER DATABASE',
  AlterDatabaseRefreshCollStmt: 'ALTER DATABASE',
  AlterSystemStmt: 'ALTER SYSTEM',
  AlterEnumStmt: 'ALTER TYPE',
  AlterTypeStmt: 'ALTER TYPE',
  AlterCompositeTypeStmt: 'ALTER TYPE',
  AlterDomainStmt: 'ALTER DOMAIN',
  AlterExtensionStmt: 'ALTER EXTENSION',
  AlterExtensionContentsStmt: 'ALTER EXTENSION',
  AlterPolicyStmt: 'ALTER POLICY',
  AlterPublicationStmt: 'ALTER PUBLICATION',
  AlterSubscriptionStmt: 'ALTER SUBSCRIPTION',
  AlterFdwStmt: 'ALTER FOREIGN DATA WRAPPER',
  AlterForeignServerStmt: 'ALTER SERVER',
  AlterUserMappingStmt: 'ALTER USER MAPPING',
  AlterTableSpaceOptionsStmt: 'ALTER TABLESPACE',
  AlterCollationStmt: 'ALTER COLLATION',
  AlterStatsStmt: 'ALTER STATISTICS',
  AlterOperatorStmt: 'ALTER OPERATOR',
  AlterOpFamilyStmt: 'ALTER OPERATOR FAMILY',
  AlterTSDictionaryStmt: 'ALTER TEXT SEARCH DICTIONARY',
  AlterTSConfigurationStmt: 'ALTER TEXT SEARCH CONFIGURATION',
  AlterEventTrigStmt: 'ALTER EVENT TRIGGER',
};

/** The command tag of a utility statement, by libpg-query's node name; null when the statement is not known. */
export function utilityTag(kind: string, node: PgNode): string | null {
  const tag = TAGS[kind];
  if (tag === undefined) return null;
  return typeof tag === 'string' ? tag : tag(node);
}

/** Names of statements whose node name does not spell them. */
const NAMES: Record<string, string> = {
  CreatedbStmt: 'CREATE DATABASE',
  DropdbStmt: 'DROP DATABASE',
  CreatePLangStmt: 'CREATE LANGUAGE',
  CreateTrigStmt: 'CREATE TRIGGER',
  CreateEventTrigStmt: 'CREATE EVENT TRIGGER',
  CreateEnumStmt: 'CREATE TYPE',
  CreateRangeStmt: 'CREATE TYPE',
  CompositeTypeStmt: 'CREATE TYPE',
  CreateForeignTableStmt: 'CREATE FOREIGN TABLE',
  CreateFdwStmt: 'CREATE FOREIGN DATA WRAPPER',
  CreateForeignServerStmt: 'CREATE SERVER',
  CreateTableSpaceStmt: 'CREATE TABLESPACE',
  CreateStatsStmt: 'CREATE STATISTICS',
  RuleStmt: 'CREATE RULE',
  CreateAmStmt: 'CREATE ACCESS METHOD',
  CreateConversionStmt: 'CREATE CONVERSION',
  DropTableSpaceStmt: 'DROP TABLESPACE',
};

/** What a statement is called, for the error that it is not supported: CreateDomainStmt -> CREATE DOMAIN. */
export function statementName(kind: string, node: PgNode): string {
  if (kind === 'DefineStmt') return `CREATE ${objectWords(node.kind ?? 'OBJECT_AGGREGATE')}`;
  if (kind === 'CreateFunctionStmt') return node.is_procedure ? 'CREATE PROCEDURE' : 'CREATE FUNCTION';
  if (kind === 'DropStmt') return `DROP ${objectWords(node.removeType)}`;
  const words = kind.replace(/Stmt$/, '').replace(/([a-z])([A-Z])/g, '$1 $2');
  return NAMES[kind] ?? words.toUpperCase();
}
