/** Whether a plan node calls functions in other languages, which may take as long as they like for a row. */
import { callsExternal } from './expr/external.ts';
import type { PlanNode } from './plan.ts';

/** Of those that compute columns or filter. */
export function callsOut(node: PlanNode): boolean {
  if (node.op !== 'map' || node.eachRow) return false;
  return [node.filter, ...(node.project ?? [])].some((e) => e !== null && callsExternal(e));
}
