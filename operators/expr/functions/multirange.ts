/** Functions over multiranges, and between them and ranges. What looks at both ends only is what ranges do with the hull. */
import type { Datum, PgArray, PgMultirange, PgRange } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import { outputBinary } from '../io/registry.ts';
import {
  compareMultiranges,
  hullOf,
  makeMultirange,
  multirangeDifference,
  multirangeIntersection,
  multirangesOverlap,
} from '../range/multirange.ts';
import { beginsWithin, contains, containsValue, endsWithin, isAdjacent, isBefore, overlaps } from '../range/value.ts';
import { RANGE_TYPES } from '../range_types.ts';
import { comparisons, support } from './comparisons.ts';
import { register, registerSet, registerTyped } from './registry.ts';

function ofArray(sub: number, a: PgArray): PgMultirange {
  if (a.dims.length > 1) {
    throw new SqlError('21000', 'multiranges cannot be constructed from multidimensional arrays');
  }
  if (a.items.includes(null)) throw new SqlError('22004', 'multirange values cannot contain null members');
  return makeMultirange(sub, a.items as PgRange[]);
}

const ofRange = (r: PgRange) => makeMultirange(r.sub, [r]);

for (const { name, sub } of RANGE_TYPES) {
  const multirange = name.replace('range', 'multirange');
  register(`${multirange}()`, () => makeMultirange(sub, []));
  register(`${multirange}(${name})`, ofRange);
  register(`${multirange}(_${name})`, (a: PgArray) => ofArray(sub, a));
}
register('multirange(anyrange)', ofRange);

comparisons('multirange_', 'anymultirange', 'anymultirange', compareMultiranges);
support('multirange_cmp(anymultirange,anymultirange)', compareMultiranges);

register('lower(anymultirange)', (m: PgMultirange) => hullOf(m).lower);
register('upper(anymultirange)', (m: PgMultirange) => hullOf(m).upper);
register('isempty(anymultirange)', (m: PgMultirange) => m.ranges.length === 0);
register('lower_inc(anymultirange)', (m: PgMultirange) => hullOf(m).lowerInc);
register('upper_inc(anymultirange)', (m: PgMultirange) => hullOf(m).upperInc);
register('lower_inf(anymultirange)', (m: PgMultirange) => m.ranges.length > 0 && hullOf(m).lower === null);
register('upper_inf(anymultirange)', (m: PgMultirange) => m.ranges.length > 0 && hullOf(m).upper === null);
register('range_merge(anymultirange)', hullOf);
registerSet('unnest(anymultirange)', (m: PgMultirange) => m.ranges.map((range) => [range]));

/** Registers what is between a range and a multirange, between the two the other way round, and between two multiranges. */
function onHulls(name: string, holds: (a: PgRange, b: PgRange) => boolean): void {
  register(`range_${name}_multirange(anyrange,anymultirange)`, (r: PgRange, m: PgMultirange) => holds(r, hullOf(m)));
  register(`multirange_${name}_range(anymultirange,anyrange)`, (m: PgMultirange, r: PgRange) => holds(hullOf(m), r));
  register(`multirange_${name}_multirange(anymultirange,anymultirange)`, (a: PgMultirange, b: PgMultirange) =>
    holds(hullOf(a), hullOf(b)),
  );
}
onHulls('before', isBefore);
onHulls('after', (a, b) => isBefore(b, a));
onHulls('overleft', endsWithin);
onHulls('overright', beginsWithin);
onHulls('adjacent', isAdjacent);

const hasValue = (m: PgMultirange, value: Datum) => m.ranges.some((range) => containsValue(range, value));
const hasRange = (m: PgMultirange, r: PgRange) => r.empty || m.ranges.some((range) => contains(range, r));
const hasAll = (a: PgMultirange, b: PgMultirange) => b.ranges.every((range) => hasRange(a, range));
const hasMultirange = (r: PgRange, m: PgMultirange) => contains(r, hullOf(m));
const overlapsRange = (m: PgMultirange, r: PgRange) => m.ranges.some((range) => overlaps(range, r));

register('multirange_contains_elem(anymultirange,anyelement)', hasValue);
register('elem_contained_by_multirange(anyelement,anymultirange)', (value: Datum, m: PgMultirange) =>
  hasValue(m, value),
);
register('multirange_contains_range(anymultirange,anyrange)', hasRange);
register('range_contained_by_multirange(anyrange,anymultirange)', (r: PgRange, m: PgMultirange) => hasRange(m, r));
register('multirange_contains_multirange(anymultirange,anymultirange)', hasAll);
register('multirange_contained_by_multirange(anymultirange,anymultirange)', (a: PgMultirange, b: PgMultirange) =>
  hasAll(b, a),
);
register('range_contains_multirange(anyrange,anymultirange)', hasMultirange);
register('multirange_contained_by_range(anymultirange,anyrange)', (m: PgMultirange, r: PgRange) => hasMultirange(r, m));
register('multirange_overlaps_range(anymultirange,anyrange)', overlapsRange);
register('range_overlaps_multirange(anyrange,anymultirange)', (r: PgRange, m: PgMultirange) => overlapsRange(m, r));
register('multirange_overlaps_multirange(anymultirange,anymultirange)', multirangesOverlap);

register('multirange_union(anymultirange,anymultirange)', (a: PgMultirange, b: PgMultirange) =>
  makeMultirange(a.sub, [...a.ranges, ...b.ranges]),
);
register('multirange_minus(anymultirange,anymultirange)', multirangeDifference);
register('multirange_intersect(anymultirange,anymultirange)', multirangeIntersection);

registerTyped('multirange_send(anymultirange)', ([m], call) => outputBinary(m, call.argTypes[0].oid));
