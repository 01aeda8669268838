/**
 * A batch: n rows in columns over the shared memory, plus one weight a row. A delta is a batch whose weights may be negative.
 *
 *   column i:  data  -> n slots of PHYS_WIDTH[phys] bytes, 16-byte aligned        (slots: operators/types.ts)
 *              valid -> n bytes, 1 = present, 0 = NULL; address 0 = no NULLs
 *   weights ->  n Int32
 *
 * Validity is a byte a value, not Arrow's bitmap: generated kernels write it without read-modify-write; it is packed at the Arrow
 * edge. varlen slots hold inline bytes or the address of bytes that live at least as long as the batch: in the same arena, in the
 * arena of the input it was computed from, or in a state heap whose frees wait for the end of the tick.
 */
import type { ColType, Phys } from '../types.ts';

export interface Column {
  type: ColType;
  phys: Phys;
  /** Byte address of slot 0. */
  data: number;
  /** Byte address of the validity bytes, or 0. */
  valid: number;
}

export interface Batch {
  n: number;
  columns: Column[];
  /** Byte address of n Int32. */
  weights: number;
  /** True: no two rows are equal, so there is nothing to consolidate. */
  net?: boolean;
}
