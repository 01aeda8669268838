/** A source whose records lie in memory already: benches measure what comes after the network. */
import type { RawBatch, Source, SourceEvent } from '../src/sources/source.ts';

export class MemorySource implements Source {
  readonly #batches: RawBatch[];
  #next = 0;
  #open = false;

  constructor(batches: RawBatch[]) {
    this.#batches = batches;
  }

  async partitions(): Promise<number[]> {
    return [0];
  }

  async startOffsets(): Promise<Map<number, bigint>> {
    return new Map([[0, 0n]]);
  }

  open(): void {
    this.#open = true;
  }

  poll(): RawBatch | null {
    return this.#open ? (this.#batches[this.#next++] ?? null) : null;
  }

  onReady(callback: () => void): void {
    if (this.#next < this.#batches.length) callback();
  }

  takeEvents(): SourceEvent[] {
    return [];
  }

  position(): bigint | undefined {
    return this.#batches[this.#next - 1]?.nextOffset;
  }

  highWatermark(): bigint | undefined {
    return this.#batches.at(-1)?.nextOffset ?? 0n;
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

  async *readRange(_partition: number, from: bigint, to: bigint): AsyncGenerator<RawBatch> {
    for (const batch of this.#batches) if (batch.baseOffset >= from && batch.nextOffset <= to) yield batch;
  }

  async close(): Promise<void> {
    // Nothing is held.
  }
}
