/** Whether working a logical plan out again may give other rows, or does something each time: nextval() and the like stand in it. */
import type { Logical } from '../logical/plan.ts';
import { planExprs, visitPlan } from '../logical/walk.ts';
import { isVolatile } from './functions.ts';

/** Items that are worked out once are the same rows for whoever reads them. */
export function isVolatilePlan(plan: Logical): boolean {
  let found = false;
  visitPlan(plan, (p) => {
    found ||= planExprs(p).some(isVolatile);
  });
  return found;
}
