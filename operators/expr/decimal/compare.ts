/** Order of numeric: -Infinity < finite < Infinity < NaN; scale does not matter (1.0 = 1.00). */
import type { Decimal } from '../../datum.ts';
import { pow10 } from './normal.ts';

function rank(d: Decimal): number {
  if (!d.special) return 1;
  return d.special === 'NaN' ? 3 : d.special === 'Infinity' ? 2 : 0;
}

/** -1, 0 or 1. NaN equals NaN and is greater than everything else. */
export function compareDecimal(a: Decimal, b: Decimal): number {
  if (a.special || b.special) return Math.sign(rank(a) - rank(b));
  let { m: x } = a;
  let { m: y } = b;
  if (a.s < b.s) x *= pow10(b.s - a.s);
  else if (a.s > b.s) y *= pow10(a.s - b.s);
  return x < y ? -1 : x > y ? 1 : 0;
}

/** -1, 0 or 1; NaN counts as positive. */
export function signOf(d: Decimal): number {
  if (d.special) return d.special === '-Infinity' ? -1 : 1;
  return d.m < 0n ? -1 : d.m > 0n ? 1 : 0;
}

/** True for finite integers and the infinities. */
export function isIntegral(d: Decimal): boolean {
  return d.special ? d.special !== 'NaN' : d.s === 0 || d.m % pow10(d.s) === 0n;
}
