/**
 * Band conditions of a join: comparisons between a time of the left row and a time of the right row, up to a constant.
 *
 *   residual conjunct    left + c <= right      (and >=, <, >, = and with intervals added on either side, or times cut down: near_time.ts)
 *   Band                 left.column - right.column <= most
 *
 * With a watermark on one side a band bounds how long rows of the other side can still find partners. Only where no other conjunct can fail: a
 * pair outside of the band may be an error row all the same, so both rows must then stay. (A shifted time that leaves the calendar is not
 * taken for a failure: the source would have to accept a time within the interval of the year 294276.)
 */
import type { Expr } from '../../operators/expr/ir.ts';
import { conjuncts } from '../logical/expressions.ts';
import { canFail, comparisonOf } from './functions.ts';
import { type NearTime, nearTime } from './near_time.ts';

/** `column - of <= most` microseconds in every joined row; positions are those of left ++ right. */
export interface Band {
  column: number;
  of: number;
  most: bigint;
}

/** The bands of a predicate over left ++ right columns. */
export function bandsOf(residual: Expr | null): Band[] {
  if (!mayHaveBands(residual)) return [];
  return conjuncts(residual).flatMap((e) => {
    if (e.k !== 'call' || e.args.length !== 2) return [];
    const name = comparisonOf(e.fn)?.name;
    const [a, b] = e.args.map(nearTime);
    if (!name || !a || !b || a.type !== b.type) return [];
    // x.column + x.least <= y.column + y.most
    const atMost = (x: NearTime, y: NearTime): Band => ({ column: x.column, of: y.column, most: y.most - x.least });
    if (name === '<' || name === '<=') return [atMost(a, b)];
    if (name === '>' || name === '>=') return [atMost(b, a)];
    return name === '=' ? [atMost(a, b), atMost(b, a)] : [];
  });
}

/** Whether bands count: no conjunct fails. */
export function mayHaveBands(residual: Expr | null): boolean {
  return conjuncts(residual).every(isTotal);
}

function isTotal(e: Expr): boolean {
  if (!canFail(e)) return true;
  return e.k === 'call' && comparisonOf(e.fn) !== null && e.args.every((a) => nearTime(a) !== null || !canFail(a));
}
