/**
 * The thread of a database, seen from its user's: starts it, carries what both say (messages.ts), notices its end.
 *
 *   open()   -> ready, or the error that kept it from being so
 *   failed() <- it has ended by itself: everything that waits is told so
 *   close()  -> nothing of it is left, whatever happened before
 */
import { resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import { releaseOf } from '../durable/data_directory.ts';
import type { FromDatabase, Question, Questions, Settings, ThreadData, ToDatabase } from './messages.ts';
import type { OpenOptions } from './tidemark.d.ts';
import { closedError, TidemarkError } from './tidemark_error.ts';

/** One connection's end in this thread. */
export interface Client {
  received(bytes: Uint8Array): void;
  /** Nothing comes any more. */
  ended(error: TidemarkError): void;
}

interface Waiting {
  // biome-ignore lint/suspicious/noExplicitAny: each question has its own answer.
  resolve(answer: any): void;
  reject(error: TidemarkError): void;
}

/** How long an orderly end may take before the thread is ended as it is. */
const CLOSE_MS = 30_000;

export class EngineThread {
  readonly #worker: Worker;
  readonly #settings: Settings;
  readonly #log: OpenOptions['log'];
  readonly #clients = new Map<number, Client>();
  readonly #questions = new Map<number, Waiting>();
  readonly #exited: Promise<unknown>;
  /** As the lock of the data directory names it, and where that is. */
  readonly #thread: number;
  readonly #folder: string | null;
  address: { host: string; port: number } | null = null;
  #numbers = 0;
  /** Why nothing can be asked any more. */
  #over: TidemarkError | null = null;
  #lastError = '';
  #closing: Promise<void> | null = null;
  #opened: Waiting | null = null;

  static async open(options: OpenOptions): Promise<EngineThread> {
    const thread = new EngineThread(options);
    try {
      await new Promise<void>((resolve, reject) => {
        thread.#opened = { resolve, reject };
      });
    } catch (error) {
      await thread.#end();
      throw error;
    }
    return thread;
  }

  private constructor({ data, memoryLimit, clock, kafka, listen, log }: OpenOptions) {
    this.#settings = { data, memoryLimit, clock, kafka, listen };
    this.#log = log;
    this.#folder = data === undefined ? null : resolve(data);
    const workerData: ThreadData = { program: 'main', settings: this.#settings };
    this.#worker = new Worker(threadFile(), { name: 'tidemark', execArgv: [], workerData });
    this.#thread = this.#worker.threadId;
    this.#worker.on('message', (message: FromDatabase) => this.#hear(message));
    this.#worker.on('error', (error) => this.#fail(String(error instanceof Error ? error.message : error), error));
    this.#exited = new Promise<void>((exited) => {
      this.#worker.once('exit', () => {
        this.#fail(this.#lastError || 'its thread has ended');
        exited();
      });
    }).then(() => {
      if (this.#folder !== null) releaseOf(this.#thread, this.#folder);
    });
    // Who closes it hears of that.
    this.#exited.catch(() => undefined);
  }

  /** A new connection; gives its number. */
  connect(client: Client): number {
    if (this.#over !== null) throw this.#over;
    const connection = ++this.#numbers;
    this.#clients.set(connection, client);
    this.#post({ k: 'open', connection });
    return connection;
  }

  send(connection: number, bytes: Uint8Array): void {
    if (!this.#clients.has(connection)) return;
    // What comes of a pool must not go away with it.
    this.#post({ k: 'bytes', connection, bytes: new Uint8Array(bytes) });
  }

  taken(connection: number, bytes: number): void {
    if (this.#clients.has(connection)) this.#post({ k: 'taken', connection, bytes });
  }

  hangUp(connection: number): void {
    if (this.#clients.delete(connection)) this.#post({ k: 'hangUp', connection });
  }

  ask<Q extends Question>(question: Q, about: Questions[Q]['ask']): Promise<Questions[Q]['answer']> {
    if (this.#over !== null) return Promise.reject(this.#over);
    return this.#ask(question, about);
  }

  #ask<Q extends Question>(question: Q, about: Questions[Q]['ask']): Promise<Questions[Q]['answer']> {
    return new Promise((resolve, reject) => {
      const number = ++this.#numbers;
      this.#post({ k: 'ask', number, question, about });
      this.#questions.set(number, { resolve, reject });
    });
  }

  #post(message: ToDatabase): void {
    this.#worker.postMessage(message);
  }

  #hear(message: FromDatabase): void {
    switch (message.k) {
      case 'bytes':
        this.#clients.get(message.connection)?.received(message.bytes);
        return;
      case 'closed': {
        const client = this.#clients.get(message.connection);
        this.#clients.delete(message.connection);
        client?.ended(this.#over ?? closedError());
        return;
      }
      case 'answer':
        this.#take(message.number)?.resolve(message.answer);
        return;
      case 'failed':
        this.#take(message.number)?.reject(new TidemarkError(message.error));
        return;
      case 'log':
        if (message.level === 'error') this.#lastError = message.message;
        this.#log?.(message.level, message.message, message.fields);
        return;
      case 'ready':
        this.address = message.address;
        this.#opened?.resolve(undefined);
        return;
      case 'refused':
        this.#opened?.reject(new TidemarkError(message.error));
    }
  }

  #take(number: number): Waiting | undefined {
    const waiting = this.#questions.get(number);
    this.#questions.delete(number);
    return waiting;
  }

  #fail(reason: string, cause?: unknown): void {
    this.#over ??= new TidemarkError({ code: '58000', message: `the database has failed: ${reason}` }, { cause });
    const error = this.#over;
    this.#opened?.reject(error);
    for (const { reject } of this.#questions.values()) reject(error);
    this.#questions.clear();
    for (const client of this.#clients.values()) client.ended(error);
    this.#clients.clear();
  }

  /** The same for all who call it. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const hasEnded = this.#over !== null;
    this.#over ??= closedError();
    if (hasEnded) return this.#end();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const error = new TidemarkError({
        code: '57014',
        message: `the database was not closed within ${CLOSE_MS / 1000} s`,
      });
      timer = setTimeout(() => reject(error), CLOSE_MS);
    });
    try {
      await Promise.race([this.#ask('close', null), late]);
    } finally {
      clearTimeout(timer);
      await this.#end();
    }
  }

  async #end(): Promise<void> {
    await this.#worker.terminate();
    await this.#exited;
  }
}

/** Built, or under the loader that runs the sources as they are. */
function threadFile(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './testing/host.mjs' : './start.js', import.meta.url);
}
