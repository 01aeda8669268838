/**
 * Which nodes' rows a plan that is run once need not keep in indexes (piecewise.ts): a join keeps the rows of a side for rows of the other side that come later. Where none come any more, they look
 * up what is there and pass.
 *
 *   dim, all of it -> index     then     f, piece by piece -> looks up dim -> passes
 *
 * Outer, semi and anti joins ask for a row of the side that is looked up whether it had a match before, which the other side's index says: there only rows of the side that looks up pass.
 */
import type { FlowNode } from './flow_node.ts';
import type { PlanNode } from './plan.ts';

/** Of a node whether rows come out of it from now on. */
export type Moves = (node: number) => boolean;

/** `at`: the node's number in its plan. */
export function rowsPass({ indexes }: FlowNode, at: number, moves: Moves): boolean {
  let some = false;
  for (const { readers } of indexes.values())
    for (const { reader } of readers) {
      if (!isDone(reader.spec, at, moves)) return false;
      some = true;
    }
  return some;
}

/** Whether a join asks for no row of this input any more. */
function isDone(spec: PlanNode, input: number, moves: Moves): boolean {
  if (spec.op !== 'join' || spec.nullAware) return false;
  return spec.inputs.every((i, side) => i !== input || (looksUpOnly(spec.kind, side) && !moves(spec.inputs[1 - side])));
}

/** Whether rows of the side are needed for those of the other side alone. */
function looksUpOnly(kind: (PlanNode & { op: 'join' })['kind'], side: number): boolean {
  if (kind === 'inner') return true;
  return kind === 'right' ? side === 1 : kind !== 'full' && side === 0;
}
