/**
 * What no clock and no watermark ever takes from the state of a view's plan, as far as that grows with every row of a stream.
 *
 *   leaves    every row of the node goes as now() passes: rows behind a temporal filter, and what is made of them
 *   kept      relations that never take a row back, whose rows a join keeps one by one for ever
 *
 * State of a row a group, a partition or a value is not among them: that is as large as what the view shows. Nor are rows that are joined with constants. What would help is in kept_remedy.ts.
 */
import { type DataflowPlan, freesOf, type PlanNode } from '../../operators/plan.ts';
import { isFixed } from '../analyse/append_only.ts';
import { Remedies, type Remedy } from './kept_remedy.ts';

/** Per node: all of its rows leave by the clock. */
export function leavingByClock(plan: DataflowPlan): boolean[] {
  const leaves: boolean[] = [];
  for (const node of plan.nodes)
    leaves.push(
      leaving(
        node,
        node.inputs.map((i) => leaves[i]),
      ),
    );
  return leaves;
}

function leaving(node: PlanNode, inputs: boolean[]): boolean {
  switch (node.op) {
    case 'source':
    case 'constant':
    case 'recursive':
      return false;
    case 'temporal':
      return node.until !== null || inputs[0];
    case 'aggregate':
      return !node.global && inputs[0];
    case 'union':
      return inputs.every((x) => x);
    case 'setop':
      return inputs[0] || (node.kind === 'intersect' && inputs[1]);
    case 'join':
      if (node.kind === 'inner' || node.kind === 'semi') return inputs[0] || inputs[1];
      if (node.kind === 'full') return inputs[0] && inputs[1];
      return inputs[node.kind === 'right' ? 1 : 0];
    case 'asof':
      return inputs[0] || (!node.left && inputs[1]);
    default:
      return inputs[0];
  }
}

interface Kept {
  /** The join, and which of its inputs it keeps. */
  node: number;
  input: number;
  /** OIDs of the relations that the rows are of. */
  relations: number[];
  /** The join's own rows leave by the clock: its other input is bounded, this one is not. */
  unlikeResult: boolean;
  remedy: Remedy;
}

/** Inputs of joins that are kept for ever and grow. */
export function keptRows(plan: DataflowPlan): Kept[] {
  const leaves = leavingByClock(plan);
  const grown: number[][] = [];
  const fixed: boolean[] = [];
  for (const [i, node] of plan.nodes.entries()) {
    grown.push(leaves[i] ? [] : growing(node, grown));
    fixed.push(
      isFixed(
        node,
        node.inputs.map((x) => fixed[x]),
      ),
    );
  }
  const remedies = new Remedies(plan);
  return plan.nodes.flatMap((node, i) => {
    if (node.op !== 'join' && node.op !== 'asof') return [];
    return node.inputs.flatMap((from, input) => {
      const relations = grown[from];
      const other = node.inputs[1 - input];
      if (relations.length === 0 || fixed[other] || freesOf(node, input).length > 0) return [];
      const remedy = remedies.of(i, input, leaves[other] || grown[other].length > 0);
      return [{ node: i, input, relations, unlikeResult: leaves[i], remedy }];
    });
  });
}

/** The relations of whose rows each may be a row of the node, or several. */
function growing(node: PlanNode, grown: number[][]): number[] {
  const of = (inputs: number[]): number[] => [...new Set(inputs.flatMap((i) => grown[i]))];
  switch (node.op) {
    case 'source':
      return node.appendOnly && node.relation >= 0 ? [node.relation] : [];
    case 'join':
      return of(node.kind === 'semi' || node.kind === 'anti' ? node.inputs.slice(0, 1) : node.inputs);
    case 'asof':
      return of(node.inputs.slice(0, 1));
    case 'map':
    case 'flatmap':
    case 'union':
    case 'over':
    case 'session':
    case 'window_close':
    case 'temporal':
      return of(node.inputs);
    default:
      return [];
  }
}
