/**
 * Sums of float4 and float8 that do not depend on the order of their rows: the total is an exact integer multiple of 2^-1074, rounded once
 * at the end. PostgreSQL adds in the order of its scan and rounds each time, so its last digits vary; ours is the correctly rounded sum.
 *
 * Also avg, and the moments behind variance, stddev, covar, regr and corr: sums of x, y, x^2, y^2, xy, each exact.
 */
import type { Datum } from '../datum.ts';
import { decimal } from '../datum.ts';
import { SqlError } from '../errors.ts';
import type { Summary } from './decoded.ts';

const bits = new DataView(new ArrayBuffer(8));

/** The finite double as an integer in units of 2^-1074. */
function toUnits(x: number): bigint {
  bits.setFloat64(0, x);
  const high = bits.getUint32(0);
  const exponent = (high >>> 20) & 0x7ff;
  const fraction = (BigInt(high & 0xfffff) << 32n) | BigInt(bits.getUint32(4));
  const magnitude = exponent === 0 ? fraction : (fraction | 0x10000000000000n) << BigInt(exponent - 1);
  return high >>> 31 === 1 ? -magnitude : magnitude;
}

/** The double nearest to numerator / (denominator * 2^unit), ties to even; unit is the power of two of one unit. */
function fromUnits(numerator: bigint, denominator: bigint, unit: number): number {
  if (numerator === 0n) return 0;
  const negative = numerator < 0n;
  const n = negative ? -numerator : numerator;
  // Scale so that the integer quotient has 64 to 66 bits, then let Number() round with a sticky bit.
  const shift = 65 - (bitLength(n) - bitLength(denominator));
  const scaled = shift >= 0 ? n << BigInt(shift) : n;
  const divisor = shift >= 0 ? denominator : denominator << BigInt(-shift);
  let quotient = scaled / divisor;
  if (scaled % divisor !== 0n) quotient |= 1n;
  const power = -unit - shift;
  // Subnormal results would round twice: drop their extra bits first, keeping a sticky bit.
  const lost = -1074 - (power + bitLength(quotient) - 53);
  let value: number;
  if (lost > 0 && power + bitLength(quotient) <= -1021) {
    const drop = -1074 - power;
    const kept = quotient >> BigInt(drop);
    const rest = quotient - (kept << BigInt(drop));
    const half = 1n << BigInt(drop - 1);
    const up = rest > half || (rest === half && (kept & 1n) === 1n);
    value = Number(up ? kept + 1n : kept) * 2 ** -1074;
  } else value = scale(Number(quotient), power);
  return negative ? -value : value;
}

function scale(x: number, power: number): number {
  if (power < -1000) return x * 2 ** -1000 * 2 ** (power + 1000);
  if (power > 900) return x * 2 ** 900 * 2 ** (power - 900);
  return x * 2 ** power;
}

export function bitLength(n: bigint): number {
  const hex = n.toString(16);
  return (hex.length - 1) * 4 + (32 - Math.clz32(Number.parseInt(hex[0], 16)));
}

/** Of exact sums: they count 2^-1074. */
export const UNIT = 1074;

/** Exact sum of doubles with counts of what is not finite. */
export interface FloatTotal {
  units: bigint;
  count: number;
  nan: number;
  inf: number;
  negInf: number;
}

function addFloat(total: FloatTotal, x: number, weight: number): void {
  total.count += weight;
  if (Number.isNaN(x)) total.nan += weight;
  else if (x === Number.POSITIVE_INFINITY) total.inf += weight;
  else if (x === Number.NEGATIVE_INFINITY) total.negInf += weight;
  else total.units += toUnits(x) * BigInt(weight);
}

function special(total: { nan: number; inf: number; negInf: number }): number | null {
  if (total.nan > 0 || (total.inf > 0 && total.negInf > 0)) return Number.NaN;
  if (total.inf > 0) return Number.POSITIVE_INFINITY;
  return total.negInf > 0 ? Number.NEGATIVE_INFINITY : null;
}

function emptyTotal(): FloatTotal {
  return { units: 0n, count: 0, nan: 0, inf: 0, negInf: 0 };
}

function encodeTotal(t: FloatTotal): Datum[] {
  return [decimal(t.units), t.count, t.nan, t.inf, t.negInf];
}

function decodeTotal(parts: Datum[]): FloatTotal {
  const [units, count, nan, inf, negInf] = parts as [{ m: bigint }, number, number, number, number];
  return { units: units.m, count, nan, inf, negInf };
}

/** A result of finite values, which must be finite too. */
function inRange(value: number): number {
  if (!Number.isFinite(value)) throw new SqlError('22003', 'value out of range: overflow');
  return value;
}

/** The sum, or the average of the counted values. */
function totalValue(total: FloatTotal, average: boolean): number {
  return special(total) ?? inRange(fromUnits(total.units, average ? BigInt(total.count) : 1n, UNIT));
}

/** sum and avg; `single` rounds the result to float4 (sum(float4)). */
export function floatSum(average: boolean, single: boolean): Summary<FloatTotal> {
  return {
    empty: emptyTotal,
    add: (total, [x], weight) => addFloat(total, x as number, weight),
    result(total) {
      if (total.count === 0) return null;
      const value = totalValue(total, average);
      if (!single) return value;
      return Number.isFinite(value) ? inRange(Math.fround(value)) : value;
    },
    encode: encodeTotal,
    decode: decodeTotal,
  };
}

/** Exact power sums of pairs (y, x), as SQL's two-argument aggregates order them; one-argument ones leave y at 0. */
export interface Moments {
  x: FloatTotal;
  y: FloatTotal;
  /** Of finite values. */
  xx: bigint;
  yy: bigint;
  xy: bigint;
}

/** The centred sums: n * sum(x^2) - sum(x)^2 and so on, in units of 2^-2148 times n, divided by n; NaN where a value of theirs is not finite. */
export interface CentredSums {
  n: number;
  sxx: number;
  syy: number;
  sxy: number;
  meanX: number;
  meanY: number;
}

/** Of no values. */
export const NO_VALUES: CentredSums = { n: 0, sxx: 0, syy: 0, sxy: 0, meanX: 0, meanY: 0 };

function centred({ x, y, xx, yy, xy }: Moments): CentredSums {
  const n = BigInt(x.count);
  const finite = (t: FloatTotal) => special(t) === null;
  const sum = (squares: bigint, product: bigint) => inRange(fromUnits(n * squares - product, n, 2 * UNIT));
  return {
    n: x.count,
    sxx: finite(x) ? sum(xx, x.units * x.units) : Number.NaN,
    syy: finite(y) ? sum(yy, y.units * y.units) : Number.NaN,
    sxy: finite(x) && finite(y) ? sum(xy, x.units * y.units) : Number.NaN,
    meanX: totalValue(x, true),
    meanY: totalValue(y, true),
  };
}

/** An aggregate computed from centred sums. */
export function momentsOf(value: (sums: CentredSums) => number | null, pairs: boolean): Summary<Moments> {
  return {
    empty: () => ({ x: emptyTotal(), y: emptyTotal(), xx: 0n, yy: 0n, xy: 0n }),
    add(m, args, weight) {
      const x = args[pairs ? 1 : 0] as number;
      const y = pairs ? (args[0] as number) : 0;
      addFloat(m.x, x, weight);
      addFloat(m.y, y, weight);
      const w = BigInt(weight);
      const ux = Number.isFinite(x) ? toUnits(x) : 0n;
      const uy = Number.isFinite(y) ? toUnits(y) : 0n;
      m.xx += ux * ux * w;
      m.yy += uy * uy * w;
      m.xy += ux * uy * w;
    },
    result(m): Datum {
      if (m.x.count <= 0) return value(NO_VALUES);
      return value(centred(m));
    },
    encode: (m) => [decimal(m.xx), decimal(m.yy), decimal(m.xy), ...encodeTotal(m.x), ...encodeTotal(m.y)],
    decode(parts) {
      const [xx, yy, xy] = parts.slice(0, 3).map((d) => (d as { m: bigint }).m);
      return { x: decodeTotal(parts.slice(3, 8)), y: decodeTotal(parts.slice(8)), xx, yy, xy };
    },
  };
}
