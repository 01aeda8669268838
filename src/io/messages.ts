/** What the two threads say to each other. */

import type { MessagePort, Transferable } from 'node:worker_threads';
import type { Batch } from '../../operators/batch/batch.ts';
import { SqlError, type SqlErrorFields } from '../../operators/errors.ts';
import type { EnumType } from '../../operators/expr/enum_types.ts';
import type { Place } from '../kafka/buffers.ts';
import type { RowForm } from '../postgres/encode/row_form.ts';
import type { Peer } from '../postgres/wire/connection.ts';
import type { StartupMessage } from '../postgres/wire/startup_packet.ts';
import type { SourceEvent } from '../sources/source.ts';
import type { SentBatch } from './batches.ts';
import type { MarkLink } from './durable_mark.ts';

/** Kinds of frames; their id is the connection's. */
export const FRAME = {
  /** Both ways: bytes from the client, messages to the client. */
  bytes: 1,
  /** To the I/O thread: so many more bytes may be read from the client. */
  more: 2,
  /** From the I/O thread: the client has been given so many more bytes. */
  taken: 3,
  /** From the I/O thread: the client sends no more; the socket is gone. */
  ended: 4,
  closed: 5,
  /** To the I/O thread: close when all is sent, at the latest after so many milliseconds. */
  finish: 6,
  /** To the I/O thread: leave the rest of the rows. Rows are done in any case. */
  stopRows: 7,
  /** From the I/O thread: the rows' memory is no longer read. */
  rowsDone: 8,
  /** To the I/O thread: a tick (int64), and messages to the client that wait for it to be on the disk; what waits is dropped. */
  later: 9,
  dropLater: 10,
} as const;

const TICK_BYTES = 8;

export function laterFrame(tick: bigint, messages: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(TICK_BYTES + messages.length);
  bytes.writeBigInt64LE(tick);
  bytes.set(messages, TICK_BYTES);
  return bytes;
}

export function readLater(bytes: Buffer): { tick: bigint; messages: Buffer } {
  return { tick: bytes.readBigInt64LE(), messages: bytes.subarray(TICK_BYTES) };
}

/** An error as data: an SqlError comes out as one, anything else as what it says. */
export interface SentError {
  sqlstate: string | null;
  message: string;
  fields: SqlErrorFields;
  /** Of errors of the system: EADDRINUSE and so on. */
  code?: string;
  stack?: string;
}

export function sentError(error: unknown): SentError {
  if (error instanceof SqlError) return { sqlstate: error.sqlstate, message: error.message, fields: error.fields };
  const { message, stack, code }: NodeJS.ErrnoException = error instanceof Error ? error : new Error(String(error));
  return { sqlstate: null, message, fields: {}, code, stack };
}

export function receivedError({ sqlstate, message, fields, code, stack }: SentError): Error {
  if (sqlstate !== null) return new SqlError(sqlstate, message, fields);
  const error: NodeJS.ErrnoException = new Error(message);
  if (code !== undefined) error.code = code;
  if (stack !== undefined) error.stack = stack;
  return error;
}

/** An answer whose buffers are moved. */
export class Transferred<T> {
  readonly value: T;
  readonly transfer: Transferable[];

  constructor(value: T, transfer: Transferable[]) {
    this.value = value;
    this.transfer = transfer;
  }
}

/** Asks the I/O thread for something by name; rejects with the error that it met. */
export type Call = (method: string, ...args: unknown[]) => Promise<unknown>;

/** What a source tells beside batches. */
export interface SourceState {
  /** Ends of partitions that have moved. */
  ends: Map<number, bigint>;
  events: SourceEvent[];
  /** As Source.left(). */
  left: bigint | undefined;
}

/** What a source is told. */
export type SourceOrder =
  | { k: 'expect'; identity: string }
  | { k: 'open'; offsets: Map<number, bigint>; generation: number }
  | { k: 'taken'; partition: number; generation: number; bytes: number }
  | { k: 'pause' | 'resume'; partition: number }
  /** Where a batch lay that has been read. */
  | { k: 'read'; place: Place };

export type LogLevel = 'info' | 'warn' | 'error';

/** To the I/O thread. */
export type ToIo =
  | { k: 'call'; call: number; method: string; args: unknown[] }
  | { k: 'rows'; connection: number; form: RowForm | null; batch: Batch; from: number; to: number }
  | { k: 'source'; source: number; order: SourceOrder }
  /** How far the tick log is. */
  | { k: 'mark'; mark: MarkLink }
  /** Clients of the HTTP thread come through it. */
  | { k: 'http'; port: MessagePort }
  /** An enum type as rows that follow may have it. */
  | { k: 'enum'; type: EnumType };

/** From the I/O thread. */
export type FromIo =
  | { k: 'answer'; call: number; value: unknown }
  | { k: 'failed'; call: number; error: SentError }
  | { k: 'log'; level: LogLevel; message: string; fields: Record<string, unknown> | undefined }
  | { k: 'started'; connection: number; startup: StartupMessage; peer: Peer }
  | { k: 'cancel'; serial: number; pid: number; secret: Uint8Array }
  | { k: 'rowsFailed'; connection: number; error: SentError }
  | { k: 'batch'; source: number; generation: number; batch: SentBatch }
  | ({ k: 'sourceState'; source: number } & SourceState);
