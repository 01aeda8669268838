/**
 * Sums of floats without rounding: every finite double is a whole number of 2^-1074, so a BigInt adds them exactly and the result is
 * rounded once (to nearest, ties to even). Independent of the order of the inputs.
 */
const UNIT_EXPONENT = 1074;
const bits = new DataView(new ArrayBuffer(8));

/** The double as a multiple of 2^-1074. */
function toUnits(x: number): bigint {
  bits.setFloat64(0, x);
  const raw = bits.getBigUint64(0);
  const exponent = Number((raw >> 52n) & 0x7ffn);
  const fraction = raw & 0xfffffffffffffn;
  const magnitude = exponent === 0 ? fraction : (fraction | 0x10000000000000n) << BigInt(exponent - 1);
  return raw >> 63n === 1n ? -magnitude : magnitude;
}

/** The double nearest to units * 2^-1074 (Infinity when beyond the range). */
function fromUnits(units: bigint): number {
  if (units === 0n) return 0;
  const negative = units < 0n;
  const magnitude = negative ? -units : units;
  const length = magnitude.toString(2).length;
  const shift = BigInt(Math.max(length - 53, 0));
  let kept = magnitude >> shift;
  const rest = magnitude - (kept << shift);
  const half = shift > 0n ? 1n << (shift - 1n) : 0n;
  if (shift > 0n && (rest > half || (rest === half && kept % 2n === 1n))) kept += 1n;
  const value = scale(Number(kept), Number(shift) - UNIT_EXPONENT);
  return negative ? -value : value;
}

function scale(x: number, exponent: number): number {
  // Two exact steps: a single power of two may be below the range of normal numbers.
  const first = Math.max(exponent, -1000);
  return x * 2 ** Math.min(first, 1000) * 2 ** (exponent - Math.min(first, 1000));
}

/** Sum of doubles with PostgreSQL's rules for Infinity and NaN. */
export function exactSum(values: number[]): number {
  let units = 0n;
  let special = 0;
  for (const x of values) {
    if (Number.isFinite(x)) units += toUnits(x);
    else special += x;
  }
  return special !== 0 || Number.isNaN(special) ? special : fromUnits(units);
}
