/** count(*) and count(x): one int64, exact below 2^53. State: | f64 count |. */
import type { Batch } from '../batch/batch.ts';
import type { BatchBuilder } from '../batch/builder.ts';
import { F64, I32, U8 } from '../batch/memory.ts';
import { CALL_COUNT } from '../kernels/aggregate_layout.ts';
import { kernels } from '../kernels/index.ts';
import type { Groups, KernelCall } from './accumulator.ts';
import { InlineAccumulator } from './inline.ts';

/** The state of count(*). */
export const COUNT_STAR = 'count(*)';

export class CountAccumulator extends InlineAccumulator {
  readonly bytes = 8;
  readonly state: string;
  readonly #arg: number | null;
  #valid = 0;

  /** `arg` null counts rows; else rows in which that column is not NULL. */
  constructor(arg: number | null) {
    super();
    this.#arg = arg;
    this.state = arg === null ? COUNT_STAR : `count(${arg})`;
  }

  begin(delta: Batch): void {
    this.#valid = this.#arg === null ? 0 : delta.columns[this.#arg].valid;
  }

  add(state: number, row: number, weight: number): void {
    if (this.#valid !== 0 && U8[this.#valid + row] === 0) return;
    F64[state / 8] += weight;
  }

  kernelCall(): KernelCall {
    return { kind: CALL_COUNT, data: 0, valid: this.#valid };
  }

  result(state: number, out: BatchBuilder, column: number, row: number): void {
    const col = out.columns[column];
    U8[col.valid + row] = 1;
    writeCount(F64[state / 8], (col.data >>> 2) + row * 2);
  }

  override resultAll({ addresses, n, offset }: Groups, out: BatchBuilder, column: number, row: number): void {
    const { data, valid } = out.columns[column];
    kernels.fillBytes(valid + row, 1, n);
    kernels.writeCounts(addresses * 4, n, offset, data + row * 8);
  }
}

/** An integer below 2^53 as int8 at a word address. */
function writeCount(count: number, word: number): void {
  const high = Math.floor(count / 4294967296);
  I32[word] = count - high * 4294967296;
  I32[word + 1] = high;
}
