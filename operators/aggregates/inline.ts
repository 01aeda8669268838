/** What accumulators have in common all of whose state is in the slot. */
import type { Batch } from '../batch/batch.ts';
import type { BatchBuilder } from '../batch/builder.ts';
import { type Accumulator, addEach, type Groups, type KernelCall, type Rows, resultOfEach } from './accumulator.ts';

export abstract class InlineAccumulator implements Accumulator {
  abstract readonly bytes: number;
  abstract readonly state: string;
  readonly inSlot = true;

  abstract begin(delta: Batch): void;
  abstract add(state: number, row: number, weight: number): void;
  abstract kernelCall(): KernelCall;
  abstract result(state: number, out: BatchBuilder, column: number, row: number): void;

  addAll(rows: Rows, n: number): void {
    addEach(this, rows, n);
  }

  resultAll(groups: Groups, out: BatchBuilder, column: number, row: number): void {
    resultOfEach(this, groups, out, column, row);
  }

  free(): void {
    // Nothing outside the slot.
  }

  endTick(): void {
    // Likewise.
  }

  size() {
    return { rows: 0, bytes: 0 };
  }

  save() {
    return null;
  }

  load(): void {
    // Likewise.
  }

  release(): void {
    // Likewise.
  }
}
