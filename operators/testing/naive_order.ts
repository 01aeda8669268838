/** Order within partitions, stated plainly: the oracle of the tests of top-N, window functions and sessions. */
import { type Datum, isDecimal } from '../datum.ts';
import { compareDatum, equalDatum } from '../expr/compare.ts';
import type { SortKey } from '../plan.ts';
import type { ColType } from '../types.ts';

/** Order by the sort keys alone: 0 for peers. */
export function comparePeers(a: Datum[], b: Datum[], order: SortKey[], types: ColType[]): number {
  for (const { col, desc, nullsFirst } of order) {
    const [x, y] = [a[col], b[col]];
    if (x === null && y === null) continue;
    if (x === null || y === null) return (x === null) === nullsFirst ? -1 : 1;
    const c = compareDatum(x, y, types[col].oid);
    if (c !== 0) return desc ? -c : c;
  }
  return 0;
}

/** Whole rows, column by column; numbers that differ only in scale are told apart, and -0 from 0. */
function compareWhole(a: Datum[], b: Datum[], types: ColType[]): number {
  for (const col of types.keys()) {
    const c = comparePeers(a, b, [{ col, desc: false, nullsFirst: false }], types);
    if (c !== 0) return c;
    const [x, y] = [a[col], b[col]];
    if (isDecimal(x) && isDecimal(y) && x.s !== y.s) return x.s - y.s;
    if (x === 0 && y === 0 && !Object.is(x, y)) return Object.is(x, -0) ? -1 : 1;
  }
  return 0;
}

/** Rows in order; all columns break ties. */
export function inOrder(rows: Datum[][], order: SortKey[], types: ColType[]): Datum[][] {
  return [...rows].sort((a, b) => comparePeers(a, b, order, types) || compareWhole(a, b, types));
}

/** Rows by equal values of these columns; NULLs are equal. */
export function partitions(rows: Datum[][], columns: number[], types: ColType[]): Datum[][][] {
  const groups: Datum[][][] = [];
  const same = (a: Datum, b: Datum, oid: number) => (a === null || b === null ? a === b : equalDatum(a, b, oid));
  for (const row of rows) {
    const group = groups.find(([first]) => columns.every((c) => same(first[c], row[c], types[c].oid)));
    if (group) group.push(row);
    else groups.push([row]);
  }
  return groups;
}
