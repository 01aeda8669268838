/**
 * Writes the analyses' results into the plan: appendOnly, what a watermark frees, and the notes that EXPLAIN shows (variant, state,
 * and why state stays). Notes are facts about this plan, made here and nowhere else.
 */
import type { DataflowPlan, PlanNode, Retention } from '../../operators/plan.ts';
import type { Monotone, NodeFacts } from '../analyse/facts.ts';
import { both } from '../analyse/monotone.ts';

const ACCUMULABLE =
  /^(count|sum|avg|bool_and|bool_or|every|stddev|stddev_pop|stddev_samp|variance|var_pop|var_samp|regr_\w+|corr|covar_\w+)\(/;

/** The same plan with `appendOnly`, `frees` and `notes` set on every node. */
export function annotate(plan: DataflowPlan, facts: NodeFacts[]): DataflowPlan {
  const nodes = plan.nodes.map((node, i): PlanNode => {
    const inputs = node.inputs.map((x) => facts[x]);
    const frees = retention(node, inputs);
    const notes = [...variant(node, inputs), ...stateNotes(node, inputs, frees)];
    return {
      ...node,
      ...(facts[i].appendOnly ? { appendOnly: true } : {}),
      ...(frees.length > 0 ? { frees } : {}),
      ...(notes.length > 0 ? { notes } : {}),
    };
  });
  return { ...plan, nodes };
}

/** Which operator variant the facts allow. */
function variant(node: PlanNode, inputs: NodeFacts[]): string[] {
  const kind = inputs.every((f) => f.appendOnly) ? 'append-only' : 'retractable';
  switch (node.op) {
    case 'aggregate':
      return [node.calls.every((c) => ACCUMULABLE.test(c.fn) && !c.distinct) ? 'accumulable' : kind];
    case 'join':
    case 'asof':
    case 'distinct':
    case 'topn':
    case 'over':
    case 'session':
      return [kind];
    case 'recursive':
      return ['recompute'];
    default:
      return [];
  }
}

function stateNotes(node: PlanNode, inputs: NodeFacts[], frees: Retention[]): string[] {
  const state = stateOf(node, inputs);
  return state === null ? [] : [`state ${state}`, `frees: ${freesText(node, frees)}`];
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
      return inputs[0].appendOnly ? `${node.limit + node.offset} rows/partition` : 'the input';
    case 'over':
    case 'session':
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

function aggregateState(node: PlanNode & { op: 'aggregate' }, appendOnly: boolean): string {
  const parts = [node.keys.length === 0 ? '1 row' : '1 row/group'];
  if (node.calls.some((c) => c.distinct)) parts.push('distinct values');
  const whole = node.calls.some(
    (c) => !c.distinct && !ACCUMULABLE.test(c.fn) && !(appendOnly && /^(min|max)\(/.test(c.fn)),
  );
  if (whole) parts.push('ordered values');
  return parts.join(' + ');
}

function freesText(node: PlanNode, frees: Retention[]): string {
  if (node.op === 'temporal') return 'when now() passes';
  if (node.op === 'window_close') return 'at watermark';
  if (frees.length === 0) return 'never';
  const { lag } = frees[0];
  if (lag === 0n) return 'at watermark';
  return `at watermark ${lag > 0n ? '-' : '+'} ${duration(lag < 0n ? -lag : lag)}`;
}

/** Microseconds in the largest unit that keeps them whole. */
function duration(us: bigint): string {
  const units: [bigint, string][] = [
    [86400000000n, 'd'],
    [3600000000n, 'h'],
    [60000000n, 'min'],
    [1000000n, 's'],
    [1000n, 'ms'],
  ];
  const unit = units.find(([size]) => us % size === 0n);
  return unit ? `${us / unit[0]} ${unit[1]}` : `${us} µs`;
}

/** State rows that no future change can touch, per input. */
function retention(node: PlanNode, inputs: NodeFacts[]): Retention[] {
  switch (node.op) {
    case 'aggregate':
      return best(node.keys, inputs[0], 0);
    case 'distinct':
      return best(
        inputs[0].monotone.map((_, i) => i),
        inputs[0],
        0,
      );
    case 'topn':
    case 'over':
      return best(node.partition, inputs[0], 0);
    case 'single_row':
      return best(node.keys, inputs[0], 0);
    case 'setop':
      return pairs(
        inputs,
        inputs[0].monotone.map((_, i) => [i, i]),
      );
    case 'join':
      return pairs(
        inputs,
        node.leftKeys.map((l, i) => [l, node.rightKeys[i]]),
      );
    default:
      return [];
  }
}

function toRetention(m: Monotone, input: number, column: number): Retention {
  return { input, column, lag: m.lag, strict: m.strict, sources: m.sources };
}

/** Of the columns that follow a watermark, the one with the smallest lag. */
function best(columns: number[], facts: NodeFacts, input: number): Retention[] {
  const found = columns.flatMap((c) => (facts.monotone[c] ? [toRetention(facts.monotone[c], input, c)] : []));
  return found.length === 0 ? [] : [found.reduce((a, b) => (b.lag < a.lag ? b : a))];
}

/** Columns that are equal on both inputs and follow a watermark on both: each side's rows are freed by the other's progress too. */
function pairs(inputs: NodeFacts[], columns: [number, number][]): Retention[] {
  const found = columns.flatMap(([l, r]) => {
    const m = both(inputs[0].monotone[l], inputs[1].monotone[r]);
    return m ? [{ m, l, r }] : [];
  });
  if (found.length === 0) return [];
  const { m, l, r } = found.reduce((a, b) => (b.m.lag < a.m.lag ? b : a));
  return [toRetention(m, 0, l), toRetention(m, 1, r)];
}
