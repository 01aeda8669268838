/**
 * Band conditions of a join: comparisons between a time of the left row and a time of the right row, up to a constant.
 *
 *   residual conjunct    left + c <= right      (and >=, <, > and with intervals added on either side)
 *   Band                 left.column - right.column <= most
 *
 * With a watermark on one side a band bounds how long rows of the other side can still find partners. Only where no other conjunct can fail: a
 * pair outside of the band may be an error row all the same, so both rows must then stay. (A shifted time that leaves the calendar is not
 * taken for a failure: the source would have to accept a time within the interval of the year 294276.)
 */
import type { Expr } from '../../operators/expr/ir.ts';
import { OID } from '../../operators/types.ts';
import { conjuncts } from '../logical/expressions.ts';
import { hasDays, microseconds, offsetChange } from './constant_interval.ts';
import { canFail, comparisonOf } from './functions.ts';

/** `column - of <= most` microseconds in every joined row; positions are those of left ++ right. */
export interface Band {
  column: number;
  of: number;
  most: bigint;
}

/** The bands of a predicate over left ++ right columns. */
export function bandsOf(residual: Expr | null): Band[] {
  if (!conjuncts(residual).every(isTotal)) return [];
  return conjuncts(residual).flatMap((e) => {
    if (e.k !== 'call' || e.args.length !== 2) return [];
    const name = comparisonOf(e.fn)?.name;
    const [a, b] = e.args.map(shiftedTime);
    if (!name || !a || !b || a.type !== b.type) return [];
    // a.column + a.by <= b.column + b.by
    const atMost = (x: Shifted, y: Shifted): Band => ({
      column: x.column,
      of: y.column,
      most: y.by - x.by + x.slack + y.slack,
    });
    if (name === '<' || name === '<=') return [atMost(a, b)];
    if (name === '>' || name === '>=') return [atMost(b, a)];
    return name === '=' ? [atMost(a, b), atMost(b, a)] : [];
  });
}

function isTotal(e: Expr): boolean {
  if (!canFail(e)) return true;
  return e.k === 'call' && comparisonOf(e.fn) !== null && e.args.every((a) => shiftedTime(a) !== null || !canFail(a));
}

interface Shifted {
  column: number;
  by: bigint;
  /** How much longer or shorter a time zone may make the shift. */
  slack: bigint;
  type: number;
}

/** `column` or `column +- constant interval`. */
function shiftedTime(e: Expr): Shifted | null {
  if (e.k === 'col')
    return e.t.oid === OID.timestamp || e.t.oid === OID.timestamptz
      ? { column: e.id, by: 0n, slack: 0n, type: e.t.oid }
      : null;
  if (e.k !== 'call') return null;
  const match = /^timestamp(?:tz)?_(pl|mi)_interval\(/.exec(e.fn);
  const inner = match && shiftedTime(e.args[0]);
  const by = match && microseconds(e.args[1]);
  if (!inner || by === null) return null;
  const slack = hasDays(e.args[1]) ? offsetChange(e) : 0n;
  return { ...inner, by: inner.by + (match[1] === 'pl' ? by : -by), slack: inner.slack + slack };
}
