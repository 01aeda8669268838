/**
 * Streams wait while a sink that their rows go to is too far behind: what it has to write lies in memory.
 *
 *   stream -> view -> sink, more rows queued than it may -> the stream is not read ... half of them written -> on
 *
 * Other streams go on, and so do statements: what those add is bounded by the memory limit. Nothing is given up, so a broker may be away for as long as it likes.
 */
import type { TidemarkEngine } from './engine.ts';
import type { Sink } from './sink.ts';

export class SinkHold {
  readonly #engine: TidemarkEngine;
  /** Sinks that are being waited for. */
  readonly #waits = new Map<Sink, { name: string; reads: Set<number> }>();

  constructor(engine: TidemarkEngine) {
    this.#engine = engine;
  }

  /** Before a tick: begins to wait for sinks that have fallen behind. */
  look(): void {
    for (const sink of this.#engine.sinks.list) {
      if (!sink.isBehind) continue;
      this.#begin();
      return;
    }
  }

  #begin(): void {
    for (const [oid, sink] of this.#engine.sinks)
      if (sink.isBehind && !this.#waits.has(sink)) void this.#wait(oid, sink);
  }

  async #wait(oid: number, sink: Sink): Promise<void> {
    const name = this.#engine.catalog.get(oid)?.name ?? '';
    const { log } = this.#engine;
    log(
      'warn',
      `sink ${name}: ${sink.statistics.queued} ticks wait to be written: its streams are held until half of their rows are`,
    );
    this.#waits.set(sink, { name, reads: this.#readBy(oid) });
    this.#tell();
    await sink.room();
    this.#waits.delete(sink);
    this.#tell();
    log('info', `sink ${name}: its streams go on`);
    this.#engine.sourceTicks.schedule();
  }

  #tell(): void {
    for (const stream of this.#engine.streams.values()) {
      stream.waitsFor = null;
      for (const { name, reads } of this.#waits.values()) if (reads.has(stream.oid)) stream.waitsFor = name;
    }
  }

  /** What an object reads, through all views. */
  #readBy(oid: number, found = new Set<number>()): Set<number> {
    for (const read of this.#engine.catalog.get(oid)?.dependencies ?? []) {
      if (found.has(read)) continue;
      found.add(read);
      this.#readBy(read, found);
    }
    return found;
  }
}
