/**
 * A source that runs in the I/O thread, as the engine sees it: batches come ahead of being asked for (source_host.ts bounds how far) and are
 * polled from here without a wait.
 *
 * A batch that was on its way when its partition was moved belongs to an earlier generation and is dropped.
 */
import { empty } from '../kafka/record_set.ts';
import { Arrivals } from '../sources/arrivals.ts';
import type { RawBatch, Source, SourceEvent, StartPosition } from '../sources/source.ts';
import { placeOf, receivedBatch, type SentBatch } from './batches.ts';
import type { Channel } from './channel.ts';
import type { Call, FromIo, SourceOrder, SourceState, ToIo } from './messages.ts';

interface Queued {
  batch: RawBatch;
  generation: number;
}

export class RemoteSource implements Source {
  readonly #channel: Channel<ToIo, FromIo>;
  readonly #call: Call;
  readonly #id: number;
  readonly #forget: () => void;
  readonly #generations = new Map<number, number>();
  readonly #positions = new Map<number, bigint>();
  readonly #ends = new Map<number, bigint>();
  readonly #paused = new Set<number>();
  #identity: string | null = null;
  #left: bigint | undefined;
  #lastGeneration = 0;
  #queue: Queued[] = [];
  #buffered = 0;
  readonly #arrivals = new Arrivals();

  /** `id` is the host's number of the source; `forget` is called when it is closed. */
  constructor(channel: Channel<ToIo, FromIo>, call: Call, id: number, forget: () => void) {
    this.#channel = channel;
    this.#call = call;
    this.#id = id;
    this.#forget = forget;
  }

  /** A batch has come. */
  take(generation: number, sent: SentBatch): void {
    const batch = receivedBatch(sent);
    const place = placeOf(sent);
    if (place !== null)
      batch.release = () => {
        empty(batch);
        this.#order({ k: 'read', place });
      };
    if (this.#generations.get(sent.partition) !== generation) {
      batch.release?.();
      return;
    }
    this.#queue.push({ batch, generation });
    this.#buffered += batch.bytes.length;
    if (!this.#paused.has(sent.partition)) this.#arrivals.ready();
  }

  takeState({ ends, events, left }: SourceState): void {
    this.#left = left;
    for (const [partition, end] of ends) this.#ends.set(partition, end);
    this.#arrivals.tell(...events);
  }

  async partitions(): Promise<number[]> {
    return (await this.#call('sourcePartitions', this.#id)) as number[];
  }

  async startOffsets(start: StartPosition): Promise<Map<number, bigint>> {
    const answer = await this.#call('sourceStartOffsets', this.#id, start);
    const { offsets, identity } = answer as { offsets: Map<number, bigint>; identity: string | null };
    this.#identity = identity;
    return offsets;
  }

  get identity(): string | null {
    return this.#identity;
  }

  expect(identity: string): void {
    this.#identity = identity;
    this.#order({ k: 'expect', identity });
  }

  open(offsets: Map<number, bigint>): void {
    const generation = ++this.#lastGeneration;
    for (const [partition, offset] of offsets) {
      this.#generations.set(partition, generation);
      this.#positions.set(partition, offset);
    }
    const kept = this.#queue.filter(({ batch }) => !offsets.has(batch.partition));
    for (const { batch } of this.#queue) {
      if (!offsets.has(batch.partition)) continue;
      this.#buffered -= batch.bytes.length;
      batch.release?.();
    }
    this.#queue = kept;
    this.#order({ k: 'open', offsets, generation });
  }

  #order(order: SourceOrder): void {
    this.#channel.post({ k: 'source', source: this.#id, order });
  }

  poll(): RawBatch | null {
    const at = this.#queue.findIndex(({ batch }) => !this.#paused.has(batch.partition));
    if (at < 0) return null;
    const [{ batch, generation }] = this.#queue.splice(at, 1);
    const { partition } = batch;
    const bytes = batch.bytes.length;
    this.#buffered -= bytes;
    this.#positions.set(partition, batch.nextOffset);
    this.#order({ k: 'taken', partition, generation, bytes });
    return batch;
  }

  onReady(callback: () => void): void {
    this.#arrivals.onReady(
      callback,
      this.#queue.some(({ batch }) => !this.#paused.has(batch.partition)),
    );
  }

  takeEvents(): SourceEvent[] {
    return this.#arrivals.takeEvents();
  }

  position(partition: number): bigint | undefined {
    return this.#positions.get(partition);
  }

  highWatermark(partition: number): bigint | undefined {
    return this.#ends.get(partition);
  }

  left(): bigint | undefined {
    return this.#left;
  }

  pause(partition: number): void {
    if (this.#paused.has(partition)) return;
    this.#paused.add(partition);
    this.#order({ k: 'pause', partition });
  }

  resume(partition: number): void {
    if (!this.#paused.delete(partition)) return;
    this.#order({ k: 'resume', partition });
    if (this.#queue.some(({ batch }) => batch.partition === partition)) this.#arrivals.ready();
  }

  /** Those that have come here; what the I/O thread has besides is being fetched or read. */
  bufferedBytes(): number {
    return this.#buffered;
  }

  async *readRange(partition: number, from: bigint, to: bigint): AsyncGenerator<RawBatch> {
    const range = await this.#call('openRange', this.#id, partition, from, to);
    try {
      for (;;) {
        const sent = (await this.#call('nextOfRange', this.#id, range)) as SentBatch | null;
        if (sent === null) return;
        yield receivedBatch(sent);
      }
    } finally {
      await this.#call('closeRange', this.#id, range);
    }
  }

  async close(): Promise<void> {
    this.#arrivals.close();
    for (const { batch } of this.#queue) batch.release?.();
    this.#queue = [];
    this.#buffered = 0;
    this.#forget();
    await this.#call('closeSource', this.#id);
  }
}
