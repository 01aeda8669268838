/**
 * Temporal filter.      out = { row : from <= now() < until }          a missing or NULL bound is open
 *
 *   from in the future: waits in `waiting`   ->   shown, waits in `ending` for until   ->   gone
 *
 * The clock is the tick's and never goes back. Each row enters and leaves at most once: O(log n) each.
 * State: rows still to come, and shown rows with an end; a row that is over is forgotten, and its retraction has no effect.
 */
import type { Batch, Column } from './batch/batch.ts';
import { BatchBuilder, isValid, weightOf } from './batch/builder.ts';
import { I64 } from './batch/memory.ts';
import { type RowCopy, rowCopy } from './batch/row_copy.ts';
import { TIMESTAMP_INFINITY, TIMESTAMP_NEG_INFINITY } from './datum.ts';
import type { Operator, Tick } from './operator.ts';
import { rowOps } from './state/row_ops.ts';
import type { Saved } from './state/saved.ts';
import { TimeQueue } from './state/time_queue.ts';
import type { ColType } from './types.ts';

function timeAt(column: Column | null, row: number, open: bigint): bigint {
  return column !== null && isValid(column, row) ? I64[column.data / 8 + row] : open;
}

export class TemporalOperator implements Operator {
  readonly #types: ColType[];
  readonly #from: number | null;
  readonly #until: number | null;
  readonly #waiting: TimeQueue | null;
  readonly #ending: TimeQueue | null;
  readonly #rows: ReturnType<typeof rowOps>;
  readonly #copy: RowCopy;
  #now = TIMESTAMP_NEG_INFINITY;

  /** `from`, `until`: timestamptz columns of the input, or null. */
  constructor(from: number | null, until: number | null, types: ColType[]) {
    this.#types = types;
    this.#from = from;
    this.#until = until;
    this.#waiting = from === null ? null : new TimeQueue(types, from);
    this.#ending = until === null ? null : new TimeQueue(types, until);
    this.#rows = rowOps(types, 'identity');
    this.#copy = rowCopy(types);
  }

  step(inputs: Batch[], tick: Tick): Batch {
    const [delta] = inputs;
    if (tick.now > this.#now) this.#now = tick.now;
    const out = new BatchBuilder(this.#types, tick.arena, delta.n);
    this.#ending?.takeUntil(this.#now, (address, weight) => {
      this.#rows.load(address, out.columns, out.addRow(-weight));
    });
    const due = new BatchBuilder(this.#types, tick.arena, 1);
    this.#waiting?.takeUntil(this.#now, (address, weight) => {
      this.#rows.load(address, due.columns, due.addRow(weight));
    });
    this.#enter(due.build(), out);
    this.#enter(delta, out);
    return out.build();
  }

  #enter(delta: Batch, out: BatchBuilder): void {
    if (delta.n === 0) return;
    const from = this.#from === null ? null : delta.columns[this.#from];
    const until = this.#until === null ? null : delta.columns[this.#until];
    this.#waiting?.begin(delta);
    this.#ending?.begin(delta);
    this.#copy.bind(delta.columns);
    for (let row = 0; row < delta.n; row++) {
      const weight = weightOf(delta, row);
      const end = timeAt(until, row, TIMESTAMP_INFINITY);
      const isOver = end <= this.#now && end !== TIMESTAMP_INFINITY;
      const start = timeAt(from, row, TIMESTAMP_NEG_INFINITY);
      // A row that can never be shown is not kept, so that a waiting row always ends after it begins.
      if (weight === 0 || isOver || start >= end) continue;
      if (start > this.#now) {
        this.#waiting?.add(row, weight, start);
        continue;
      }
      this.#copy.copy(row, out.columns, out.addRow(weight));
      if (end !== TIMESTAMP_INFINITY) this.#ending?.add(row, weight, end);
    }
  }

  due(): bigint | null {
    const [a, b] = [this.#waiting?.least ?? null, this.#ending?.least ?? null];
    return a === null || (b !== null && b < a) ? b : a;
  }

  endTick(): void {
    this.#waiting?.endTick();
    this.#ending?.endTick();
  }

  state() {
    const queues = [this.#waiting, this.#ending];
    return {
      rows: queues.reduce((sum, queue) => sum + (queue?.size ?? 0), 0),
      bytes: queues.reduce((sum, queue) => sum + (queue?.bytes ?? 0), 0),
    };
  }

  save() {
    return {
      now: this.#now,
      waiting: this.#waiting === null ? null : this.#waiting.save(),
      ending: this.#ending === null ? null : this.#ending.save(),
    };
  }

  load(saved: Saved): void {
    const { now, waiting, ending } = saved as ReturnType<typeof this.save>;
    this.#now = now;
    if (waiting !== null) this.#waiting?.load(waiting);
    if (ending !== null) this.#ending?.load(ending);
  }

  release(): void {
    this.#waiting?.release();
    this.#ending?.release();
  }
}
