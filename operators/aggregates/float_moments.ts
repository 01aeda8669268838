/**
 * variance, stddev, covar, corr and regr of floats: exact moments in the slot. They are a record while there is NaN or an infinity in them, or values whose sizes are too far apart for
 * 256 bits.
 */
import { F64, I64, U8, U16, U32 } from '../batch/memory.ts';
import {
  CALL_MOMENTS,
  CALL_PAIR_MOMENTS,
  CENTRED_BYTES,
  CENTRED_MEAN_X,
  CENTRED_MEAN_Y,
  CENTRED_SXY,
  CENTRED_SYY,
  FORM_TOTAL,
  MOMENT_BYTES,
  MOMENT_XX,
  MOMENT_XY,
  MOMENT_Y,
  MOMENT_YY,
  MOMENTS_BYTES,
  MOMENTS_COUNT,
  PAIR_MOMENTS_BYTES,
  TOTAL_FORM,
  UNIT_X,
  UNIT_XX,
  UNIT_XY,
  UNIT_Y,
  UNIT_YY,
} from '../kernels/aggregate_layout.ts';
import { kernels } from '../kernels/index.ts';
import type { Heap } from '../state/heap.ts';
import type { Accumulator } from './accumulator.ts';
import { bitLength, type CentredSums, type FloatTotal, type Moments, momentsOf, NO_VALUES, UNIT } from './float_sum.ts';
import { type Form, Totals } from './totals.ts';

/** Of a sum that goes back to its slot, so that more fit. */
const MOST_BITS = 220;
const WORDS = MOMENT_BYTES / 8;

interface Place {
  at: number;
  unit: number;
  /** Of the sum's own integers: 2^-least. */
  least: number;
}

const X: Place = { at: 0, unit: UNIT_X, least: UNIT };
const XX: Place = { at: MOMENT_XX, unit: UNIT_XX, least: 2 * UNIT };
const Y: Place = { at: MOMENT_Y, unit: UNIT_Y, least: UNIT };
const YY: Place = { at: MOMENT_YY, unit: UNIT_YY, least: 2 * UNIT };
const XY: Place = { at: MOMENT_XY, unit: UNIT_XY, least: 2 * UNIT };

function readSum(state: number, { at, unit, least }: Place): bigint {
  let sum = 0n;
  for (let i = WORDS - 1; i >= 0; i--) {
    const word = I64[(state + at) / 8 + i];
    sum = (sum << 64n) | (i === WORDS - 1 ? word : BigInt.asUintN(64, word));
  }
  // Below `least` there are only zeros.
  return sum << BigInt(((U16[(state + unit) >>> 1] << 16) >> 16) + least);
}

function fits(sum: bigint): boolean {
  return sum === 0n || bitLength(sum < 0n ? -sum : sum) - zerosOf(sum) <= MOST_BITS;
}

function zerosOf(sum: bigint): number {
  return bitLength(sum & -sum) - 1;
}

function writeSum(state: number, { at, unit, least }: Place, sum: bigint): void {
  if (sum === 0n) return;
  const zeros = zerosOf(sum);
  const words = sum >> BigInt(zeros);
  for (let i = 0; i < WORDS; i++) I64[(state + at) / 8 + i] = BigInt.asIntN(64, words >> BigInt(i * 64));
  U16[(state + unit) >>> 1] = zeros - least;
}

const allFinite = ({ nan, inf, negInf }: FloatTotal) => nan === 0 && inf === 0 && negInf === 0;

/** `pairs`: of (y, x); else of x, beside which y is 0. */
function form(pairs: boolean): Form<Moments> {
  return {
    bytes: pairs ? PAIR_MOMENTS_BYTES : MOMENTS_BYTES,
    read(state) {
      const count = F64[(state + MOMENTS_COUNT) / 8];
      const total = (units: bigint) => ({ units, count, nan: 0, inf: 0, negInf: 0 });
      const other = (place: Place) => (pairs ? readSum(state, place) : 0n);
      return {
        x: total(readSum(state, X)),
        y: total(other(Y)),
        xx: readSum(state, XX),
        yy: other(YY),
        xy: other(XY),
      };
    },
    write(state, { x, y, xx, yy, xy }) {
      if (!allFinite(x) || !allFinite(y) || ![x.units, y.units, xx, yy, xy].every(fits)) return false;
      writeSum(state, X, x.units);
      writeSum(state, XX, xx);
      F64[(state + MOMENTS_COUNT) / 8] = x.count;
      if (!pairs) return true;
      writeSum(state, Y, y.units);
      writeSum(state, YY, yy);
      writeSum(state, XY, xy);
      return true;
    },
  };
}

const ONE = form(false);
const PAIRS = form(true);

/** `args`: x, or y and x; `value` is null where SQL's is NULL. */
export function floatMoments(args: number[], value: (sums: CentredSums) => number | null, heap: Heap): Accumulator {
  const pairs = args.length === 2;
  const sums = { ...NO_VALUES };
  return new Totals(
    args,
    {
      kind: pairs ? CALL_PAIR_MOMENTS : CALL_MOMENTS,
      name: 'moments',
      form: pairs ? PAIRS : ONE,
      summary: momentsOf(value, pairs),
      reduce: () => undefined,
      results(groups, n, offset, data, valid, scratch) {
        for (let i = 0; i < n; i++) {
          const state = U32[(groups >>> 2) + i] + offset;
          sums.n = F64[(state + MOMENTS_COUNT) / 8];
          const isNothing = U8[state + TOTAL_FORM] === FORM_TOTAL && sums.n === 0;
          if (!isNothing) {
            if (kernels.centreMoments(state, pairs, scratch) === 0) return i;
            sums.sxx = F64[scratch / 8];
            sums.meanX = F64[(scratch + CENTRED_MEAN_X) / 8];
            if (pairs) {
              sums.syy = F64[(scratch + CENTRED_SYY) / 8];
              sums.sxy = F64[(scratch + CENTRED_SXY) / 8];
              sums.meanY = F64[(scratch + CENTRED_MEAN_Y) / 8];
            }
          }
          const result = value(isNothing ? NO_VALUES : sums);
          U8[valid + i] = result === null ? 0 : 1;
          F64[data / 8 + i] = result ?? 0;
        }
        return n;
      },
      scratch: CENTRED_BYTES,
    },
    heap,
  );
}
