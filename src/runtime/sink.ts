/** A running sink: takes each tick's changes of its view and hands them to a writer that may be slower. */
import { Arena } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { detach } from '../../operators/batch/detach.ts';
import type { Observer } from './tick_loop.ts';

/** Writes the consolidated changes of one tick somewhere; resolves when they are there. */
export interface SinkWriter {
  write(tick: bigint, delta: Batch): Promise<void>;
  close(): Promise<void>;
}

export interface SinkStatistics {
  rows: bigint;
  tick: bigint;
  errors: bigint;
  lastError: string;
  queued: number;
}

/** What CREATE SINK makes: sees every tick of its view. */
export interface Sink extends Observer {
  readonly statistics: SinkStatistics;
  /** Resolves when everything seen so far is written. */
  flushed(): Promise<void>;
  close(): Promise<void>;
}

/** Milliseconds before the first retry; doubles up to the greatest. */
const FIRST_RETRY_MS = 100;
const GREATEST_RETRY_MS = 10_000;

export class SinkRuntime implements Sink {
  readonly statistics: SinkStatistics = { rows: 0n, tick: 0n, errors: 0n, lastError: '', queued: 0 };
  readonly #writer: SinkWriter;
  readonly #log: (message: string) => void;
  #queue: { tick: bigint; batch: Batch; arena: Arena }[] = [];
  #running: Promise<void> | null = null;
  #closed = false;
  #wake: (() => void) | null = null;

  constructor(writer: SinkWriter, log: (message: string) => void) {
    this.#writer = writer;
    this.#log = log;
  }

  onTick(tick: bigint, delta: Batch | null): void {
    if (delta === null || this.#closed) return;
    const arena = new Arena();
    this.#queue.push({ tick, batch: detach(delta, arena), arena });
    this.statistics.queued = this.#queue.length;
    this.#running ??= this.#drain();
  }

  async #drain(): Promise<void> {
    let pause = FIRST_RETRY_MS;
    while (this.#queue.length > 0 && !this.#closed) {
      const head = this.#queue[0];
      try {
        await this.#writer.write(head.tick, head.batch);
        pause = FIRST_RETRY_MS;
      } catch (error) {
        this.statistics.errors++;
        this.statistics.lastError = String(error instanceof Error ? error.message : error);
        this.#log(this.statistics.lastError);
        await this.#sleep(pause);
        pause = Math.min(pause * 2, GREATEST_RETRY_MS);
        continue;
      }
      this.statistics.rows += BigInt(head.batch.n);
      this.statistics.tick = head.tick;
      this.#queue.shift();
      head.arena.release();
      this.statistics.queued = this.#queue.length;
    }
    this.#running = null;
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async flushed(): Promise<void> {
    await this.#running;
  }

  async close(): Promise<void> {
    if (this.statistics.lastError === '') await this.#running;
    this.#closed = true;
    this.#wake?.();
    await this.#running;
    for (const queued of this.#queue) queued.arena.release();
    this.#queue = [];
    await this.#writer.close();
  }
}
