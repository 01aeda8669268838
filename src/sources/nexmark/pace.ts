/**
 * Keeps the streams of one seed in step: none delivers events that are not due, or that lie far ahead of what the others have delivered.
 *
 * Streams with equal seed, rates, events and base time share one Pace while they are open. With events_per_second the event that is
 * due grows with the clock from the moment the first stream opens; without, a stream waits when it is LEAD events ahead of the
 * slowest open one. A stream that is paused or at its end holds nobody back.
 */
import { epochStart } from './numbering.ts';
import type { NexmarkOptions } from './options.ts';

const LEAD = 200_000;

export interface PacedStream {
  /** Event number of the next row. */
  eventPosition(): number;
  /** True while the stream would deliver if it were allowed to. */
  running(): boolean;
  /** Called when the limit may have moved. */
  wake(): void;
}

export class Pace {
  readonly #streams = new Set<PacedStream>();
  readonly #rate: number;
  readonly #clock: () => number;
  #startTime = 0;
  #startEvent = 0;

  constructor(rate: number, clock: () => number) {
    this.#rate = rate;
    this.#clock = clock;
  }

  join(stream: PacedStream): void {
    if (this.#streams.size === 0) {
      this.#startTime = this.#clock();
      this.#startEvent = epochStart(stream.eventPosition());
    }
    this.#streams.add(stream);
  }

  leave(stream: PacedStream): void {
    this.#streams.delete(stream);
    this.moved(stream);
  }

  get empty(): boolean {
    return this.#streams.size === 0;
  }

  /** Events below this number may be delivered by `stream` now. */
  limit(stream: PacedStream): number {
    if (this.#rate > 0) {
      return this.#startEvent + Math.floor(((this.#clock() - this.#startTime) * this.#rate) / 1000) + 1;
    }
    let slowest = Number.POSITIVE_INFINITY;
    for (const other of this.#streams) {
      if (other !== stream && other.running()) slowest = Math.min(slowest, other.eventPosition());
    }
    return slowest + LEAD;
  }

  /** Milliseconds until event `n` is due; null when that depends on the other streams. */
  delay(n: number): number | null {
    if (this.#rate === 0) return null;
    const due = this.#startTime + ((n - this.#startEvent) * 1000) / this.#rate;
    return Math.max(0, due - this.#clock());
  }

  /** A stream has gone on: others that waited for it look again. */
  moved(stream: PacedStream): void {
    for (const other of this.#streams) if (other !== stream) other.wake();
  }
}

const paces = new Map<string, Pace>();

function name(options: NexmarkOptions): string {
  const { seed, events, eventsPerSecond, eventTimeRate, baseTime } = options;
  return [seed, events, eventsPerSecond, eventTimeRate, baseTime].join('/');
}

/** The pace that streams with these options share. */
export function sharedPace(options: NexmarkOptions, clock: () => number): Pace {
  let pace = paces.get(name(options));
  if (pace === undefined || pace.empty) {
    pace = new Pace(options.eventsPerSecond, clock);
    paces.set(name(options), pace);
  }
  return pace;
}

export function forgetPace(options: NexmarkOptions): void {
  if (paces.get(name(options))?.empty) paces.delete(name(options));
}
