/**
 * A running sink: takes each tick's changes of its view and hands them to a writer that may be slower.
 *
 *   filling --live--> running --fails outside--> retrying --succeeds--> running          running --the changes themselves fail--> stopped
 *
 *   ticks -> queue -> group (whole ticks, up to GROUP_ROWS rows) -> on the disk in the tick log -> writer.write -> out of the queue
 *                                                                                            fails -> writer.begin -> what is there already leaves the queue
 *
 * The first rows may come in many parts, at ticks that are different when the log is replayed. They are added up until the sink is live, and are one tick then.
 *
 * What fails for a reason outside (a broker away, access refused) is tried again for ever, in order, while what comes waits in memory. With more than
 * MOST_QUEUED_ROWS waiting it is behind, and its streams are held (sink_hold.ts). At changes that can never be written the sink stops: what follows could
 * not be right without them. It says so in tidemark.sinks and writes nothing more.
 *
 * After a restart ticks come again, from the checkpoint on. begin() tells which of them were written: where delivery is exactly once that is what the
 * other side has, whatever the log knows.
 */
import { Arena, withScratch } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { decodeBatch, encodeBatch } from '../../operators/batch/batch_codec.ts';
import { detach } from '../../operators/batch/detach.ts';
import { SqlError } from '../../operators/errors.ts';
import type { ColType } from '../../operators/types.ts';
import { StoredRelation } from './stored_relation.ts';
import type { Observer } from './tick_loop.ts';

/** What is known of the rows that a sink writes. */
export interface SinkRows {
  columns: { name: string; type: ColType }[];
  /** Columns that identify a row, when the planner proved some. */
  key: number[] | null;
  /** True when it proved that no row ever goes away. */
  appendOnly: boolean;
}

export type Delivery = 'exactly_once' | 'at_least_once';

/** The consolidated changes of one tick. */
export interface TickChanges {
  tick: bigint;
  batch: Batch;
}

/**
 * Writes somewhere. The SQLSTATE that a method rejects with tells what failed: something outside (OUTSIDE), which may go away, or the changes, which no
 * retry can help.
 */
export interface SinkWriter {
  readonly delivery: Delivery;
  /** For CREATE SINK: makes what is missing, and becomes the writer. */
  create(): Promise<void>;
  /**
   * Becomes the writer, after a restart or a failure: whoever was it before can write no more. Gives the tick up to which changes are there; null
   * when the other side does not know. `known`: the last tick that the log has, of which nothing later can have been written.
   */
  begin(known: bigint): Promise<bigint | null>;
  /** Resolves when the changes are there. After a failure begin() comes first. */
  write(ticks: TickChanges[]): Promise<void>;
  /** `forget`: nobody will go on where it ends. */
  close(forget: boolean): Promise<void>;
}

/** SQLSTATE classes of connections, logins, names and rights, resources, and the system. */
const OUTSIDE = ['08', '28', '42', '53', '57', '58'];

export type SinkStatus = 'running' | 'retrying' | 'stopped';

export interface SinkStatistics {
  status: SinkStatus;
  /** Null where nothing is delivered. */
  delivery: Delivery | null;
  rows: bigint;
  /** The last tick that was written. */
  tick: bigint;
  errors: bigint;
  lastError: string;
  queued: number;
}

export function noStatistics(delivery: Delivery | null): SinkStatistics {
  return { status: 'running', delivery, rows: 0n, tick: 0n, errors: 0n, lastError: '', queued: 0 };
}

/** How a sink and the tick log keep in step. */
export interface SinkProgress {
  /** Changes up to this tick were written before a restart, as far as the log knows. */
  skip: bigint;
  /** The last tick of the log that is replayed. */
  known: bigint;
  /** Why the sink had stopped before a restart, as far as the log knows; null: it had not. */
  stopped: string | null;
  /** Resolves when a tick is on the disk: nothing leaves that a crash could take back. */
  durable(tick: bigint): Promise<void>;
  /** All changes seen so far up to this tick are written, which only the log will remember. */
  delivered(tick: bigint): void;
  /** The sink has stopped behind this tick, for ever. */
  ended(tick: bigint, why: string): void;
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
  /** More waits than should. */
  readonly isBehind: boolean;
  /** All first rows have come, or what a checkpoint had is loaded: they belong to this tick. */
  live(tick: bigint): void;
  /** Resolves when there is room for more: for who can wait. */
  room(): Promise<void>;
  /** Resolves when everything seen so far is written, or the sink has stopped. */
  flushed(): Promise<void>;
  save(): SavedSink;
  /** Changes that a checkpoint had; those that were written meanwhile are left out. */
  load(saved: SavedSink): void;
  /** Writes what is queued, unless that fails; then closes. `forget`: the sink is dropped, or will never be there again. */
  close(forget: boolean): Promise<void>;
}

/** Milliseconds before the first retry; doubles up to the greatest. */
const FIRST_RETRY_MS = 100;
const GREATEST_RETRY_MS = 10_000;
/** More are queued only by what cannot wait. */
const MOST_QUEUED_ROWS = 1_000_000;
/** Of ticks that are written together, unless one alone has more. */
const GROUP_ROWS = 10_000;

interface Queued extends TickChanges {
  arena: Arena;
}

export class SinkRuntime implements Sink {
  readonly statistics: SinkStatistics;
  readonly #writer: SinkWriter;
  readonly #log: (message: string) => void;
  readonly #mostRows: number;
  readonly #progress: SinkProgress;
  readonly #filling = new FirstRows();
  #queue: Queued[] = [];
  #queuedRows = 0;
  #live = false;
  /** The writer may write. */
  #begun: boolean;
  #skip: bigint;
  #running: Promise<void> | null = null;
  #closing = false;
  #wake: (() => void) | null = null;
  #waiting: (() => void)[] = [];

  /** `begun`: the writer has been created by the same statement. */
  constructor(
    writer: SinkWriter,
    log: (message: string) => void,
    progress: SinkProgress,
    begun: boolean,
    mostQueuedRows = MOST_QUEUED_ROWS,
  ) {
    this.statistics = noStatistics(writer.delivery);
    this.#writer = writer;
    this.#log = log;
    this.#progress = progress;
    this.#skip = progress.skip;
    this.#begun = begun;
    this.#mostRows = mostQueuedRows;
    if (progress.stopped !== null) this.#stop(progress.stopped);
  }

  onTick(tick: bigint, delta: Batch | null): void {
    if (delta === null || this.#closing || this.statistics.status === 'stopped') return;
    if (!this.#live) {
      this.#filling.add(delta);
      return;
    }
    if (tick <= this.#skip) return;
    const arena = new Arena();
    this.#add({ tick, batch: detach(delta, arena), arena });
  }

  live(tick: bigint): void {
    this.#live = true;
    const rows = this.#filling.take();
    if (rows !== null && tick > this.#skip) this.#add({ tick, ...rows });
    else rows?.arena.release();
    // After a restart at once, though nothing is there to be written: what a crash left open hides what comes behind it from readers.
    this.#start();
  }

  #add(queued: Queued): void {
    this.#queue.push(queued);
    this.#queuedRows += queued.batch.n;
    this.statistics.queued = this.#queue.length;
    this.#start();
  }

  get isBehind(): boolean {
    return this.#queuedRows > this.#mostRows;
  }

  save(): SavedSink {
    const { status, lastError } = this.statistics;
    const queue = this.#queue.map(({ tick, batch }) => ({ tick, batch: encodeBatch(batch) }));
    return { stopped: status === 'stopped' ? lastError : null, queue };
  }

  load(saved: SavedSink): void {
    if (this.statistics.status === 'stopped') return;
    if (saved.stopped !== null) {
      this.#stop(saved.stopped);
      return;
    }
    for (const { tick, batch } of saved.queue) {
      if (tick <= this.#skip) continue;
      const arena = new Arena();
      this.#add({ tick, batch: decodeBatch(Buffer.from(batch), arena), arena });
    }
  }

  async room(): Promise<void> {
    while (this.#queuedRows > this.#mostRows / 2 && this.#running !== null)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  get #hasWork(): boolean {
    return (this.#queue.length > 0 || !this.#begun) && this.statistics.status !== 'stopped';
  }

  #start(): void {
    if (this.#running === null && this.#hasWork) this.#running = this.#drain();
  }

  async #drain(): Promise<void> {
    const { statistics } = this;
    let pause = FIRST_RETRY_MS;
    while (this.#hasWork) {
      const began = !this.#begun;
      try {
        if (began) await this.#begin();
        else await this.#writeGroup();
      } catch (error) {
        this.#begun = false;
        if (!this.#mayRetry(error)) break;
        await this.#sleep(pause);
        if (this.#closing) break;
        pause = Math.min(pause * 2, GREATEST_RETRY_MS);
        continue;
      }
      // To have begun again is no success yet where something waits to be written.
      if (began && this.#queue.length > 0) continue;
      pause = FIRST_RETRY_MS;
      if (statistics.status === 'retrying') statistics.status = 'running';
    }
    this.#written(this.#queue.length);
    this.#running = null;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async #begin(): Promise<void> {
    const there = await this.#writer.begin(this.#progress.known);
    this.#begun = true;
    if (there === null) return;
    if (there > this.#skip) this.#skip = there;
    if (there > this.statistics.tick) this.statistics.tick = there;
    const next = this.#queue.findIndex(({ tick }) => tick > there);
    this.#written(next < 0 ? this.#queue.length : next);
  }

  async #writeGroup(): Promise<void> {
    let count = 0;
    let rows = 0;
    for (const { batch } of this.#queue) {
      if (count > 0 && rows + batch.n > GROUP_ROWS) break;
      count++;
      rows += batch.n;
    }
    const group = this.#queue.slice(0, count);
    const { tick } = group[count - 1];
    try {
      await this.#progress.durable(tick);
    } catch (error) {
      // The log has failed: what these ticks did may be lost, so it stays here.
      this.#stop(error instanceof Error ? error.message : String(error));
      return;
    }
    await this.#writer.write(group.map(({ tick, batch }) => ({ tick, batch })));
    this.statistics.rows += BigInt(rows);
    this.statistics.tick = tick;
    this.#written(count);
    if (this.#writer.delivery === 'at_least_once') this.#progress.delivered(tick);
  }

  #mayRetry(error: unknown): boolean {
    const { statistics } = this;
    if (statistics.status === 'stopped') return false;
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof SqlError && !OUTSIDE.includes(error.sqlstate.slice(0, 2))) {
      const { hint } = error.fields;
      this.#stop(hint === undefined ? message : `${message}. ${hint}`);
      // What stopped it may be gone by then, and what follows would still not be right.
      this.#progress.ended(statistics.tick > this.#skip ? statistics.tick : this.#skip, statistics.lastError);
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

  /** So many from the queue's front need not be kept any more. */
  #written(count: number): void {
    for (const { batch, arena } of this.#queue.splice(0, count)) {
      this.#queuedRows -= batch.n;
      arena.release();
    }
    this.statistics.queued = this.#queue.length;
    if (this.#queuedRows <= this.#mostRows / 2) for (const resolve of this.#waiting.splice(0)) resolve();
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

  async close(forget: boolean): Promise<void> {
    this.#closing = true;
    this.#wake?.();
    await this.#running;
    this.#filling.release();
    await this.#writer.close(forget);
  }
}

/** The rows of a view that is being filled, added up. A view that is filled at once costs one copy. */
class FirstRows {
  #only: { batch: Batch; arena: Arena } | null = null;
  #sum: StoredRelation | null = null;

  add(delta: Batch): void {
    if (this.#only === null && this.#sum === null) {
      const arena = new Arena();
      this.#only = { batch: detach(delta, arena), arena };
      return;
    }
    this.#sum ??= new StoredRelation(delta.columns.map((column) => column.type));
    if (this.#only !== null) {
      const { batch, arena } = this.#only;
      this.#only = null;
      this.#apply(batch);
      arena.release();
    }
    this.#apply(delta);
  }

  #apply(delta: Batch): void {
    this.#sum?.apply(delta);
    this.#sum?.endTick();
  }

  /** The rows, which are the caller's from then on; null when there are none. */
  take(): { batch: Batch; arena: Arena } | null {
    const only = this.#only;
    this.#only = null;
    if (only !== null) return only;
    const sum = this.#sum;
    if (sum === null) return null;
    const arena = new Arena();
    const batch = withScratch((scratch) => detach(sum.snapshot(scratch), arena));
    this.release();
    if (batch.n > 0) return { batch, arena };
    arena.release();
    return null;
  }

  release(): void {
    this.#only?.arena.release();
    this.#sum?.release();
    this.#only = null;
    this.#sum = null;
  }
}
