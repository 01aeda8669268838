/** The functions in other languages that a plan node calls, for EXPLAIN. */
import { describedBy, EXTERNAL_CALL, EXTERNAL_ROWS, type ExternalFunction } from '../../operators/expr/external.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import type { PlanNode } from '../../operators/plan.ts';

/** `calls f(integer) (javascript)`, of each once. */
export function externalCalls(node: PlanNode): string[] {
  const found = new Set<string>();
  const note = ({ signature, language }: ExternalFunction) => void found.add(`calls ${signature} (${language})`);
  // Nodes are plain data, whose expressions stand in many places.
  const visit = (part: unknown): void => {
    if (typeof part !== 'object' || part === null) return;
    const { fn, args } = part as { fn?: unknown; args?: Expr[] };
    if ((fn === EXTERNAL_CALL || fn === EXTERNAL_ROWS) && args !== undefined) note(describedBy(args));
    Object.values(part).forEach(visit);
  };
  if (node.op !== 'recursive') visit(node);
  return [...found];
}
