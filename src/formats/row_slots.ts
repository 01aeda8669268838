/**
 * Where the values of declared columns go in the batch that is being filled: to the slots of a needed column, or all to one spare slot, so that columns which
 * nobody needs are read and checked as well.
 */
import type { BatchBuilder } from '../../operators/batch/builder.ts';
import type { Datum } from '../../operators/datum.ts';
import { KernelMemory } from '../../operators/expr/kernel/kernel_memory.ts';
import { PHYS_WIDTH, physOf } from '../../operators/types.ts';
import type { DecoderSpec } from './format.ts';

const SPARE_BYTES = 32;
/** Of the validity byte in the spare bytes. */
const SPARE_VALID = 16;

export class RowSlots {
  /** By declared column: the address of its first slot and of its first validity byte, and how far the next ones are. */
  readonly data: Float64Array;
  readonly stride: Int32Array;
  readonly valid: Float64Array;
  readonly validStride: Int32Array;
  /** A needed column was set to NULL. */
  anyNull = false;
  readonly #place: Int32Array;
  readonly #memory = new KernelMemory();
  #out!: BatchBuilder;

  constructor({ columns, needed }: DecoderSpec) {
    const spare = this.#memory.zeroed(SPARE_BYTES);
    this.data = new Float64Array(columns.length).fill(spare);
    this.valid = new Float64Array(columns.length).fill(spare + SPARE_VALID);
    this.stride = new Int32Array(columns.length);
    this.validStride = new Int32Array(columns.length);
    this.#place = new Int32Array(columns.length).fill(-1);
    needed.forEach((column, place) => {
      this.#place[column] = place;
      this.stride[column] = PHYS_WIDTH[physOf(columns[column].type.oid)];
      this.validStride[column] = 1;
    });
  }

  /** Rows up to the reserved capacity of `out` may then be written. */
  bind(out: BatchBuilder): void {
    this.#out = out;
    this.#place.forEach((place, column) => {
      if (place < 0) return;
      this.data[column] = out.columns[place].data;
      this.valid[column] = out.columns[place].valid;
    });
  }

  put(column: number, row: number, value: Datum): void {
    const place = this.#place[column];
    if (place < 0) return;
    if (value === null) this.anyNull = true;
    this.#out.setDatum(place, row, value);
  }

  release(): void {
    this.#memory.release();
  }
}
