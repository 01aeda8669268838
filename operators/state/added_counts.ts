/**
 * The rows that a tick has appended to the runs of a keyed index (keyed_index.ts), where their number stands in each key's slot (key_slot.ts): which slots these are. At the end of the tick,
 * and before slots may move, the numbers go.
 */
import { kernels } from '../kernels/index.ts';

export class AddedCounts {
  readonly #payloadOffset: number;
  /** Word address of the slots' addresses, in memory of the tick. */
  #slots = 0;
  #count = 0;
  any = false;

  constructor(payloadOffset: number) {
    this.#payloadOffset = payloadOffset;
  }

  note(slots: number, count: number): void {
    this.#slots = slots;
    this.#count = count;
    this.any = true;
  }

  /** Takes the numbers out of the slots. */
  clear(): void {
    if (!this.any) return;
    kernels.clearAdded(this.#slots * 4, this.#count, this.#payloadOffset);
    this.any = false;
  }

  /** The slots are what they were before the tick, or no more. */
  forget(): void {
    this.any = false;
  }
}
