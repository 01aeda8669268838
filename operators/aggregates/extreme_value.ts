/**
 * min and max over input that never retracts: one value is enough.
 *
 * State: | the value's slot, 16 bytes | u32 present, u32 spare |. O(1) a row; a long value is copied into the heap when it wins.
 */
import type { Batch, Column } from '../batch/batch.ts';
import { type BatchBuilder, isValid } from '../batch/builder.ts';
import { I32, U8, U32 } from '../batch/memory.ts';
import type { Heap } from '../state/heap.ts';
import { type RowCompare, type RowOps, rowCompare, rowOps } from '../state/row_ops.ts';
import type { Saved } from '../state/saved.ts';
import { touchRange } from '../state/write_marks.ts';
import type { ColType } from '../types.ts';
import { type Accumulator, addEach, type Groups, type Rows, resultOfEach } from './accumulator.ts';

export class ExtremeAccumulator implements Accumulator {
  readonly bytes: number;
  readonly #arg: number;
  readonly #sign: 1 | -1;
  readonly #heap: Heap;
  readonly #ops: RowOps;
  readonly #compare: RowCompare;
  readonly #stride: number;
  #column: Column | null = null;
  #scratch = 0;

  constructor(arg: number, type: ColType, greatest: boolean, heap: Heap) {
    this.#arg = arg;
    this.#sign = greatest ? 1 : -1;
    this.#heap = heap;
    this.#ops = rowOps([type], 'identity');
    this.#compare = rowCompare(this.#ops.layout, [{ col: 0, desc: false, nullsFirst: false }], false);
    this.#stride = this.#ops.layout.stride;
    this.bytes = this.#stride + 8;
  }

  begin(delta: Batch): void {
    this.#column = delta.columns[this.#arg];
    this.#ops.bind([this.#column]);
    if (this.#scratch === 0) this.#scratch = this.#heap.alloc(this.#stride);
    touchRange(this.#scratch, this.#stride);
  }

  add(state: number, row: number, weight: number): void {
    if (weight <= 0) throw new Error('a retraction reached an append-only aggregate');
    if (this.#column === null || !isValid(this.#column, row)) return;
    const flag = (state + this.#stride) >>> 2;
    if (I32[flag] !== 0) {
      this.#ops.storeShallow(row, this.#scratch);
      if (this.#compare(this.#scratch, state) * this.#sign <= 0) return;
      this.#ops.free(state, this.#heap);
    }
    this.#ops.store(row, state, this.#heap);
    I32[flag] = 1;
  }

  addAll(rows: Rows, n: number): void {
    if (this.#column?.phys === 'i64') this.#addInt64(rows, n, this.#column);
    else addEach(this, rows, n);
  }

  #addInt64({ groups, offset, weights }: Rows, n: number, { data, valid }: Column): void {
    const greatest = this.#sign === 1;
    const present = this.#ops.layout.valid;
    for (let row = 0; row < n; row++) {
      const weight = I32[weights + row];
      if (weight === 0 || (valid !== 0 && U8[valid + row] === 0)) continue;
      if (weight < 0) throw new Error('a retraction reached an append-only aggregate');
      const state = U32[groups + row] + offset;
      const at = state >>> 2;
      const low = U32[(data >>> 2) + row * 2];
      const high = I32[(data >>> 2) + row * 2 + 1];
      const flag = at + (this.#stride >>> 2);
      if (I32[flag] !== 0) {
        const greater = high === I32[at + 1] ? low > U32[at] : high > I32[at + 1];
        if (greater !== greatest || (low === U32[at] && high === I32[at + 1])) continue;
      }
      U32[at] = low;
      I32[at + 1] = high;
      U8[state + present] = 1;
      I32[flag] = 1;
    }
  }

  result(state: number, out: BatchBuilder, column: number, row: number): void {
    if (U32[(state + this.#stride) >>> 2] === 0) out.setNull(column, row);
    else this.#ops.load(state, [out.columns[column]], row);
  }

  resultAll(groups: Groups, out: BatchBuilder, column: number, row: number): void {
    resultOfEach(this, groups, out, column, row);
  }

  free(state: number): void {
    if (U32[(state + this.#stride) >>> 2] !== 0) this.#ops.free(state, this.#heap);
  }

  endTick(): void {
    // The value lies in the slot.
  }

  size() {
    return { rows: 0, bytes: 0 };
  }

  save() {
    return this.#scratch;
  }

  load(saved: Saved): void {
    this.#scratch = saved as number;
  }

  release(): void {
    this.#scratch = 0;
  }
}
