/**
 * The changes of a query as rows, kept in memory until they are read: SUBSCRIBE of what has no change log.
 *
 * The queue of a slow reader is bounded: beyond it the subscription ends with 53400. A tick is given when it is on the disk, or before, to a
 * connection that keeps it back until then (`early`).
 */
import { Arena } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { BatchBuilder } from '../../operators/batch/builder.ts';
import { SqlError } from '../../operators/errors.ts';
import type { ColType } from '../../operators/types.ts';
import type { EarlyRows, RowChunk, RowStream } from '../engine.ts';
import type { Observer } from '../runtime/tick_loop.ts';
import { changeRows, progressRow } from './change_rows.ts';
import { type Ticks, Waiting } from './waiting.ts';

/** Rows that may wait for a reader. */
const MAX_QUEUED_ROWS = 5_000_000;

interface Queued {
  tick: bigint;
  batch: Batch;
  arena: Arena;
  next: number;
}

export class QueueFollower implements RowStream, Observer {
  readonly #types: ColType[];
  readonly #progress: boolean;
  readonly #upTo: bigint | null;
  readonly #ticks: Ticks;
  readonly #waiting: Waiting;
  #queue: Queued[] = [];
  #rows = 0;
  #current: Queued | null = null;
  #ended = false;
  #isEarly = false;
  /** The tick of the rows given last; null: none were given early. */
  #given: bigint | null = null;
  readonly early: EarlyRows;

  constructor(types: ColType[], progress: boolean, upTo: bigint | null, ticks: Ticks) {
    this.early = {
      begin: () => {
        // A progress row says that the rows before it are on the disk.
        this.#isEarly = !progress;
      },
      untilDurable: (tick) => ticks.untilDurable(tick),
    };
    this.#types = types;
    this.#progress = progress;
    this.#upTo = upTo;
    this.#ticks = ticks;
    this.#waiting = new Waiting(ticks);
  }

  onTick(tick: bigint, delta: Batch | null): void {
    if (this.#ended) return;
    if (this.#upTo !== null && tick >= this.#upTo) {
      this.end();
      return;
    }
    if (delta !== null) this.#push(tick, delta);
    if (this.#progress) this.#push(tick, null);
  }

  onEnd(error: SqlError): void {
    this.#waiting.fail(error);
    this.end();
  }

  /** Adds one tick's rows (or its progress row) to the queue. */
  #push(tick: bigint, delta: Batch | null): void {
    const arena = new Arena();
    const builder = new BatchBuilder(this.#types, arena, Math.max(1, delta?.n ?? 1));
    if (delta !== null) builder.append(delta);
    const batch =
      delta === null ? progressRow(tick, this.#types, arena) : changeRows(builder.build(), tick, this.#progress, arena);
    this.#queue.push({ tick, batch, arena, next: 0 });
    this.#rows += batch.n;
    if (this.#rows > MAX_QUEUED_ROWS) {
      const behind = new SqlError('53400', `the subscription fell behind by more than ${MAX_QUEUED_ROWS} rows`, {
        hint: 'Read faster, or subscribe to a smaller query, or to a view whose changes are kept.',
      });
      this.#waiting.fail(behind);
      this.end();
    }
    this.#waiting.wake();
  }

  /** There is something to read, or nothing will come any more. */
  get hasMore(): boolean {
    return this.#queue.length > 0 || this.#ended || this.#waiting.failure !== null;
  }

  /** What is queued can still be read. */
  end(): void {
    this.#ended = true;
    this.#waiting.wake();
  }

  async next(maxRows: number, timeoutMs?: number): Promise<RowChunk | null> {
    this.#current?.arena.release();
    this.#current = null;
    const end = timeoutMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs;
    for (;;) {
      if (this.#waiting.failure !== null) throw this.#waiting.failure;
      const head = this.#queue[0];
      if (head !== undefined && (this.#isEarly || head.tick <= this.#ticks.durable)) return this.#take(head, maxRows);
      if (head === undefined && this.#ended) return null;
      const left = end - performance.now();
      if (left <= 0) return { batch: { n: 0, columns: [], weights: 0 }, from: 0, count: 0 };
      await this.#waiting.sleep(left, head?.tick ?? this.#given);
    }
  }

  #take(head: Queued, maxRows: number): RowChunk {
    const from = head.next;
    const count = Math.min(maxRows, head.batch.n - from);
    head.next += count;
    this.#rows -= count;
    if (head.next === head.batch.n) {
      this.#queue.shift();
      this.#current = head;
    }
    if (this.#isEarly) this.#given = head.tick;
    return { batch: head.batch, from, count, tick: this.#given };
  }

  close(): void {
    this.end();
    for (const queued of this.#queue) queued.arena.release();
    this.#queue = [];
    this.#current?.arena.release();
    this.#current = null;
  }
}
