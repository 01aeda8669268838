/**
 * The I/O thread as the dataflow thread sees it: a worker that has the sockets of clients and of Kafka brokers.
 *
 *   this thread                               worker.ts
 *   sessions   <- remote_clients.ts   <---->  client_host.ts   -> sockets of clients
 *   streams    <- remote_source.ts    <---->  source_host.ts   -> Kafka sources
 *   sinks      <- calls               <---->  sink_host.ts     -> Kafka producers
 *
 * Both see the one shared memory; the worker allocates in pages of its own. When it fails the process cannot go on: onFailure is called.
 */
import { Worker } from 'node:worker_threads';
import { memory, PAGE_BYTES } from '../../operators/batch/memory.ts';
import { checked, pages } from '../../operators/batch/pages.ts';
import { SqlError } from '../../operators/errors.ts';
import type { KafkaAccess } from '../kafka/access.ts';
import type { Log } from '../postgres/options.ts';
import type { Listen } from '../postgres/wire/listener.ts';
import { Channel } from './channel.ts';
import { type Call, type FromIo, receivedError, type ToIo } from './messages.ts';
import { RemoteClients } from './remote_clients.ts';
import { RemoteSource } from './remote_source.ts';

/** Pages that the worker may allocate: 16 MiB, for encoding only. They cost nothing until they are touched. */
const WORKER_PAGES = 256;
const TOTAL_PAGES = memory.buffer.byteLength / PAGE_BYTES;

export interface IoThreadOptions {
  log: Log;
  /** The worker has ended by itself; nothing that hangs on it goes on. */
  onFailure(error: Error): void;
}

interface PendingCall {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

export class IoThread {
  readonly channel: Channel<ToIo, FromIo>;
  readonly #options: IoThreadOptions;
  readonly #worker: Worker;
  readonly #pages = lastFreePages();
  readonly #clients: RemoteClients;
  readonly #sources = new Map<number, RemoteSource>();
  readonly #calls = new Map<number, PendingCall>();
  #lastCall = 0;
  #closing = false;

  constructor(options: IoThreadOptions) {
    this.#options = options;
    const first = this.#pages / PAGE_BYTES;
    this.#worker = new Worker(workerFile(), {
      name: 'tidemark-io',
      execArgv: [],
      workerData: { memory, pageRange: [first, first + WORKER_PAGES] },
    });
    // After this turn's promises: all sessions that one message has woken answer in one.
    this.channel = new Channel<ToIo, FromIo>(this.#worker, (flush) => process.nextTick(flush));
    this.#clients = new RemoteClients(this.channel, this.call);
    this.channel.receive({
      frame: (kind, id, bytes) => this.#clients.frame(kind, id, bytes),
      message: (message) => this.#message(message),
    });
    this.#worker.on('error', (error) => this.#failed(error));
    this.#worker.on('exit', (code) => this.#failed(new Error(`it ended with code ${code}`)));
  }

  /** Lets Postgres clients in through the I/O thread. */
  readonly listen: Listen = (options, handler) => this.#clients.listen(options, handler);

  /** Reads and writes Kafka through the I/O thread. Its log lines come with those of the thread. */
  readonly kafka: KafkaAccess = {
    checkSource: async (options) => {
      await this.call('checkKafkaSource', options);
    },
    openSource: async (options) => {
      const id = (await this.call('openKafkaSource', options)) as number;
      const source = new RemoteSource(this.channel, this.call, id, () => this.#sources.delete(id));
      this.#sources.set(id, source);
      return source;
    },
    openSink: async (...args) => {
      const id = await this.call('openKafkaSink', ...args);
      return {
        write: async (tick, delta) => {
          await this.call('writeSink', id, tick, delta);
        },
        close: async () => {
          await this.call('closeSink', id);
        },
      };
    },
  };

  /** Asks the worker; rejects with the error that it met. */
  readonly call: Call = (method, ...args) => {
    if (this.#closing) return Promise.reject(new Error('the I/O thread has ended'));
    const call = ++this.#lastCall;
    return new Promise((resolve, reject) => {
      this.#calls.set(call, { resolve, reject });
      this.channel.post({ k: 'call', call, method, args });
    });
  };

  #message(message: FromIo): void {
    switch (message.k) {
      case 'answer':
        this.#takeCall(message.call)?.resolve(message.value);
        return;
      case 'failed':
        this.#takeCall(message.call)?.reject(receivedError(message.error));
        return;
      case 'log':
        this.#options.log(message.level, message.message, message.fields);
        return;
      case 'started':
        this.#clients.started(message);
        return;
      case 'cancel':
        this.#clients.cancel(message.pid, message.secret);
        return;
      case 'rowsFailed':
        this.#clients.rowsFailed(message.connection, message.error);
        return;
      case 'batch':
        this.#sources.get(message.source)?.take(message.generation, message.batch);
        return;
      case 'sourceState':
        this.#sources.get(message.source)?.takeState(message.ends, message.events);
        return;
    }
  }

  #takeCall(call: number): PendingCall | undefined {
    const pending = this.#calls.get(call);
    this.#calls.delete(call);
    return pending;
  }

  #failed(error: Error): void {
    if (this.#closing) return;
    this.#closing = true;
    for (const { reject } of this.#calls.values()) reject(error);
    this.#calls.clear();
    this.#options.onFailure(error);
  }

  /** Ends the worker; its clients and sources have been closed before. */
  async close(): Promise<void> {
    if (this.#closing) return;
    if (checked) {
      const used = await this.call('usedPages');
      if (used !== 0) this.#options.log('error', `the I/O thread ends with ${used} pages of memory in use`);
    }
    this.#closing = true;
    await this.#worker.terminate();
    pages.release(this.#pages, WORKER_PAGES);
  }
}

/** At the end of the memory, out of the way of what a checkpoint wants to have back in its old place. */
function lastFreePages(): number {
  for (let page = TOTAL_PAGES - WORKER_PAGES; page > 0; page -= WORKER_PAGES) {
    if (pages.reserve(page * PAGE_BYTES, WORKER_PAGES)) return page * PAGE_BYTES;
  }
  throw new SqlError('53200', 'out of memory', { detail: `No run of ${WORKER_PAGES} pages of 64 KiB is free.` });
}

/** The worker's file: built, or under the loader that runs the sources as they are. */
function workerFile(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './testing/worker.mjs' : './worker.js', import.meta.url);
}
