/**
 * Band conditions of a join: comparisons between a time of the left row and a time of the right row, up to a constant.
 *
 *   residual conjunct    left + c <= right      (and >=, <, > and with intervals added on either side)
 *   Band                 left.column - right.column <= most
 *
 * With a watermark on one side a band bounds how long rows of the other side can still find partners.
 */
import type { Expr } from '../../operators/expr/ir.ts';
import { OID } from '../../operators/types.ts';
import { conjuncts } from '../logical/expressions.ts';
import { comparisonOf } from './functions.ts';
import { microseconds } from './monotone.ts';

/** `column - of <= most` microseconds in every joined row; positions are those of left ++ right. */
export interface Band {
  column: number;
  of: number;
  most: bigint;
}

/** The bands of a predicate over left ++ right columns. */
export function bandsOf(residual: Expr | null): Band[] {
  return conjuncts(residual).flatMap((e) => {
    if (e.k !== 'call' || e.args.length !== 2) return [];
    const name = comparisonOf(e.fn)?.name;
    const [a, b] = e.args.map(shiftedTime);
    if (!name || !a || !b || a.type !== b.type) return [];
    // a.column + a.by <= b.column + b.by
    const atMost = (x: Shifted, y: Shifted): Band => ({ column: x.column, of: y.column, most: y.by - x.by });
    if (name === '<' || name === '<=') return [atMost(a, b)];
    if (name === '>' || name === '>=') return [atMost(b, a)];
    return name === '=' ? [atMost(a, b), atMost(b, a)] : [];
  });
}

interface Shifted {
  column: number;
  by: bigint;
  type: number;
}

/** `column` or `column +- constant interval`. */
function shiftedTime(e: Expr): Shifted | null {
  if (e.k === 'col')
    return e.t.oid === OID.timestamp || e.t.oid === OID.timestamptz ? { column: e.id, by: 0n, type: e.t.oid } : null;
  if (e.k !== 'call') return null;
  const match = /^timestamp(?:tz)?_(pl|mi)_interval\(/.exec(e.fn);
  const inner = match && shiftedTime(e.args[0]);
  const by = match && microseconds(e.args[1]);
  if (!inner || by === null) return null;
  return { ...inner, by: inner.by + (match[1] === 'pl' ? by : -by) };
}
