/**
 * sum and avg of float4 and float8. A total is a record while it has NaN or an infinity in it, or values whose sizes are too far apart for 192 bits.
 */
import { F64, I64, U16 } from '../batch/memory.ts';
import { CALL_TOTAL_FLOAT, FLOAT_COUNT, FLOAT_UNIT, TOTAL_BYTES } from '../kernels/aggregate_layout.ts';
import { kernels } from '../kernels/index.ts';
import type { Heap } from '../state/heap.ts';
import type { Accumulator } from './accumulator.ts';
import { bitLength, type FloatTotal, floatSum, UNIT } from './float_sum.ts';
import { type Form, Totals } from './totals.ts';

/** A sum has so many bits above its unit at most when it goes back to its slot, so that more fit. */
const MOST_BITS = 150;
/** So many are left below its last one where they may be. */
const ROOM_BELOW = 32;

const TOTAL: Form<FloatTotal> = {
  bytes: TOTAL_BYTES,
  read(state) {
    const low = BigInt.asUintN(64, I64[state / 8]) | (BigInt.asUintN(64, I64[state / 8 + 1]) << 64n);
    const sum = (I64[state / 8 + 2] << 128n) | low;
    const unit = (U16[(state + FLOAT_UNIT) >>> 1] << 16) >> 16;
    const units = sum === 0n ? 0n : sum << BigInt(unit + UNIT);
    return { units, count: F64[(state + FLOAT_COUNT) / 8], nan: 0, inf: 0, negInf: 0 };
  },
  write(state, { units, count, nan, inf, negInf }) {
    if (nan !== 0 || inf !== 0 || negInf !== 0) return false;
    if (units !== 0n) {
      const magnitude = units < 0n ? -units : units;
      const zeros = bitLength(magnitude & -magnitude) - 1;
      if (bitLength(magnitude) - zeros > MOST_BITS - ROOM_BELOW) return false;
      const unit = Math.max(0, zeros - ROOM_BELOW);
      const sum = units >> BigInt(unit);
      for (let i = 0; i < 3; i++) I64[state / 8 + i] = BigInt.asIntN(64, sum >> BigInt(i * 64));
      U16[(state + FLOAT_UNIT) >>> 1] = unit - UNIT;
    }
    F64[(state + FLOAT_COUNT) / 8] = count;
    return true;
  },
};

/** `single`: the sum of float4, which is one. */
export function floatTotals(arg: number, average: boolean, single: boolean, heap: Heap): Accumulator {
  return new Totals(
    [arg],
    {
      kind: CALL_TOTAL_FLOAT,
      name: 'floats',
      form: TOTAL,
      summary: floatSum(average, single),
      reduce: () => undefined,
      results: (groups, n, offset, data, valid) => kernels.writeFloats(groups, n, offset, average, single, data, valid),
    },
    heap,
  );
}
