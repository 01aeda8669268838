/**
 * Which cold keys of an index are looked up again and again: they are brought back to memory between two ticks, while there is room (bringBack()).
 *
 * A look-up changes nothing of the state (cold_runs.ts), so it is only counted here: by the place of the key's slot, until slots move. What is counted
 * is forgotten when it is too much, so often means often lately.
 */
import { budget } from '../batch/budget.ts';
import { isUndoable } from './undo_log.ts';

/** Look-ups that make a key one that should be in memory. */
const OFTEN = 3;
const MOST_COUNTS = 1 << 16;

/** Indexes that have such keys. */
const sought = new Set<ColdReads>();

export class ColdReads {
  readonly #counts = new Map<number, number>();
  #often: number[] = [];
  readonly #thaw: (slot: number) => number;

  /** `thaw` brings the rows of a key back, if it is cold still; gives their bytes. */
  constructor(thaw: (slot: number) => number) {
    this.#thaw = thaw;
  }

  note(slot: number): void {
    const count = (this.#counts.get(slot) ?? 0) + 1;
    if (this.#counts.size >= MOST_COUNTS) this.#counts.clear();
    this.#counts.set(slot, count);
    if (count !== OFTEN) return;
    this.#often.push(slot);
    sought.add(this);
  }

  /** Slots have moved, or are no more. */
  forget(): void {
    if (this.#counts.size > 0) this.#counts.clear();
    this.#often = [];
    sought.delete(this);
  }

  bringBack(bytes: number): number {
    let sum = 0;
    while (sum < bytes) {
      const slot = this.#often.pop();
      if (slot === undefined) {
        sought.delete(this);
        return sum;
      }
      this.#counts.delete(slot);
      sum += this.#thaw(slot);
    }
    return sum;
  }
}

/** Brings about so many bytes back, of all indexes; gives how many. Between two ticks. */
export function bringBack(bytes: number): number {
  if (isUndoable()) throw new Error('rows are brought back between ticks only');
  return budget.beyond(() => {
    let sum = 0;
    for (const reads of sought) if (sum < bytes) sum += reads.bringBack(bytes - sum);
    return sum;
  });
}
