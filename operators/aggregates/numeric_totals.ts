/**
 * sum, avg, variance and stddev of numeric (and the latter two of integers). A total is a record while it has NaN or an infinity in it, a seventh scale, or more than 125 bits.
 */
import { I32, I64, U8 } from '../batch/memory.ts';
import {
  CALL_SQUARES_INT4,
  CALL_SQUARES_INT8,
  CALL_SQUARES_NUMERIC,
  CALL_TOTAL_NUMERIC,
  SQUARES_BYTES,
  TOTAL_BITS,
  TOTAL_BYTES,
  TOTAL_COUNTS,
  TOTAL_KINDS,
  TOTAL_MOST_SCALE,
  TOTAL_SCALE,
  TOTAL_SCALES,
  TOTAL_SQUARES,
} from '../kernels/aggregate_layout.ts';
import { kernels } from '../kernels/index.ts';
import type { Heap } from '../state/heap.ts';
import type { Phys } from '../types.ts';
import type { Accumulator } from './accumulator.ts';
import type { Summary } from './decoded.ts';
import { type NumericTotal, numericSum, reduced } from './numeric_sum.ts';
import type { Squares } from './numeric_variance.ts';
import { type Form, Totals } from './totals.ts';

const MOST = 1n << BigInt(TOTAL_BITS);
const MOST_COUNT = 2 ** 31;

function readWords(at: number): bigint {
  return (I64[at / 8 + 1] << 64n) | BigInt.asUintN(64, I64[at / 8]);
}

function writeWords(at: number, value: bigint): void {
  I64[at / 8] = BigInt.asIntN(64, value);
  I64[at / 8 + 1] = BigInt.asIntN(64, value >> 64n);
}

const fits = (value: bigint) => value < MOST && value > -MOST;

const TOTAL: Form<NumericTotal> = {
  bytes: TOTAL_BYTES,
  read(state) {
    const scales = new Map<number, number>();
    let count = 0;
    for (let i = 0; i < TOTAL_KINDS; i++) {
      const values = I32[((state + TOTAL_COUNTS) >>> 2) + i];
      if (values !== 0) scales.set(U8[state + TOTAL_SCALES + i], values);
      count += values;
    }
    return { m: readWords(state), s: U8[state + TOTAL_SCALE], scales, count, nan: 0, inf: 0, negInf: 0 };
  },
  write(state, total) {
    const { m, s, scales, nan, inf, negInf } = total;
    if (nan !== 0 || inf !== 0 || negInf !== 0 || !fits(m) || s > TOTAL_MOST_SCALE || scales.size > TOTAL_KINDS)
      return false;
    for (const values of scales.values()) if (values >= MOST_COUNT || values < -MOST_COUNT) return false;
    let i = 0;
    for (const [scale, values] of scales) {
      I32[((state + TOTAL_COUNTS) >>> 2) + i] = values;
      U8[state + TOTAL_SCALES + i++] = scale;
    }
    writeWords(state, m);
    U8[state + TOTAL_SCALE] = s;
    return true;
  },
};

const SQUARES: Form<Squares> = {
  bytes: SQUARES_BYTES,
  read(state) {
    const x = TOTAL.read(state);
    const scales = new Map([...x.scales].map(([scale, values]) => [scale * 2, values]));
    return { x, xx: { ...x, m: readWords(state + TOTAL_SQUARES), s: x.s * 2, scales } };
  },
  write(state, { x, xx }) {
    if (xx.s !== x.s * 2 || !fits(xx.m) || !TOTAL.write(state, x)) return false;
    writeWords(state + TOTAL_SQUARES, xx.m);
    return true;
  },
};

/** sum(numeric), or avg(numeric). */
export function numericTotals(arg: number, average: boolean, heap: Heap): Accumulator {
  const results = average ? kernels.writeTotalAverages : kernels.writeTotals;
  const reading = { kind: CALL_TOTAL_NUMERIC, name: 'total', form: TOTAL, summary: numericSum(average), results };
  return new Totals([arg], { ...reading, reduce: reduced }, heap);
}

/** variance and stddev over a column of numeric (phys `numeric`), int4 and int2 (`i32`) or int8. */
export function squareTotals(arg: number, phys: Phys, summary: Summary<Squares>, heap: Heap): Accumulator {
  const kind = phys === 'numeric' ? CALL_SQUARES_NUMERIC : phys === 'i32' ? CALL_SQUARES_INT4 : CALL_SQUARES_INT8;
  const reduce = ({ x, xx }: Squares) => {
    reduced(x);
    reduced(xx);
  };
  return new Totals([arg], { kind, name: 'squares', form: SQUARES, summary, reduce }, heap);
}
