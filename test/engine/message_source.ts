/** A topic in memory: the test sends messages, the engine reads them as it would read Kafka. */
import { messageBatch } from '../../src/sources/message_batch.ts';
import type { Header, RawBatch, Source, SourceEvent } from '../../src/sources/source.ts';

export interface TestMessage {
  key?: string | Uint8Array | null;
  value: string | Uint8Array | null;
  partition?: number;
  /** Milliseconds since 1970. */
  timestamp?: number;
  headers?: Header[];
}

interface Partition {
  messages: TestMessage[];
  position: number;
}

/** Messages that readRange() gives at a time. */
const PIECE = 7;

export class MessageSource implements Source {
  readonly #partitions: Partition[];
  readonly #most: number;
  readonly #paused = new Set<number>();
  /** The partition that gives next, if it has something. */
  #turn = 0;
  #opened = false;
  #events: SourceEvent[] = [];

  /** `most`: messages that poll() gives at a time, of the partitions in turns. */
  constructor(partitions = 1, most = Number.POSITIVE_INFINITY) {
    this.#partitions = Array.from({ length: partitions }, () => ({ messages: [], position: 0 }));
    this.#most = most;
  }

  send(...messages: TestMessage[]): void {
    for (const message of messages) this.#partitions[message.partition ?? 0].messages.push(message);
  }

  partitions(): Promise<number[]> {
    return Promise.resolve([...this.#partitions.keys()]);
  }

  startOffsets(): Promise<Map<number, bigint>> {
    return Promise.resolve(new Map(this.#partitions.map((_, p) => [p, 0n])));
  }

  open(offsets: Map<number, bigint>): void {
    this.#opened = true;
    for (const [partition, offset] of offsets) this.#partitions[partition].position = Number(offset);
  }

  poll(): RawBatch | null {
    if (!this.#opened) return null;
    const count = this.#partitions.length;
    for (let i = 0; i < count; i++) {
      const partition = (this.#turn + i) % count;
      if (!this.#has(partition)) continue;
      const state = this.#partitions[partition];
      const from = state.position;
      state.position = Math.min(from + this.#most, state.messages.length);
      this.#turn = partition + 1;
      return batchOf(partition, from, state.messages.slice(from, state.position));
    }
    return null;
  }

  #has(partition: number): boolean {
    const { position, messages } = this.#partitions[partition];
    return position < messages.length && !this.#paused.has(partition);
  }

  onReady(callback: () => void): void {
    if (this.#partitions.some((_, partition) => this.#has(partition))) queueMicrotask(callback);
  }

  tell(event: SourceEvent): void {
    this.#events.push(event);
  }

  takeEvents(): SourceEvent[] {
    return this.#events.splice(0);
  }

  position(partition: number): bigint | undefined {
    return BigInt(this.#partitions[partition].position);
  }

  highWatermark(partition: number): bigint | undefined {
    return BigInt(this.#partitions[partition].messages.length);
  }

  get paused(): number[] {
    return [...this.#paused].sort();
  }

  pause(partition: number): void {
    this.#paused.add(partition);
  }

  resume(partition: number): void {
    this.#paused.delete(partition);
  }

  bufferedBytes(): number {
    return 0;
  }

  /** In small pieces, between which others may run. */
  async *readRange(partition: number, from: bigint, to: bigint): AsyncIterable<RawBatch> {
    const { messages } = this.#partitions[partition];
    for (let at = Number(from); at < to; at += PIECE) {
      await new Promise((resolve) => setImmediate(resolve));
      yield batchOf(partition, at, messages.slice(at, Math.min(at + PIECE, Number(to))));
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function batchOf(partition: number, base: number, messages: TestMessage[]): RawBatch {
  const bytesOf = (data: TestMessage['value'] | undefined) => (data == null ? null : Buffer.from(data as string));
  return messageBatch(
    partition,
    base,
    messages.map(({ key, value, timestamp = -1, headers = [] }) => ({
      key: bytesOf(key),
      value: bytesOf(value),
      timestamp,
      headers,
    })),
  );
}
