/**
 * Tidemark as a library: a database in this process. docs/embedding.md says how to use it, docs/testing.md how to test views with it.
 *
 * Kept by hand; the code implements these types, so the compiler holds both together.
 */
/// <reference lib="esnext.disposable" />

/** How a database is opened. */
export interface OpenOptions {
  /** The data directory, made when it is missing. Absent: everything is in memory, and gone with close(). */
  data?: string;
  /** What rows and state may take: bytes, or a text such as '512MB'. Default: half of the machine's memory, at most 3 GB. */
  memoryLimit?: number | string;
  /** 'manual': time stands still and moves by `clock` only. It begins at 2000-01-01 00:00:00+00. Default: 'real'. */
  clock?: 'real' | 'manual';
  /** 'local': topics are in this process. Streams and tables over Kafka get their rows by insert() and delete(), sinks deliver nothing. Default: 'brokers'. */
  kafka?: 'brokers' | 'local';
  /** Also serves Postgres clients, of this machine: 'host:port', port 0 takes a free one. `address` says which. */
  listen?: string;
  /** Is told what a server would write to its log. Default: nobody is. */
  log?: (level: 'info' | 'warn' | 'error', message: string, fields?: Record<string, unknown>) => void;
}

/** Opens a database; it has a thread of its own. */
export function open(options?: OpenOptions): Promise<Database>;

/** A row by names of columns. */
// biome-ignore lint/suspicious/noExplicitAny: what a column holds only the query says.
export type Row = Record<string, any>;

export interface Column {
  name: string;
  /** As PostgreSQL's format_type() writes it: 'bigint', 'text[]'. */
  type: string;
}

export interface Result<R = Row> {
  /** 'SELECT', 'INSERT', 'CREATE VIEW'. */
  command: string;
  columns: Column[];
  rows: R[];
  /** Rows returned or changed; null for what has none. */
  rowCount: number | null;
  /** The tick that it read, or that it became. */
  tick: bigint;
}

/** What insert() and delete() did. */
export interface Written {
  rowCount: number;
  /** The tick at which the rows are there: every read from now on sees them. */
  tick: bigint;
}

export interface InsertOptions {
  /** Of a local topic: where the rows go. Each partition has its own watermark. Default: 0. */
  partition?: number;
}

/** Statements, one after the other in the order in which they were called. */
export interface Session {
  /** One statement. `$1` and so on are `params`. */
  query<R extends object = Row>(sql: string, params?: readonly unknown[]): Promise<Result<R>>;
  /** The same with rows as arrays, for columns of equal names. */
  query<R extends unknown[] = unknown[]>(
    sql: string,
    params: readonly unknown[],
    options: { rowMode: 'array' },
  ): Promise<Result<R>>;
  /** Several statements; outside of a transaction each is one of its own. The first error ends it, and what ran before stays. */
  execute(script: string): Promise<Result[]>;
  /** Adds rows to a table or stream as one tick, all or none. A column that a row does not have gets its DEFAULT. */
  insert(relation: string, rows: readonly object[], options?: InsertOptions): Promise<Written>;
  /** Takes the rows with these keys out of a table, as one tick. */
  delete(relation: string, keys: readonly object[], options?: InsertOptions): Promise<Written>;
}

/** A transaction: all of it reads one tick and is published as one tick. */
export type Transaction = Session;

export interface SubscribeOptions {
  /** Begins with the rows that there are. Default: true. */
  snapshot?: boolean;
  /** Begins at this earlier tick. */
  asOf?: bigint | number;
  /** Values of `$1` and so on in a query. */
  params?: readonly unknown[];
  /** Also gives ticks that change nothing. Default: false. */
  progress?: boolean;
}

/** One whole tick of a view. */
export interface Changes<R = Row> {
  tick: bigint;
  added: R[];
  removed: R[];
}

/** Ends with break, or return(). */
export interface Subscription<R = Row> extends AsyncIterableIterator<Changes<R>> {
  return(): Promise<IteratorResult<Changes<R>>>;
}

export interface Clock {
  /** The present time, in UTC. */
  now(): Promise<Date>;
  /** Turns a manual clock by an interval such as '10 seconds'; gives the tick at which views have seen it. */
  advance(interval: string): Promise<bigint>;
  /** Sets a manual clock to a time, which is not before the present one. */
  set(time: Date | string): Promise<bigint>;
}

export interface Database extends Session, AsyncDisposable {
  /** Where Postgres clients come in; null: nowhere. */
  readonly address: { host: string; port: number } | null;
  readonly clock: Clock;
  /** Rows of a query as they are read: no more are in memory than are being looked at. */
  iterate<R extends object = Row>(sql: string, params?: readonly unknown[]): AsyncIterableIterator<R>;
  /** The changes of a view, table, stream or SELECT, tick by tick. What is done after this call is among them. */
  subscribe<R extends object = Row>(target: string, options?: SubscribeOptions): Subscription<R>;
  /**
   * Runs `work` in a transaction and commits; when it throws, everything is taken back. A conflict with another writer is an error with code '40001':
   * run it again.
   */
  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
  /** Ends subscriptions and clients, and resolves when nothing of the database is left in this process. */
  close(): Promise<void>;
}

/** An error of the database. */
export class TidemarkError extends Error {
  readonly name: 'TidemarkError';
  /** SQLSTATE, as PostgreSQL has it: '23505', '42P01'. */
  readonly code: string;
  readonly detail?: string;
  readonly hint?: string;
  /** The character of the statement that it is about, from 1. */
  readonly position?: number;
  /** What was being done, such as the line of a COPY. */
  readonly where?: string;
  readonly table?: string;
  readonly column?: string;
  readonly constraint?: string;
}
