/**
 * What readers of a keyed index (keyed_index.ts) see of cold keys: a copy of the key's slot whose run has all its rows (cold_runs.ts), in memory of the tick, once a step. Looked up
 * often, a key's rows are brought back (cold_reads.ts).
 */
import type { Arena } from '../batch/arena.ts';
import { U32 } from '../batch/memory.ts';
import { ColdReads } from './cold_reads.ts';
import type { ColdRuns } from './cold_runs.ts';
import { isCold } from './key_slot.ts';
import type { RowTable } from './row_table.ts';

export class BorrowedSlots {
  readonly #keys: RowTable;
  readonly #cold: ColdRuns;
  readonly #copies = new Map<number, number>();
  readonly #reads: ColdReads;
  /** How often the slots had moved when reads were noted. */
  #moves = 0;

  /** `thawed`: called when rows have been brought back. */
  constructor(keys: RowTable, cold: ColdRuns, thawed: () => void) {
    this.#keys = keys;
    this.#cold = cold;
    this.#reads = new ColdReads((slot) => {
      const bytes = this.#thaw(slot);
      if (bytes > 0) thawed();
      return bytes;
    });
  }

  #thaw(slot: number): number {
    const payload = (slot + this.#keys.payloadOffset) >>> 2;
    if (this.#moves !== this.#keys.moves || !this.#keys.holds(slot) || !isCold(payload)) return 0;
    const before = this.#cold.bytes;
    this.#cold.thaw(payload);
    return before - this.#cold.bytes;
  }

  /** The slot, or a copy of it in the arena with the rows of a cold key. */
  whole(slot: number, arena: Arena): number {
    const payload = (slot + this.#keys.payloadOffset) >>> 2;
    return isCold(payload) ? this.#cold.borrow(payload, this.#keys.payloadOffset, arena) : slot;
  }

  /** whole() for a reader: the same copy until end(). */
  borrow(slot: number, arena: Arena): number {
    if (!isCold((slot + this.#keys.payloadOffset) >>> 2)) return slot;
    let copy = this.#copies.get(slot);
    if (copy === undefined) {
      copy = this.whole(slot, arena);
      this.#copies.set(slot, copy);
      if (this.#moves !== this.#keys.moves) this.#reads.forget();
      this.#moves = this.#keys.moves;
      this.#reads.note(slot);
    }
    return copy;
  }

  /** borrow() for those of n slots at a word address that are not 0. */
  borrowAll(slots: number, n: number, arena: Arena): void {
    if (!this.#cold.any) return;
    for (let at = slots; at < slots + n; at++) if (U32[at] !== 0) U32[at] = this.borrow(U32[at], arena);
  }

  /** The copies are no more. A Map that is cleared gets a new table, though it was empty: every index would make some in each tick. */
  end(): void {
    if (this.#copies.size > 0) this.#copies.clear();
  }

  /** So are the slots. */
  forget(): void {
    this.end();
    this.#reads.forget();
  }
}
