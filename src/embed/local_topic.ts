/**
 * A topic in this process: what a Kafka topic is to a stream, with messages that somebody sends by send(). For tests of SQL that reads Kafka.
 *
 * Messages stay for good, as in a topic: a view made later reads them from the first one. Partitions come with the first message that names them.
 */
import { type Message, messageBatch } from '../sources/message_batch.ts';
import type { RawBatch, Source, StartPosition } from '../sources/source.ts';

interface Partition {
  messages: Message[];
  position: number;
  isOpen: boolean;
}

/** What was sent as one piece is not read in more than one unless it is longer. */
const MOST_MESSAGES = 10_000;

export class LocalTopic implements Source {
  readonly form = 'json';
  readonly #partitions = new Map<number, Partition>();
  #waiting: (() => void)[] = [];

  has(partition: number): boolean {
    return this.#partitions.has(partition);
  }

  addPartition(partition: number): void {
    this.#partitions.set(partition, { messages: [], position: 0, isOpen: false });
  }

  send(partition: number, messages: Message[]): void {
    const to = this.#of(partition).messages;
    for (const message of messages) to.push(message);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #of(partition: number): Partition {
    const found = this.#partitions.get(partition);
    if (found === undefined) throw new Error(`there is no partition ${partition}`);
    return found;
  }

  partitions(): Promise<number[]> {
    return Promise.resolve([...this.#partitions.keys()].sort((a, b) => a - b));
  }

  startOffsets(start: StartPosition): Promise<Map<number, bigint>> {
    return Promise.resolve(
      new Map([...this.#partitions].map(([p, { messages }]) => [p, offsetOf(start, p, messages)])),
    );
  }

  open(offsets: Map<number, bigint>): void {
    for (const [partition, offset] of offsets) {
      const state = this.#of(partition);
      state.position = Number(offset);
      state.isOpen = true;
    }
  }

  poll(): RawBatch | null {
    for (const [partition, state] of this.#partitions) {
      const from = state.position;
      if (!state.isOpen || from >= state.messages.length) continue;
      state.position = Math.min(state.messages.length, from + MOST_MESSAGES);
      return messageBatch(partition, from, state.messages.slice(from, state.position));
    }
    return null;
  }

  onReady(callback: () => void): void {
    const isReady = [...this.#partitions.values()].some((p) => p.isOpen && p.position < p.messages.length);
    if (isReady) queueMicrotask(callback);
    else this.#waiting.push(callback);
  }

  takeEvents(): [] {
    return [];
  }

  position(partition: number): bigint | undefined {
    const state = this.#partitions.get(partition);
    return state === undefined ? undefined : BigInt(state.position);
  }

  highWatermark(partition: number): bigint | undefined {
    const state = this.#partitions.get(partition);
    return state === undefined ? undefined : BigInt(state.messages.length);
  }

  pause(partition: number): void {
    this.#of(partition).isOpen = false;
  }

  resume(partition: number): void {
    this.#of(partition).isOpen = true;
  }

  bufferedBytes(): number {
    return 0;
  }

  async *readRange(partition: number, from: bigint, to: bigint): AsyncIterable<RawBatch> {
    const { messages } = this.#of(partition);
    for (let at = Number(from); at < to; at += MOST_MESSAGES)
      yield messageBatch(partition, at, messages.slice(at, Math.min(at + MOST_MESSAGES, Number(to))));
  }

  close(): Promise<void> {
    this.#waiting = [];
    return Promise.resolve();
  }
}

function offsetOf(start: StartPosition, partition: number, messages: Message[]): bigint {
  switch (start.k) {
    case 'earliest':
      return 0n;
    case 'latest':
      return BigInt(messages.length);
    case 'at':
      return start.offsets.get(partition) ?? 0n;
    case 'timestamp': {
      const first = messages.findIndex(({ timestamp }) => timestamp >= start.ms);
      return BigInt(first < 0 ? messages.length : first);
    }
  }
}
