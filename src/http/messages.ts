/** What the dataflow thread and the HTTP thread say to each other. Sessions are no part of it: their bytes go from the HTTP thread to where the listener of Postgres clients is (stream_port.ts). */
import type { MessagePort } from 'node:worker_threads';
import type { SentError } from '../io/messages.ts';
import type { AuthMode } from '../postgres/session/login.ts';
import type { TlsPair } from '../postgres/wire/tls.ts';

export interface HttpSettings {
  listen: { host: string; port: number };
  /** Null: http. */
  tls: TlsPair | null;
  auth: AuthMode;
}

/** In the thread's workerData. */
export interface HttpStart {
  settings: HttpSettings;
  /** Streams to the listener of Postgres clients. */
  streams: MessagePort;
}

export type ServerState = 'starting' | 'ready' | 'closing';

/** What a prober is told of a server that runs. */
export interface Health {
  tick: string;
  /** Sources that are not read now, and why. */
  held: { source: string; partition: number | null; status: string }[];
  /** Sinks that do not write, and why. */
  stopped: { sink: string; status: string; error: string | null }[];
  /** False: the tick log takes nothing more; only reads go on. */
  writable: boolean;
}

export type Question = 'health' | 'metrics';

export type ToHttp =
  | { k: 'state'; state: ServerState }
  | { k: 'tls'; pair: TlsPair }
  | { k: 'answer'; ask: number; value: Health | string }
  | { k: 'failed'; ask: number; error: SentError }
  /** Requests that run have so long to end. */
  | { k: 'close'; graceMs: number };

export type FromHttp =
  | { k: 'listening'; address: string; port: number }
  | { k: 'refused'; error: SentError }
  | { k: 'tlsTaken'; error: SentError | null }
  | { k: 'ask'; ask: number; what: Question }
  | { k: 'log'; level: 'info' | 'warn' | 'error'; message: string; fields?: Record<string, unknown> }
  | { k: 'closed' };
