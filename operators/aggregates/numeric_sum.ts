/**
 * sum and avg of numeric. The total is exact; its scale is that of the values that are in it (PostgreSQL shows the greatest), so the
 * number of values per scale is kept: retracting the only 1.50 from {1, 1.50} gives 1, not 1.00. NaN and the infinities are counted.
 */
import { type Datum, type Decimal, decimal } from '../datum.ts';
import { divide } from '../expr/decimal/arithmetic.ts';
import { INFINITY, NAN, NEG_INFINITY, pow10, rescale } from '../expr/decimal/normal.ts';
import type { Summary } from './decoded.ts';

export interface NumericTotal {
  m: bigint;
  /** Scale of m, at least the greatest scale ever added. */
  s: number;
  /** Values per scale. */
  scales: Map<number, number>;
  count: number;
  nan: number;
  inf: number;
  negInf: number;
}

export function emptyTotal(): NumericTotal {
  return { m: 0n, s: 0, scales: new Map(), count: 0, nan: 0, inf: 0, negInf: 0 };
}

export function addNumeric(total: NumericTotal, value: Decimal, weight: number): void {
  total.count += weight;
  if (value.special === 'NaN') total.nan += weight;
  else if (value.special === 'Infinity') total.inf += weight;
  else if (value.special === '-Infinity') total.negInf += weight;
  else {
    if (value.s > total.s) {
      total.m *= pow10(value.s - total.s);
      total.s = value.s;
    }
    total.m += value.m * pow10(total.s - value.s) * BigInt(weight);
    const n = (total.scales.get(value.s) ?? 0) + weight;
    if (n === 0) total.scales.delete(value.s);
    else total.scales.set(value.s, n);
  }
}

/** The sum as PostgreSQL shows it; only for count > 0. */
export function totalValue(total: NumericTotal): Decimal {
  if (total.nan > 0 || (total.inf > 0 && total.negInf > 0)) return NAN;
  if (total.inf > 0) return INFINITY;
  if (total.negInf > 0) return NEG_INFINITY;
  let scale = 0;
  for (const s of total.scales.keys()) if (s > scale) scale = s;
  return rescale(decimal(total.m, total.s), scale);
}

/** Brings the total to the smallest scale that shows it and what is in it. */
export function reduced(total: NumericTotal): void {
  const least = Math.max(0, ...total.scales.keys());
  const unit = pow10(total.s - least);
  if (total.m % unit !== 0n) return;
  total.m /= unit;
  total.s = least;
}

export function encodeTotal(total: NumericTotal): Datum[] {
  const scales = [...total.scales].flat();
  return [decimal(total.m, total.s), total.count, total.nan, total.inf, total.negInf, ...scales];
}

export function decodeTotal(parts: Datum[]): NumericTotal {
  const [sum, count, nan, inf, negInf, ...rest] = parts as [Decimal, number, number, number, number, ...number[]];
  const scales = new Map<number, number>();
  for (let i = 0; i < rest.length; i += 2) scales.set(rest[i], rest[i + 1]);
  return { m: sum.m, s: sum.s, scales, count, nan, inf, negInf };
}

/** sum(numeric), or avg(numeric). */
export function numericSum(average: boolean): Summary<NumericTotal> {
  return {
    empty: emptyTotal,
    add: (total, [value], weight) => addNumeric(total, value as Decimal, weight),
    result(total) {
      if (total.count === 0) return null;
      const sum = totalValue(total);
      return average ? divide(sum, decimal(BigInt(total.count))) : sum;
    },
    encode: encodeTotal,
    decode: decodeTotal,
  };
}
