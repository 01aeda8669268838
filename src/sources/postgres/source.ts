/**
 * A table of a database as a source: its part of what the reader of the database's transactions (reader.ts) reads. One partition, whose offsets count records, and batches that
 * say only how far it is.
 *
 *   settled   where it is after what ticks have taken for good          queued   where it is after all that waits in the queue, too
 */
import { SqlError } from '../../../operators/errors.ts';
import { Arrivals } from '../arrivals.ts';
import { type Message, messageBatch } from '../message_batch.ts';
import type { Moments, RawBatch, Source, SourceEvent } from '../source.ts';
import type { PostgresOptions } from './options.ts';
import { COPYING, type Place, placeAfter, placeText } from './place.ts';
import type { TransactionReader } from './reader.ts';
import type { WantedColumns } from './upstream_table.ts';

export class PostgresSource implements Source {
  readonly options: PostgresOptions;
  readonly wanted: WantedColumns;
  readonly arrivals = new Arrivals();
  readonly #reader: TransactionReader;
  #settled: Place | null = null;
  queued: Place | null = null;
  queuedBytes = 0;
  /** Offsets: of the next batch that is queued, and of the next that is polled. */
  #end = 0;
  #position: number | null = null;
  #trouble: string | null = null;

  constructor(options: PostgresOptions, wanted: WantedColumns, reader: TransactionReader) {
    this.options = options;
    this.wanted = wanted;
    this.#reader = reader;
  }

  /** Whether what is queued brings it to where changes go on. */
  get follows(): boolean {
    return this.queued !== null && this.queued.stopped === null;
  }

  get settled(): Place | null {
    return this.#settled;
  }

  get moments(): Moments {
    return this.#reader.units;
  }

  get place(): string | null {
    return this.#settled === null ? null : placeText(this.#settled);
  }

  settle(places: string[]): void {
    const before = this.#settled;
    for (const place of places) {
      this.#settled = placeAfter(this.#settled, place);
      this.#reader.units.settle(this, place);
    }
    if (before === null && this.#settled !== null) this.arrivals.tell({ kind: 'copying', on: false });
  }

  /** A batch of these records, after which it is at `place`. */
  batch(messages: Message[], place: string): RawBatch {
    const batch = messageBatch(0, this.#end, messages);
    // At least one offset, also where there is no record.
    this.#end += Math.max(1, messages.length);
    this.queued = placeAfter(this.queued, place);
    return { ...batch, nextOffset: BigInt(this.#end), place };
  }

  /** A batch that begins to copy the rows anew. */
  beginning(): RawBatch {
    return this.batch([{ key: null, value: null, timestamp: -1, headers: [] }], COPYING);
  }

  /** A batch that says that it will not be read any further, and why. */
  end(why: string): RawBatch {
    const { lsn, table } = this.queued as Place;
    return this.batch([], placeText({ lsn, table, stopped: why }));
  }

  tell(trouble: string | null): void {
    const message = this.queued?.stopped ?? trouble;
    if (message === this.#trouble) return;
    this.#trouble = message;
    this.arrivals.tell({ kind: 'database', message });
  }

  async partitions(): Promise<number[]> {
    return [0];
  }

  async startOffsets(): Promise<Map<number, bigint>> {
    return new Map([[0, 0n]]);
  }

  open(offsets: Map<number, bigint>): void {
    const from = offsets.get(0);
    if (from === undefined) return;
    this.#end = Number(from);
    this.#position = Number(from);
    this.queued = this.#settled;
    if (this.#settled === null) this.arrivals.tell({ kind: 'copying', on: true });
    this.tell(null);
    this.#reader.add(this);
  }

  poll(): RawBatch | null {
    const batch = this.#reader.units.poll(this);
    if (batch !== null) this.#position = Number(batch.nextOffset);
    return batch;
  }

  onReady(callback: () => void): void {
    const { units } = this.#reader;
    this.arrivals.onReady(callback, !units.held && units.has(this));
  }

  takeEvents(): SourceEvent[] {
    return this.arrivals.takeEvents();
  }

  position(): bigint | undefined {
    return this.#position === null ? undefined : BigInt(this.#position);
  }

  highWatermark(): bigint | undefined {
    return this.#position === null ? undefined : BigInt(this.#end);
  }

  /** Bytes of the database's log. */
  left(): bigint | undefined {
    const { settled } = this;
    const { logEnd } = this.#reader;
    if (settled === null || logEnd === null) return undefined;
    return logEnd > settled.lsn ? logEnd - settled.lsn : 0n;
  }

  pause(): void {
    // Transactions come whole: no table can wait for another.
  }

  resume(): void {
    // It never waited.
  }

  bufferedBytes(): number {
    return this.queuedBytes;
  }

  readRange(): AsyncIterable<RawBatch> {
    throw new SqlError('58P01', 'changes of a database come once: the tick log has them');
  }

  async close(): Promise<void> {
    this.arrivals.close();
    if (this.#position !== null) await this.#reader.remove(this);
  }

  async forget(): Promise<void> {
    if (this.#position !== null) await this.#reader.forget();
  }
}
