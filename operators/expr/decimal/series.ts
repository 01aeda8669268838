/**
 * ln and exp of exact rationals to any number of digits, in fixed point: an integer v at precision p means v / 10^p.
 *
 *   ln x  = ln y + k ln 2,  y in [2/3, 4/3];  ln y = 2 atanh((y - 1) / (y + 1))
 *   exp x = 2^k (exp(r / 2^j))^(2^j),  r = x - k ln 2,  Taylor series
 *
 * Cost: O(p) multiplications of p digits. Guard digits are added here; results are good to about one unit at precision p.
 */
import type { Decimal } from '../../datum.ts';
import { digitCount, divRound, pow10 } from './normal.ts';

const GUARD = 12;

let ln2Cache = { p: 0, v: 0n };

/** ln 2 at precision p. */
function ln2(p: number): bigint {
  if (ln2Cache.p < p) {
    const q = Math.ceil(p / 64) * 64 + 64;
    const unit = pow10(q + GUARD);
    // Machin-like: ln 2 = 18 atanh(1/26) - 2 atanh(1/4801) + 8 atanh(1/8749)
    const v = 18n * atanhInverse(26n, unit) - 2n * atanhInverse(4801n, unit) + 8n * atanhInverse(8749n, unit);
    ln2Cache = { p: q, v: v / pow10(GUARD) };
  }
  return ln2Cache.v / pow10(ln2Cache.p - p);
}

/** atanh(1/n) * unit */
function atanhInverse(n: bigint, unit: bigint): bigint {
  const square = n * n;
  let term = unit / n;
  let sum = term;
  for (let i = 3n; term !== 0n; i += 2n) {
    term /= square;
    sum += term / i;
  }
  return sum;
}

/** ln(d) for finite d > 0, as a fixed-point integer at precision p. */
export function lnFixed(d: Decimal, p: number): bigint {
  // Digits of k ln 2 before the point need room too.
  const q = Math.max(p, 0) + GUARD;
  const unit = pow10(q);
  // d = num / den; bring it near 1 by a power of two.
  let num = d.m;
  let den = pow10(d.s);
  let k = bitLength(num) - bitLength(den);
  if (k > 0) den <<= BigInt(k);
  else num <<= BigInt(-k);
  if (3n * num > 4n * den) {
    den <<= 1n;
    k++;
  } else if (3n * num < 2n * den) {
    num <<= 1n;
    k--;
  }
  const t = ((num - den) * unit) / (num + den);
  const square = (t * t) / unit;
  let power = t;
  let sum = t;
  for (let i = 3n; power !== 0n; i += 2n) {
    power = (power * square) / unit;
    sum += power / i;
  }
  const kDigits = 8;
  const kLn2 = (BigInt(k) * ln2(q + kDigits)) / pow10(kDigits);
  return divRound(2n * sum + kLn2, pow10(q - p));
}

function bitLength(x: bigint): number {
  return x.toString(2).length;
}

/** exp(d) rounded to `scale` digits after the point; finite d with |d| small enough that the result can be stored. */
export function expScaled(d: Decimal, scale: number): bigint {
  const approx = Number(`${d.m}e-${d.s}`) * Math.LOG10E;
  const p = Math.max(scale + Math.max(Math.ceil(approx), 0), 0) + GUARD + 8;
  const unit = pow10(p);
  const shift = p - d.s;
  const x = shift >= 0 ? d.m * pow10(shift) : divRound(d.m, pow10(-shift));
  const k = divRound(x, ln2(p));
  const r = x - (k * ln2(p + 8)) / pow10(8);
  const halvings = BigInt(Math.ceil(Math.sqrt(p) / 1.5));
  // The squarings lose a bit each: the extra precision pays for them.
  const extra = pow10(Math.ceil(Number(halvings) * 0.31) + 2);
  const fine = unit * extra;
  const small = (r * extra) >> halvings;
  let term = fine;
  let sum = fine;
  for (let i = 1n; term !== 0n; i++) {
    term = (term * small) / fine / i;
    sum += term;
  }
  for (let i = 0n; i < halvings; i++) sum = (sum * sum) / fine;
  const scaleDown = p - scale;
  // scale is at most p, so scaleDown >= 0
  return k >= 0n ? divRound(sum << k, extra * pow10(scaleDown)) : divRound(sum, (extra * pow10(scaleDown)) << -k);
}

/** Integer square root, rounded down. */
export function isqrt(n: bigint): bigint {
  if (n < 2n) return n;
  let x = 10n ** BigInt(Math.ceil(digitCount(n) / 2));
  for (;;) {
    const y = (x + n / x) >> 1n;
    if (y >= x) return x;
    x = y;
  }
}
