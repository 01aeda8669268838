/**
 * The I/O thread as the dataflow thread sees it: a worker that has the sockets of clients and of Kafka brokers, and the files that streams read.
 *
 *   this thread                               worker.ts
 *   sessions   <- remote_clients.ts   <---->  client_host.ts   -> sockets of clients, streams of the HTTP thread
 *   streams    <- remote_source.ts    <---->  source_host.ts   -> Kafka sources, files
 *   sinks      <- calls               <---->  sink_host.ts     -> Kafka producers
 *
 * Both see the one shared memory; the worker allocates in pages of its own. When it fails the process cannot go on: onFailure is called.
 */
import type { MessagePort, Worker } from 'node:worker_threads';
import { checked } from '../../operators/batch/pages.ts';
import { followEnumTypes } from '../../operators/expr/enum_types.ts';
import type { KafkaAccess } from '../kafka/access.ts';
import type { Log } from '../postgres/options.ts';
import type { Listen } from '../postgres/wire/listener.ts';
import type { Delivery } from '../runtime/sink.ts';
import type { FileAccess } from '../sources/files/access.ts';
import { placeOf, type SentBatch } from './batches.ts';
import { Channel } from './channel.ts';
import type { MarkLink } from './durable_mark.ts';
import { type Call, type FromIo, receivedError, type ToIo } from './messages.ts';
import { RemoteClients } from './remote_clients.ts';
import { RemoteSource } from './remote_source.ts';
import { type StartedWorker, startWorker, takeBackPages } from './start_worker.ts';

export interface IoThreadOptions {
  log: Log;
  /** Started before; default: one is started now. */
  worker?: StartedWorker;
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
  readonly #started: StartedWorker;
  readonly #clients: RemoteClients;
  readonly #sources = new Map<number, RemoteSource>();
  readonly #calls = new Map<number, PendingCall>();
  readonly #untold: () => void;
  #lastCall = 0;
  #closing = false;

  constructor(options: IoThreadOptions) {
    this.#options = options;
    this.#started = options.worker ?? startWorker();
    const { worker, link, urgent } = this.#started;
    this.#worker = worker;
    worker.ref();
    this.channel = new Channel<ToIo, FromIo>(this.#worker, link);
    this.#clients = new RemoteClients(this.channel, this.call, urgent);
    this.channel.receive({
      frame: (kind, id, bytes) => this.#clients.frame(kind, id, bytes),
      message: (message) => this.#message(message),
    });
    this.#untold = followEnumTypes((type) => this.channel.post({ k: 'enum', type }));
    this.#worker.on('error', (error) => this.#failed(error));
    this.#worker.on('exit', (code) => this.#failed(new Error(`it ended with code ${code}`)));
  }

  /** Lets Postgres clients in through the I/O thread. */
  readonly listen: Listen = (options, handler) => this.#clients.listen(options, handler);

  /** From now on a signal that asks the process to end ends what a client's statement does in a turn, and in the end the process (end_signals.ts). */
  async watchSignals(): Promise<void> {
    await this.call('watchSignals');
  }

  /** From now on clients' connections keep back what waits for the tick log. */
  followLog(mark: MarkLink): void {
    this.channel.post({ k: 'mark', mark }, [mark.port]);
    this.#clients.canHold = true;
  }

  /** From now on clients of the HTTP thread come in as those of the listener do. */
  admitFrom(port: MessagePort): void {
    this.channel.post({ k: 'http', port }, [port]);
  }

  /** Reads and writes Kafka through the I/O thread. Its log lines come with those of the thread. */
  readonly kafka: KafkaAccess = {
    checkSource: async (options) => {
      await this.call('checkKafkaSource', options);
    },
    openSource: async (options) => this.#remote((await this.call('openKafkaSource', options)) as number),
    openSink: async (...args) => {
      const { id, delivery } = (await this.call('openKafkaSink', ...args)) as { id: number; delivery: Delivery };
      return {
        delivery,
        create: async () => {
          await this.call('createSink', id);
        },
        begin: async (known) => (await this.call('beginSink', id, known)) as bigint | null,
        write: async (ticks) => {
          await this.call('writeSink', id, ticks);
        },
        close: async (forget) => {
          await this.call('closeSink', id, forget);
        },
      };
    },
  };

  /** Reads files through the I/O thread. */
  readonly files: FileAccess = {
    checkSource: async (...args) => {
      await this.call('checkFiles', ...args);
    },
    openSource: async (options, columns) => this.#remote((await this.call('openFiles', options, columns)) as number),
  };

  #remote(id: number): RemoteSource {
    const source = new RemoteSource(this.channel, this.call, id, () => this.#sources.delete(id));
    this.#sources.set(id, source);
    return source;
  }

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
        this.#clients.cancel(message.serial, message.pid, message.secret);
        return;
      case 'rowsFailed':
        this.#clients.rowsFailed(message.connection, message.error);
        return;
      case 'batch':
        this.#takeBatch(message.source, message.generation, message.batch);
        return;
      case 'sourceState':
        this.#sources.get(message.source)?.takeState(message);
        return;
    }
  }

  #takeBatch(id: number, generation: number, batch: SentBatch): void {
    const source = this.#sources.get(id);
    if (source !== undefined) {
      source.take(generation, batch);
      return;
    }
    // It was closed meanwhile.
    const place = placeOf(batch);
    if (place !== null) this.channel.post({ k: 'source', source: id, order: { k: 'read', place } });
  }

  #takeCall(call: number): PendingCall | undefined {
    const pending = this.#calls.get(call);
    this.#calls.delete(call);
    return pending;
  }

  #failed(error: Error): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#untold();
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
    this.#untold();
    this.#started.urgent.close();
    await this.#worker.terminate();
    takeBackPages(this.#started);
  }
}
