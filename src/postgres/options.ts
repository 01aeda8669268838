/** What a caller of startPostgresServer gives and gets. */
import type { Datum } from '../../operators/datum.ts';
import type { EvalContext } from '../../operators/expr/ir.ts';
import type { Engine } from '../engine.ts';
import type { AuthMode } from './session/login.ts';
import type { Listen } from './wire/listener.ts';
import type { TlsPair, TlsState } from './wire/tls.ts';

export type Log = (level: 'info' | 'warn' | 'error', message: string, fields?: Record<string, unknown>) => void;

export interface PostgresServerOptions {
  /** Port 0 takes a free port. */
  listen: { host: string; port: number };
  engine: Engine;
  /** Tidemark's own version, shown by version() and in server_version behind the PostgreSQL version it speaks as. */
  version: string;
  /** One line per event worth an operator's eye; absent: silent. */
  log?: Log;
  /** Sessions at one time; further ones get 53300. Default 1000. */
  maxConnections?: number;
  /** Largest message taken from a client after startup, in bytes. Default 64 MiB. */
  maxMessageBytes?: number;
  /** Milliseconds from connect to a finished startup. Default 60000. */
  startupTimeoutMs?: number;
  /** Given, clients may come over TLS, by SSLRequest or directly; with `required` they must, but for cancel requests. */
  tls?: TlsPair & { required?: boolean };
  /** What a client proves. Default: 'trust'. */
  auth?: AuthMode;
  /** Where clients come in. Default: in this thread. */
  listenThrough?: Listen;
  /** The clock of now(): microseconds since 2000-01-01 UTC. Default: the system's. */
  clock?: () => bigint;
  /** Reads again what the server was started with and may change. Absent: nothing may. */
  reload?: () => void;
  /** Answers catalog functions such as to_regclass (SessionFunctions.catalog). Default: 0A000 for each. */
  catalog?: (name: string, args: Datum[], context: EvalContext) => Datum;
  /** Initial values of settings, by name, as a configuration file would give them. */
  settings?: Record<string, string>;
}

/** One session as pg_stat_activity shows it. Times are microseconds since 2000-01-01 UTC. */
export interface SessionInfo {
  pid: number;
  user: string;
  /** OID of the role that it was begun as. */
  role: number;
  database: string;
  applicationName: string;
  clientAddress: string | null;
  clientPort: number | null;
  /** Where the client came to. */
  serverAddress: string | null;
  serverPort: number | null;
  backendStart: bigint;
  transactionStart: bigint | null;
  queryStart: bigint | null;
  stateChange: bigint;
  state: 'active' | 'idle' | 'idle in transaction' | 'idle in transaction (aborted)';
  query: string;
  tls: TlsState | null;
}

/** pg_settings, as one session sees it. */
export interface SettingInfo {
  name: string;
  setting: string;
  unit: string | null;
  category: string;
  description: string;
  context: string;
  type: 'bool' | 'integer' | 'real' | 'string' | 'enum';
  source: 'default' | 'configuration file' | 'global' | 'user' | 'client' | 'session' | 'override';
  min: string | null;
  max: string | null;
  enumValues: string[] | null;
  bootValue: string;
  resetValue: string;
}

/** pg_prepared_statements. */
export interface PreparedInfo {
  name: string;
  statement: string;
  prepareTime: bigint;
  parameterTypes: number[];
  resultTypes: number[] | null;
  fromSql: boolean;
}

/** pg_cursors. */
export interface CursorInfo {
  name: string;
  statement: string;
  holdable: boolean;
  binary: boolean;
  scrollable: boolean;
  creationTime: bigint;
}

/** What the catalog may ask about one live session. */
export interface SessionView {
  info(): SessionInfo;
  settings(): SettingInfo[];
  preparedStatements(): PreparedInfo[];
  cursors(): CursorInfo[];
  listeningChannels(): string[];
}

export interface PostgresServer {
  address: string;
  port: number;
  /** All sessions, for pg_stat_activity. */
  sessions(): SessionInfo[];
  /** One session by backend pid (EvalContext.session.backendPid()), for pg_settings, pg_cursors and the like. */
  session(pid: number): SessionView | null;
  /** Sends a notification from the server itself (pid 0) to every listener of the channel. */
  notify(channel: string, payload: string): void;
  /** Who connects from now on sees this certificate. Rejects what is none; the one before stays then. */
  useTls(pair: TlsPair): Promise<void>;
  /** Tells every client FATAL 57P01, closes all sockets and the listener; resolves when they are closed. */
  close(): Promise<void>;
}
