/**
 * What a database's thread and the thread of its user say to each other.
 *
 *   connections   as a Postgres client and server: bytes of the protocol both ways, each a connection of its own
 *   questions     what the protocol has no words for: answered one by one
 */
import type { OpenOptions } from './tidemark.d.ts';

export type Settings = Pick<OpenOptions, 'data' | 'memoryLimit' | 'clock' | 'kafka' | 'listen'>;

/** workerData of the thread. `program`: which of the built programs it runs (src/run_built.ts). */
export interface ThreadData {
  program: 'main';
  settings: Settings;
}

export interface ErrorFields {
  code: string;
  message: string;
  detail?: string;
  hint?: string;
  position?: number;
  where?: string;
  table?: string;
  column?: string;
  constraint?: string;
}

/** A type of columns: its name, and of arrays the OID of what they hold. */
export interface TypeFacts {
  name: string;
  element: number;
}

/** Rows for a local topic. */
export interface Sent {
  relation: number;
  rows: Record<string, unknown>[];
  /** The rows are keys of what is to go. */
  deleted: boolean;
  partition: number;
}

/** Each question with its answer. */
export interface Questions {
  /** Where statements of a script begin and end, in JavaScript's characters. */
  split: { ask: string; answer: [start: number, end: number][] };
  /** The text with its parameters (null: NULL) written as literals. */
  fill: { ask: { sql: string; params: (string | null)[] }; answer: string };
  types: { ask: number[]; answer: TypeFacts[] };
  /** Null: the relation reads no local topic. */
  send: { ask: Sent; answer: bigint | null };
  /** Moves a manual clock; gives the tick. */
  clock: { ask: { by: string } | { to: string }; answer: bigint };
  /** Microseconds since 1970. */
  now: { ask: null; answer: bigint };
  close: { ask: null; answer: null };
}
export type Question = keyof Questions;

export type ToDatabase =
  | { k: 'open'; connection: number }
  | { k: 'bytes'; connection: number; bytes: Uint8Array }
  /** So many bytes have been read. */
  | { k: 'taken'; connection: number; bytes: number }
  | { k: 'hangUp'; connection: number }
  | { k: 'ask'; number: number; question: Question; about: unknown };

export type FromDatabase =
  | { k: 'ready'; address: { host: string; port: number } | null }
  | { k: 'refused'; error: ErrorFields }
  | { k: 'bytes'; connection: number; bytes: Uint8Array }
  | { k: 'closed'; connection: number }
  | { k: 'answer'; number: number; answer: unknown }
  | { k: 'failed'; number: number; error: ErrorFields }
  | { k: 'log'; level: 'info' | 'warn' | 'error'; message: string; fields?: Record<string, unknown> };

/** ParameterStatus by which a session of this process hears of its tick. */
export const TICK_PARAMETER = 'tidemark.tick';
