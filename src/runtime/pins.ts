/**
 * Readers that keep seeing one tick, and copies of what later ticks change.
 *
 *   tick:      8          9          10          11
 *   pins:      a                     b
 *   saved:              [ 9 ......   10 ] [ 11 ......      several ticks have one arena: one of their own would be 1 MiB for a row
 *
 * An arena is given back when no pin is older than the last of its ticks.
 */
import { Arena } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { detach } from '../../operators/batch/detach.ts';

/** A reader that must keep seeing one tick. */
export interface Pin {
  tick: bigint;
  /** Deltas of the ticks after `tick`, oldest first. */
  since: { tick: bigint; deltas: Map<number, Batch> }[];
  /** Where it stands among all; -1: no more. */
  place: number;
}

/**
 * What ticks have changed since a pin's, oldest first. Those that run while it is gone through are `late`: who goes through them without a pause
 * has all up to the present tick in the end.
 */
export function* changesSince({ since }: Pin): Iterable<{ deltas: Map<number, Batch>; late: boolean }> {
  const known = since.length;
  for (let i = 0; i < since.length; i++) yield { deltas: since[i].deltas, late: i >= known };
}

/** An arena with the copies of some ticks, and the last of these. */
interface Saved {
  arena: Arena;
  last: bigint;
  /** Of its first chunk: when there is more the next tick begins another. */
  bytes: number;
}

export class Pins {
  /** In no order. A Set would ask V8 to shrink it whenever the last reader is done: after every read of a quiet server. */
  readonly #pins: Pin[] = [];
  #saved: Saved[] = [];

  get any(): boolean {
    return this.#pins.length > 0;
  }

  /** Keeps this tick, which is the present one, readable until unpin(). */
  pin(tick: bigint): Pin {
    const pin: Pin = { tick, since: [], place: this.#pins.length };
    this.#pins.push(pin);
    return pin;
  }

  unpin(pin: Pin): void {
    if (pin.place < 0) return;
    const last = this.#pins.pop() as Pin;
    if (last !== pin) {
      this.#pins[pin.place] = last;
      last.place = pin.place;
    }
    pin.place = -1;
    if (this.#saved.length === 0) return;
    let oldest: bigint | null = null;
    for (const p of this.#pins) if (oldest === null || p.tick < oldest) oldest = p.tick;
    const keep: Saved[] = [];
    for (const saved of this.#saved) {
      if (oldest !== null && saved.last > oldest) keep.push(saved);
      else saved.arena.release();
    }
    this.#saved = keep;
  }

  /** Keeps deltas of the tick that is running for readers of older ticks. */
  save(tick: bigint, deltas: [relation: number, delta: Batch][]): void {
    if (!this.any) return;
    const copies = new Map<number, Batch>();
    // Views that are the same query have one delta.
    const copied = new Map<Batch, Batch>();
    const moved = deltas.filter(([, { n }]) => n > 0);
    if (moved.length > 0) {
      const saved = this.#room();
      // Before the copies: should memory run out, what was copied goes with the arena.
      saved.last = tick;
      for (const [oid, batch] of moved) {
        const copy = copied.get(batch) ?? detach(batch, saved.arena);
        copied.set(batch, copy);
        copies.set(oid, copy);
      }
      if (saved.bytes === 0) saved.bytes = saved.arena.bytes;
    }
    for (const pin of this.#pins) pin.since.push({ tick, deltas: copies });
  }

  #room(): Saved {
    const last = this.#saved.at(-1);
    if (last !== undefined && last.arena.bytes <= last.bytes) return last;
    const saved: Saved = { arena: new Arena(), last: 0n, bytes: 0 };
    this.#saved.push(saved);
    return saved;
  }

  release(): void {
    for (const { arena } of this.#saved) arena.release();
    this.#saved = [];
  }
}
