/**
 * ARRAY[...] and subscripts, as the interpreter needs them.
 *
 * Nested ARRAY[] constructors make one array of more dimensions: all parts must have the same dimensions; parts that are NULL
 * or empty are skipped only when every part is. A subscript out of bounds, or with too few indexes, is NULL; a slice out of
 * bounds is the empty array, and its result's lower bounds are 1.
 */
import { type Datum, isPgArray, type PgArray, pgArray } from '../datum.ts';
import { SqlError } from '../errors.ts';
import { OID } from '../types.ts';
import { checkItems, MAX_DIMS, tooManyDims } from './array/value.ts';
import { elementType } from './array_types.ts';
import { requireFunction } from './functions/registry.ts';
import type { EvalContext, Expr } from './ir.ts';

type ArrayNode = Extract<Expr, { k: 'array' }>;
type SubscriptNode = Extract<Expr, { k: 'subscript' }>;

/** The array of an ARRAY[...] node from the values of its items. */
export function buildArray(e: ArrayNode, values: Datum[]): PgArray {
  const elem = elementType(e.t.oid);
  const nested = e.items.some((i) => i.t.oid === e.t.oid);
  if (!nested) return pgArray(elem, values);
  const parts = values.filter(isPgArray).filter((v) => v.dims.length > 0);
  if (parts.length === 0) return pgArray(elem, []);
  const first = parts[0];
  if (first.dims.length === MAX_DIMS) throw tooManyDims(MAX_DIMS + 1);
  const sameDims = (p: PgArray) =>
    p.dims.length === first.dims.length && p.dims.every((n, i) => n === first.dims[i] && p.lower[i] === first.lower[i]);
  if (parts.length < values.length || !parts.every(sameDims)) {
    throw new SqlError('2202E', 'multidimensional arrays must have array expressions with matching dimensions');
  }
  checkItems(parts.length * first.items.length);
  return {
    k: 'array',
    elem,
    dims: [parts.length, ...first.dims],
    lower: [1, ...first.lower],
    items: parts.flatMap((p) => p.items),
  };
}

/** a[i], a[i][j], a[l:u]; `lowers` and `uppers` hold the values of the indexes in order (null also where a bound is absent). */
export function subscriptArray(
  e: SubscriptNode,
  arg: Datum,
  lowers: Datum[],
  uppers: Datum[],
  ctx: EvalContext,
): Datum {
  if (arg === null) return null;
  if (e.arg.t.oid === OID.jsonb) return jsonbSubscript(arg, lowers, ctx);
  if (!isPgArray(arg)) throw new SqlError('42804', 'cannot subscript a value that is not an array');
  const isSlice = e.indexes.some((i) => i.slice);
  for (let d = 0; d < e.indexes.length; d++) {
    const index = e.indexes[d];
    if ((index.lower && lowers[d] === null) || (index.upper && uppers[d] === null)) return null;
  }
  return isSlice ? slice(e, arg, lowers, uppers) : element(arg, lowers);
}

function element(a: PgArray, indexes: Datum[]): Datum {
  if (indexes.length !== a.dims.length) return null;
  let offset = 0;
  for (let d = 0; d < a.dims.length; d++) {
    const i = Number(indexes[d]) - a.lower[d];
    if (i < 0 || i >= a.dims[d]) return null;
    offset = offset * a.dims[d] + i;
  }
  return a.items[offset];
}

function slice(e: SubscriptNode, a: PgArray, lowers: Datum[], uppers: Datum[]): PgArray {
  const empty = pgArray(a.elem, []);
  const n = a.dims.length;
  if (n === 0 || e.indexes.length > n) return empty;
  const from: number[] = [];
  const size: number[] = [];
  for (let d = 0; d < n; d++) {
    const first = a.lower[d];
    const last = first + a.dims[d] - 1;
    const index = e.indexes[d];
    // A plain index among slices means 1:index.
    const l = !index ? first : !index.slice ? 1 : index.lower ? Number(lowers[d]) : first;
    const u = !index ? last : !index.slice ? Number(lowers[d]) : index.upper ? Number(uppers[d]) : last;
    const lo = Math.max(l, first);
    const hi = Math.min(u, last);
    if (lo > hi) return empty;
    from.push(lo - first);
    size.push(hi - lo + 1);
  }
  const items: Datum[] = [];
  const walk = (d: number, offset: number) => {
    for (let i = 0; i < size[d]; i++) {
      const at = offset * a.dims[d] + from[d] + i;
      if (d === n - 1) items.push(a.items[at]);
      else walk(d + 1, at);
    }
  };
  walk(0, 0);
  return { k: 'array', elem: a.elem, dims: size, lower: size.map(() => 1), items };
}

function jsonbSubscript(arg: Datum, indexes: Datum[], ctx: EvalContext): Datum {
  if (indexes.includes(null)) return null;
  const path = pgArray(OID.text, indexes.map(String));
  return requireFunction('jsonb_extract_path(jsonb,_text)')(arg, path, ctx);
}
