/** count(*) and count(x): one int64, exact below 2^53. State: | f64 count |. */
import type { Batch } from '../batch/batch.ts';
import type { BatchBuilder } from '../batch/builder.ts';
import { F64, I64, U8 } from '../batch/memory.ts';
import { PHYS_WIDTH } from '../types.ts';
import type { Accumulator } from './accumulator.ts';

export class CountAccumulator implements Accumulator {
  readonly bytes = 8;
  readonly #arg: number | null;
  #valid = 0;

  /** `arg` null counts rows; else rows in which that column is not NULL. */
  constructor(arg: number | null) {
    this.#arg = arg;
  }

  begin(delta: Batch): void {
    this.#valid = this.#arg === null ? 0 : delta.columns[this.#arg].valid;
  }

  add(state: number, row: number, weight: number): void {
    if (this.#valid !== 0 && U8[this.#valid + row] === 0) return;
    F64[state / 8] += weight;
  }

  result(state: number, out: BatchBuilder, column: number, row: number): void {
    const col = out.columns[column];
    U8[col.valid + row] = 1;
    I64[(col.data + row * PHYS_WIDTH.i64) / 8] = BigInt(F64[state / 8]);
  }

  free(): void {
    // Nothing outside the slot.
  }

  endTick(): void {
    // Nothing outside the slot.
  }

  size() {
    return { rows: 0, bytes: 0 };
  }

  save() {
    return null;
  }

  load(): void {
    // Nothing outside the slot.
  }

  release(): void {
    // Nothing outside the slot.
  }
}
