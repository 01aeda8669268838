/**
 * What operators have in common that keep nothing from tick to tick: they are linear, or what they know of earlier ticks lies in indexes of their inputs,
 * which are the graph's. Nothing of them is counted or saved. Who has a kernel or a residual gives it back in release().
 */
import type { Batch } from './batch/batch.ts';
import type { Operator, OperatorState, Tick } from './operator.ts';
import type { Saved } from './state/saved.ts';

export abstract class StatelessOperator implements Operator {
  abstract step(inputs: Batch[], tick: Tick): Batch;

  endTick(): void {
    // Nothing outlives the step.
  }

  state(): OperatorState {
    return { rows: 0, bytes: 0 };
  }

  save(): Saved {
    return null;
  }

  load(): void {
    // Likewise.
  }

  release(): void {
    // Likewise.
  }
}
