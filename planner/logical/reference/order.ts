/**
 * Comparing values and rows as GROUP BY, ORDER BY and set operations do: NULL equals NULL and comes where the order says.
 */
import type { Datum } from '../../../operators/datum.ts';
import { comparatorOf, hasCompare } from '../../../operators/expr/compare.ts';
import type { ColType } from '../../../operators/types.ts';
import { structureText } from '../expressions.ts';

/** Total order of two values of a type; NULL last. */
export function compareValues(a: Datum, b: Datum, type: ColType): number {
  if (a === null || b === null) return (a === null ? 1 : 0) - (b === null ? 1 : 0);
  if (hasCompare(type.oid)) return comparatorOf(type.oid)(a, b);
  const x = structureText(a);
  const y = structureText(b);
  return x < y ? -1 : x > y ? 1 : 0;
}

/** Total order of rows, column by column. */
export function compareRows(a: Datum[], b: Datum[], types: ColType[]): number {
  for (let i = 0; i < types.length; i++) {
    const c = compareValues(a[i], b[i], types[i]);
    if (c !== 0) return c;
  }
  return 0;
}

export interface SortSpec {
  type: ColType;
  desc: boolean;
  nullsFirst: boolean;
}

/** ORDER BY over key values. */
export function compareKeys(a: Datum[], b: Datum[], specs: SortSpec[]): number {
  for (let i = 0; i < specs.length; i++) {
    const { type, desc, nullsFirst } = specs[i];
    if (a[i] === null && b[i] === null) continue;
    if (a[i] === null || b[i] === null) return (a[i] === null) === nullsFirst ? -1 : 1;
    const c = compareValues(a[i], b[i], type);
    if (c !== 0) return desc ? -c : c;
  }
  return 0;
}

/** Rows in groups of equal keys, in the order of first appearance. */
export function groupRows<T>(
  items: T[],
  keyOf: (item: T) => Datum[],
  types: ColType[],
): { key: Datum[]; items: T[] }[] {
  const sorted = items.map((item, i) => ({ item, i, key: keyOf(item) }));
  sorted.sort((a, b) => compareRows(a.key, b.key, types) || a.i - b.i);
  const groups: { key: Datum[]; items: T[] }[] = [];
  for (const { item, key } of sorted) {
    const last = groups[groups.length - 1];
    if (last && compareRows(last.key, key, types) === 0) last.items.push(item);
    else groups.push({ key, items: [item] });
  }
  return groups;
}
