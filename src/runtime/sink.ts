/**
 * A running sink: takes each tick's changes of its view and hands them to a writer that may be slower.
 *
 *   running --fails outside--> retrying --succeeds--> running          running --the changes themselves fail--> stopped
 *
 * What fails for a reason outside (a broker away, access refused) is tried again for ever, in order, while what comes waits in memory: up to
 * MOST_QUEUED_ROWS. Beyond that, and at changes that can never be written, the sink stops: what follows could not be right without them. It says so in
 * tidemark.sinks and writes nothing more.
 */
import { Arena } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { decodeBatch, encodeBatch } from '../../operators/batch/batch_codec.ts';
import { detach } from '../../operators/batch/detach.ts';
import { SqlError } from '../../operators/errors.ts';
import type { ColType } from '../../operators/types.ts';
import type { Observer } from './tick_loop.ts';

/** What is known of the rows that a sink writes. */
export interface SinkRows {
  columns: { name: string; type: ColType }[];
  /** Columns that identify a row, when the planner proved some. */
  key: number[] | null;
  /** True when it proved that no row ever goes away. */
  appendOnly: boolean;
}

/**
 * Writes the consolidated changes of one tick somewhere; resolves when they are there. The SQLSTATE that it rejects with tells what failed:
 * something outside (OUTSIDE), which may go away, or the changes, which no retry can help.
 */
export interface SinkWriter {
  write(tick: bigint, delta: Batch): Promise<void>;
  close(): Promise<void>;
}

/** SQLSTATE classes of connections, logins, names and rights, resources, and the system. */
const OUTSIDE = ['08', '28', '42', '53', '57', '58'];

export type SinkStatus = 'running' | 'retrying' | 'stopped';

export interface SinkStatistics {
  status: SinkStatus;
  rows: bigint;
  tick: bigint;
  errors: bigint;
  lastError: string;
  queued: number;
}

export function noStatistics(): SinkStatistics {
  return { status: 'running', rows: 0n, tick: 0n, errors: 0n, lastError: '', queued: 0 };
}

/** How a sink and the tick log keep in step. */
export interface SinkProgress {
  /** Changes up to this tick were written before a restart. */
  skip: bigint;
  /** Resolves when a tick is on the disk: nothing leaves that a crash could take back. */
  durable(tick: bigint): Promise<void>;
  /** All changes seen so far up to this tick are written. */
  delivered(tick: bigint): void;
}

export type SavedSink = {
  /** Why the sink has stopped; null while it has not. */
  stopped: string | null;
  /** Changes that are not written yet. */
  queue: { tick: bigint; batch: Uint8Array }[];
};

/** What CREATE SINK makes: sees every tick of its view. */
export interface Sink extends Observer {
  readonly statistics: SinkStatistics;
  /** Resolves when everything seen so far is written, or the sink has stopped. */
  flushed(): Promise<void>;
  save(): SavedSink;
  /** Changes that a checkpoint had; those that were written meanwhile are left out. */
  load(saved: SavedSink): void;
  /** Writes what is queued, unless that fails; then closes. */
  close(): Promise<void>;
}

/** Milliseconds before the first retry; doubles up to the greatest. */
const FIRST_RETRY_MS = 100;
const GREATEST_RETRY_MS = 10_000;
/** As many as may wait for a subscription. */
const MOST_QUEUED_ROWS = 5_000_000;

export class SinkRuntime implements Sink {
  readonly statistics = noStatistics();
  readonly #writer: SinkWriter;
  readonly #log: (message: string) => void;
  readonly #mostRows: number;
  readonly #progress: SinkProgress;
  #queue: { tick: bigint; batch: Batch; arena: Arena }[] = [];
  #queuedRows = 0;
  #running: Promise<void> | null = null;
  #closing = false;
  #wake: (() => void) | null = null;

  constructor(
    writer: SinkWriter,
    log: (message: string) => void,
    progress: SinkProgress,
    mostQueuedRows = MOST_QUEUED_ROWS,
  ) {
    this.#writer = writer;
    this.#log = log;
    this.#progress = progress;
    this.#mostRows = mostQueuedRows;
  }

  onTick(tick: bigint, delta: Batch | null): void {
    if (delta === null || this.#closing || this.statistics.status === 'stopped') return;
    if (tick <= this.#progress.skip) return;
    const arena = new Arena();
    this.#add(tick, detach(delta, arena), arena);
  }

  #add(tick: bigint, batch: Batch, arena: Arena): void {
    this.#queue.push({ tick, batch, arena });
    this.#queuedRows += batch.n;
    this.statistics.queued = this.#queue.length;
    this.#running ??= this.#drain();
    // One tick may be as large as it likes.
    if (this.#queuedRows > this.#mostRows && this.#queue.length > 1) {
      this.#stop(`more than ${this.#mostRows} rows wait: ${this.statistics.lastError || 'the writer is too slow'}`);
      this.#wake?.();
    }
  }

  save(): SavedSink {
    const { status, lastError } = this.statistics;
    const queue = this.#queue.map(({ tick, batch }) => ({ tick, batch: encodeBatch(batch) }));
    return { stopped: status === 'stopped' ? lastError : null, queue };
  }

  load(saved: SavedSink): void {
    if (saved.stopped !== null) {
      this.#stop(saved.stopped);
      return;
    }
    for (const { tick, batch } of saved.queue) {
      if (tick <= this.#progress.skip) continue;
      const arena = new Arena();
      this.#add(tick, decodeBatch(Buffer.from(batch), arena), arena);
    }
  }

  async #drain(): Promise<void> {
    const { statistics } = this;
    let pause = FIRST_RETRY_MS;
    while (this.#queue.length > 0 && statistics.status !== 'stopped') {
      const head = this.#queue[0];
      try {
        await this.#progress.durable(head.tick);
      } catch (error) {
        // The log has failed: what this tick did may be lost, so it stays here.
        this.#stop(error instanceof Error ? error.message : String(error));
        break;
      }
      try {
        await this.#writer.write(head.tick, head.batch);
      } catch (error) {
        if (!this.#mayRetry(error)) break;
        await this.#sleep(pause);
        if (this.#closing) break;
        pause = Math.min(pause * 2, GREATEST_RETRY_MS);
        continue;
      }
      pause = FIRST_RETRY_MS;
      if (statistics.status === 'retrying') statistics.status = 'running';
      statistics.rows += BigInt(head.batch.n);
      statistics.tick = head.tick;
      this.#queue.shift();
      this.#queuedRows -= head.batch.n;
      head.arena.release();
      statistics.queued = this.#queue.length;
      this.#progress.delivered(head.tick);
    }
    this.#drop();
    this.#running = null;
  }

  #mayRetry(error: unknown): boolean {
    const { statistics } = this;
    if (statistics.status === 'stopped') return false;
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof SqlError && !OUTSIDE.includes(error.sqlstate.slice(0, 2))) {
      this.#stop(message);
      return false;
    }
    statistics.status = 'retrying';
    statistics.errors++;
    statistics.lastError = message;
    this.#log(message);
    return true;
  }

  #stop(message: string): void {
    this.statistics.status = 'stopped';
    this.statistics.errors++;
    this.statistics.lastError = message;
    this.#log(`stopped: ${message}`);
  }

  #drop(): void {
    for (const queued of this.#queue) queued.arena.release();
    this.#queue = [];
    this.#queuedRows = 0;
    this.statistics.queued = 0;
  }

  #sleep(ms: number): Promise<void> {
    if (this.#closing) return Promise.resolve();
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
    this.#closing = true;
    this.#wake?.();
    await this.#running;
    await this.#writer.close();
  }
}
