/**
 * Sums of float4 and float8 that do not depend on the order of their rows: the total is an exact integer multiple of 2^-1074, rounded once
 * at the end. PostgreSQL adds in the order of its scan and rounds each time, so its last digits vary; ours is the correctly rounded sum.
 *
 * Also avg, and the moments behind variance, stddev, covar, regr and corr: sums of x, y, x^2, y^2, xy, each exact.
 */
import type { Datum } from '../datum.ts';
import { decimal } from '../datum.ts';
import type { Summary } from './decoded.ts';

const bits = new DataView(new ArrayBuffer(8));

/** The finite double as an integer in units of 2^-1074. */
export function toUnits(x: number): bigint {
  bits.setFloat64(0, x);
  const high = bits.getUint32(0);
  const exponent = (high >>> 20) & 0x7ff;
  const fraction = (BigInt(high & 0xfffff) << 32n) | BigInt(bits.getUint32(4));
  const magnitude = exponent === 0 ? fraction : (fraction | 0x10000000000000n) << BigInt(exponent - 1);
  return high >>> 31 === 1 ? -magnitude : magnitude;
}

/** The double nearest to numerator / (denominator * 2^unit), ties to even; unit is the power of two of one unit. */
export function fromUnits(numerator: bigint, denominator: bigint, unit: number): number {
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

function bitLength(n: bigint): number {
  const hex = n.toString(16);
  return (hex.length - 1) * 4 + (32 - Math.clz32(Number.parseInt(hex[0], 16)));
}

const UNIT = 1074;

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

/** sum and avg; `single` rounds the result to float4 (sum(float4)). */
export function floatSum(average: boolean, single: boolean): Summary<FloatTotal> {
  return {
    empty: () => ({ units: 0n, count: 0, nan: 0, inf: 0, negInf: 0 }),
    add: (total, [x], weight) => addFloat(total, x as number, weight),
    result(total) {
      if (total.count === 0) return null;
      const value = special(total) ?? fromUnits(total.units, average ? BigInt(total.count) : 1n, UNIT);
      return single ? Math.fround(value) : value;
    },
    encode: (t) => [decimal(t.units), t.count, t.nan, t.inf, t.negInf],
    decode(parts) {
      const [units, count, nan, inf, negInf] = parts as [{ m: bigint }, number, number, number, number];
      return { units: units.m, count, nan, inf, negInf };
    },
  };
}

/** Exact power sums of pairs (y, x), as SQL's two-argument aggregates order them; one-argument ones leave y at 0. */
export interface Moments {
  n: number;
  notFinite: number;
  x: bigint;
  y: bigint;
  xx: bigint;
  yy: bigint;
  xy: bigint;
}

/** The centred sums: n * sum(x^2) - sum(x)^2 and so on, in units of 2^-2148 times n, divided by n. */
export interface CentredSums {
  n: number;
  sxx: number;
  syy: number;
  sxy: number;
  meanX: number;
  meanY: number;
}

function centred(m: Moments): CentredSums {
  const n = BigInt(m.n);
  return {
    n: m.n,
    sxx: fromUnits(n * m.xx - m.x * m.x, n, 2 * UNIT),
    syy: fromUnits(n * m.yy - m.y * m.y, n, 2 * UNIT),
    sxy: fromUnits(n * m.xy - m.x * m.y, n, 2 * UNIT),
    meanX: fromUnits(m.x, n, UNIT),
    meanY: fromUnits(m.y, n, UNIT),
  };
}

/** An aggregate computed from centred sums; values that are not finite make it NaN. */
export function momentsOf(value: (sums: CentredSums) => number | null, pairs: boolean): Summary<Moments> {
  return {
    empty: () => ({ n: 0, notFinite: 0, x: 0n, y: 0n, xx: 0n, yy: 0n, xy: 0n }),
    add(m, args, weight) {
      const x = args[pairs ? 1 : 0] as number;
      const y = pairs ? (args[0] as number) : 0;
      m.n += weight;
      if (!Number.isFinite(x) || !Number.isFinite(y)) {
        m.notFinite += weight;
        return;
      }
      const w = BigInt(weight);
      const ux = toUnits(x);
      const uy = toUnits(y);
      m.x += ux * w;
      m.y += uy * w;
      m.xx += ux * ux * w;
      m.yy += uy * uy * w;
      m.xy += ux * uy * w;
    },
    result(m): Datum {
      if (m.n <= 0) return value({ n: 0, sxx: 0, syy: 0, sxy: 0, meanX: 0, meanY: 0 });
      if (m.notFinite > 0)
        return value({ ...centred({ ...m, x: 0n, y: 0n, xx: 0n, yy: 0n, xy: 0n }) }) === null ? null : Number.NaN;
      return value(centred(m));
    },
    encode: (m) => [m.n, m.notFinite, decimal(m.x), decimal(m.y), decimal(m.xx), decimal(m.yy), decimal(m.xy)],
    decode(parts) {
      const [n, notFinite, ...sums] = parts as [number, number, ...{ m: bigint }[]];
      const [x, y, xx, yy, xy] = sums.map((d) => d.m);
      return { n, notFinite, x, y, xx, yy, xy };
    },
  };
}
