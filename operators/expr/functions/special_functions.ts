/**
 * erf, erfc, gamma and lgamma of float8.
 *
 *   erf   series near 0;  erfc  continued fraction (Lentz) from 2 on     both to about 1e-15
 *   lgamma  Stirling's series from 15 on, reached by the recurrence; reflection below 1/2
 */
import { SqlError } from '../../errors.ts';
import { register } from './registry.ts';

/** erf(x) = 2/sqrt(pi) exp(-x^2) sum 2^n x^(2n+1) / (2n+1)!! : all terms positive, no cancellation. */
function erfSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > Math.abs(sum) * 1e-17; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** erfc(x) = exp(-x^2) / sqrt(pi) / (x + 1/2 / (x + 1 / (x + 3/2 / (x + ...)))), x >= 2 */
function erfcFraction(x: number): number {
  let f = x;
  for (let n = 200; n > 0; n--) f = x + n / 2 / (n === 200 ? x : f);
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / f;
}

function erf(x: number): number {
  if (Number.isNaN(x)) return x;
  const a = Math.abs(x);
  const r = a < 2 ? erfSeries(a) : a > 6 ? 1 : 1 - erfcFraction(a);
  return x < 0 ? -r : x === 0 ? x : r;
}

function erfc(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x < 2) return 1 - erf(x);
  return x > 28 ? 0 : erfcFraction(x);
}

/** Bernoulli terms B(2k) / (2k (2k-1)) of Stirling's series. */
const STIRLING = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156];

function lgammaPositive(x: number): number {
  let shift = 0;
  let product = 1;
  while (x < 15) {
    product *= x;
    x += 1;
    if (product > 1e200) {
      shift += Math.log(product);
      product = 1;
    }
  }
  shift += Math.log(product);
  let series = 0;
  let power = 1 / x;
  for (const c of STIRLING) {
    series += c * power;
    power /= x * x;
  }
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + series - shift;
}

function overflow(): SqlError {
  return new SqlError('22003', 'value out of range: overflow');
}

function lgamma(x: number): number {
  if (Number.isNaN(x)) return x;
  if (!Number.isFinite(x)) return Number.POSITIVE_INFINITY;
  if (x <= 0 && Number.isInteger(x)) throw overflow();
  if (x === 1 || x === 2) return 0;
  const r = x < 0.5 ? Math.log(Math.PI / Math.abs(Math.sin(Math.PI * x))) - lgammaPositive(1 - x) : lgammaPositive(x);
  if (!Number.isFinite(r)) throw overflow();
  return r;
}

function gamma(x: number): number {
  if (Number.isNaN(x) || x === Number.POSITIVE_INFINITY) return x;
  if (x === Number.NEGATIVE_INFINITY || (x <= 0 && Number.isInteger(x))) throw overflow();
  if (Number.isInteger(x) && x <= 171) {
    let r = 1;
    for (let n = 2; n < x; n++) r *= n;
    return r;
  }
  const magnitude = Math.exp(lgamma(x));
  if (!Number.isFinite(magnitude)) throw overflow();
  if (magnitude === 0) throw new SqlError('22003', 'value out of range: underflow');
  return x < 0 && Math.floor(x) % 2 !== 0 ? -magnitude : magnitude;
}

register('erf(float8)', erf);
register('erfc(float8)', erfc);
register('lgamma(float8)', lgamma);
register('gamma(float8)', gamma);
