/** Functions and operators over arrays of any type. Items are compared by the default order of the element type. */
import { type Datum, isPgArray, type PgArray, pgArray } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import { dimensionsText } from '../array/text.ts';
import {
  arrayTooLarge,
  checkedArray,
  checkItems,
  compareArrays,
  equalArrays,
  equalItems,
  MAX_DIMS,
  tooManyDims,
} from '../array/value.ts';
import { elementType } from '../array_types.ts';
import { comparatorOf } from '../compare.ts';
import { outputText } from '../io/registry.ts';
import type { EvalContext } from '../ir.ts';
import { larger } from './comparisons.ts';
import { type CallInfo, register, registerSet, registerTyped } from './registry.ts';

const wrongSubscripts = (detail?: string) => new SqlError('2202E', 'wrong number of array subscripts', { detail });

register('array_eq(anyarray,anyarray)', equalArrays);
register('array_ne(anyarray,anyarray)', (a: PgArray, b: PgArray) => !equalArrays(a, b));
register('array_lt(anyarray,anyarray)', (a: PgArray, b: PgArray) => compareArrays(a, b) < 0);
register('array_le(anyarray,anyarray)', (a: PgArray, b: PgArray) => compareArrays(a, b) <= 0);
register('array_gt(anyarray,anyarray)', (a: PgArray, b: PgArray) => compareArrays(a, b) > 0);
register('array_ge(anyarray,anyarray)', (a: PgArray, b: PgArray) => compareArrays(a, b) >= 0);
register('btarraycmp(anyarray,anyarray)', (a: PgArray, b: PgArray) => Math.sign(compareArrays(a, b)));
larger('array_larger', 'array_smaller', 'anyarray', compareArrays);

const compareVectors = (a: PgArray, b: PgArray) => a.items.length - b.items.length || compareArrays(a, b);
register('btoidvectorcmp(oidvector,oidvector)', (a: PgArray, b: PgArray) => Math.sign(compareVectors(a, b)));
register('oidvectoreq(oidvector,oidvector)', (a: PgArray, b: PgArray) => compareVectors(a, b) === 0);
register('oidvectorne(oidvector,oidvector)', (a: PgArray, b: PgArray) => compareVectors(a, b) !== 0);
register('oidvectorlt(oidvector,oidvector)', (a: PgArray, b: PgArray) => compareVectors(a, b) < 0);
register('oidvectorle(oidvector,oidvector)', (a: PgArray, b: PgArray) => compareVectors(a, b) <= 0);
register('oidvectorgt(oidvector,oidvector)', (a: PgArray, b: PgArray) => compareVectors(a, b) > 0);
register('oidvectorge(oidvector,oidvector)', (a: PgArray, b: PgArray) => compareVectors(a, b) >= 0);

/** Every item of b is in a; NULL is in nothing. */
function containsAll(a: PgArray, b: PgArray): boolean {
  const cmp = comparatorOf(a.elem);
  return b.items.every((y) => y !== null && a.items.some((x) => x !== null && cmp(x, y) === 0));
}
register('arraycontains(anyarray,anyarray)', containsAll);
register('arraycontained(anyarray,anyarray)', (a: PgArray, b: PgArray) => containsAll(b, a));
register('arrayoverlap(anyarray,anyarray)', (a: PgArray, b: PgArray) => {
  const cmp = comparatorOf(a.elem);
  return b.items.some((y) => y !== null && a.items.some((x) => x !== null && cmp(x, y) === 0));
});

const elementOf = (call: CallInfo) => elementType(call.resultType.oid);

function extend(a: Datum, item: Datum, inFront: boolean, call: CallInfo): PgArray {
  if (a === null || (a as PgArray).dims.length === 0) return pgArray(elementOf(call), [item]);
  const array = a as PgArray;
  if (array.dims.length > 1) throw new SqlError('22000', 'argument must be empty or one-dimensional array');
  checkItems(array.items.length + 1);
  const items = inFront ? [item, ...array.items] : [...array.items, item];
  // The lower bound stays, though PostgreSQL puts the item below it first.
  if (inFront && array.lower[0] === -2147483648) throw new SqlError('22003', 'integer out of range');
  return checkedArray(array.elem, [items.length], array.lower, items);
}
registerTyped('array_append(anycompatiblearray,anycompatible)', ([a, item], call) => extend(a, item, false, call));
registerTyped('array_prepend(anycompatible,anycompatiblearray)', ([item, a], call) => extend(a, item, true, call));

const same = (x: number[], y: number[]) => x.length === y.length && x.every((v, i) => v === y[i]);

function incompatible(detail: string): SqlError {
  return new SqlError('2202E', 'cannot concatenate incompatible arrays', { detail });
}

register('array_cat(anycompatiblearray,anycompatiblearray)', (a: PgArray | null, b: PgArray | null) => {
  if (a === null || b === null) return a ?? b;
  if (a.dims.length === 0) return b;
  if (b.dims.length === 0) return a;
  const depth = a.dims.length - b.dims.length;
  if (Math.abs(depth) > 1) {
    throw incompatible(
      `Arrays of ${a.dims.length} and ${b.dims.length} dimensions are not compatible for concatenation.`,
    );
  }
  const outer = depth < 0 ? b : a;
  const innerDims = (x: PgArray) => (x.dims.length === outer.dims.length ? x.dims.slice(1) : x.dims);
  const innerLower = (x: PgArray) => (x.dims.length === outer.dims.length ? x.lower.slice(1) : x.lower);
  if (!same(innerDims(a), innerDims(b)) || !same(innerLower(a), innerLower(b))) {
    throw incompatible(
      depth === 0
        ? 'Arrays with differing element dimensions are not compatible for concatenation.'
        : 'Arrays with differing dimensions are not compatible for concatenation.',
    );
  }
  const count = (x: PgArray) => (x.dims.length === outer.dims.length ? x.dims[0] : 1);
  const dims = [count(a) + count(b), ...outer.dims.slice(1)];
  checkItems(a.items.length + b.items.length);
  return checkedArray(a.elem, dims, outer.lower, [...a.items, ...b.items]);
});

register('array_ndims(anyarray)', (a: PgArray) => a.dims.length || null);
register('array_dims(anyarray)', (a: PgArray) => (a.dims.length === 0 ? null : dimensionsText(a)));
register('array_length(anyarray,int4)', (a: PgArray, d: number) => a.dims[d - 1] ?? null);
register('array_lower(anyarray,int4)', (a: PgArray, d: number) => a.lower[d - 1] ?? null);
register('array_upper(anyarray,int4)', (a: PgArray, d: number) =>
  a.dims[d - 1] === undefined ? null : a.lower[d - 1] + a.dims[d - 1] - 1,
);
register('cardinality(anyarray)', (a: PgArray) => a.items.length);

function searchable(a: PgArray): void {
  if (a.dims.length > 1) {
    throw new SqlError('0A000', 'searching for elements in multidimensional arrays is not supported');
  }
}

function position(a: PgArray | null, item: Datum, start: number | null | undefined): number | null {
  if (a === null) return null;
  searchable(a);
  if (a.dims.length === 0 || (item === null && !a.items.includes(null))) return null;
  if (start === null) throw new SqlError('22004', 'initial position must not be null');
  const cmp = comparatorOf(a.elem);
  const from = Math.max(0, (start ?? a.lower[0]) - a.lower[0]);
  for (let i = from; i < a.items.length; i++) if (equalItems(a.items[i], item, cmp)) return a.lower[0] + i;
  return null;
}
register('array_position(anycompatiblearray,anycompatible)', (a: PgArray | null, item: Datum) =>
  position(a, item, undefined),
);
register('array_position(anycompatiblearray,anycompatible,int4)', position);
register('array_positions(anycompatiblearray,anycompatible)', (a: PgArray | null, item: Datum) => {
  if (a === null) return null;
  searchable(a);
  const found: number[] = [];
  const cmp = comparatorOf(a.elem);
  a.items.forEach((x, i) => {
    if (equalItems(x, item, cmp)) found.push(a.lower[0] + i);
  });
  return pgArray(23, found);
});

register('array_remove(anycompatiblearray,anycompatible)', (a: PgArray | null, item: Datum) => {
  if (a === null) return null;
  if (a.dims.length > 1) {
    throw new SqlError('0A000', 'removing elements from multidimensional arrays is not supported');
  }
  const cmp = comparatorOf(a.elem);
  const items = a.items.filter((x) => !equalItems(x, item, cmp));
  return items.length === 0 ? pgArray(a.elem, []) : { ...a, dims: [items.length], items };
});
register(
  'array_replace(anycompatiblearray,anycompatible,anycompatible)',
  (a: PgArray | null, from: Datum, to: Datum) => {
    if (a === null) return null;
    const cmp = comparatorOf(a.elem);
    return { ...a, items: a.items.map((x) => (equalItems(x, from, cmp) ? to : x)) };
  },
);

function join(a: PgArray, separator: string, nullText: string | null, ctx: EvalContext): string {
  const parts: string[] = [];
  for (const item of a.items) {
    if (item !== null) parts.push(outputText(item, a.elem, ctx));
    else if (nullText !== null) parts.push(nullText);
  }
  return parts.join(separator);
}
register('array_to_string(anyarray,text)', (a: PgArray, separator: string, ctx: EvalContext) =>
  join(a, separator, null, ctx),
);
register(
  'array_to_string(anyarray,text,text)',
  (a: PgArray | null, separator: string | null, nullText: string | null, ctx: EvalContext) =>
    a === null || separator === null ? null : join(a, separator, nullText, ctx),
);

function fill(item: Datum, dims: Datum, lower: Datum | undefined, call: CallInfo): PgArray {
  if (dims === null || lower === null) {
    throw new SqlError('22004', 'dimension array or low bound array cannot be null');
  }
  const elem = elementOf(call);
  const sizes = boundsOf(dims, 'Dimension array must be one dimensional.', 'dimension values cannot be null');
  if (sizes.length > MAX_DIMS) throw tooManyDims(sizes.length);
  const bounds =
    lower === undefined
      ? sizes.map(() => 1)
      : boundsOf(lower, 'Dimension array must be one dimensional.', 'dimension values cannot be null');
  if (bounds.length !== sizes.length) {
    throw wrongSubscripts('Low bound array has different size than dimensions array.');
  }
  let count = sizes.length === 0 ? 0 : 1;
  for (const n of sizes) {
    if (n < 0) throw arrayTooLarge();
    count *= n;
    checkItems(count);
  }
  return checkedArray(elem, sizes, bounds, new Array<Datum>(count).fill(item));
}

function boundsOf(d: Datum, shapeDetail: string, nullMessage: string): number[] {
  if (!isPgArray(d)) throw new Error('array_fill wants arrays of integers');
  if (d.dims.length > 1) throw wrongSubscripts(shapeDetail);
  if (d.items.includes(null)) throw new SqlError('22004', nullMessage);
  return d.items as number[];
}
registerTyped('array_fill(anyelement,_int4)', ([item, dims], call) => fill(item, dims, undefined, call));
registerTyped('array_fill(anyelement,_int4,_int4)', ([item, dims, lower], call) => fill(item, dims, lower, call));

/** The items of the first dimension from `from` on, `n` of them, as an array with lower bounds 1. */
function outerSlice(a: PgArray, n: number): PgArray {
  const width = a.items.length / (a.dims[0] || 1);
  if (n <= 0) return pgArray(a.elem, []);
  return { ...a, dims: [n, ...a.dims.slice(1)], lower: a.dims.map(() => 1), items: a.items.slice(0, n * width) };
}
register('trim_array(anyarray,int4)', (a: PgArray, n: number) => {
  const length = a.dims[0] ?? 0;
  if (n < 0 || n > length) {
    throw new SqlError('2202E', `number of elements to trim must be between 0 and ${length}`);
  }
  return outerSlice(a, length - n);
});

/** The parts of the first dimension. */
function outerParts(a: PgArray): Datum[][] {
  const width = a.items.length / a.dims[0];
  return Array.from({ length: a.dims[0] }, (_, i) => a.items.slice(i * width, (i + 1) * width));
}
register('array_reverse(anyarray)', (a: PgArray) =>
  a.items.length === 0 ? a : { ...a, items: outerParts(a).reverse().flat() },
);

function sortArray(a: PgArray, descending: boolean, nullsFirst: boolean): PgArray {
  if (a.dims.length === 0 || a.dims[0] < 2) return a;
  const cmp = comparatorOf(a.elem);
  const sign = descending ? -1 : 1;
  const one = (x: Datum, y: Datum) => {
    if (x === null || y === null) return x === y ? 0 : (x === null) === nullsFirst ? -1 : 1;
    return sign * cmp(x, y);
  };
  const multi = (x: Datum[], y: Datum[]) => {
    const part = (items: Datum[]): PgArray => pgArray(a.elem, items);
    return a.dims.length === 1 ? one(x[0], y[0]) : sign * compareArrays(part(x), part(y));
  };
  return { ...a, items: outerParts(a).sort(multi).flat() };
}
register('array_sort(anyarray)', (a: PgArray) => sortArray(a, false, false));
register('array_sort(anyarray,bool)', (a: PgArray, descending: boolean) => sortArray(a, descending, descending));
register('array_sort(anyarray,bool,bool)', sortArray);

register('width_bucket(anycompatible,anycompatiblearray)', (operand: Datum, thresholds: PgArray) => {
  if (thresholds.dims.length > 1) throw new SqlError('2202E', 'thresholds must be one-dimensional array');
  if (thresholds.items.includes(null)) throw new SqlError('22004', 'thresholds array must not contain NULLs');
  const cmp = comparatorOf(thresholds.elem);
  let low = 0;
  let high = thresholds.items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (cmp(operand, thresholds.items[middle]) < 0) high = middle;
    else low = middle + 1;
  }
  return low;
});

registerSet('unnest(anyarray)', (a: PgArray) => a.items.map((item) => [item]));

function subscripts(a: PgArray, dimension: number, reverse: boolean): Datum[][] {
  const n = a.dims[dimension - 1];
  if (n === undefined) return [];
  const rows = Array.from({ length: n }, (_, i): Datum[] => [a.lower[dimension - 1] + i]);
  return reverse ? rows.reverse() : rows;
}
registerSet('generate_subscripts(anyarray,int4)', (a: PgArray, d: number) => subscripts(a, d, false));
registerSet('generate_subscripts(anyarray,int4,bool)', (a: PgArray, d: number, r: boolean) => subscripts(a, d, r));

/** What information_schema uses to list keys: each item with its position from 1. */
registerSet('_pg_expandarray(anyarray)', (a: PgArray) => a.items.map((item, i) => [item, i + 1]));
