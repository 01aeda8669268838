/**
 * Turns "right, evaluated for each row of left" into "left joined with a plan that stands by itself". Pull-up is tried first, the
 * domain always works.
 */
import type { Expr } from '../../../operators/expr/ir.ts';
import { isVolatile } from '../../analyse/functions.ts';
import { isVolatilePlan } from '../../analyse/volatile_plan.ts';
import { outputColumns } from '../../logical/columns.ts';
import { caseWhen, column, constant, isNull, substitute, TRUE } from '../../logical/expressions.ts';
import type { Col, Logical } from '../../logical/plan.ts';
import { extend, freeIds, type Ids, outputIds } from '../../logical/tree.ts';
import { pruneColumns } from '../prune_columns.ts';
import { workedOutOnce } from '../worked_out_once.ts';
import { Domain } from './domain.ts';
import { dependsOn, pullUp } from './pull_up.ts';
import { pushDomain } from './push_domain.ts';

/** right(l) = the rows of `plan` with which l joins by `on`; plus the row `empty` where there is none, unless null. */
export interface Joinable {
  /** Left's rows, which are worked out once where a domain is taken of them too. */
  left: Logical;
  plan: Logical;
  on: Expr[];
  empty: Map<number, Expr> | null;
}

/** `singleRow`: more than one row of right for one row of left is error 21000. */
export function correlate(left: Logical, right: Logical, ids: Ids, singleRow = false): Joinable {
  const outer = outputIds(left);
  if (!dependsOn(right, outer)) {
    return { left, plan: singleRow ? { op: 'single_row', input: right, keys: [] } : right, on: [], empty: null };
  }
  // Columns of queries further out are lifted too, so that a subquery around this one finds them at the top.
  const pulled = singleRow ? null : pullUp(right, freeIds(right), ids);
  if (pulled !== null) return { left, ...pulled };
  const free = freeIds(right);
  const used = outputColumns(left).filter((c) => free.has(c.id));
  const rows = domainIsVolatile(left, used) ? workedOutOnce(left, ids) : left;
  const domain = new Domain(rows, used, ids);
  const pushed = pushDomain(right, domain, ids);
  const keys = [...pushed.carried.values()].map((c) => c.id);
  const plan: Logical = singleRow ? { op: 'single_row', input: pushed.plan, keys } : pushed.plan;
  return { left: rows, plan, on: domain.matches(pushed.carried), empty: null };
}

/** Whether the values of `used` would be others if they were worked out apart from the rows. */
function domainIsVolatile(left: Logical, used: Col[]): boolean {
  return isVolatilePlan(left) && isVolatilePlan(pruneColumns(left, new Set(used.map((c) => c.id))));
}

/** The projections at the top of a subquery, taken off: they are computed after the join, for rows that exist. */
export function splitTop(right: Logical): { core: Logical; items: Map<number, Expr> } {
  if (right.op !== 'project' || right.items.some((i) => isVolatile(i.expr))) {
    return { core: right, items: new Map(outputColumns(right).map((c) => [c.id, column(c)])) };
  }
  const below = splitTop(right.input);
  return {
    core: below.core,
    items: new Map(right.items.map((i) => [i.col.id, substitute(i.expr, below.items)])),
  };
}

/** True when the plan has exactly one row for every binding of outer columns. */
export function alwaysOneRow(p: Logical): boolean {
  if (p.op === 'aggregate') return p.keys.length === 0 && p.groupingSets === undefined;
  if (p.op === 'values') return p.rows.length === 1;
  return (p.op === 'project' || p.op === 'window') && alwaysOneRow(p.input);
}

/** The right side of a left join whose matches can be told: `where` gives `value` where a row matched and `otherwise` elsewhere. */
export interface Marked {
  plan: Logical;
  where: (value: Expr, otherwise: Expr) => Expr;
}

/** Adds a column that is TRUE in every row of the plan: NULL after the left join means that no row matched. */
export function withMarker(plan: Logical, ids: Ids): Marked {
  const marker: Col = ids.col('matched', TRUE.t);
  const own = outputIds(plan);
  return {
    plan: extend(plan, [{ col: marker, expr: TRUE }]),
    where: (value, otherwise) => {
      // A column that the join itself makes NULL needs no test.
      const isNullConst = otherwise.k === 'const' && otherwise.v === null;
      if (value.k === 'col' && own.has(value.id) && isNullConst) return value;
      return caseWhen([[isNull(column(marker), true), value]], otherwise);
    },
  };
}

export function nullOf(e: Expr): Expr {
  return constant(null, e.t);
}
