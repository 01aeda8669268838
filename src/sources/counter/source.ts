/**
 * A counter as a source: one partition, whose row at offset n is the number n. A row has no bytes; its time is that of the tick that reads
 * it (columns.ts). Nothing is kept, any range can be made again.
 *
 *   due(t) = first + floor((t - opened) * rows_per_second) + 1     rows below it may be read; without a rate: all
 *
 * What is due and not read stays due: a stream that was held gives it all afterwards, and no number is left out. After a restart it goes
 * on with the next number, at the same pace.
 */
import { SqlError } from '../../../operators/errors.ts';
import { Arrivals } from '../arrivals.ts';
import type { Header, RawBatch, Source, SourceEvent, StartPosition } from '../source.ts';
import type { CounterOptions } from './options.ts';

const BATCH_ROWS = 4096;
const PARTITION = 0;
/** A paced stream gathers rows for at least this long, in milliseconds. */
const GATHER_MS = 5;

export class CounterSource implements Source {
  readonly #rowsPerSecond: number;
  /** Where it ends: numbers beyond would not be exact. */
  readonly #rows: number;
  readonly #clock: () => number;
  readonly #arrivals = new Arrivals();
  #opened = { at: 0, first: 0 };
  #next: number | null = null;
  #paused = false;
  #timer: NodeJS.Timeout | null = null;

  /** `clock`: milliseconds; tests have their own. */
  constructor({ rowsPerSecond, rows }: CounterOptions, clock = () => performance.now()) {
    this.#rowsPerSecond = rowsPerSecond;
    this.#rows = Math.min(rows, Number.MAX_SAFE_INTEGER);
    this.#clock = clock;
  }

  partitions(): Promise<number[]> {
    return Promise.resolve([PARTITION]);
  }

  /** Nothing has been counted before it is read: the latest is the earliest. */
  startOffsets(start: StartPosition): Promise<Map<number, bigint>> {
    const first = start.k === 'at' ? (start.offsets.get(PARTITION) ?? 0n) : 0n;
    return Promise.resolve(new Map([[PARTITION, first]]));
  }

  open(offsets: Map<number, bigint>): void {
    const offset = offsets.get(PARTITION);
    if (offset === undefined) return;
    this.#next = Number(offset);
    this.#opened = { at: this.#clock(), first: this.#next };
    this.#look();
  }

  /** Rows below this number may be read now. */
  #due(): number {
    if (this.#rowsPerSecond === 0) return this.#rows;
    const { at, first } = this.#opened;
    return Math.min(this.#rows, first + Math.floor(((this.#clock() - at) * this.#rowsPerSecond) / 1000) + 1);
  }

  #pollable(): boolean {
    return this.#next !== null && !this.#paused && this.#next < this.#due();
  }

  poll(): RawBatch | null {
    if (this.#next === null || !this.#pollable()) return null;
    const from = this.#next;
    this.#next = Math.min(from + BATCH_ROWS, this.#due());
    return numbers(from, this.#next);
  }

  onReady(callback: () => void): void {
    this.#arrivals.onReady(callback, this.#pollable());
    this.#look();
  }

  /** Tells who waits, now or when the next row is due. */
  #look(): void {
    if (this.#pollable()) this.#arrivals.ready();
    else if (this.#next !== null && !this.#paused && this.#next < this.#rows && this.#timer === null) {
      const { at, first } = this.#opened;
      const due = at + ((this.#next - first) * 1000) / this.#rowsPerSecond;
      this.#timer = setTimeout(
        () => {
          this.#timer = null;
          this.#look();
        },
        Math.max(due - this.#clock(), GATHER_MS),
      );
    }
  }

  takeEvents(): SourceEvent[] {
    return this.#arrivals.takeEvents();
  }

  position(partition: number): bigint | undefined {
    return partition === PARTITION && this.#next !== null ? BigInt(this.#next) : undefined;
  }

  /** What is due now; without a pace the end. */
  highWatermark(partition: number): bigint | undefined {
    if (partition !== PARTITION || this.#next === null) return undefined;
    return BigInt(Math.max(this.#next, this.#due()));
  }

  pause(partition: number): void {
    if (partition === PARTITION) this.#paused = true;
  }

  resume(partition: number): void {
    if (partition !== PARTITION) return;
    this.#paused = false;
    this.#look();
  }

  bufferedBytes(): number {
    return 0;
  }

  async *readRange(partition: number, from: bigint, to: bigint): AsyncIterable<RawBatch> {
    if (partition !== PARTITION || to > BigInt(this.#rows)) {
      throw new SqlError('58P01', `counter: no rows ${from} to ${to} in partition ${partition}`);
    }
    for (let next = Number(from); next < Number(to); next += BATCH_ROWS) {
      yield numbers(next, Math.min(next + BATCH_ROWS, Number(to)));
    }
  }

  close(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#arrivals.close();
    this.#next = null;
    return Promise.resolve();
  }
}

const NO_BYTES = Buffer.alloc(0);
/** Neither key, nor value, nor timestamp. */
const NONE = new Int32Array(BATCH_ROWS).fill(-1);
const NO_TIMES = new Float64Array(BATCH_ROWS).fill(-1);
const noHeaders = (): Header[] => [];

function numbers(from: number, to: number): RawBatch {
  const offset = new Float64Array(to - from);
  for (let i = 0; i < offset.length; i++) offset[i] = from + i;
  return {
    partition: PARTITION,
    baseOffset: BigInt(from),
    nextOffset: BigInt(to),
    n: to - from,
    bytes: NO_BYTES,
    valueStart: NONE,
    valueEnd: NONE,
    keyStart: NONE,
    keyEnd: NONE,
    offset,
    timestamp: NO_TIMES,
    headers: noHeaders,
  };
}
