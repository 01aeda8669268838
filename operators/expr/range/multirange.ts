/**
 * Multirange values: ranges in order, none of them empty, that neither overlap nor touch. What looks only at both ends of one looks at its hull.
 *
 *   {[1,3),[5,7)}     hull [1,7)        {}     hull empty
 *
 * Cost: all of two multiranges are gone through once, side by side.
 */
import type { PgMultirange, PgRange } from '../../datum.ts';
import {
  compareBounds,
  compareRanges,
  emptyRange,
  intersection,
  isAdjacent,
  isBefore,
  merge,
  overlaps,
  upperOf,
  without,
} from './value.ts';

/** The multirange of whatever has these ranges, in any order. */
export function makeMultirange(sub: number, ranges: PgRange[]): PgMultirange {
  const joined: PgRange[] = [];
  for (const range of ranges.filter((r) => !r.empty).sort(compareRanges)) {
    const last = joined.at(-1);
    if (last === undefined || (isBefore(last, range) && !isAdjacent(last, range))) joined.push(range);
    else joined[joined.length - 1] = merge(last, range);
  }
  return { k: 'multirange', sub, ranges: joined };
}

/** Range by range; of two that begin alike the shorter one first. */
export function compareMultiranges(a: PgMultirange, b: PgMultirange): number {
  const shared = Math.min(a.ranges.length, b.ranges.length);
  for (let i = 0; i < shared; i++) {
    const order = compareRanges(a.ranges[i], b.ranges[i]);
    if (order !== 0) return order;
  }
  return a.ranges.length - b.ranges.length;
}

/** The smallest range that has all of it. */
export function hullOf({ sub, ranges }: PgMultirange): PgRange {
  const last = ranges.at(-1);
  if (last === undefined) return emptyRange(sub);
  return { ...ranges[0], upper: last.upper, upperInc: last.upperInc };
}

/** Ranges of both that overlap, in order. */
function* overlapping(a: PgMultirange, b: PgMultirange): Iterable<[PgRange, PgRange]> {
  for (let i = 0, j = 0; i < a.ranges.length && j < b.ranges.length; ) {
    const [x, y] = [a.ranges[i], b.ranges[j]];
    if (overlaps(x, y)) yield [x, y];
    if (compareBounds(upperOf(x), upperOf(y), a.sub) < 0) i++;
    else j++;
  }
}

export function multirangesOverlap(a: PgMultirange, b: PgMultirange): boolean {
  for (const _ of overlapping(a, b)) return true;
  return false;
}

export function multirangeIntersection(a: PgMultirange, b: PgMultirange): PgMultirange {
  return makeMultirange(
    a.sub,
    [...overlapping(a, b)].map(([x, y]) => intersection(x, y)),
  );
}

export function multirangeDifference(a: PgMultirange, b: PgMultirange): PgMultirange {
  const left: PgRange[] = [];
  let from = 0;
  for (const range of a.ranges) {
    let rest = [range];
    while (from < b.ranges.length && isBefore(b.ranges[from], range)) from++;
    for (let j = from; j < b.ranges.length && overlaps(b.ranges[j], range); j++) {
      const last = rest.pop();
      if (last === undefined) break;
      rest = [...rest, ...without(last, b.ranges[j])];
    }
    left.push(...rest);
  }
  return makeMultirange(a.sub, left);
}
