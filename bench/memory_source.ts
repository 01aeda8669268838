/** A source whose records lie in memory already and are handed over one tick's worth at a time: benches measure what comes after the network. */
import type { RawBatch, Source, SourceEvent } from '../src/sources/source.ts';

export class MemorySource implements Source {
  readonly #waiting: RawBatch[] = [];
  #position = 0n;

  /** The next poll() gives this batch. */
  offer(batch: RawBatch): void {
    this.#waiting.push(batch);
  }

  async partitions(): Promise<number[]> {
    return [0];
  }

  async startOffsets(): Promise<Map<number, bigint>> {
    return new Map([[0, 0n]]);
  }

  open(): void {
    // One partition, which starts at its first record.
  }

  poll(): RawBatch | null {
    const batch = this.#waiting.shift() ?? null;
    if (batch !== null) this.#position = batch.nextOffset;
    return batch;
  }

  onReady(callback: () => void): void {
    if (this.#waiting.length > 0) callback();
  }

  takeEvents(): SourceEvent[] {
    return [];
  }

  position(): bigint {
    return this.#position;
  }

  /** More is always to come, so the partition never counts as idle. */
  highWatermark(): bigint {
    return this.#position + 1n;
  }

  pause(): void {
    // One partition, read as fast as it is polled.
  }

  resume(): void {
    // See pause().
  }

  bufferedBytes(): number {
    return 0;
  }

  // biome-ignore lint/correctness/useYield: there is nothing to yield.
  async *readRange(_partition: number, _from: bigint, _to: bigint): AsyncGenerator<RawBatch> {
    throw new Error('a memory source keeps nothing');
  }

  async close(): Promise<void> {
    // Nothing is held.
  }
}
