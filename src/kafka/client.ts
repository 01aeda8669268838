/**
 * kafkajs as the engine uses it: the public client, and under it the few internals that the raw reader needs, behind one typed door.
 *
 * Internals of kafkajs 2.2.4 touched: the client's private symbol "createCluster"; of the cluster: connect, disconnect,
 * refreshMetadata, addTargetTopic, findTopicPartitionMetadata, findBroker, fetchTopicsOffset; broker.versions and broker.connectionPool.send; its errors by code. The version is pinned in
 * package.json and checked here; with another one rawCluster() gives null and opening a topic is an error that says so (decision 0060).
 *
 * Patched: RequestQueue.scheduleCheckPendingRequests, which in 2.2.4 re-arms a 1 ms timer for ever on every connection (issue 1751; 4.4 % of a
 * core for each idle connection). With nothing pending there is nothing to check: push() calls it again.
 */
import { createRequire } from 'node:module';
import { Kafka, type LogEntry, logLevel } from 'kafkajs';
import type { RawRequest } from './fetch.ts';
import type { ClusterOptions } from './options.ts';

export type Log = (level: 'info' | 'warn' | 'error', message: string, fields?: Record<string, unknown>) => void;

export interface PartitionMetadata {
  partitionId: number;
  leader: number;
}

interface OffsetQuery {
  topic: string;
  partitions: { partition: number }[];
  fromBeginning?: boolean;
  fromTimestamp?: number;
}

export interface RawBroker {
  /** Versions of each request that the broker takes, by API key. */
  versions: Record<number, { maxVersion: number }> | null;
  connectionPool: {
    send<T>(call: {
      request: RawRequest;
      response: { decode(bytes: Buffer): Promise<T>; parse(data: T): Promise<T> };
      requestTimeout: number;
      logResponseError: boolean;
    }): Promise<T>;
  };
}

/** The part of kafkajs's Cluster that the raw reader uses. */
export interface RawCluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  refreshMetadata(): Promise<void>;
  addTargetTopic(topic: string): Promise<void>;
  findTopicPartitionMetadata(topic: string): PartitionMetadata[];
  findBroker(at: { nodeId: string }): Promise<RawBroker>;
  fetchTopicsOffset(
    queries: OffsetQuery[],
  ): Promise<{ topic: string; partitions: { partition: number; offset: string }[] }[]>;
}

const CLUSTER_METHODS = [
  'connect',
  'disconnect',
  'refreshMetadata',
  'addTargetTopic',
  'findTopicPartitionMetadata',
  'findBroker',
  'fetchTopicsOffset',
] as const;

const VERSION = '2.2.4';
const READ_COMMITTED = 1;
const METADATA_MAX_AGE = 300_000;
const CHECK_INTERVAL = 10;
/** The same log message is passed on once in this many milliseconds. */
const QUIET_MS = 30_000;

const require = createRequire(import.meta.url);

interface RequestQueue {
  pending: unknown[];
  throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  checkPendingRequests(): void;
  scheduleCheckPendingRequests(): void;
}

let patched = false;

function patchTimerLoop(): void {
  if (patched) return;
  patched = true;
  if ((require('kafkajs/package.json') as { version: string }).version !== VERSION) return;
  const queue = (require('kafkajs/src/network/requestQueue') as { prototype: RequestQueue }).prototype;
  queue.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.pending.length === 0 || this.throttleCheckTimeoutId) return;
    const wait = this.throttledUntil - Date.now();
    this.throttleCheckTimeoutId = setTimeout(
      () => {
        this.throttleCheckTimeoutId = null;
        this.checkPendingRequests();
      },
      wait > 0 ? wait : CHECK_INTERVAL,
    );
  };
}

/** A client whose own retries are off (callers retry) and whose log goes to `log`. */
export function kafkaClient(options: ClusterOptions, log: Log, retries = 0): Kafka {
  patchTimerLoop();
  return new Kafka({
    brokers: options.brokers,
    clientId: options.clientId,
    ssl: options.ssl,
    sasl: options.sasl,
    connectionTimeout: options.connectionTimeoutMs,
    authenticationTimeout: options.connectionTimeoutMs,
    requestTimeout: options.requestTimeoutMs,
    retry: { retries, initialRetryTime: 100, maxRetryTime: 2000 },
    logLevel: logLevel.WARN,
    logCreator: () => quietly(log),
  });
}

/** kafkajs says the same at every try; once in a while is enough. */
function quietly(log: Log): (entry: LogEntry) => void {
  const said = new Map<string, number>();
  return ({ namespace, log: { message, broker } }) => {
    const text = `kafka ${namespace}: ${message}${broker === undefined ? '' : ` (${broker})`}`;
    const now = performance.now();
    if (now - (said.get(text) ?? Number.NEGATIVE_INFINITY) < QUIET_MS) return;
    said.set(text, now);
    log('warn', text);
  };
}

/** What kafkajs throws when a broker answers with this code. */
export function errorOfCode(code: number): Error {
  const { createErrorFromCode } = require('kafkajs/src/protocol/error') as { createErrorFromCode(code: number): Error };
  return createErrorFromCode(code);
}

/** A cluster object of kafkajs, or null when the installed version is not the one whose internals are known. */
export function rawCluster(client: Kafka, committedOnly: boolean): RawCluster | null {
  if ((require('kafkajs/package.json') as { version: string }).version !== VERSION) return null;
  const symbol = Object.getOwnPropertySymbols(client).find((s) => s.description === 'private:Kafka:createCluster');
  if (symbol === undefined) return null;
  const make = (client as unknown as Record<symbol, (settings: object) => RawCluster>)[symbol];
  const cluster = make({
    metadataMaxAge: METADATA_MAX_AGE,
    allowAutoTopicCreation: false,
    isolationLevel: committedOnly ? READ_COMMITTED : 0,
  });
  return CLUSTER_METHODS.every((name) => typeof cluster[name] === 'function') ? cluster : null;
}
