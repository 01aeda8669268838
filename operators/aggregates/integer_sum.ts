/**
 * sum and avg of int2, int4, int8: exact 128-bit total in the slot.
 *
 * State: | u32 x 4: total, two's complement, low word first | f64 count of values |.
 * sum(int2), sum(int4) are int8 (22003 when the final value does not fit), sum(int8) and all averages are numeric, as in PostgreSQL.
 * Overflow is judged on the value at the end of the tick, never on the way.
 */
import type { Batch, Column } from '../batch/batch.ts';
import type { BatchBuilder } from '../batch/builder.ts';
import { F64, I32, I64, U8, U32 } from '../batch/memory.ts';
import { decimal } from '../datum.ts';
import { SqlError } from '../errors.ts';
import { divide } from '../expr/decimal/arithmetic.ts';
import { CALL_SUM_INT4, CALL_SUM_INT8, WIDE_RESULT_BYTES } from '../kernels/aggregate_layout.ts';
import { kernels } from '../kernels/index.ts';
import { type Groups, type KernelCall, resultOfEach } from './accumulator.ts';
import { InlineAccumulator } from './inline.ts';

const INT64_MAX = 9223372036854775807n;
const INT64_MIN = -9223372036854775808n;
const TWO_32 = 4294967296;
const SAFE = 2 ** 53;

export class IntegerSumAccumulator extends InlineAccumulator {
  readonly bytes = 24;
  readonly state: string;
  readonly #arg: number;
  readonly #result: 'int8' | 'numeric' | 'average';
  #column: Column | null = null;
  #data = 0;
  #valid = 0;
  #wide = false;

  constructor(arg: number, result: 'int8' | 'numeric' | 'average') {
    super();
    this.#arg = arg;
    this.#result = result;
    this.state = `sum(${arg})`;
  }

  begin(delta: Batch): void {
    this.#column = delta.columns[this.#arg];
    this.#wide = this.#column.phys === 'i64';
    this.#data = this.#column.data >>> 2;
    this.#valid = this.#column.valid;
  }

  add(state: number, row: number, weight: number): void {
    if (this.#valid !== 0 && U8[this.#valid + row] === 0) return;
    F64[state / 8 + 2] += weight;
    let low: number;
    let high: number;
    if (this.#wide) {
      low = U32[this.#data + row * 2];
      high = I32[this.#data + row * 2 + 1];
    } else {
      const value = I32[this.#data + row];
      low = value >>> 0;
      high = value >> 31;
    }
    if (weight === 1) addWords(state >>> 2, low, high, high >> 31);
    else if (weight === -1) {
      // -x = ~x + 1
      addWords(state >>> 2, ~low >>> 0, ~high, ~(high >> 31));
      addWords(state >>> 2, 1, 0, 0);
    } else if (Math.abs((high * TWO_32 + low) * weight) < SAFE) {
      const product = (high * TWO_32 + low) * weight;
      const upper = Math.floor(product / TWO_32);
      addWords(state >>> 2, product - upper * TWO_32, upper, product < 0 ? -1 : 0);
    } else writeTotal(state, readTotal(state) + (BigInt(high) * 4294967296n + BigInt(low)) * BigInt(weight));
  }

  kernelCall(): KernelCall {
    return { kind: this.#wide ? CALL_SUM_INT8 : CALL_SUM_INT4, data: this.#data * 4, valid: this.#valid };
  }

  result(state: number, out: BatchBuilder, column: number, row: number): void {
    const count = F64[state / 8 + 2];
    if (count === 0) {
      out.setNull(column, row);
      return;
    }
    if (this.#result === 'average' && writeAverage(state, out, column, row)) return;
    const total = readTotal(state);
    if (this.#result === 'int8') {
      if (total > INT64_MAX || total < INT64_MIN) throw new SqlError('22003', 'bigint out of range');
      const col = out.columns[column];
      U8[col.valid + row] = 1;
      I64[col.data / 8 + row] = total;
    } else if (this.#result === 'numeric') {
      if (total <= INT64_MAX && total >= INT64_MIN) writeInteger(total, out, column, row);
      else out.setDatum(column, row, decimal(total));
    } else out.setDatum(column, row, divide(decimal(total), decimal(BigInt(count))));
  }

  override resultAll(groups: Groups, out: BatchBuilder, column: number, row: number): void {
    const { addresses, n, offset } = groups;
    const { data, valid } = out.columns[column];
    let done: number;
    if (this.#result === 'average') {
      const outside = out.arena.alloc(n * WIDE_RESULT_BYTES);
      done = kernels.writeAverages(addresses * 4, n, offset, data + row * 16, valid + row, outside);
    } else {
      const numeric = this.#result === 'numeric';
      done = kernels.writeSums(addresses * 4, n, offset, numeric, data + row * (numeric ? 16 : 8), valid + row);
    }
    // From the first that does not fit on.
    resultOfEach(this, { addresses: addresses + done, n: n - done, offset }, out, column, row + done);
  }
}

/** False: it is not for the kernel. */
function writeAverage(state: number, out: BatchBuilder, column: number, row: number): boolean {
  const { data, valid } = out.columns[column];
  const list = out.arena.alloc(4);
  U32[list >>> 2] = state;
  return kernels.writeAverages(list, 1, 0, data + row * 16, valid + row, out.arena.alloc(WIDE_RESULT_BYTES)) === 1;
}

/** Adds the 128-bit number (sign, sign, high, low) to the total at word address `at`. */
function addWords(at: number, low: number, high: number, sign: number): void {
  let sum = U32[at] + low;
  U32[at] = sum;
  let carry = sum >= TWO_32 ? 1 : 0;
  sum = U32[at + 1] + (high >>> 0) + carry;
  U32[at + 1] = sum;
  carry = sum >= TWO_32 ? 1 : 0;
  const extension = sign >>> 0;
  sum = U32[at + 2] + extension + carry;
  U32[at + 2] = sum;
  carry = sum >= TWO_32 ? 1 : 0;
  U32[at + 3] = U32[at + 3] + extension + carry;
}

function readTotal(state: number): bigint {
  return I64[state / 8 + 1] * 18446744073709551616n + BigInt.asUintN(64, I64[state / 8]);
}

function writeTotal(state: number, total: bigint): void {
  I64[state / 8] = BigInt.asIntN(64, total);
  I64[state / 8 + 1] = BigInt.asIntN(64, total >> 64n);
}

/** An integer as a small numeric of scale 0 (batch/slots.ts). */
function writeInteger(value: bigint, out: BatchBuilder, column: number, row: number): void {
  const { data, valid } = out.columns[column];
  const slot = data + row * 16;
  U8[valid + row] = 1;
  I64[slot / 8] = value;
  I64[slot / 8 + 1] = 0n;
}
