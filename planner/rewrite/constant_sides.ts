/**
 * A join with one row of constants, or with what a function makes of constants, is no join: the rows of its other side get the columns each by itself, and are not kept for a side
 * that never changes.
 *
 *   join inner [p, project (values (10))]            ->   project [p.*, 10] (p)                        WITH settings AS (SELECT 10 AS least) ... FROM s, settings
 *   join inner [p, tablefunc f(1, 2) (values ())]    ->   tablefunc f(1, 2) (p)                        FROM s, unnest(ARRAY['a', 'b'])
 *
 * The condition becomes a filter above, and goes down from there. Where it may look up what a function gives, the join stays, as a filter would look at each: in a view if there are
 * many, in a read always, which may find the other side's rows by an index.
 */
import { isPgArray, type PgArray } from '../../operators/datum.ts';
import { EXTERNAL_ROWS } from '../../operators/expr/external.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import { functionVolatility } from '../analyse/functions.ts';
import { outputColumns } from '../logical/columns.ts';
import { column, isTrue } from '../logical/expressions.ts';
import type { Logical } from '../logical/plan.ts';
import { extend, filterBy, rewritePlan } from '../logical/tree.ts';

/** So many values may be compared one by one. */
const FEW = 16;

export function inlineConstantSides(plan: Logical, mode: 'view' | 'read'): Logical {
  return rewritePlan(plan, (p) => {
    if (p.op !== 'join' || p.kind !== 'inner') return p;
    const selects = p.on !== null && !isTrue(p.on);
    const most = !selects ? Number.POSITIVE_INFINITY : mode === 'view' ? FEW : 0;
    const joined = beside(p.right, p.left, most) ?? beside(p.left, p.right, most);
    return joined === null ? p : selects ? filterBy(joined, p.on as Expr) : joined;
  });
}

/** The rows of `other` with the columns of a plan that has nothing but constants, of functions at most so many rows; null where it has more. */
function beside(p: Logical, other: Logical, most: number): Logical | null {
  switch (p.op) {
    case 'values': {
      const [row] = p.rows;
      if (p.rows.length !== 1 || p.returned !== undefined || !row.every(isConstant)) return null;
      return row.length === 0
        ? other
        : extend(
            other,
            p.cols.map((col, i) => ({ col, expr: row[i] })),
          );
    }
    case 'project': {
      if (!p.items.every(({ expr }) => isConstant(expr) || expr.k === 'col')) return null;
      const input = beside(p.input, other, most);
      if (input === null) return null;
      const others = outputColumns(other).map((col) => ({ col, expr: column(col) }));
      return { op: 'project', input, items: [...others, ...p.items] };
    }
    case 'tablefunc': {
      if (!p.args.every(isConstant) || !isCheap(p.fn) || atMost(p.args) > most) return null;
      const input = beside(p.input, other, most);
      return input === null ? null : { ...p, input };
    }
    default:
      return null;
  }
}

function isConstant(e: Expr): boolean {
  return e.k === 'const';
}

/** Called for each row it gives the same, and costs no more than its rows. */
function isCheap(fn: string): boolean {
  return functionVolatility(fn) === 'i' && fn !== EXTERNAL_ROWS;
}

/** Rows that a function gives of these arguments at most, where that is plain. */
function atMost([array, ...more]: Expr[]): number {
  const isArray = more.length === 0 && array?.k === 'const' && isPgArray(array.v);
  return isArray ? (array.v as PgArray).items.length : Number.POSITIVE_INFINITY;
}
