/**
 * Steps of a recursion that are linear in the working table: what comes of it is the sum of what comes of each of its rows.
 *
 *   step(W + V) = step(W) + step(V)        maps, set-returning functions, UNION ALL of such, joins with what does not change while the recursion runs
 *
 * Such a step is given each working table once and need not take it back, and no index has to hold its rows: nobody looks for them, as the other side of a join is fed before.
 */
import type { PlanNode } from './plan.ts';

/** By node whether it is made of the working table; null: the step as a whole is not linear. */
export function linearNodes(nodes: PlanNode[], root: number, workingTable: number): boolean[] | null {
  const made: boolean[] = [];
  for (const node of nodes) {
    const inputs = node.inputs.filter((i) => made[i]).length;
    const isTable = node.op === 'source' && node.relation === workingTable;
    if (inputs > 0 && !isLinear(node, inputs)) return null;
    made.push(isTable || inputs > 0);
  }
  return made[root] ? made : null;
}

/** `moving`: how many of its inputs are made of the working table. */
function isLinear(node: PlanNode, moving: number): boolean {
  switch (node.op) {
    case 'map':
    case 'flatmap':
      return true;
    case 'union':
      return moving === node.inputs.length;
    case 'join':
      return node.kind === 'inner' && moving === 1;
    default:
      return false;
  }
}
