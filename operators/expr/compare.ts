/**
 * Total orders of datums: for each type the order of its default btree operator class, NULLs excluded. Used by the
 * comparison functions, the naive oracles and the tests. Types with an order of their own register it by OID.
 *
 * Traps: text is compared by code point (UTF-8 byte order, collation "C"), not by UTF-16 unit; NaN is equal to NaN and
 * greater than every other number; bpchar ignores trailing blanks.
 */
import type { Datum } from '../datum.ts';
import { SqlError } from '../errors.ts';

export type Comparator = (a: Datum, b: Datum) => number;

const registry = new Map<number, Comparator>();

/** Registers the order of a type: negative, 0 or positive. `cmp` may name its own datum type. */
export function registerCompare(oid: number, cmp: (a: never, b: never) => number): void {
  if (registry.has(oid)) throw new Error(`the order of type ${oid} is registered twice`);
  registry.set(oid, cmp as unknown as Comparator);
}

export function hasCompare(oid: number): boolean {
  return registry.has(oid);
}

/** The order of a type as a function; a type without one is error 42883. */
export function comparatorOf(oid: number): Comparator {
  const cmp = registry.get(oid);
  if (!cmp) throw new SqlError('42883', `could not identify a comparison function for type ${oid}`);
  return cmp;
}

/** Negative, 0 or positive; neither argument may be NULL. */
export function compareDatum(a: Datum, b: Datum, oid: number): number {
  return comparatorOf(oid)(a, b);
}

/** Equality by the type's default order; neither argument may be NULL. */
export function equalDatum(a: Datum, b: Datum, oid: number): boolean {
  return comparatorOf(oid)(a, b) === 0;
}
