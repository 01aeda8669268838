/** sum and avg of interval and time: field-wise totals, exact. */
import { type Datum, decimal, type Interval, interval } from '../datum.ts';
import { divideInterval } from '../expr/datetime/arithmetic.ts';
import type { Summary } from './decoded.ts';

interface IntervalTotal {
  n: number;
  months: bigint;
  days: bigint;
  micros: bigint;
}

export function intervalSum(average: boolean): Summary<IntervalTotal> {
  return {
    empty: () => ({ n: 0, months: 0n, days: 0n, micros: 0n }),
    add(s, [value], weight) {
      const x: Interval = typeof value === 'bigint' ? interval(0, 0, value) : (value as Interval);
      const w = BigInt(weight);
      s.n += weight;
      s.months += BigInt(x.months) * w;
      s.days += BigInt(x.days) * w;
      s.micros += x.micros * w;
    },
    result(s): Datum {
      if (s.n === 0) return null;
      const total = interval(Number(s.months), Number(s.days), s.micros);
      return average ? divideInterval(total, s.n) : total;
    },
    encode: (s) => [s.n, decimal(s.months), decimal(s.days), decimal(s.micros)],
    decode([n, months, days, micros]) {
      const big = (d: Datum) => (d as { m: bigint }).m;
      return { n: n as number, months: big(months), days: big(days), micros: big(micros) };
    },
  };
}
