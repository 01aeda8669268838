/**
 * A Nexmark table as a source: one partition, offset = position of the row in its table. Rows are made when they are polled,
 * nothing is kept; any range can be made again.
 *
 * `form`: 'json' gives messages as Kafka would carry them; 'columns' gives batches without bytes for the decoder of columns.ts, which
 * makes the rows from their offsets.
 */
import { SqlError } from '../../../operators/errors.ts';
import type { Header, RawBatch, Source, SourceEvent, StartPosition } from '../source.ts';
import { AuctionFields, BidFields, PersonFields } from './events.ts';
import { LONGEST_MESSAGE, MessageWriter } from './json.ts';
import { eventOfRow, rowsBefore } from './numbering.ts';
import type { NexmarkOptions } from './options.ts';
import { forgetPace, type Pace, type PacedStream, sharedPace } from './pace.ts';

const BATCH_ROWS = 4096;
const PARTITION = 0;
/** A paced stream gathers rows for at least this long, in milliseconds. */
const GATHER_MS = 5;

export interface NexmarkSourceSettings {
  form: 'json' | 'columns';
  /** Milliseconds; the test's own clock, or performance.now. */
  clock?: () => number;
}

export class NexmarkSource implements Source, PacedStream {
  readonly #options: NexmarkOptions;
  readonly #rows: number;
  readonly #makeBatch: (from: number, to: number) => RawBatch;
  readonly #clock: () => number;
  #pace: Pace | null = null;
  #next: number | null = null;
  #paused = false;
  #callback: (() => void) | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: NexmarkOptions, settings: NexmarkSourceSettings) {
    this.#options = options;
    this.#rows =
      options.events === Number.POSITIVE_INFINITY ? options.events : rowsBefore(options.table, options.events);
    this.#makeBatch = settings.form === 'json' ? messages(options) : rowRange(options);
    this.#clock = settings.clock ?? (() => performance.now());
  }

  partitions(): Promise<number[]> {
    return Promise.resolve([PARTITION]);
  }

  startOffsets(start: StartPosition): Promise<Map<number, bigint>> {
    return Promise.resolve(new Map([[PARTITION, BigInt(this.#startOffset(start))]]));
  }

  #startOffset(start: StartPosition): number {
    switch (start.k) {
      case 'earliest':
        return 0;
      case 'latest':
        return this.#next ?? 0;
      case 'at':
        return Number(start.offsets.get(PARTITION) ?? 0n);
      case 'timestamp': {
        const { baseTime, eventTimeRate, table } = this.#options;
        const event = Math.ceil(((start.ms - baseTime) * eventTimeRate) / 1000);
        return Math.min(rowsBefore(table, Math.max(event, 0)), this.#rows);
      }
    }
  }

  open(offsets: Map<number, bigint>): void {
    const offset = offsets.get(PARTITION);
    if (offset === undefined) return;
    this.#next = Number(offset);
    this.#pace ??= sharedPace(this.#options, this.#clock);
    this.#pace.join(this);
    this.#lookAgain();
  }

  /** Rows that may be delivered now end here. */
  #limit(): number {
    if (this.#next === null || this.#pace === null || this.#paused) return 0;
    return Math.min(this.#rows, rowsBefore(this.#options.table, this.#pace.limit(this)));
  }

  poll(): RawBatch | null {
    const from = this.#next;
    const limit = this.#limit();
    if (from === null || from >= limit) return null;
    const to = Math.min(from + BATCH_ROWS, limit);
    const batch = this.#makeBatch(from, to);
    this.#next = to;
    this.#pace?.moved(this);
    return batch;
  }

  onReady(callback: () => void): void {
    this.#callback = callback;
    this.#lookAgain();
  }

  #lookAgain(): void {
    if (this.#callback === null || this.#next === null || this.#pace === null || this.#timer !== null) return;
    if (this.#next < this.#limit()) {
      const callback = this.#callback;
      this.#callback = null;
      queueMicrotask(callback);
      return;
    }
    if (this.#paused || this.#next >= this.#rows) return;
    const delay = this.#pace.delay(this.eventPosition());
    if (delay === null) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        this.#lookAgain();
      },
      Math.max(delay, GATHER_MS),
    );
  }

  wake(): void {
    this.#lookAgain();
  }

  takeEvents(): SourceEvent[] {
    return [];
  }

  eventPosition(): number {
    return eventOfRow(this.#options.table, this.#next ?? 0);
  }

  running(): boolean {
    return this.#next !== null && !this.#paused && this.#next < this.#rows;
  }

  position(partition: number): bigint | undefined {
    return partition === PARTITION && this.#next !== null ? BigInt(this.#next) : undefined;
  }

  /** The end of a finite stream; without an end, what is due now (paced) or where the reader stands. */
  highWatermark(partition: number): bigint | undefined {
    if (partition !== PARTITION || this.#next === null) return undefined;
    if (this.#options.eventsPerSecond > 0) return BigInt(Math.max(this.#next, this.#limit()));
    return BigInt(Number.isFinite(this.#rows) ? this.#rows : this.#next);
  }

  pause(partition: number): void {
    if (partition !== PARTITION) return;
    this.#paused = true;
    this.#pace?.moved(this);
  }

  resume(partition: number): void {
    if (partition !== PARTITION) return;
    this.#paused = false;
    this.#lookAgain();
  }

  bufferedBytes(): number {
    return 0;
  }

  async *readRange(partition: number, from: bigint, to: bigint): AsyncIterable<RawBatch> {
    if (partition !== PARTITION || to > BigInt(Number.isFinite(this.#rows) ? this.#rows : Number.MAX_SAFE_INTEGER)) {
      throw new SqlError('58P01', `nexmark ${this.#options.table}: no rows ${from} to ${to} in partition ${partition}`);
    }
    for (let next = Number(from); next < Number(to); next += BATCH_ROWS) {
      yield this.#makeBatch(next, Math.min(next + BATCH_ROWS, Number(to)));
    }
  }

  close(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#callback = null;
    this.#next = null;
    this.#pace?.leave(this);
    this.#pace = null;
    forgetPace(this.#options);
    return Promise.resolve();
  }
}

const noHeaders = (): Header[] => [];
const NO_BYTES = Buffer.alloc(0);
const NULL_KEYS = new Int32Array(BATCH_ROWS).fill(-1);
const ZEROS = new Int32Array(BATCH_ROWS);

function rowRange(options: NexmarkOptions): (from: number, to: number) => RawBatch {
  return (from, to) => frame(options, from, to, NO_BYTES, ZEROS, ZEROS);
}

function messages(options: NexmarkOptions): (from: number, to: number) => RawBatch {
  const writer = new MessageWriter(BATCH_ROWS * LONGEST_MESSAGE);
  const write = eventWriter(options, writer);
  return (from, to) => {
    const start = new Int32Array(to - from);
    const end = new Int32Array(to - from);
    writer.at = 0;
    for (let row = from; row < to; row++) {
      start[row - from] = writer.at;
      write(eventOfRow(options.table, row));
      end[row - from] = writer.at;
    }
    return frame(options, from, to, Buffer.from(writer.buffer.subarray(0, writer.at)), start, end);
  };
}

/** Writes the message of an event number (of the options' table). */
export function eventWriter(options: NexmarkOptions, writer: MessageWriter): (event: number) => void {
  if (options.table === 'person') {
    const fields = new PersonFields(options);
    return (event) => {
      fields.fill(event);
      writer.person(fields);
    };
  }
  if (options.table === 'auction') {
    const fields = new AuctionFields(options);
    return (event) => {
      fields.fill(event);
      writer.auction(fields);
    };
  }
  const fields = new BidFields(options);
  return (event) => {
    fields.fill(event);
    writer.bid(fields);
  };
}

function frame(
  options: NexmarkOptions,
  from: number,
  to: number,
  bytes: Buffer,
  valueStart: Int32Array,
  valueEnd: Int32Array,
): RawBatch {
  const n = to - from;
  const offset = new Float64Array(n);
  const timestamp = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    offset[i] = from + i;
    const event = eventOfRow(options.table, from + i);
    timestamp[i] = options.baseTime + Math.floor((event * 1000) / options.eventTimeRate);
  }
  return {
    partition: PARTITION,
    baseOffset: BigInt(from),
    nextOffset: BigInt(to),
    n,
    bytes,
    valueStart,
    valueEnd,
    keyStart: NULL_KEYS,
    keyEnd: NULL_KEYS,
    offset,
    timestamp,
    headers: noHeaders,
  };
}
