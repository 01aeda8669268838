/** What a source has to tell: events until they are taken, and one call back when there is something to poll or to take. Half of a Source. */
import type { SourceEvent } from './source.ts';

export class Arrivals {
  #events: SourceEvent[] = [];
  #callback: (() => void) | null = null;

  tell(...events: SourceEvent[]): void {
    this.#events.push(...events);
    this.ready();
  }

  takeEvents(): SourceEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  /** As Source.onReady(); `pollable`: poll() has something already. */
  onReady(callback: () => void, pollable: boolean): void {
    this.#callback = callback;
    if (pollable || this.#events.length > 0) this.ready();
  }

  /** poll() or takeEvents() has something: who waits is called back after this turn's work. */
  ready(): void {
    const callback = this.#callback;
    if (callback === null) return;
    this.#callback = null;
    queueMicrotask(callback);
  }

  /** Nobody is called back any more. */
  close(): void {
    this.#callback = null;
  }
}
