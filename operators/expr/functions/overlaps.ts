/**
 * OVERLAPS over (start, end) and (start, length) pairs of time, timetz, timestamp and timestamptz. Not strict: an unknown
 * end may still leave a certain answer.
 */
import type { Datum, Interval } from '../../datum.ts';
import { addToTimestamp, addToTimestamptz } from '../datetime/arithmetic.ts';
import { sessionZone } from '../datetime/settings.ts';
import { compareTimetz } from '../datetime/timetz.ts';
import type { EvalContext } from '../ir.ts';
import { lookupFunction, register } from './registry.ts';

type Compare = (a: Datum, b: Datum) => number;

/** Three-valued overlap of two ranges; the ends of each may come in either order. */
function overlaps(s1: Datum, e1: Datum, s2: Datum, e2: Datum, compare: Compare): boolean | null {
  const first = ordered(s1, e1, compare);
  const second = ordered(s2, e2, compare);
  if (!first || !second) return null;
  const c = compare(first.start, second.start);
  if (c === 0) return first.end === null || second.end === null ? null : true;
  const [early, late] = c < 0 ? [first, second] : [second, first];
  if (early.end === null) return null;
  if (compare(late.start, early.end) < 0) return true;
  // The later range may be all before the end of the earlier one only when its end is known.
  return late.end === null ? null : false;
}

function ordered(start: Datum, end: Datum, compare: Compare): { start: Datum; end: Datum } | null {
  if (start === null) return end === null ? null : { start: end, end: null };
  if (end === null) return { start, end: null };
  return compare(start, end) > 0 ? { start: end, end: start } : { start, end };
}

const compareBigint = (a: Datum, b: Datum) => {
  const [x, y] = [a as bigint, b as bigint];
  return x < y ? -1 : x > y ? 1 : 0;
};

type Add = (start: Datum, length: Interval, ctx: EvalContext) => Datum;

const TYPES: { type: string; compare: Compare; add: Add | null }[] = [
  {
    type: 'time',
    compare: compareBigint,
    add: (t, i, ctx) => lookupFunction('time_pl_interval(time,interval)')!(t, i, ctx),
  },
  { type: 'timetz', compare: (a, b) => compareTimetz(a as string, b as string), add: null },
  { type: 'timestamp', compare: compareBigint, add: (t, i) => addToTimestamp(t as bigint, i) },
  {
    type: 'timestamptz',
    compare: compareBigint,
    add: (t, i, ctx) => addToTimestamptz(t as bigint, i, sessionZone(ctx)),
  },
];

for (const { type, compare, add } of TYPES) {
  register(`overlaps(${type},${type},${type},${type})`, (s1: Datum, e1: Datum, s2: Datum, e2: Datum) =>
    overlaps(s1, e1, s2, e2, compare),
  );
  if (!add) continue;
  const end = (s: Datum, length: Datum, ctx: EvalContext) =>
    s === null || length === null ? null : add(s, length as Interval, ctx);
  for (const second of [type, 'interval']) {
    for (const fourth of [type, 'interval']) {
      if (second === type && fourth === type) continue;
      register(
        `overlaps(${type},${second},${type},${fourth})`,
        (s1: Datum, e1: Datum, s2: Datum, e2: Datum, ctx: EvalContext) =>
          overlaps(
            s1,
            second === 'interval' ? end(s1, e1, ctx) : e1,
            s2,
            fourth === 'interval' ? end(s2, e2, ctx) : e2,
            compare,
          ),
      );
    }
  }
}
