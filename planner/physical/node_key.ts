/**
 * Structural identity of a plan node: a text that is equal for two nodes, of one plan or of two, exactly when they compute the same
 * relation in the same way. The runtime shares operators between views by it.
 *
 *   key = the node's own fields [@ the session's settings, where an expression may look at them] ( digests of its inputs' keys )
 *
 * A source's relation is its OID; where it is a view, `rowsOf` says what its rows are, so that views over views that are the same query are the same too.
 * Names and notes do not count. Inputs stand in it by digest: a node that is used twice on every level would double the text on every level.
 */
import { createHash } from 'node:crypto';
import type { DataflowPlan, PlanNode } from '../../operators/plan.ts';
import { functionVolatility, readsSettings } from '../analyse/functions.ts';
import { structureText } from '../logical/expressions.ts';
import { planExpressions } from './builder.ts';

/** The same text for relations that have the same rows at all times, because they are the same query; null: known by its OID. */
export type RowsOf = (relation: number) => string | null;

const byOid: RowsOf = () => null;

/** They are no functions of PostgreSQL, and know no zone. */
const TIME_WINDOWS = /^(tumble|hop|cumulate)\(/;

/** Keys of all nodes. `settings` names what expressions can see of the session that makes the view. */
export function nodeKeys(plan: DataflowPlan, settings = '', rowsOf = byOid): string[] {
  const digests: string[] = [];
  return plan.nodes.map((node) => {
    const inputs = node.inputs.map((i) => digests[i]).join(',');
    const step = node.op === 'recursive' ? `{${nodeKeys(node.step, settings)[node.step.root]}}` : '';
    const seen = settings !== '' && nodeReadsSettings(node) ? `@${settings}` : '';
    const key = `${ownText(node, rowsOf)}${step}${seen}(${inputs})`;
    digests.push(keyDigest(key));
    return key;
  });
}

export function keyDigest(key: string): string {
  return createHash('sha256').update(key).digest('base64').slice(0, 24);
}

function ownText(node: PlanNode, rowsOf: RowsOf): string {
  const own: Record<string, unknown> = { ...node };
  if (node.op === 'source') own.relation = rowsOf(node.relation) ?? node.relation;
  for (const field of ['inputs', 'names', 'notes', 'step']) delete own[field];
  const sorted = Object.fromEntries(Object.entries(own).sort(([a], [b]) => (a < b ? -1 : 1)));
  return structureText(sorted);
}

function nodeReadsSettings(node: PlanNode): boolean {
  switch (node.op) {
    case 'aggregate':
      // PostgreSQL calls jsonb_object_agg immutable, though the text of a time is not.
      return node.calls.some(({ fn }) => functionVolatility(fn) !== 'i' || fn.startsWith('jsonb_'));
    case 'over':
      // Bounds of RANGE frames move times by intervals, which may depend on the time zone.
      return true;
    case 'flatmap':
      // Texts become times, and times go from day to day, in the session's zone.
      return (!TIME_WINDOWS.test(node.fn) && functionVolatility(node.fn) !== 'i') || node.args.some(readsSettings);
    case 'recursive':
      // The key of the step says it.
      return false;
    default:
      return planExpressions(node).some(readsSettings);
  }
}
