/** Whether working a logical plan out again may give other rows, or does something each time: nextval() and the like stand in it. */
import type { Logical } from '../logical/plan.ts';
import { planExprs, planInputs } from '../logical/walk.ts';
import { isVolatile } from './functions.ts';

/** Items that are worked out once are the same rows for whoever reads them. `settled`: subplans that are known not to be. */
export function isVolatilePlan(plan: Logical, settled: ReadonlySet<Logical> = new Set()): boolean {
  const seen = new Set<Logical>();
  const walk = (p: Logical): boolean => {
    if (seen.has(p) || settled.has(p)) return false;
    seen.add(p);
    return planExprs(p).some(isVolatile) || planInputs(p).some(walk);
  };
  return walk(plan);
}
