/**
 * The rows that a tick has appended to the runs of a keyed index (keyed_index.ts), where their number stands in each key's slot (key_slot.ts): which slots these are. At the end of the tick,
 * and before slots may move, the numbers go.
 */
import { U32 } from '../batch/memory.ts';
import { kernels } from '../kernels/index.ts';
import { setAdded } from './key_slot.ts';

/** Of so many keys the numbers are taken out here: a call of a kernel costs more. */
const FEW = 16;

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
    this.any = false;
    if (this.#count > FEW) {
      kernels.clearAdded(this.#slots * 4, this.#count, this.#payloadOffset);
      return;
    }
    for (let i = 0; i < this.#count; i++) setAdded((U32[this.#slots + i] + this.#payloadOffset) >>> 2, 0);
  }

  /** The slots are what they were before the tick, or no more. */
  forget(): void {
    this.any = false;
  }
}
