/** variance and stddev of integers and numeric: exact sums of x and x^2, the quotient with PostgreSQL's scale, which the root has as well. */
import { type Datum, type Decimal, decimal, isDecimal } from '../datum.ts';
import { divideAt, divisionScale, multiply, subtract } from '../expr/decimal/arithmetic.ts';
import { ZERO } from '../expr/decimal/normal.ts';
import { sqrtAt } from '../expr/decimal/transcendental.ts';
import type { Summary } from './decoded.ts';
import { addNumeric, decodeTotal, emptyTotal, encodeTotal, type NumericTotal, totalValue } from './numeric_sum.ts';

export interface Squares {
  x: NumericTotal;
  xx: NumericTotal;
}

function toDecimal(value: Datum): Decimal {
  if (isDecimal(value)) return value;
  return decimal(BigInt(value as number | bigint));
}

export function numericVariance(sample: boolean, root: boolean): Summary<Squares> {
  return {
    empty: () => ({ x: emptyTotal(), xx: emptyTotal() }),
    add(s, [value], weight) {
      const x = toDecimal(value);
      addNumeric(s.x, x, weight);
      addNumeric(s.xx, multiply(x, x), weight);
    },
    result(s) {
      const n = decimal(BigInt(s.x.count));
      if (s.x.count < (sample ? 2 : 1)) return null;
      const sum = totalValue(s.x);
      if (sum.special !== undefined) return { k: 'dec', m: 0n, s: 0, special: 'NaN' };
      const numerator = subtract(multiply(n, totalValue(s.xx)), multiply(sum, sum));
      if (numerator.m <= 0n) return ZERO;
      const divisor = multiply(n, sample ? decimal(n.m - 1n) : n);
      const scale = divisionScale(numerator, divisor);
      const variance = divideAt(numerator, divisor, scale);
      return root ? sqrtAt(variance, scale) : variance;
    },
    encode: (s) => [record(encodeTotal(s.x)), record(encodeTotal(s.xx))],
    decode([x, xx]) {
      return { x: decodeTotal((x as { values: Datum[] }).values), xx: decodeTotal((xx as { values: Datum[] }).values) };
    },
  };
}

function record(values: Datum[]): Datum {
  return { k: 'record', types: values.map(() => 0), values };
}
