/**
 * The run of rows that have nothing but their key (keyed_index.ts): all of them have it in common, an entry that is but a weight of 1, and no block of their own.
 *
 *   key's slot:  key row | run: the shared one, count 1, no block, 1 appended | ...
 *
 * O(1) a row. While there is one nothing of the index can go cold, for its rows take no memory outside of the slots.
 */
import type { Arena } from '../batch/arena.ts';
import { budget } from '../batch/budget.ts';
import { I32, U32 } from '../batch/memory.ts';
import { kernels } from '../kernels/index.ts';
import { KEY_PAYLOAD_BYTES, RUN, setRoom } from './key_slot.ts';
import type { Located } from './located.ts';
import type { RowTable } from './row_table.ts';
import type { Runs } from './runs.ts';
import { touchRange } from './write_marks.ts';

export class SharedRun {
  /** 0: there is none. */
  address = 0;
  readonly #keys: RowTable;
  readonly #runs: Runs;

  constructor(keys: RowTable, runs: Runs) {
    this.#keys = keys;
    this.#runs = runs;
  }

  /** The keys that a batch has made get it; gives the word address of their slots. */
  give({ slots, fresh, made }: Located, arena: Arena): number {
    if (this.address === 0) this.#make();
    const list = arena.alloc(made * 4);
    kernels.freshSlots(slots * 4, fresh * 4, made, 0, list);
    kernels.shareRun(list, made, this.#keys.payloadOffset, this.address);
    this.#runs.entries += made;
    return list >>> 2;
  }

  #make(): void {
    const { stride, weightAt } = this.#runs;
    this.address = this.#keys.heap.alloc(stride);
    touchRange(this.address, stride);
    kernels.fillBytes(this.address, 0, stride);
    I32[(this.address + weightAt) >>> 2] = 1;
  }

  /** Its keys get runs as others have them. Between two ticks. */
  end(): void {
    if (this.address === 0) return;
    budget.beyond(() => {
      this.#keys.forEach((slot) => {
        this.#move((slot + this.#keys.payloadOffset) >>> 2);
      });
      this.#keys.heap.free(this.address, this.#runs.stride);
    });
    this.address = 0;
  }

  #move(payload: number): void {
    if (U32[payload + RUN] !== this.address) return;
    const { heap, stride } = this.#runs;
    touchRange(payload * 4, KEY_PAYLOAD_BYTES);
    const run = heap.alloc(setRoom(payload, stride));
    kernels.copyBytes(run, this.address, stride);
    U32[payload + RUN] = run;
  }
}
