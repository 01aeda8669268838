/**
 * connector = 'blackhole': counts the changes of each tick and drops them where they lie. Nothing is copied or queued, so a sink of this
 * kind costs what its query costs: for benches, and for finding out what a query does under load.
 */
import type { Batch } from '../../operators/batch/batch.ts';
import { noStatistics, type SavedSink, type Sink } from '../runtime/sink.ts';

export class BlackholeSink implements Sink {
  readonly statistics = noStatistics(null);
  readonly isBehind = false;

  onTick(tick: bigint, delta: Batch | null): void {
    if (delta === null) return;
    this.statistics.rows += BigInt(delta.n);
    this.statistics.tick = tick;
  }

  live(): void {
    // Rows are counted as they come.
  }

  room(): Promise<void> {
    return Promise.resolve();
  }

  flushed(): Promise<void> {
    return Promise.resolve();
  }

  save(): SavedSink {
    return { stopped: null, queue: [] };
  }

  load(): void {
    // Nothing waits here.
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
