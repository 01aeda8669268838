/**
 * Array values: limits, order, equality, and the helpers other modules need.
 *
 * Order: items one by one (NULL is greater than everything, and equal to NULL), then the number of items, of dimensions,
 * the dimensions, the lower bounds. Arrays are equal only when their dimensions and bounds are.
 */
import { type Datum, type PgArray, pgArray } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import { type Comparator, comparatorOf } from '../compare.ts';
import { isOver, MAX_ITEMS } from '../part_limits.ts';

export const MAX_DIMS = 6;

export function tooManyDims(n: number): SqlError {
  return new SqlError('54000', `number of array dimensions (${n}) exceeds the maximum allowed (${MAX_DIMS})`);
}

/** An array after the checks of its bounds; no items is the empty array. */
export function checkedArray(elem: number, dims: number[], lower: number[], items: Datum[]): PgArray {
  if (items.length === 0) return pgArray(elem, []);
  checkItems(items.length);
  dims.forEach((n, i) => {
    if (lower[i] + n - 1 > 2147483646) throw new SqlError('54000', `array lower bound is too large: ${lower[i]}`);
  });
  return { k: 'array', elem, dims, lower, items };
}

export function arrayTooLarge(most = MAX_ITEMS): SqlError {
  return new SqlError('54000', `array size exceeds the maximum allowed (${most})`);
}

/** 54000 where so many are too many for an array; to ask before they are put together. */
export function checkItems(n: number): void {
  if (isOver(n, MAX_ITEMS)) throw arrayTooLarge();
}

/** One dimension of what comes one by one: the first that is too many ends it. */
export function collectArray(elem: number, from: Iterable<Datum>): PgArray {
  const items: Datum[] = [];
  for (const item of from) {
    checkItems(items.length + 1);
    items.push(item);
  }
  return pgArray(elem, items);
}

/** The same shape with every item changed; NULL items are not handed to `f`. Casts between array types are this. */
export function mapArray(a: PgArray, elem: number, f: (d: Datum) => Datum): PgArray {
  return { ...a, elem, items: a.items.map((d) => (d === null ? null : f(d))) };
}

/** The btree order of arrays of one element type. */
export function compareArrays(a: PgArray, b: PgArray): number {
  const cmp = comparatorOf(a.elem);
  const n = Math.min(a.items.length, b.items.length);
  for (let i = 0; i < n; i++) {
    const c = compareItems(a.items[i], b.items[i], cmp);
    if (c !== 0) return c;
  }
  if (a.items.length !== b.items.length) return a.items.length - b.items.length;
  if (a.dims.length !== b.dims.length) return a.dims.length - b.dims.length;
  for (let i = 0; i < a.dims.length; i++) if (a.dims[i] !== b.dims[i]) return a.dims[i] - b.dims[i];
  for (let i = 0; i < a.dims.length; i++) if (a.lower[i] !== b.lower[i]) return a.lower[i] - b.lower[i];
  return 0;
}

function compareItems(x: Datum, y: Datum, cmp: Comparator): number {
  if (x === null || y === null) return x === y ? 0 : x === null ? 1 : -1;
  return cmp(x, y);
}

/** Equality of two items where NULL equals NULL. */
export function equalItems(x: Datum, y: Datum, cmp: Comparator): boolean {
  return compareItems(x, y, cmp) === 0;
}

export function equalArrays(a: PgArray, b: PgArray): boolean {
  const shape = (x: number[], y: number[]) => x.length === y.length && x.every((v, i) => v === y[i]);
  if (!shape(a.dims, b.dims) || !shape(a.lower, b.lower)) return false;
  const cmp = comparatorOf(a.elem);
  return a.items.every((v, i) => equalItems(v, b.items[i], cmp));
}
