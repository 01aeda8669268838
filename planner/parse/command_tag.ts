/**
 * The command tag of a statement: what CommandComplete says, and what "cannot run inside ..." errors name. Where the tag ends with a
 * count of rows (INSERT 0 n, SELECT n, FETCH n, COPY n), only the words are given.
 */
import type { Statement } from './ast.ts';

const TRANSACTION_TAG = {
  begin: 'BEGIN',
  commit: 'COMMIT',
  rollback: 'ROLLBACK',
  savepoint: 'SAVEPOINT',
  release: 'RELEASE',
  rollback_to: 'ROLLBACK',
  set: 'SET',
  set_session: 'SET',
} as const;

const STATIC_TAG = {
  select: 'SELECT',
  modifying_select: 'SELECT',
  insert: 'INSERT',
  update: 'UPDATE',
  delete: 'DELETE',
  merge: 'MERGE',
  copy: 'COPY',
  create_index: 'CREATE INDEX',
  create_sink: 'CREATE SINK',
  create_schema: 'CREATE SCHEMA',
  comment: 'COMMENT',
  create_role: 'CREATE ROLE',
  alter_role: 'ALTER ROLE',
  alter_group: 'ALTER ROLE',
  alter_role_set: 'ALTER ROLE',
  rename_role: 'ALTER ROLE',
  drop_role: 'DROP ROLE',
  default_privileges: 'ALTER DEFAULT PRIVILEGES',
  reassign_owned: 'REASSIGN OWNED',
  drop_owned: 'DROP OWNED',
  create_enum: 'CREATE TYPE',
  create_extension: 'CREATE EXTENSION',
  create_publication: 'CREATE PUBLICATION',
  alter_publication: 'ALTER PUBLICATION',
  create_slot: 'CREATE REPLICATION SLOT',
  alter_enum: 'ALTER TYPE',
  create_domain: 'CREATE DOMAIN',
  alter_domain: 'ALTER DOMAIN',
  create_function: 'CREATE FUNCTION',
  alter_function: 'ALTER FUNCTION',
  create_sequence: 'CREATE SEQUENCE',
  alter_sequence: 'ALTER SEQUENCE',
  create_subscription: 'CREATE SUBSCRIPTION',
  acknowledge: 'ACKNOWLEDGE',
  truncate: 'TRUNCATE TABLE',
  subscribe: 'SUBSCRIBE',
  explain: 'EXPLAIN',
  declare_cursor: 'DECLARE CURSOR',
  set: 'SET',
  show: 'SHOW',
  reset: 'RESET',
  prepare: 'PREPARE',
  execute: 'EXECUTE',
  do: 'DO',
  listen: 'LISTEN',
  unlisten: 'UNLISTEN',
  notify: 'NOTIFY',
  set_constraints: 'SET CONSTRAINTS',
} as const;

/** The tag's words, spelled as PostgreSQL spells them. */
export function commandTag(statement: Statement): string {
  switch (statement.k) {
    case 'create_relation':
      if (statement.kind === 'stream') return 'CREATE STREAM';
      // With a query the tag is SELECT and the count of its rows, or this when no row was asked for.
      return statement.asQuery === null ? 'CREATE TABLE' : statement.withNoData ? 'CREATE TABLE AS' : 'SELECT';
    case 'create_view':
      return statement.materialized ? 'CREATE MATERIALIZED VIEW' : 'CREATE VIEW';
    case 'alter_relation':
      return `ALTER ${statement.kind.replace('_', ' ').toUpperCase()}`;
    case 'drop':
      return `DROP ${statement.kind.replace('_', ' ').toUpperCase()}`;
    case 'grant':
      return statement.isGrant ? 'GRANT' : 'REVOKE';
    case 'grant_role':
      return statement.isGrant ? 'GRANT ROLE' : 'REVOKE ROLE';
    case 'alter_owner':
      return `ALTER ${statement.kind.toUpperCase()}`;
    case 'fetch':
      return statement.move ? 'MOVE' : 'FETCH';
    case 'close':
      return statement.name === null ? 'CLOSE CURSOR ALL' : 'CLOSE CURSOR';
    case 'transaction':
      return statement.start ? 'START TRANSACTION' : TRANSACTION_TAG[statement.kind];
    case 'deallocate':
      return statement.name === null ? 'DEALLOCATE ALL' : 'DEALLOCATE';
    case 'discard':
      return `DISCARD ${statement.what.toUpperCase()}`;
    case 'utility':
      return statement.tag;
    default:
      return STATIC_TAG[statement.k];
  }
}
