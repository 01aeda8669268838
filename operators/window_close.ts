/**
 * EMIT ON WINDOW CLOSE.      out = { row : time <= watermark }          the watermark: the least of the sources'
 *
 * A row waits until the watermark reaches its time. The planner puts this over results that no longer change once their time is reached, so
 * every row is final when it leaves. A row whose time is NULL never leaves. State: the rows that wait; O(log n) a row.
 */
import type { Batch } from './batch/batch.ts';
import { BatchBuilder, isValid, weightOf } from './batch/builder.ts';
import { I64 } from './batch/memory.ts';
import { type RowCopy, rowCopy } from './batch/row_copy.ts';
import type { Operator, Tick } from './operator.ts';
import { rowOps } from './state/row_ops.ts';
import type { Saved } from './state/saved.ts';
import { TimeQueue } from './state/time_queue.ts';
import type { ColType } from './types.ts';

export class WindowCloseOperator implements Operator {
  readonly #types: ColType[];
  readonly #time: number;
  readonly #sources: number[];
  readonly #waiting: TimeQueue;
  readonly #rows: ReturnType<typeof rowOps>;
  readonly #copy: RowCopy;
  /** Null while a source has no watermark. */
  #watermark: bigint | null = null;

  /** `time`: a timestamp or timestamptz column; `sources`: relations whose watermarks count. */
  constructor(time: number, sources: number[], types: ColType[]) {
    this.#types = types;
    this.#time = time;
    this.#sources = sources;
    this.#waiting = new TimeQueue(types, time);
    this.#rows = rowOps(types, 'identity');
    this.#copy = rowCopy(types);
  }

  step(inputs: Batch[], tick: Tick): Batch {
    const [delta] = inputs;
    const out = new BatchBuilder(this.#types, tick.arena, delta.n);
    this.#advance(tick);
    const watermark = this.#watermark;
    if (watermark !== null) {
      this.#waiting.takeUntil(watermark, (address, weight) => {
        this.#rows.load(address, out.columns, out.addRow(weight));
      });
    }
    const time = delta.columns[this.#time];
    this.#waiting.begin(delta);
    this.#copy.bind(delta.columns);
    for (let row = 0; row < delta.n; row++) {
      const weight = weightOf(delta, row);
      if (weight === 0 || !isValid(time, row)) continue;
      const at = I64[time.data / 8 + row];
      if (watermark !== null && at <= watermark) this.#copy.copy(row, out.columns, out.addRow(weight));
      else this.#waiting.add(row, weight, at);
    }
    return out.build();
  }

  #advance(tick: Tick): void {
    let least: bigint | null = null;
    for (const source of this.#sources) {
      const watermark = tick.watermark(source);
      if (watermark === null) return;
      if (least === null || watermark < least) least = watermark;
    }
    if (least !== null && (this.#watermark === null || least > this.#watermark)) this.#watermark = least;
  }

  endTick(): void {
    this.#waiting.endTick();
  }

  state() {
    return { rows: this.#waiting.size, bytes: this.#waiting.bytes };
  }

  save() {
    return { watermark: this.#watermark, waiting: this.#waiting.save() };
  }

  load(saved: Saved): void {
    const { watermark, waiting } = saved as ReturnType<typeof this.save>;
    this.#watermark = watermark;
    this.#waiting.load(waiting);
  }

  release(): void {
    this.#waiting.release();
  }
}
