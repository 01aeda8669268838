/**
 * The changes of a relation as rows, read from its change log: what SUBSCRIBE and FETCH of a durable subscription give.
 *
 *   [rows at one tick]  then  log entry, log entry ... the log's end: wait for a tick
 *
 * It holds one entry at a time, however slow the reader is; a reader that is slower than the log's retention ends with 55000. A tick is given when it is
 * on the disk: what a client has seen is there after any crash. (Or before, to a connection that keeps it back until then: `early`.)
 */
import { Arena } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import type { SqlError } from '../../operators/errors.ts';
import type { ColType } from '../../operators/types.ts';
import type { EarlyRows, RowChunk, RowStream } from '../engine.ts';
import type { Observer } from '../runtime/tick_loop.ts';
import type { ChangeLog } from './change_log.ts';
import type { ChangeReader } from './change_reader.ts';
import { changeRows, progressRow } from './change_rows.ts';
import { batchOf, type Entry } from './entry.ts';
import { type Ticks, Waiting } from './waiting.ts';

/** All rows of the relation at one tick; the arena is the follower's. */
export interface Snapshot {
  rows: Batch;
  tick: bigint;
  arena: Arena;
}

export interface FollowOptions {
  log: ChangeLog;
  ticks: Ticks;
  types: ColType[];
  progress: boolean;
  /** Ends before this tick. */
  upTo: bigint | null;
  /** Rows to begin with; or null: begin with the changes after the tick `after`. */
  snapshot: Snapshot | null;
  after: bigint;
}

/** What was given: all up to `tick`, and so many rows of what comes next. */
interface Position {
  tick: bigint;
  given: number;
}

interface Current {
  rows: Batch;
  next: number;
  /** Null for a progress row. */
  tick: bigint | null;
}

const NOTHING: RowChunk = { batch: { n: 0, columns: [], weights: 0 }, from: 0, count: 0 };

export class LogFollower implements RowStream, Observer {
  readonly #options: FollowOptions;
  readonly #arena = new Arena();
  #reader: ChangeReader;
  #entries: Entry[] = [];
  #snapshot: Snapshot | null;
  /** As rows for the client; kept as long as it could be asked for again. */
  #snapshotRows: Batch | null = null;
  #current: Current | null = null;
  #position: Position;
  #mark: Position;
  /** Tick whose progress row comes next, and the last that had one. */
  #toTell: bigint | null = null;
  #told = -1n;
  #over = false;
  #closed = false;
  #isEarly = false;
  readonly early: EarlyRows;
  readonly #waiting: Waiting;
  /** Moves when it goes to another position. */
  #generation = 0;

  constructor(options: FollowOptions) {
    this.#options = options;
    this.#waiting = new Waiting(options.ticks);
    this.early = {
      begin: () => {
        // A progress row says that the rows before it are on the disk.
        this.#isEarly = !options.progress;
      },
      untilDurable: (tick) => options.ticks.untilDurable(tick),
    };
    this.#snapshot = options.snapshot;
    const after = options.snapshot?.tick ?? options.after;
    this.#position = { tick: options.snapshot === null ? after : after - 1n, given: 0 };
    this.#mark = this.#position;
    if (options.snapshot === null && options.progress) this.#toTell = after;
    try {
      this.#reader = options.log.reader(after, () => this.onTick());
    } catch (error) {
      options.snapshot?.arena.release();
      throw error;
    }
  }

  onTick(): void {
    this.#waiting.wake();
  }

  onEnd(error: SqlError): void {
    this.#waiting.fail(error);
  }

  async next(maxRows: number, timeoutMs?: number): Promise<RowChunk | null> {
    const generation = this.#generation;
    const end = timeoutMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs;
    for (;;) {
      if (this.#waiting.failure !== null) throw this.#waiting.failure;
      if (this.#closed) return null;
      // What this call waited for is read again by another.
      if (generation !== this.#generation) return NOTHING;
      const chunk = this.#take(maxRows);
      if (chunk !== null) return chunk;
      if (this.#over) return null;
      if (await this.#advance()) continue;
      if (this.#over) return null;
      const left = end - performance.now();
      if (left <= 0) return NOTHING;
      await this.#waiting.sleep(left, this.#entries[0]?.tick ?? this.#options.ticks.last);
    }
  }

  #take(maxRows: number): RowChunk | null {
    const current = this.#current;
    if (current === null || current.next === current.rows.n) return null;
    const from = current.next;
    const count = Math.min(maxRows, current.rows.n - from);
    current.next += count;
    if (current.tick !== null) {
      const whole = current.next === current.rows.n;
      this.#position = whole ? { tick: current.tick, given: 0 } : { tick: this.#position.tick, given: current.next };
    }
    return { batch: current.rows, from, count, tick: this.#isEarly ? current.tick : null };
  }

  /** Makes the next rows the current ones; false when there are none now. */
  async #advance(): Promise<boolean> {
    const { ticks, upTo, progress } = this.#options;
    if (this.#snapshot !== null && this.#snapshotRows === null) {
      const { rows, tick, arena } = this.#snapshot;
      if (!this.#isEarly && tick > ticks.durable) return false;
      this.#snapshotRows = changeRows(rows, tick, progress, arena);
      this.#set(this.#snapshotRows, tick, this.#position.given);
      return true;
    }
    if (this.#toTell !== null && this.#toTell <= ticks.durable) return this.#tell(this.#toTell);
    const generation = this.#generation;
    if (this.#entries.length === 0) {
      const entries = await this.#reader.next();
      if (generation === this.#generation) this.#entries = entries;
    }
    if (this.#closed || generation !== this.#generation) return false;
    const [entry] = this.#entries;
    if (entry === undefined) return this.#atEnd();
    if (upTo !== null && entry.tick >= upTo) {
      if (progress && this.#told < upTo - 1n && upTo - 1n <= ticks.durable) return this.#tell(upTo - 1n);
      this.#over = true;
      return false;
    }
    if (!this.#isEarly && entry.tick > ticks.durable) return false;
    this.#entries.shift();
    this.#arena.reset();
    const delta = batchOf(entry, this.#arena);
    this.#set(changeRows(delta, entry.tick, progress, this.#arena), entry.tick, this.#position.given);
    return true;
  }

  #set(rows: Batch, tick: bigint, given: number): void {
    this.#current = { rows, next: given, tick };
    if (this.#options.progress) this.#toTell = tick;
    if (rows.n === 0) this.#position = { tick, given: 0 };
  }

  /** The log has no more: what was read is complete up to the last tick. */
  #atEnd(): boolean {
    const { log, ticks, upTo, progress } = this.#options;
    if (!this.#reader.isAtEnd) return true;
    if (log.isRemoved) {
      this.#over = true;
      return false;
    }
    const complete = upTo !== null && upTo - 1n < ticks.durable ? upTo - 1n : ticks.durable;
    if (progress && complete > this.#told) return this.#tell(complete);
    if (upTo !== null && complete >= upTo - 1n) this.#over = true;
    return false;
  }

  #tell(tick: bigint): true {
    this.#toTell = null;
    this.#told = tick;
    this.#arena.reset();
    this.#current = { rows: progressRow(tick, this.#options.types, this.#arena), next: 0, tick: null };
    return true;
  }

  /** Of this tick a part was given and a part was not. */
  gaveAPartOf(tick: bigint): boolean {
    return this.#position.given > 0 && this.#current?.tick === tick;
  }

  /** What was given up to now is not asked for again. */
  mark(): void {
    this.#mark = this.#position;
    if (this.#snapshot === null || this.#mark.tick < this.#snapshot.tick) return;
    if (this.#current?.rows === this.#snapshotRows) this.#current = null;
    this.#dropSnapshot();
  }

  /** Gives again what was given since mark(). */
  rewind(): void {
    this.#goTo(this.#mark);
  }

  /** Changes up to this tick are known to the client. */
  skipTo(tick: bigint): void {
    if (tick <= this.#position.tick) return;
    if (this.#snapshot !== null && this.#snapshot.tick <= tick) this.#dropSnapshot();
    this.#goTo({ tick, given: 0 });
    this.#mark = this.#position;
  }

  #goTo(position: Position): void {
    this.#generation++;
    this.#waiting.wake();
    this.#position = position;
    this.#entries = [];
    this.#current = null;
    this.#toTell = null;
    this.#told = position.tick - 1n;
    this.#snapshotRows = null;
    this.#reader.close();
    this.#reader = this.#options.log.reader(this.#snapshot?.tick ?? position.tick, () => this.onTick());
  }

  #dropSnapshot(): void {
    this.#snapshot?.arena.release();
    this.#snapshot = null;
    this.#snapshotRows = null;
  }

  /** What is current can still be read. */
  end(): void {
    this.#over = true;
    this.#waiting.wake();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#dropSnapshot();
    this.#current = null;
    this.#reader.close();
    this.#arena.release();
    this.#waiting.wake();
  }
}
