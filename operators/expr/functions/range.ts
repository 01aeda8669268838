/** Functions over ranges: how they are made, order, bounds, containment and neighbourhood, union, intersection, difference. */
import type { Datum, PgRange } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import { outputBinary } from '../io/registry.ts';
import {
  beginsWithin,
  compareRanges,
  contains,
  containsValue,
  difference,
  endsWithin,
  intersection,
  isAdjacent,
  isBefore,
  makeRange,
  merge,
  overlaps,
  union,
} from '../range/value.ts';
import { RANGE_TYPES } from '../range_types.ts';
import { comparisons, support } from './comparisons.ts';
import { register, registerTyped } from './registry.ts';

const FLAGS = ['[]', '[)', '(]', '()'];

function between(sub: number, lower: Datum, upper: Datum, flags: string | null): PgRange {
  if (flags === null) throw new SqlError('22000', 'range constructor flags argument must not be null');
  if (!FLAGS.includes(flags)) {
    throw new SqlError('42601', 'invalid range bound flags', {
      hint: 'Valid values are "[]", "[)", "(]", and "()".',
    });
  }
  return makeRange(
    sub,
    { value: lower, inclusive: flags[0] === '[', lower: true },
    { value: upper, inclusive: flags[1] === ']', lower: false },
  );
}

for (const { name, sub, subName } of RANGE_TYPES) {
  register(`${name}(${subName},${subName})`, (lower: Datum, upper: Datum) => between(sub, lower, upper, '[)'));
  register(`${name}(${subName},${subName},text)`, (lower: Datum, upper: Datum, flags: string | null) =>
    between(sub, lower, upper, flags),
  );
}
for (const name of ['int4range', 'int8range', 'daterange']) register(`${name}_canonical(${name})`, (r: PgRange) => r);

comparisons('range_', 'anyrange', 'anyrange', compareRanges);
support('range_cmp(anyrange,anyrange)', compareRanges);

register('lower(anyrange)', (r: PgRange) => r.lower);
register('upper(anyrange)', (r: PgRange) => r.upper);
register('isempty(anyrange)', (r: PgRange) => r.empty);
register('lower_inc(anyrange)', (r: PgRange) => r.lowerInc);
register('upper_inc(anyrange)', (r: PgRange) => r.upperInc);
register('lower_inf(anyrange)', (r: PgRange) => !r.empty && r.lower === null);
register('upper_inf(anyrange)', (r: PgRange) => !r.empty && r.upper === null);

register('range_contains_elem(anyrange,anyelement)', containsValue);
register('elem_contained_by_range(anyelement,anyrange)', (value: Datum, r: PgRange) => containsValue(r, value));
register('range_contains(anyrange,anyrange)', contains);
register('range_contained_by(anyrange,anyrange)', (a: PgRange, b: PgRange) => contains(b, a));
register('range_overlaps(anyrange,anyrange)', overlaps);
register('range_before(anyrange,anyrange)', isBefore);
register('range_after(anyrange,anyrange)', (a: PgRange, b: PgRange) => isBefore(b, a));
register('range_overleft(anyrange,anyrange)', endsWithin);
register('range_overright(anyrange,anyrange)', beginsWithin);
register('range_adjacent(anyrange,anyrange)', isAdjacent);

register('range_union(anyrange,anyrange)', union);
register('range_merge(anyrange,anyrange)', merge);
register('range_intersect(anyrange,anyrange)', intersection);
register('range_minus(anyrange,anyrange)', difference);

registerTyped('range_send(anyrange)', ([r], call) => outputBinary(r, call.argTypes[0].oid));
