/**
 * Writes the analyses' results into the plan: appendOnly, what a watermark frees, and the notes that EXPLAIN shows (variant and state).
 * Notes are facts about this plan, made here and nowhere else.
 */
import type { DataflowPlan, PlanNode } from '../../operators/plan.ts';
import type { NodeFacts } from '../analyse/facts.ts';
import { keepsBest } from '../analyse/replaced.ts';
import { retention } from './retention.ts';

const ACCUMULABLE =
  /^(count|sum|avg|bool_and|bool_or|every|bit_and|bit_or|bit_xor|stddev|stddev_pop|stddev_samp|variance|var_pop|var_samp|regr_\w+|corr|covar_\w+)\(/;

/** The same plan with `appendOnly`, `frees` and `notes` set on every node. */
export function annotate(plan: DataflowPlan, facts: NodeFacts[]): DataflowPlan {
  const nodes = plan.nodes.map((node, i): PlanNode => {
    const inputs = node.inputs.map((x) => facts[x]);
    const frees = retention(node, inputs);
    const state = stateOf(node, inputs);
    const notes = [...variant(node, inputs), ...(state === null ? [] : [`state ${state}`])];
    return {
      ...node,
      ...(showsBest(node, inputs) ? { keepsBest: true } : {}),
      ...(facts[i].appendOnly ? { appendOnly: true } : {}),
      ...(frees.length > 0 ? { frees } : {}),
      ...(notes.length > 0 ? { notes } : {}),
    };
  });
  return { ...plan, nodes };
}

/** A Top-N of the best rows with their ties, of input in which a beaten row stays beaten. */
function showsBest(node: PlanNode, [input]: NodeFacts[]): boolean {
  if (node.op !== 'topn' || node.limit !== 1 || node.offset !== 0 || !node.withTies) return false;
  if (node.order.length === 0 || node.rank === 'row_number') return false;
  return keepsBest(node.partition, node.order, input.replaced);
}

/** Which operator variant the facts allow. */
function variant(node: PlanNode, inputs: NodeFacts[]): string[] {
  const kind = inputs.every((f) => f.appendOnly) ? 'append-only' : 'retractable';
  switch (node.op) {
    case 'aggregate':
      if (node.calls.length === 0) return [kind];
      return [node.calls.every((c) => ACCUMULABLE.test(c.fn) && !c.distinct) ? 'accumulable' : kind];
    case 'join':
    case 'asof':
    case 'distinct':
    case 'over':
    case 'session':
      return [kind];
    case 'topn':
      return [kind === 'retractable' && showsBest(node, inputs) ? 'growing' : kind];
    case 'recursive':
      return ['recompute'];
    default:
      return [];
  }
}

/** What the operator keeps, in words; null for stateless ones. */
function stateOf(node: PlanNode, inputs: NodeFacts[]): string | null {
  switch (node.op) {
    case 'aggregate':
      return aggregateState(node, inputs[0].appendOnly);
    case 'distinct':
      return '1 row/value';
    case 'setop':
      return '1 row/value';
    case 'join':
    case 'asof':
      return 'both inputs';
    case 'topn':
      if (node.limit === null) return 'the input';
      if (showsBest(node, inputs)) return 'best rows/partition';
      return inputs[0].appendOnly ? `${plural(node.limit + node.offset, 'row')}/partition` : 'the input';
    case 'session':
      return node.merged ? '1 row/session' : 'the input';
    case 'over':
    case 'single_row':
      return 'the input';
    case 'temporal':
      return 'rows that will enter or leave';
    case 'window_close':
      return 'rows of open windows';
    case 'recursive':
      return 'the result';
    default:
      return null;
  }
}

function plural(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}

function aggregateState(node: PlanNode & { op: 'aggregate' }, appendOnly: boolean): string {
  const parts = [node.keys.length === 0 ? '1 row' : '1 row/group'];
  if (node.calls.some((c) => c.distinct)) parts.push('distinct values');
  const whole = node.calls.some(
    (c) => !c.distinct && !ACCUMULABLE.test(c.fn) && !(appendOnly && /^(min|max)\(/.test(c.fn)),
  );
  if (whole) parts.push('ordered values');
  return parts.join(' + ');
}
