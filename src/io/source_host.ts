/**
 * Sources in the I/O thread: delivers their batches ahead of the engine, up to the source's bound of bytes.
 *
 *   source --poll()--> batch message, one for a whole batch      (bytes on the other side are counted by partition)
 *          <--pause()-- a partition whose share lies there unread; `taken` makes room again
 *
 * So the buffer is on the engine's side, and the source here fetches only what fits in it.
 */
import { buffers } from '../kafka/buffers.ts';
import type { RawBatch, Source, StartPosition } from '../sources/source.ts';
import { type SentBatch, sendBatch } from './batches.ts';
import type { Channel } from './channel.ts';
import { type FromIo, type SourceOrder, type ToIo, Transferred } from './messages.ts';

/** More need not lie on the other side for it to be busy, and buffers that come back soon are used again (docs/decisions/0236). */
const MOST_AHEAD_BYTES = 8 << 20;

type DataflowChannel = Channel<FromIo, ToIo>;

export class SourceHost {
  readonly #channel: DataflowChannel;
  readonly #sources = new Map<number, HostedSource>();
  #lastId = 0;

  constructor(channel: DataflowChannel) {
    this.#channel = channel;
  }

  /** Its number. `bufferBytes` bounds what lies on the other side. */
  add(source: Source, bufferBytes: number): number {
    const id = ++this.#lastId;
    this.#sources.set(id, new HostedSource(this.#channel, id, source, bufferBytes));
    return id;
  }

  order(id: number, order: SourceOrder): void {
    // Whatever has become of the source.
    if (order.k === 'read') buffers.give(order.place);
    else this.#sources.get(id)?.order(order);
  }

  /** What is asked of sources by call. */
  readonly methods = {
    sourcePartitions: (id: number) => this.#get(id).source.partitions(),
    sourceStartOffsets: async (id: number, start: StartPosition) => {
      const { source } = this.#get(id);
      const offsets = await source.startOffsets(start);
      return { offsets, identity: source.identity ?? null };
    },
    closeSource: async (id: number) => {
      const hosted = this.#get(id);
      this.#sources.delete(id);
      await hosted.source.close();
    },
    openRange: (id: number, partition: number, from: bigint, to: bigint) =>
      this.#get(id).openRange(partition, from, to),
    /** null at the end. */
    nextOfRange: (id: number, range: number) => this.#get(id).nextOfRange(range),
    closeRange: (id: number, range: number) => this.#get(id).closeRange(range),
  };

  #get(id: number): HostedSource {
    const hosted = this.#sources.get(id);
    if (hosted === undefined) throw new Error(`there is no source ${id}`);
    return hosted;
  }
}

interface Partition {
  /** Of the last open() that named it. */
  generation: number;
  /** Bytes of batches that the engine has not polled. */
  untaken: number;
  /** Its share is used up. */
  full: boolean;
  /** The engine holds it back. */
  paused: boolean;
  /** End as last told. */
  end: bigint | undefined;
}

interface Range {
  batches: AsyncIterator<RawBatch>;
  /** The next batch, asked for while the engine reads the one before. */
  next: Promise<IteratorResult<RawBatch>>;
}

class HostedSource {
  readonly source: Source;
  readonly #channel: DataflowChannel;
  readonly #id: number;
  readonly #bufferBytes: number;
  readonly #partitions = new Map<number, Partition>();
  readonly #ranges = new Map<number, Range>();
  #lastRange = 0;
  #listening = false;
  #left: bigint | undefined;

  constructor(channel: DataflowChannel, id: number, source: Source, bufferBytes: number) {
    this.#channel = channel;
    this.#id = id;
    this.source = source;
    this.#bufferBytes = bufferBytes;
  }

  order(order: Exclude<SourceOrder, { k: 'read' }>): void {
    switch (order.k) {
      case 'expect':
        this.source.expect?.(order.identity);
        return;
      case 'open':
        this.#open(order.offsets, order.generation);
        return;
      case 'taken':
        this.#taken(order.partition, order.generation, order.bytes);
        return;
      case 'pause':
      case 'resume': {
        const state = this.#partition(order.partition);
        state.paused = order.k === 'pause';
        this.#hold(order.partition, state);
      }
    }
  }

  #partition(partition: number): Partition {
    let state = this.#partitions.get(partition);
    if (state === undefined) {
      state = { generation: 0, untaken: 0, full: false, paused: false, end: undefined };
      this.#partitions.set(partition, state);
    }
    return state;
  }

  #open(offsets: Map<number, bigint>, generation: number): void {
    for (const partition of offsets.keys()) {
      const state = this.#partition(partition);
      state.generation = generation;
      state.untaken = 0;
      state.full = false;
    }
    this.source.open(offsets);
    for (const partition of offsets.keys()) this.#hold(partition, this.#partition(partition));
    this.#listen();
  }

  #taken(partition: number, generation: number, bytes: number): void {
    const state = this.#partition(partition);
    if (state.generation !== generation) return;
    state.untaken -= bytes;
    if (!state.full || state.untaken >= this.#share()) return;
    state.full = false;
    this.#hold(partition, state);
  }

  #share(): number {
    return Math.max(1, Math.min(this.#bufferBytes, MOST_AHEAD_BYTES) / this.#partitions.size);
  }

  #hold(partition: number, state: Partition): void {
    if (state.full || state.paused) this.source.pause(partition);
    else this.source.resume(partition);
  }

  #listen(): void {
    if (this.#listening) return;
    this.#listening = true;
    this.source.onReady(() => {
      this.#listening = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    for (let batch = this.source.poll(); batch !== null; batch = this.source.poll()) {
      const { partition } = batch;
      const state = this.#partition(partition);
      state.untaken += batch.bytes.length;
      const { sent, transfer } = sendBatch(batch);
      if (state.untaken >= this.#share()) {
        state.full = true;
        this.#hold(partition, state);
      }
      this.#tellState();
      this.#channel.post({ k: 'batch', source: this.#id, generation: state.generation, batch: sent }, transfer);
    }
    this.#tellState();
    this.#listen();
  }

  /** Ends that have moved, and events. */
  #tellState(): void {
    const ends = new Map<number, bigint>();
    for (const [partition, state] of this.#partitions) {
      const end = this.source.highWatermark(partition);
      if (end !== undefined && end !== state.end) ends.set(partition, end);
      state.end = end;
    }
    const events = this.source.takeEvents();
    const left = this.source.left?.();
    if (ends.size > 0 || events.length > 0 || left !== this.#left) {
      this.#left = left;
      this.#channel.post({ k: 'sourceState', source: this.#id, ends, events, left });
    }
  }

  openRange(partition: number, from: bigint, to: bigint): number {
    const batches = this.source.readRange(partition, from, to)[Symbol.asyncIterator]();
    const range = ++this.#lastRange;
    this.#ranges.set(range, { batches, next: ahead(batches) });
    return range;
  }

  async nextOfRange(id: number): Promise<Transferred<SentBatch> | null> {
    const range = this.#ranges.get(id);
    if (range === undefined) throw new Error(`there is no range ${id}`);
    const { done, value } = await range.next;
    if (done === true) return null;
    range.next = ahead(range.batches);
    const { sent, transfer } = sendBatch(value);
    return new Transferred(sent, transfer);
  }

  async closeRange(id: number): Promise<void> {
    const range = this.#ranges.get(id);
    this.#ranges.delete(id);
    await range?.batches.return?.();
  }
}

/** The next batch; its error is told to who asks for it, if anybody does. */
function ahead(batches: AsyncIterator<RawBatch>): Promise<IteratorResult<RawBatch>> {
  const next = batches.next();
  next.catch(() => undefined);
  return next;
}
