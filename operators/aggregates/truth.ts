/**
 * bool_and, bool_or, every; bit_and, bit_or, bit_xor of integers: counts per truth value or per bit, exact under retraction.
 *
 * State: kernels/aggregate_layout.ts. O(1) a row. All of these over one column share their counts.
 */
import type { Batch, Column } from '../batch/batch.ts';
import { type BatchBuilder, isValid } from '../batch/builder.ts';
import { F64 } from '../batch/memory.ts';
import type { Datum } from '../datum.ts';
import {
  BITS_SET,
  CALL_BITS_16,
  CALL_BITS_32,
  CALL_BITS_64,
  CALL_TRUTH,
  TRUTH_BYTES,
  TRUTH_TRUES,
} from '../kernels/aggregate_layout.ts';
import { kernels } from '../kernels/index.ts';
import type { Accumulator, KernelCall } from './accumulator.ts';
import { InlineAccumulator } from './inline.ts';

interface Reading {
  kind: number;
  bytes: number;
  /** Of n values, not 0, whose counts lie at `state`. */
  result(state: number, n: number): Datum;
}

class CountsAccumulator extends InlineAccumulator {
  readonly bytes: number;
  readonly state: string;
  readonly #arg: number;
  readonly #reading: Reading;
  #column: Column | null = null;

  constructor(arg: number, reading: Reading) {
    super();
    this.#arg = arg;
    this.#reading = reading;
    this.bytes = reading.bytes;
    this.state = `counts ${reading.kind}(${arg})`;
  }

  begin(delta: Batch): void {
    this.#column = delta.columns[this.#arg];
  }

  add(state: number, row: number, weight: number): void {
    const column = this.#column as Column;
    if (isValid(column, row)) kernels.addToBits(this.#reading.kind, state, column.data, row, weight);
  }

  kernelCall(): KernelCall {
    const { data, valid } = this.#column as Column;
    return { kind: this.#reading.kind, data, valid };
  }

  result(state: number, out: BatchBuilder, column: number, row: number): void {
    const n = F64[state / 8];
    out.setDatum(column, row, n === 0 ? null : this.#reading.result(state, n));
  }
}

/** `any`: bool_or. */
export function truth(arg: number, any: boolean): Accumulator {
  return new CountsAccumulator(arg, {
    kind: CALL_TRUTH,
    bytes: TRUTH_BYTES,
    result(state, n) {
      const trues = F64[(state + TRUTH_TRUES) / 8];
      return any ? trues > 0 : trues === n;
    },
  });
}

const KINDS = { 16: CALL_BITS_16, 32: CALL_BITS_32, 64: CALL_BITS_64 };

/** `bits`: width of the type. */
export function bitwise(arg: number, kind: 'and' | 'or' | 'xor', bits: 16 | 32 | 64): Accumulator {
  const isSet = (set: number, n: number) => (kind === 'and' ? set === n : kind === 'or' ? set > 0 : set % 2 !== 0);
  const word = (state: number, from: number, to: number, n: number) => {
    let word = 0;
    for (let i = from; i < to; i++) if (isSet(F64[(state + BITS_SET) / 8 + i], n)) word |= 1 << (i - from);
    return word;
  };
  return new CountsAccumulator(arg, {
    kind: KINDS[bits],
    bytes: 8 + bits * 8,
    result(state, n) {
      if (bits === 64) return (BigInt(word(state, 32, 64, n)) << 32n) | BigInt(word(state, 0, 32, n) >>> 0);
      return bits === 32 ? word(state, 0, 32, n) : (word(state, 0, 16, n) << 16) >> 16;
    },
  });
}
