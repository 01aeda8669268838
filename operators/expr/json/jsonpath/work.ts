/**
 * What items cost, in steps of an evaluation, where that depends on how long they are: a step is some tenths of a microsecond. The numbers are
 * those of the items alone, so that a path over a document takes as many steps whenever it is run.
 */
import type { Item } from './item.ts';
import { isNumber } from './item.ts';

const SMALL = 1n << 64n;
/** numeric has no more digits. */
const MOST_DIGITS = 150_000;

/** To calculate with so many digits, or to read or write them: grows with the square. */
function workOfDigits(digits: number): number {
  const n = Math.min(digits, MOST_DIGITS);
  return Math.floor((n * n) / 65_536);
}

/** A number as an operand, a string as what is to be read as something else. */
export function workOf(item: Item): number {
  if (typeof item === 'string') return workOfDigits(item.length) + (item.length >> 4);
  if (!isNumber(item)) return 0;
  const { m, s } = item;
  return m < SMALL && m > -SMALL ? workOfDigits(s) : workOfDigits(s + m.toString(16).length);
}

/** To compare two items. */
export function workOfComparison(a: Item, b: Item): number {
  if (typeof a === 'string') return typeof b === 'string' ? Math.min(a.length, b.length) >> 8 : 0;
  return isNumber(a) && isNumber(b) && a.s !== b.s ? workOf(a) + workOf(b) : 0;
}

/** To look for a regular expression. */
export function workOfSearch(item: Item): number {
  return typeof item === 'string' ? item.length >> 3 : 0;
}
