/**
 * DISTINCT, EXCEPT [ALL], INTERSECT [ALL] over weights l and r of each row in the inputs:
 *
 *   distinct       l > 0            except   l > 0 and r = 0      except all     max(0, l - r)
 *                                   intersect l > 0 and r > 0     intersect all  min(l, r)
 *
 * State: one entry a distinct row with (l, r, shown). Output is f(l', r') - f(l, r), once for each touched row at the end of the tick, so
 * nothing flickers inside a tick. O(1) a changed row. Rows equal by SQL's `=` are one row (NULLs equal); the first seen is shown.
 * A row that a watermark proves untouched by every change to come, of either input, is forgotten; what is shown stays shown.
 */
import type { Batch } from './batch/batch.ts';
import { BatchBuilder } from './batch/builder.ts';
import { I32 } from './batch/memory.ts';
import { fittingWeight } from './batch/weight.ts';
import type { Operator, Tick } from './operator.ts';
import { integralPieces } from './pieces.ts';
import type { Retention } from './plan.ts';
import type { Watermarks } from './state/deadline.ts';
import { RetainedTable } from './state/retained_table.ts';
import { RowTable } from './state/row_table.ts';
import type { Saved } from './state/saved.ts';
import type { ColType } from './types.ts';

export type SetFunction = (left: number, right: number) => number;

export const SET_FUNCTIONS: Record<string, SetFunction> = {
  distinct: (l) => (l > 0 ? 1 : 0),
  except: (l, r) => (l > 0 && r <= 0 ? 1 : 0),
  'except all': (l, r) => Math.max(0, Math.max(0, l) - Math.max(0, r)),
  intersect: (l, r) => (l > 0 && r > 0 ? 1 : 0),
  'intersect all': (l, r) => Math.max(0, Math.min(l, r)),
};

const LEFT = 0;
const RIGHT = 1;
const SHOWN = 2;
const TOUCHED = 3;

export class SetOperator implements Operator {
  readonly #types: ColType[];
  readonly #function: SetFunction;
  readonly #table: RowTable;
  readonly #retained: RetainedTable;

  /** `frees`: what is proven of the first input's columns holds for the second's too. */
  constructor(fn: SetFunction, types: ColType[], frees?: Retention[]) {
    this.#types = types;
    this.#function = fn;
    this.#table = new RowTable(types, 16, 'sql');
    this.#retained = new RetainedTable(
      this.#table,
      frees?.filter((f) => f.input === 0),
      [...types.keys()],
    );
  }

  step(inputs: Batch[], tick: Tick): Batch {
    const table = this.#table;
    const total = inputs.reduce((sum, input) => sum + input.n, 0);
    const touched: number[] = [];
    for (let side = 0; side < inputs.length; side++) {
      const input = inputs[side];
      if (side === 0) table.begin(input.columns, total);
      else table.bind(input.columns);
      const weights = input.weights >>> 2;
      for (let row = 0; row < input.n; row++) {
        const slot = table.findOrInsert(row);
        if (table.inserted) this.#retained.retention?.note(slot);
        const payload = (slot + table.payloadOffset) >>> 2;
        const at = payload + (side === 0 ? LEFT : RIGHT);
        I32[at] = fittingWeight(I32[at] + I32[weights + row]);
        if (I32[payload + TOUCHED] === 0) {
          I32[payload + TOUCHED] = 1;
          touched.push(slot);
        }
      }
    }
    const out = new BatchBuilder(this.#types, tick.arena, touched.length);
    for (const slot of touched) {
      const payload = (slot + table.payloadOffset) >>> 2;
      I32[payload + TOUCHED] = 0;
      const now = this.#function(I32[payload + LEFT], I32[payload + RIGHT]);
      const change = now - I32[payload + SHOWN];
      if (change !== 0) {
        I32[payload + SHOWN] = now;
        table.ops.load(slot + table.rowOffset, out.columns, out.addRow(change));
      }
      if (I32[payload + LEFT] === 0 && I32[payload + RIGHT] === 0) table.remove(slot);
    }
    return out.build();
  }

  integral(tick: Tick): Batch {
    return this.#shownFrom(0, this.#table.size, tick).rows;
  }

  integralPieces(tick: Tick, most: number): Iterable<Batch> {
    return integralPieces((place) => this.#shownFrom(place, Math.min(most, this.#table.size), tick));
  }

  /** What is shown of up to `most` rows from a place of the table on, and the place to go on from; -1 at the end. */
  #shownFrom(place: number, most: number, tick: Tick): { rows: Batch; next: number } {
    const table = this.#table;
    const out = new BatchBuilder(this.#types, tick.arena, most);
    const next = table.visitFrom(place, most, (slot) => {
      const shown = I32[((slot + table.payloadOffset) >>> 2) + SHOWN];
      if (shown !== 0) table.ops.load(slot + table.rowOffset, out.columns, out.addRow(shown));
    });
    return { rows: out.build(), next };
  }

  free(watermarks: Watermarks): boolean {
    return this.#retained.free(watermarks);
  }

  endTick(): void {
    this.#table.endTick();
  }

  state() {
    return this.#retained.state();
  }

  save() {
    return this.#retained.save();
  }

  load(saved: Saved): void {
    this.#retained.load(saved);
  }

  release(): void {
    this.#retained.release();
  }
}
