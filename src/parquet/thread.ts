/**
 * Parquet files are decoded in a thread of their own, as those that want their rows see it: a column takes up to some 100 ms in one go, in which neither sockets would be served nor ticks be made.
 *
 *   ParquetReader.open -> footer looked at      pieces(from) -> bytes of rows, moved here, one piece made ahead      close()
 *
 * One thread serves all readers of the thread that it is asked from. It begins with the first, and ends IDLE_MS after the last, or at once where that is let go while it waits for rows.
 */
import { Worker } from 'node:worker_threads';
import { memory } from '../../operators/batch/memory.ts';
import { receivedError } from '../io/messages.ts';
import type { FileReader, Piece } from '../sources/files/pieces.ts';
import type { Form, FromParquet, ToParquet, Wanted } from './messages.ts';

const IDLE_MS = 10_000;

interface Waiting {
  resolve(piece: Piece | null): void;
  reject(error: Error): void;
}

class ParquetThread {
  readonly #worker: Worker;
  /** What each reader waits for, and nothing. */
  readonly #readers = new Map<number, Waiting | null>();
  #last = 0;
  #idle: NodeJS.Timeout | null = null;

  constructor() {
    // It asks for no page, and would reserve a memory of its own.
    const workerData = { memory, pageRange: [1, 1] };
    this.#worker = new Worker(workerFile(), { name: 'tidemark-parquet', execArgv: [], workerData });
    this.#worker.on('message', (message: FromParquet) => {
      const waiting = this.#readers.get(message.reader);
      if (!waiting) return;
      this.#readers.set(message.reader, null);
      if (message.k === 'failed') waiting.reject(receivedError(message.error));
      else waiting.resolve(message.piece);
    });
    this.#worker.on('error', (error) => this.#ended(error));
    this.#worker.on('exit', (code) => this.#ended(new Error(`its thread has ended with code ${code}`)));
  }

  add(): number {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = null;
    this.#worker.ref();
    this.#readers.set(++this.#last, null);
    return this.#last;
  }

  post(message: ToParquet): void {
    this.#worker.postMessage(message);
  }

  ask(message: Extract<ToParquet, { k: 'open' | 'next' }>): Promise<Piece | null> {
    return new Promise((resolve, reject) => {
      if (thread !== this) throw new Error('its thread has ended');
      this.#readers.set(message.reader, { resolve, reject });
      this.post(message);
    });
  }

  remove(reader: number): void {
    const waiting = this.#readers.get(reader);
    if (!this.#readers.delete(reader)) return;
    this.post({ k: 'close', reader });
    if (this.#readers.size > 0) return;
    this.#worker.unref();
    // It hears of nothing before it has made what nobody waits for any more: that may take long, and all memory.
    if (waiting) this.#end();
    else this.#idle = setTimeout(() => this.#end(), IDLE_MS).unref();
  }

  #end(): void {
    if (thread === this) thread = null;
    void this.#worker.terminate();
  }

  #ended(error: Error): void {
    if (thread === this) thread = null;
    const waiting = [...this.#readers.values()];
    this.#readers.clear();
    for (const one of waiting) one?.reject(error);
  }
}

let thread: ParquetThread | null = null;

export class ParquetReader implements FileReader {
  readonly #thread: ParquetThread;
  readonly #number: number;

  private constructor() {
    thread ??= new ParquetThread();
    this.#thread = thread;
    this.#number = thread.add();
  }

  /** Throws what is wrong with the file, or what `wait` does: the thread may be at work for another. Of an open one close() comes at last. */
  static async open(
    path: string,
    size: number,
    form: Form,
    wanted: Wanted,
    wait = (answer: Promise<unknown>) => answer,
  ): Promise<ParquetReader> {
    const reader = new ParquetReader();
    try {
      await wait(reader.#thread.ask({ k: 'open', reader: reader.#number, path, size, form, wanted }));
      return reader;
    } catch (error) {
      reader.close();
      throw error;
    }
  }

  async *pieces(from: number): AsyncGenerator<Piece> {
    this.#thread.post({ k: 'from', reader: this.#number, row: from });
    for (;;) {
      const piece = await this.#thread.ask({ k: 'next', reader: this.#number });
      if (piece === null) return;
      const { buffer, byteOffset, byteLength } = piece.bytes;
      yield { ...piece, bytes: Buffer.from(buffer, byteOffset, byteLength) };
    }
  }

  /** What is being waited for never comes then. */
  close(): void {
    this.#thread.remove(this.#number);
  }
}

function workerFile(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './testing/worker.mjs' : './parquet_worker.js', import.meta.url);
}
