/** How many rows the nodes of a plan may make of those of its relations: few are made at once, others in pieces. */
import { callsOut } from '../../operators/calls_out.ts';
import type { DataflowPlan, PlanNode } from '../../operators/plan.ts';

/** Functions that give a row's time windows: some, whatever the row. */
const WINDOWS = new Set(['hop', 'tumble', 'cumulate']);

/** A relation that is not stored: catalogs, ledgers. */
const SYSTEM_ROWS = 64;

/** True for a node whose output for a few rows may be without bounds. */
export function makesMany(node: PlanNode): boolean {
  return (
    node.op === 'join' || node.op === 'recursive' || (node.op === 'flatmap' && !WINDOWS.has(node.fn.split('(')[0]))
  );
}

/** Whether others may have their turn while the node is at its input. */
export function stepsInPieces(node: PlanNode): boolean {
  return makesMany(node) || callsOut(node);
}

/** The most that all nodes make that may make many, if `rows` knows those of stored relations. */
export function mostRows({ nodes }: DataflowPlan, rows: (relation: number) => number | undefined): number {
  const most: number[] = [];
  let made = 0;
  nodes.forEach((node, i) => {
    most[i] = mostOf(
      node,
      node.inputs.map((input) => most[input]),
      rows,
    );
    if (makesMany(node)) made += most[i];
  });
  return made;
}

function mostOf(node: PlanNode, inputs: number[], rows: (relation: number) => number | undefined): number {
  switch (node.op) {
    case 'source':
      return rows(node.relation) ?? SYSTEM_ROWS;
    case 'constant':
      return node.rows.length;
    case 'join':
      return inputs[0] * inputs[1];
    case 'recursive':
      return Number.POSITIVE_INFINITY;
    case 'flatmap':
      return makesMany(node) ? Number.POSITIVE_INFINITY : inputs[0];
    default:
      return inputs.reduce((sum, n) => sum + n, 0);
  }
}
