/**
 * What the server's edges (Postgres wire, embedding, tests) see of the engine. One engine a process; the wire layer owns sessions
 * (settings, prepared statements, portals, transaction status) and calls this. All calls are safe to interleave: the engine
 * orders them at tick boundaries.
 */
import type { Batch } from '../operators/batch/batch.ts';
import type { Datum } from '../operators/datum.ts';
import type { EvalContext } from '../operators/expr/ir.ts';
import type { ColType } from '../operators/types.ts';
import type { Statement } from '../planner/parse/ast.ts';
import type { Roles } from './catalog/roles.ts';

export interface ResultColumn {
  name: string;
  type: ColType;
  /** OID and attribute number of the relation column this is, or 0, 0. */
  relation: number;
  attnum: number;
}

/** Settings and identity of the calling session, as the engine needs them. */
export interface SessionContext {
  /** Evaluation context of the current statement; `now` is the transaction's start. */
  evalContext: EvalContext;
  /** With the schema of the session's temporary objects (operators/expr/search_path.ts). */
  searchPath: string[];
  /** From now on the session's temporary objects are in this schema; null: it has none. Absent: it can have none. */
  useTemporary?(schema: string | null): void;
  /** Names that stand for parameters in what is prepared (PL/pgSQL's variables). */
  variables?: ReadonlyMap<string, number>;
  /** From now on the session sees what this transaction of its makes, which nobody else does; null: its transaction has ended. Absent: all that it makes everybody sees at once. */
  seeOpen?(transaction: number | null): void;
  getSetting(name: string): string | null;
  /** Gives what takes back what is done to the session itself (its settings, notifications) from now on. */
  mark?(): () => void;
  /** Throws when the setting cannot have this value; absent: none is known. */
  checkSetting?(name: string, text: string): void;
  /** Calls back when the session ends; absent: its end is not told. */
  onEnd?(work: () => void): void;
  /** What the running statement does has happened: nothing takes it back. */
  done?(): void;
  /** The open transaction (explicit or implicit); every read in it sees its tick, writes wait for commit. */
  transaction: Transaction;
  notice(
    severity: 'NOTICE' | 'WARNING' | 'INFO',
    sqlstate: string,
    message: string,
    fields?: { hint?: string; detail?: string },
  ): void;
}

/** Reads see one tick (pinned by the first read); writes are buffered, seen by the transaction itself, published by commit. */
export interface Transaction {
  /**
   * Publishes the writes as one tick and resolves when it is visible and, unless `durable` is false, on the disk (where there is a data directory). `signal` ends it before it is published.
   */
  commit(durable?: boolean, signal?: AbortSignal | null): Promise<void>;
  /** Reads are of the present tick from now on, if they are of none yet. */
  pin?(): void;
  /** The statement that runs now is all of it. */
  standAlone?(): void;
  /** True when commit() has something to publish, or to wait for. */
  readonly wrote?: boolean;
  /** Ends it in this turn if it has nothing to publish. False, and nothing done: commit() it. */
  commitNow?(): boolean;
  rollback(): void;
  /** The tick that its reads see, or that it has become. */
  readonly shownTick?: bigint;
  savepoint(name: string): void;
  rollbackTo(name: string): void;
  release(name: string): void;
}

/** A planned statement. `columns` null: gives no rows. Stale when `engine.catalogVersion` has moved on: plan again. */
export interface PreparedStatement {
  statement: Statement;
  paramTypes: number[];
  columns: ResultColumn[] | null;
  catalogVersion: number;
}

export interface Engine {
  readonly catalogVersion: number;
  /** Absent: there is nobody but the bootstrap superuser. */
  readonly roles?: Roles;
  /** Binds and plans. `paramTypes`: OIDs given by the client, 0 = infer. Throws SqlError with position. Handles the statement kinds
   *  select, insert, update, delete, copy, create_*, drop, truncate, subscribe, explain, and utility commands. */
  prepare(statement: Statement, paramTypes: number[], session: SessionContext): PreparedStatement;
  execute(prepared: PreparedStatement, params: Datum[], session: SessionContext, signal: AbortSignal): Promise<Result>;
  /**
   * execute() for an INSERT, UPDATE, DELETE or TRUNCATE that is all of its transaction: what it writes is published when it has run and `before` has resolved; commit() only waits
   * for the disk. When others have changed meanwhile what it read, it runs again.
   */
  executeAlone?(
    prepared: PreparedStatement,
    params: Datum[],
    session: SessionContext,
    signal: AbortSignal,
    before: () => Promise<void> | null,
  ): Promise<Result>;
  /**
   * The result of a statement that takes one short pass over live rows, in this turn; null: execute() it. 'taken': `take` was given all of its
   * rows and has used them.
   */
  executeNow?(
    prepared: PreparedStatement,
    params: Datum[],
    session: SessionContext,
    take: TakeRows,
  ): Result | 'taken' | null;
  begin(): Transaction;
  /** True when a durable subscription has this name: FETCH n FROM it is then prepared and executed here. */
  hasSubscription?(name: string): boolean;
  /** pg_type.oid of a type that a user made; without a schema by the search path. 0 when there is none. */
  typeNamed(schema: string | undefined, name: string, searchPath: string[]): number;
  /** The session has got no value of any sequence (DISCARD SEQUENCES). */
  forgetValues?(session: SessionContext): void;
  /** The session's temporary objects are dropped (DISCARD TEMP). */
  discardTemporary?(session: SessionContext): void;
  /** Absent: there is none. */
  readonly replication?: Replication;
  /** Resolves when everything accepted so far is visible (FLUSH). */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** A relation as replication shows it. */
export interface PublishedRelation {
  oid: number;
  schema: string;
  name: string;
  /** `position`: in the relation's rows; `isKey`: no two rows have the same in all of these. */
  columns: { name: string; type: ColType; position: number; isKey: boolean }[];
  /** Rows are told by their key, which is not NULL; else by all that they have. */
  toldByKey: boolean;
  publish: { insert: boolean; update: boolean; delete: boolean };
}

/** What one tick has changed in the relations of publications. Valid until the next one is asked for. */
export interface PublishedTick {
  tick: bigint;
  /** Microseconds since 2000-01-01. */
  clock: bigint;
  changes: { relation: PublishedRelation; delta: Batch }[];
}

export interface PublishedChanges {
  /** The next tick that is on the disk and changed something; null: none yet, `wake` is called when there may be. */
  next(): Promise<PublishedTick | null>;
  /** Every change up to this tick was given. */
  readonly complete: bigint;
  close(): void;
}

/** What clients of replication follow, and how far they are. */
export interface Replication {
  /** The last tick that is on the disk. */
  readonly durable: bigint;
  /** Of the data directory. */
  readonly identity: string;
  /** Slots that are being read, by the pid of who reads. */
  readonly readers: Map<string, number>;
  /** Throws 42602 or 42622 for what is no name of a slot. */
  checkName(slot: string): void;
  /** A slot whose client has all up to a tick; on the disk when it resolves. */
  create(slot: string, at: bigint): Promise<void>;
  drop(slot: string): Promise<void>;
  /** The tick up to which the slot's client has confirmed all; null: there is no such slot. */
  position(slot: string): bigint | null;
  confirm(slot: string, upTo: bigint): void;
  /** Changes after a tick. 42704: no such publication; 55000: they are not kept any more. */
  follow(publications: string[], after: bigint, wake: () => void): PublishedChanges;
}

export type Result =
  | { kind: 'command'; tag: string }
  /** `tag(n)` gives the command tag after n rows were delivered in total, e.g. n => `SELECT ${n}`. */
  | { kind: 'rows'; columns: ResultColumn[]; rows: RowStream; tag(delivered: number): string }
  /** COPY FROM STDIN: the wire layer decodes text, csv or binary into columns of these types. */
  | { kind: 'copyIn'; columns: ResultColumn[]; options: CopyOptions; target: CopyTarget; file?: string }
  /** COPY TO STDOUT: the wire layer formats. */
  | { kind: 'copyOut'; columns: ResultColumn[]; options: CopyOptions; rows: RowStream; file?: string };

export interface CopyOptions {
  /** parquet: of files alone. */
  format: 'text' | 'csv' | 'binary' | 'parquet';
  delimiter: string;
  null: string;
  /** match: a first line whose names must be those of the columns. */
  header: boolean | 'match';
  quote: string;
  escape: string;
  /** Of csv: columns whose values have quotes always, are taken literally, are NULL in quotes as well. */
  forceQuote: string[] | '*';
  forceNotNull: string[] | '*';
  forceNull: string[] | '*';
}

export interface CopyTarget {
  /** Applies backpressure: resolves when more may come. Rows, each of weight 1 and valid during the call, take part in the transaction. */
  write(rows: Batch): Promise<void>;
  /** Returns the number of rows. */
  finish(): Promise<number>;
  abort(): void;
}

/** Rows in order; weights are already expanded (each row of a chunk is one row). */
export interface RowStream {
  /**
   * At most `maxRows` rows; null at the end. For SUBSCRIBE it waits until at least one row is there, or until `timeoutMs` has passed
   * (then an empty chunk). A chunk is valid until the next call of next() or close(), with `ahead` until that many calls later or close().
   */
  next(maxRows: number, timeoutMs?: number): Promise<RowChunk | null>;
  readonly ahead?: number;
  /** Of rows that may be given before they may be seen. */
  readonly early?: EarlyRows;
  close(): void;
}

/** Rows of ticks that are not on the disk yet, for a connection that keeps them back until they are. */
export interface EarlyRows {
  /** From now on next() does not wait for the disk. */
  begin(): void;
  /** Rejects when it can never be known to be there. */
  untilDurable(tick: bigint): Promise<void>;
}

/** Is given rows that are valid during the call only. False: it has done nothing with them. */
export type TakeRows = (rows: RowChunk) => boolean;

export interface RowChunk {
  batch: Batch;
  /** First row of the chunk within the batch. */
  from: number;
  count: number;
  /** Of early rows: nobody may see them before this tick is on the disk. */
  tick?: bigint | null;
}
