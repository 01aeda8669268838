/**
 * random and setseed. Volatile: every call gives another value, so they have no place in a maintained view. A seed gives the same
 * numbers again, but not PostgreSQL's numbers.
 */
import { type Decimal, decimal } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import { rescale } from '../decimal/normal.ts';
import { register } from './registry.ts';

let seeded: { state: number } | null = null;

/** 0 <= x < 1 */
function next(): number {
  if (!seeded) return Math.random();
  seeded.state = (seeded.state + 0x6d2b79f5) >>> 0;
  let t = Math.imul(seeded.state ^ (seeded.state >>> 15), seeded.state | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}

/** A uniform integer from lo to hi, both included. */
function between(lo: bigint, hi: bigint): bigint {
  if (lo > hi) throw new SqlError('22023', 'lower bound must be less than or equal to upper bound');
  const size = hi - lo + 1n;
  // Twice as many bits as the size has, so that the remainder's bias is negligible.
  const words = Math.ceil((size.toString(16).length * 2) / 7);
  let n = 0n;
  for (let i = 0; i < words; i++) n = (n << 28n) | BigInt(Math.floor(next() * 268435456));
  return lo + (n % size);
}

register('random()', () => next());
register('random(int4,int4)', (lo: number, hi: number) => Number(between(BigInt(lo), BigInt(hi))));
register('random(int8,int8)', between);
register('random(numeric,numeric)', (lo: Decimal, hi: Decimal) => {
  for (const [d, name] of [
    [lo, 'lower'],
    [hi, 'upper'],
  ] as const) {
    if (d.special) {
      throw new SqlError('22023', `${name} bound cannot be ${d.special === 'NaN' ? 'NaN' : 'infinity'}`);
    }
  }
  const s = Math.max(lo.s, hi.s);
  return decimal(between(rescale(lo, s).m, rescale(hi, s).m), s);
});
register('random_normal(float8,float8)', (mean: number, deviation: number) => {
  const radius = Math.sqrt(-2 * Math.log(1 - next()));
  return mean + deviation * radius * Math.sin(2 * Math.PI * next());
});
register('setseed(float8)', (seed: number) => {
  if (!(seed >= -1 && seed <= 1))
    throw new SqlError('22023', `setseed parameter ${seed} is out of allowed range [-1,1]`);
  seeded = { state: Math.floor(seed * 2147483647) >>> 0 };
  return '';
});
