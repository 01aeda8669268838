/**
 * The HTTP thread as the dataflow thread sees it: a worker with the sockets of HTTP clients, which is itself a client of the Postgres server.
 *
 *   HTTP client <-> worker.ts  <-- stream_port.ts -->  listener of Postgres clients (I/O thread) <-> session
 *                       ^--- state, health, metrics --- this thread
 *
 * It listens before recovery, so that probes are answered. When it fails, its clients are cut off and said so in the log; the rest goes on.
 */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { receivedError, sentError } from '../io/messages.ts';
import type { Log } from '../postgres/options.ts';
import { CLOSE_GRACE_MS } from '../postgres/wire/listener.ts';
import type { TlsPair } from '../postgres/wire/tls.ts';
import type { FromHttp, Health, HttpSettings, HttpStart, Question, ToHttp } from './messages.ts';

export type Ask = (what: Question) => Promise<Health | string>;

export class HttpThread {
  readonly #worker: Worker;
  readonly #log: Log;
  #ask: Ask | null = null;
  /** For who has the listener of Postgres clients. */
  readonly streams: MessagePort;
  address = '';
  port = 0;
  #closing = false;
  /** What is waited for: that it listens, has a certificate, or has closed. */
  #waits: { resolve(): void; reject(error: Error): void } | null = null;

  private constructor(settings: HttpSettings, log: Log) {
    this.#log = log;
    const { port1, port2 } = new MessageChannel();
    this.streams = port1;
    const data: HttpStart = { settings, streams: port2 };
    this.#worker = new Worker(workerFile(), {
      name: 'tidemark-http',
      execArgv: [],
      workerData: data,
      transferList: [port2],
    });
    this.#worker.on('message', (message: FromHttp) => this.#message(message));
    this.#worker.on('error', (error) => this.#failed(error));
    this.#worker.on('exit', (code) => this.#failed(new Error(`it ended with code ${code}`)));
  }

  /** Rejects when the address cannot be had. */
  static async start(settings: HttpSettings, log: Log): Promise<HttpThread> {
    const thread = new HttpThread(settings, log);
    try {
      await thread.#until();
    } catch (error) {
      await thread.#end();
      throw error;
    }
    return thread;
  }

  /** Recovery is over and clients are let in. `ask` answers for the engine. */
  ready(ask: Ask): void {
    this.#ask = ask;
    this.#post({ k: 'state', state: 'ready' });
  }

  /** Who connects from now on sees this certificate. */
  async useTls(pair: TlsPair): Promise<void> {
    if (this.#closing) return;
    const taken = this.#until();
    this.#post({ k: 'tls', pair });
    await taken;
  }

  /** From now on nobody is let in, and probes hear so. */
  closing(): void {
    this.#post({ k: 'state', state: 'closing' });
  }

  /** Sessions have been told; their last words are sent. */
  async close(): Promise<void> {
    if (!this.#closing) {
      const closed = this.#until();
      this.#post({ k: 'close', graceMs: CLOSE_GRACE_MS });
      await closed;
    }
    await this.#end();
  }

  async #end(): Promise<void> {
    this.#closing = true;
    await this.#worker.terminate();
  }

  #until(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waits = { resolve, reject };
    });
  }

  #post(message: ToHttp): void {
    this.#worker.postMessage(message);
  }

  #message(message: FromHttp): void {
    switch (message.k) {
      case 'listening':
        this.address = message.address;
        this.port = message.port;
        this.#waits?.resolve();
        return;
      case 'refused':
        this.#waits?.reject(receivedError(message.error));
        return;
      case 'tlsTaken':
        if (message.error === null) this.#waits?.resolve();
        else this.#waits?.reject(receivedError(message.error));
        return;
      case 'closed':
        this.#waits?.resolve();
        return;
      case 'log':
        this.#log(message.level, message.message, message.fields);
        return;
      case 'ask':
        void this.#answer(message.ask, message.what);
        return;
    }
  }

  async #answer(ask: number, what: Question): Promise<void> {
    try {
      if (this.#ask === null) throw new Error('the server is not ready');
      this.#post({ k: 'answer', ask, value: await this.#ask(what) });
    } catch (error) {
      this.#log('error', `http: ${(error as Error).message}`, { stack: (error as Error).stack });
      this.#post({ k: 'failed', ask, error: sentError(error) });
    }
  }

  #failed(error: Error): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#log('error', `http: its thread has failed, and nothing is served there any more: ${error.message}`, {
      stack: error.stack,
    });
    this.#waits?.reject(error);
  }
}

function workerFile(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './testing/worker.mjs' : './http_worker.js', import.meta.url);
}
