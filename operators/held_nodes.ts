/**
 * Which nodes of a plan that is run once, piece by piece (piecewise.ts), are held until all of their input is there, since they may take rows back that they have put out.
 *
 * What comes of constants is whole with the first piece, and the planner counts on that. It is not where generate_series(), a join or a recursion make it in pieces: those above are held then, whatever the
 * planner says. And what a held node puts out in the end is never taken back, which the planner does not know.
 */
import { callsOut } from './calls_out.ts';
import { distinctColumns } from './first_seen.ts';
import type { DataflowPlan, PlanNode, PlanOp } from './plan.ts';

/** What is kept of a held node: what it puts out, or what it gets, where it would look at all of that again for each piece. */
export type Held = 'output' | 'input' | null;

export interface HeldNodes {
  /** By node. */
  held: Held[];
  /** Those of the plan, as what is never taken back is here. */
  nodes: PlanNode[];
}

/** A plan that is run once in a single step: what is taken back in it cancels before it goes on, so nobody sees that. */
export function finalNodes(plan: DataflowPlan): DataflowPlan {
  return { ...plan, nodes: plan.nodes.map((node) => ({ ...node, appendOnly: true })) };
}

const WHOLE_INPUT = new Set<PlanOp>(['session', 'recursive']);

export function heldNodes(plan: DataflowPlan): HeldNodes {
  const held: Held[] = [];
  const nodes: PlanNode[] = [];
  /** Depends on a relation. */
  const reads: boolean[] = [];
  /** Has something below that is made of constants, but in pieces. */
  const loose: boolean[] = [];
  plan.nodes.forEach((node, i) => {
    const { op, inputs } = node;
    const inPieces = op === 'flatmap' || op === 'join' || op === 'recursive' || callsOut(node);
    reads[i] = op === 'source' || inputs.some((input) => reads[input]);
    loose[i] = (inPieces && !reads[i]) || inputs.some((input) => loose[input]);
    const goesOn = passes(node) && inputs.every((input) => nodes[input].appendOnly);
    const isKnown = node.appendOnly === true && !loose[i];
    // A recursion runs once over all of its input, whatever that is made of: what it has put out stays.
    const isHeld = op === 'recursive' || (op !== 'source' && (reads[i] || loose[i]) && !goesOn && !isKnown);
    held[i] = isHeld ? (looksAtAll(node) ? 'input' : 'output') : null;
    // generate_series() of constants waits for the rows of relations, which are fewer.
    if (op === 'flatmap' && !reads[i] && !inputs.some((input) => loose[input])) held[i] = 'input';
    nodes[i] = { ...node, appendOnly: isHeld || goesOn || node.appendOnly === true };
  });
  return { held, nodes };
}

/** True for a node that takes no row back if its inputs take none. */
function passes(node: PlanNode): boolean {
  if (node.op === 'join') return node.kind === 'inner' || node.kind === 'semi';
  return ['map', 'flatmap', 'union'].includes(node.op) || distinctColumns(node) !== null;
}

function looksAtAll(node: PlanNode): boolean {
  return WHOLE_INPUT.has(node.op) || (node.op === 'topn' && node.limit === null);
}
