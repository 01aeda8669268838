/** The options of CREATE TABLE ... WITH (connector = 'postgres', ...). */
import type { ConnectionOptions } from 'node:tls';
import { badOption, integer, missingOption, refuseUnknown, SSL_OPTIONS, sslOptions } from '../../connector_options.ts';

/** What tables have in common that one reader serves: the same transactions of the same database. */
export interface DatabaseOptions {
  host: string;
  port: number;
  database: string;
  user: string;
  /** Null: none is given. */
  password: string | null;
  /** Null: not encrypted. */
  ssl: ConnectionOptions | null;
  connectTimeoutMs: number;
  publication: string;
  slot: string;
}

export interface PostgresOptions extends DatabaseOptions {
  /** As the database knows it. */
  schema: string;
  table: string;
  /** Bytes read ahead, beyond a transaction that has more. */
  bufferBytes: number;
}

const POSTGRES_OPTIONS: Record<string, string> = {
  host: "a name or an address (default 'localhost')",
  port: 'a number (default 5432)',
  database: 'the name of a database',
  user: 'the name of a role with REPLICATION and SELECT on the table',
  password: 'of that role',
  table: "'name' or 'schema.name' (default schema 'public')",
  publication: 'the name of a publication that has the table',
  slot: "the name of a replication slot (default 'tidemark_' and the publication)",
  ...SSL_OPTIONS,
  connection_timeout: 'milliseconds to connect and log in (default 10000)',
  buffer_bytes: 'bytes read ahead (default 33554432)',
};

/** Set by the catalog beside the user's options. */
const OURS = ['connector'];

/** Throws SqlError 22023 for an unknown option or a bad value. */
export function parsePostgresOptions(given: Record<string, string>): PostgresOptions {
  refuseUnknown('postgres', given, POSTGRES_OPTIONS, OURS);
  const publication = required(given, 'publication');
  const slot = given.slot ?? `tidemark_${publication}`;
  if (!/^[a-z0-9_]{1,63}$/.test(slot))
    throw badOption('slot', slot, '1 to 63 characters of a to z, 0 to 9 and _, which the publication is not');
  return {
    host: given.host ?? 'localhost',
    port: integer(given, 'port', 5432, 1, 65535),
    database: required(given, 'database'),
    user: required(given, 'user'),
    password: given.password ?? null,
    ssl: sslOptions(given),
    connectTimeoutMs: integer(given, 'connection_timeout', 10_000, 1, 600_000),
    publication,
    slot,
    ...tableName(required(given, 'table')),
    bufferBytes: integer(given, 'buffer_bytes', 32 << 20, 1024, 2 ** 32),
  };
}

function required(given: Record<string, string>, name: string): string {
  const value = given[name];
  if (value === undefined || value === '') throw missingOption('postgres', name, POSTGRES_OPTIONS[name]);
  return value;
}

/** Names are as they are in PostgreSQL's catalog, without quotes; the first dot ends the schema's. */
function tableName(text: string): { schema: string; table: string } {
  const dot = text.indexOf('.');
  const [schema, table] = dot < 0 ? ['public', text] : [text.slice(0, dot), text.slice(dot + 1)];
  if (schema === '' || table === '') throw badOption('table', text, POSTGRES_OPTIONS.table);
  return { schema, table };
}
