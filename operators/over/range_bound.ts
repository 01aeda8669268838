/**
 * RANGE frames with an offset: the order value moved by the offset, as PostgreSQL's in_range functions define it.
 *
 *   ascending:   n PRECEDING -> value - n,  n FOLLOWING -> value + n            descending: the other way round
 *
 * Where an integer leaves its type's range, the frame is open on that side. A date is compared as timestamp; a time of day does not wrap.
 */
import type { Datum, Interval } from '../datum.ts';
import { DATE_INFINITY, DATE_NEG_INFINITY, TIMESTAMP_INFINITY, TIMESTAMP_NEG_INFINITY } from '../datum.ts';
import { SqlError } from '../errors.ts';
import { comparatorOf } from '../expr/compare.ts';
import { resolveCall } from '../expr/functions/registry.ts';
import type { EvalContext } from '../expr/ir.ts';
import type { FrameBound } from '../plan.ts';
import { type ColType, colType, OID } from '../types.ts';

/** Where the bound lies: a value, or beyond everything on one side. */
export type Edge = { value: Datum } | 'below all' | 'above all';

export interface RangeBound {
  edge(value: Datum, ctx: EvalContext): Edge;
  /** Order of an order column's value against an edge's value, ascending. */
  compare(value: Datum, edge: Datum): number;
}

type OffsetBound = FrameBound & { k: 'preceding' | 'following' };

const DAY = 86400000000n;
function dateAsTimestamp(days: number): bigint {
  if (days === DATE_INFINITY) return TIMESTAMP_INFINITY;
  if (days === DATE_NEG_INFINITY) return TIMESTAMP_NEG_INFINITY;
  return BigInt(days) * DAY;
}

function isNegative(offset: Datum): boolean {
  if (typeof offset === 'number') return offset < 0 || Number.isNaN(offset);
  if (typeof offset === 'bigint') return offset < 0n;
  if (typeof offset !== 'object' || offset === null || !('k' in offset)) return false;
  if (offset.k === 'dec') {
    return offset.special === undefined ? offset.m < 0n : offset.special !== 'Infinity';
  }
  if (offset.k !== 'interval') return false;
  return (BigInt(offset.months) * 30n + BigInt(offset.days)) * DAY + offset.micros < 0n;
}

/** The bound over an order column of this type; 22013 for a negative offset, 22004 for NULL. */
export function rangeBound(bound: OffsetBound, isStart: boolean, type: ColType, desc: boolean): RangeBound {
  const which = bound.k === 'preceding' ? 'starting' : 'ending';
  if (bound.offset === null) throw new SqlError('22004', `frame ${which} offset must not be null`);
  if (isNegative(bound.offset)) throw new SqlError('22013', 'invalid preceding or following size in window function');
  const down = (bound.k === 'preceding') !== desc;
  const outside: Edge = down ? 'below all' : 'above all';
  // An infinity moved against itself: every number is in the frame, and NaN only where the frame is open upwards.
  const undecided: Edge = isStart === desc ? { value: greatest(type) } : 'below all';
  const move = mover(bound, type, down);
  return {
    edge(value, ctx) {
      try {
        const moved = move(value, ctx);
        return isNaNValue(moved) && !isNaNValue(value) ? undecided : { value: moved };
      } catch (error) {
        if (error instanceof SqlError && error.sqlstate === '22003') return outside;
        throw error;
      }
    },
    compare: edgeOrder(type),
  };
}

function greatest(type: ColType): Datum {
  return type.oid === OID.numeric ? { k: 'dec', m: 0n, s: 0, special: 'Infinity' } : Number.POSITIVE_INFINITY;
}

function isNaNValue(v: Datum): boolean {
  if (typeof v === 'number') return Number.isNaN(v);
  return typeof v === 'object' && v !== null && 'k' in v && v.k === 'dec' && v.special === 'NaN';
}

function edgeOrder(type: ColType): (value: Datum, edge: Datum) => number {
  if (type.oid === OID.time) return comparatorOf(OID.int8);
  if (type.oid !== OID.date) return comparatorOf(type.oid);
  const compare = comparatorOf(OID.timestamp);
  return (value, edge) => compare(dateAsTimestamp(value as number), edge);
}

function mover(bound: OffsetBound, type: ColType, down: boolean): (value: Datum, ctx: EvalContext) => Datum {
  const sign = down ? -1 : 1;
  if (type.oid === OID.float4 || type.oid === OID.float8) {
    const distance = sign * (bound.offset as number);
    return (value) => (value as number) + distance;
  }
  if (type.oid === OID.time) {
    const distance = (bound.offset as Interval).micros * BigInt(sign);
    return (value) => (value as bigint) + distance;
  }
  const fn = down ? bound.sub : bound.add;
  if (fn === undefined) throw new SqlError('XX000', 'a RANGE offset without a function that moves the order value');
  const resultType = type.oid === OID.date ? colType(OID.timestamp) : type;
  const call = resolveCall(fn, { argTypes: [type, bound.offsetType], resultType, variadic: false });
  return (value, ctx) => call([value, bound.offset], ctx);
}
