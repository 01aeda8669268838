/** Parts of a dataflow plan as plans of their own. */
import type { DataflowPlan } from '../../operators/plan.ts';

/** The node and all that it reads; null when one of these is read from elsewhere, too, so that it would be worked out twice (a source may). */
export function planBelow(plan: DataflowPlan, node: number): DataflowPlan | null {
  const below = reached(plan, node);
  const { nodes } = plan;
  const isInside = (i: number) => i !== node && below.has(i) && nodes[i].op !== 'source';
  const isShared = nodes.some(({ inputs }, i) => !below.has(i) && inputs.some(isInside));
  return isShared ? null : planOf(plan, node, below);
}

/** The plan without nodes that nobody reads. */
export function withoutUnread(plan: DataflowPlan): DataflowPlan {
  return planOf(plan, plan.root, reached(plan, plan.root));
}

function reached({ nodes }: DataflowPlan, from: number): Set<number> {
  const found = new Set<number>();
  const open = [from];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (found.has(node)) continue;
    found.add(node);
    open.push(...nodes[node].inputs);
  }
  return found;
}

function planOf({ nodes }: DataflowPlan, root: number, kept: Set<number>): DataflowPlan {
  const order = [...kept].sort((a, b) => a - b);
  const place = new Map(order.map((node, i) => [node, i]));
  const placeOf = (node: number) => place.get(node) as number;
  return {
    nodes: order.map((node) => ({ ...nodes[node], inputs: nodes[node].inputs.map(placeOf) })),
    root: placeOf(root),
  };
}
