/**
 * A plan that a rule reads in several places: the domain of a correlated subquery beside the rows themselves, the sets of GROUPING SETS. Its copies are one
 * node again when the plan is built, but not where it calls a volatile function: each would have values of its own. So such a plan becomes an item that is
 * worked out once, as those of WITH.
 */
import { unsupported } from '../../operators/errors.ts';
import { isVolatilePlan } from '../analyse/volatile_plan.ts';
import { outputColumns } from '../logical/columns.ts';
import type { Logical } from '../logical/plan.ts';
import { readsRecursionAround } from '../logical/recursion_around.ts';
import { freeIds, type Ids } from '../logical/tree.ts';

/** `plan`, which may be read in several places, with the same columns. */
export function workedOutOnce(plan: Logical, ids: Ids): Logical {
  if (!isVolatilePlan(plan)) return plan;
  if (freeIds(plan).size > 0 || readsRecursionAround(plan)) {
    throw unsupported('a volatile function in rows that depend on an outer query and that a subquery refers to');
  }
  const cols = outputColumns(plan);
  // Negative: ids of the binder's items count from 1.
  const item = { id: -ids.next(), plan, outputs: cols };
  return { op: 'once', item, columns: cols.map((_, i) => i), cols };
}
