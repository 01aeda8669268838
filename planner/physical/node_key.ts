/**
 * Structural identity of a plan node: a text that is equal for two nodes, of one plan or of two, exactly when they compute the same
 * relation in the same way. The runtime shares operators between views by it.
 */
import type { DataflowPlan } from '../../operators/plan.ts';
import { structureText } from '../logical/expressions.ts';

/** Canonical text of node `i` and all its inputs. Names and notes do not count. */
export function nodeKey(plan: DataflowPlan, i: number): string {
  return keyOf(plan, i, new Map());
}

function keyOf(plan: DataflowPlan, i: number, known: Map<number, string>): string {
  const found = known.get(i);
  if (found !== undefined) return found;
  const node = plan.nodes[i];
  const inputs = node.inputs.map((x) => keyOf(plan, x, known));
  const own: Record<string, unknown> = { ...node };
  for (const field of ['inputs', 'names', 'notes', 'appendOnly', 'frees', 'step']) delete own[field];
  const step = node.op === 'recursive' ? nodeKey(node.step, node.step.root) : '';
  const sorted = Object.fromEntries(Object.entries(own).sort(([a], [b]) => (a < b ? -1 : 1)));
  const key = `${structureText(sorted)}${step && `{${step}}`}(${inputs.join(',')})`;
  known.set(i, key);
  return key;
}
