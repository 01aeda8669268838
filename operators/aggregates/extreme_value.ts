/**
 * min and max over input that never retracts: one value is enough.
 *
 * State: | the value's slot | its validity, which says whether there is one |. O(1) a row; a long value is copied into the heap when it wins. Kernels do
 * integers, and texts of up to 12 bytes.
 */
import type { Batch, Column } from '../batch/batch.ts';
import { type BatchBuilder, isValid } from '../batch/builder.ts';
import { I32, U8, U32 } from '../batch/memory.ts';
import {
  CALL_GREATEST_INT4,
  CALL_GREATEST_INT8,
  CALL_LEAST_INT4,
  CALL_LEAST_INT8,
} from '../kernels/aggregate_layout.ts';
import { kernels } from '../kernels/index.ts';
import type { Heap } from '../state/heap.ts';
import { type RowCompare, type RowOps, rowCompare, rowOps, varlenOrder } from '../state/row_ops.ts';
import type { Saved } from '../state/saved.ts';
import { touchRange } from '../state/write_marks.ts';
import { type ColType, PHYS_WIDTH } from '../types.ts';
import { type Accumulator, addEach, type Groups, type KernelCall, type Rows } from './accumulator.ts';

export class ExtremeAccumulator implements Accumulator {
  readonly bytes: number;
  readonly inSlot: boolean;
  readonly #arg: number;
  readonly #sign: 1 | -1;
  readonly #heap: Heap;
  readonly #ops: RowOps;
  readonly #compare: RowCompare;
  readonly #stride: number;
  /** Byte offset of the validity byte. */
  readonly #flag: number;
  /** The kernel knows the order of the texts that lie in their slots. */
  readonly #texts: boolean;
  #column: Column | null = null;
  #scratch = 0;

  constructor(arg: number, type: ColType, greatest: boolean, heap: Heap) {
    this.#arg = arg;
    this.#sign = greatest ? 1 : -1;
    this.#heap = heap;
    this.#ops = rowOps([type], 'identity');
    this.#compare = rowCompare(this.#ops.layout, [{ col: 0, desc: false, nullsFirst: false }], false);
    this.#stride = this.#ops.layout.stride;
    this.#flag = this.#ops.layout.valid;
    this.bytes = this.#stride;
    this.#texts = this.#ops.layout.phys[0] === 'varlen' && varlenOrder(type.oid) === 'bytes';
    this.inSlot = PHYS_WIDTH[this.#ops.layout.phys[0]] <= 8;
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
    if (U8[state + this.#flag] !== 0) {
      this.#ops.storeShallow(row, this.#scratch);
      if (this.#compare(this.#scratch, state) * this.#sign <= 0) return;
      this.#ops.free(state, this.#heap);
    }
    this.#ops.store(row, state, this.#heap);
  }

  addAll(rows: Rows, n: number): void {
    const { groups, offset, weights, arena } = rows;
    if (!this.#texts || this.#column === null) {
      addEach(this, rows, n);
      return;
    }
    const { data, valid } = this.#column;
    const rest = arena.alloc(n * 4);
    const left = kernels.extremeTexts(groups * 4, n, offset, weights * 4, data, valid, this.#sign === 1, rest);
    for (let i = rest >>> 2, end = i + left; i < end; i++) {
      const row = U32[i];
      this.add(U32[groups + row] + offset, row, I32[weights + row]);
    }
  }

  kernelCall(): KernelCall | null {
    if (this.#column === null) return null;
    const { phys, data, valid } = this.#column;
    const greatest = this.#sign === 1;
    if (phys === 'i64') return { kind: greatest ? CALL_GREATEST_INT8 : CALL_LEAST_INT8, data, valid };
    if (phys === 'i32') return { kind: greatest ? CALL_GREATEST_INT4 : CALL_LEAST_INT4, data, valid };
    return null;
  }

  result(state: number, out: BatchBuilder, column: number, row: number): void {
    if (U8[state + this.#flag] === 0) out.setNull(column, row);
    else this.#ops.load(state, [out.columns[column]], row);
  }

  resultAll({ addresses, n, offset }: Groups, out: BatchBuilder, column: number, row: number): void {
    // No value: zeros, so its validity is 0 too.
    const { data, valid, phys } = out.columns[column];
    const width = PHYS_WIDTH[phys];
    const flag = offset + this.#flag;
    kernels.loadColumn(addresses * 4, n, offset, width, flag, data + row * width, valid + row);
  }

  free(state: number): void {
    if (U8[state + this.#flag] !== 0) this.#ops.free(state, this.#heap);
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
