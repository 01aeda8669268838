/** range_agg and range_intersect_agg, read from the group's ranges or multiranges: how often one is there changes nothing. NULLs are left out. */
import type { Datum, PgMultirange, PgRange } from '../datum.ts';
import { makeMultirange, multirangeIntersection } from '../expr/range/multirange.ts';
import { intersection } from '../expr/range/value.ts';
import type { Entry, MultisetResult } from './multiset.ts';

const isRange = (d: Datum): d is PgRange => typeof d === 'object' && d !== null && 'k' in d && d.k === 'range';

function valuesOf(entries: Iterable<Entry>): (PgRange | PgMultirange)[] {
  return Array.from(entries, ({ values }) => values[0] as PgRange | PgMultirange);
}

/** All of the values as one multirange. */
export function rangeAgg(): MultisetResult {
  return {
    keepsNulls: false,
    result(entries) {
      const values = valuesOf(entries);
      if (values.length === 0) return null;
      return makeMultirange(
        values[0].sub,
        values.flatMap((value) => (isRange(value) ? [value] : value.ranges)),
      );
    },
  };
}

/** What all of the values have. */
export function rangeIntersectAgg(): MultisetResult {
  return {
    keepsNulls: false,
    result(entries) {
      let common: PgRange | PgMultirange | null = null;
      for (const value of valuesOf(entries)) {
        if (common === null) common = value;
        else if (isRange(value)) common = intersection(common as PgRange, value);
        else common = multirangeIntersection(common as PgMultirange, value);
      }
      return common;
    },
  };
}
