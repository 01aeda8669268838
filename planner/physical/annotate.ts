/**
 * Writes the analyses' results into the plan: appendOnly, what a watermark frees, and the notes that EXPLAIN shows (variant, state,
 * and why state stays). Notes are facts about this plan, made here and nowhere else.
 */
import type { DataflowPlan, PlanNode, Retention } from '../../operators/plan.ts';
import { bandsOf } from '../analyse/band.ts';
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
      return inputs[0].appendOnly ? `${plural(node.limit + node.offset, 'row')}/partition` : 'the input';
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

function freesText(node: PlanNode, frees: Retention[]): string {
  if (node.op === 'temporal') return 'when now() passes';
  if (node.op === 'window_close') return 'at watermark';
  if (frees.length === 0) return 'never';
  // The proof is there (Retention), the operators do not act on it yet: EXPLAIN says both.
  return `never (dead ${deadText(node, frees)})`;
}

/** From when on no accepted row can touch the state. */
function deadText(node: PlanNode, frees: Retention[]): string {
  if (node.inputs.length === 1 || (frees.length === 2 && frees[0].lag === frees[1].lag))
    return atWatermark(frees[0].lag);
  return ['left', 'right']
    .map((side, i) => {
      const own = frees.find((f) => f.input === i);
      return `${side} ${own ? atWatermark(own.lag) : 'never'}`;
    })
    .join(', ');
}

function atWatermark(lag: bigint): string {
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
      return joinRetention(node, inputs);
    default:
      return [];
  }
}

function toRetention(m: Monotone, input: number, column: number): Retention {
  return { input, column, lag: m.lag, strict: m.strict, sources: m.sources };
}

/** Of the columns that follow a watermark, the one with the smallest lag. */
function best(columns: number[], facts: NodeFacts, input: number): Retention[] {
  return smallestLag(columns.flatMap((c) => (facts.monotone[c] ? [toRetention(facts.monotone[c], input, c)] : [])));
}

function smallestLag(found: Retention[]): Retention[] {
  return found.length === 0 ? [] : [found.reduce((a, b) => (b.lag < a.lag ? b : a))];
}

/** What equal keys free on both sides, else what band conditions free on either. */
function joinRetention(node: PlanNode & { op: 'join' }, inputs: NodeFacts[]): Retention[] {
  const equal = pairs(
    inputs,
    node.leftKeys.map((l, i) => [l, node.rightKeys[i]]),
  );
  if (equal.length > 0) return equal;
  const bands = bandsOf(node.residual);
  const shift = inputs[0].notNull.length;
  return [0, 1].flatMap((side) => {
    const own = (c: number): boolean => c < shift === (side === 0);
    const found = bands.flatMap(({ column, of, most }) => {
      // other - own <= most: a row whose own time is below the other side's future times by more than `most` finds no partner.
      if (own(column) || !own(of)) return [];
      const other = inputs[1 - side].monotone[column - (side === 0 ? shift : 0)];
      return other ? [outOfReach(inputs[side], side, of - (side === 0 ? 0 : shift), other, most)] : [];
    });
    return smallestLag(found.filter((r) => r !== null));
  });
}

/** Rows of one side below watermark - lag can find no further partner; and they must be final themselves. */
function outOfReach(facts: NodeFacts, input: number, column: number, other: Monotone, most: bigint): Retention | null {
  const partner: Monotone = { sources: other.sources, lag: other.lag + most, strict: false };
  if (facts.appendOnly) return toRetention(partner, input, column);
  const own = both(partner, facts.monotone[column]);
  return own && toRetention(own, input, column);
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
