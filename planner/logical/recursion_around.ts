/** Whether a plan is another one in each round of a recursion in whose step it stands: it reads that recursion's working table. */
import type { Logical } from './plan.ts';
import { visitPlan } from './walk.ts';

export function readsRecursionAround(plan: Logical): boolean {
  const own = new Set<number>();
  const read = new Set<number>();
  visitPlan(plan, (p) => {
    if (p.op === 'recursive') own.add(p.id);
    if (p.op === 'working') read.add(p.id);
  });
  return [...read].some((id) => !own.has(id));
}
