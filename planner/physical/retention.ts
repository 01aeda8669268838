/**
 * What a watermark frees of each stateful node (PlanNode.frees): rows that no change to come can touch, by the facts of the node's inputs.
 *
 *   groups, partitions, distinct rows    a key column that follows a watermark
 *   session                              the time, for as long as a session may still be reached
 *   join, equal keys                     a pair of key columns that follow watermarks: both sides, every kind of join
 *   join, bands                          a row out of reach of the other side's changes, itself final (and no evidence any more, see below)
 *   asof                                 both times
 *   over, in order of a time             rows that no frame of a changed row reaches (the operator keeps those that are reached by number)
 *
 * A join's index is probed by changes of the other side, so a row may go when none of them reaches it and it does not change itself. In outer, semi
 * and anti joins it is also evidence: whether a row `a` of the other side has a match is read from the index each time that a change of this
 * side reaches `a`. So there a row `b` stays until all `a` that it may match are out of reach of this side's changes.
 * NOT IN looks at all rows when its right side gets its first row or NULL: nothing goes.
 */
import type { PlanNode, Retention } from '../../operators/plan.ts';
import { type Band, bandsOf } from '../analyse/band.ts';
import type { Monotone, NodeFacts } from '../analyse/facts.ts';
import { timeReach } from '../analyse/frame_reach.ts';
import { both } from '../analyse/monotone.ts';

type JoinNode = PlanNode & { op: 'join' };

/** State rows that no future change can touch, per input; several for one input hold together. */
export function retention(node: PlanNode, inputs: NodeFacts[]): Retention[] {
  switch (node.op) {
    case 'aggregate':
    case 'single_row':
      return best(node.keys, inputs[0]);
    case 'distinct':
      return best([...inputs[0].monotone.keys()], inputs[0]);
    case 'topn':
      return best(node.partition, inputs[0]);
    case 'over': {
      const whole = best(node.partition, inputs[0]);
      return whole.length > 0 ? whole : orderRetention(node, inputs[0]);
    }
    case 'session':
      return sessionRetention(node, inputs[0].monotone[node.time]);
    case 'setop':
      return pairs(
        inputs,
        inputs[0].monotone.map((_, i) => [i, i]),
      );
    case 'asof':
      return pairs(inputs, [[node.leftTime, node.rightTime]]);
    case 'join':
      return joinRetention(node, inputs);
    default:
      return [];
  }
}

function toRetention(m: Monotone, input: number, column: number): Retention {
  return { input, column, ...m };
}

/** Of the columns that follow a watermark, the one with the smallest lag. */
function best(columns: number[], facts: NodeFacts, input = 0): Retention[] {
  return smallestLag(columns.flatMap((c) => (facts.monotone[c] ? [toRetention(facts.monotone[c], input, c)] : [])));
}

function smallestLag(found: Retention[]): Retention[] {
  return found.length === 0 ? [] : [found.reduce((a, b) => (b.lag < a.lag ? b : a))];
}

/** A row's session may still be reached by a time within the gap after it. */
function sessionRetention(node: PlanNode & { op: 'session' }, time: Monotone | null): Retention[] {
  return time === null ? [] : [toRetention({ ...time, lag: time.lag + node.gap }, 0, node.time)];
}

/**
 * Rows come and go at or after the watermark in order of a time. A row there is seen by frames up to `back` after it and looks ahead by up to `ahead`,
 * so rows are read as far back as the sum. Needs NULLs last: first, a NULL may still come before all rows.
 */
function orderRetention(node: PlanNode & { op: 'over' }, facts: NodeFacts): Retention[] {
  const [first] = node.order;
  const time = first && !first.desc && !first.nullsFirst ? facts.monotone[first.col] : null;
  if (!time || time.text !== undefined) return [];
  const reaches = node.calls.map((call) => timeReach(call, node.types[first.col].oid));
  if (reaches.some((r) => r === null)) return [];
  const most = (of: 'back' | 'ahead'): bigint => reaches.reduce((m, r) => (r![of] > m ? r![of] : m), 0n);
  return [toRetention({ ...time, lag: time.lag + most('back') + most('ahead') }, 0, first.col)];
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

/** What equal keys free on both sides, else what band conditions free on either. */
function joinRetention(node: JoinNode, inputs: NodeFacts[]): Retention[] {
  if (node.nullAware) return [];
  const equal = pairs(
    inputs,
    node.leftKeys.map((l, i) => [l, node.rightKeys[i]]),
  );
  if (equal.length > 0) return equal;
  const join = new BandJoin(inputs, bandsOf(node.residual));
  return [0, 1].flatMap((side) => join.retention(side, isEvidence(node, side)));
}

/** Whether the operator asks which rows of the other side have a match on this one. */
function isEvidence(node: JoinNode, side: number): boolean {
  if (node.kind === 'inner') return false;
  return node.kind === 'full' || (node.kind === 'right') === (side === 0);
}

class BandJoin {
  readonly #inputs: NodeFacts[];
  readonly #bands: Band[];
  readonly #width: number;

  constructor(inputs: NodeFacts[], bands: Band[]) {
    this.#inputs = inputs;
    this.#bands = bands;
    this.#width = inputs[0].notNull.length;
  }

  /** Conditions under which a row of the side is dead; none when it never is. */
  retention(side: number, evidence: boolean): Retention[] {
    const reach = smallestLag(this.#outOfReach(side));
    const settled = this.#inputs[side].appendOnly
      ? null
      : best([...this.#inputs[side].monotone.keys()], this.#inputs[side], side);
    const witness = evidence ? smallestLag(this.#noEvidence(side)) : null;
    const needed = [reach, settled, witness].filter((c) => c !== null);
    return needed.some((c) => c.length === 0) ? [] : merged(needed.flat());
  }

  #sideOf(column: number): number {
    return column < this.#width ? 0 : 1;
  }

  #fact(column: number): Monotone | null {
    const side = this.#sideOf(column);
    return this.#inputs[side].monotone[column - side * this.#width];
  }

  /** other - own <= most: own is out of reach when all times of the other side to come are more than `most` above it. */
  #outOfReach(side: number): Retention[] {
    return this.#bands.flatMap(({ column, of, most }) => {
      const other = this.#fact(column);
      if (this.#sideOf(of) !== side || this.#sideOf(column) === side || other === null) return [];
      return [{ ...toRetention({ ...other, lag: other.lag + most }, side, of - side * this.#width), nullsDead: true }];
    });
  }

  /**
   * Own rows are evidence for the other side's rows that they match, as long as a change of this side may reach those:
   * a is reached while  a.of + most2 >= own times to come, and  a.of <= own.time + most3.
   */
  #noEvidence(side: number): Retention[] {
    return this.#outOfReach(1 - side).flatMap((reached) => {
      const of = reached.column + (1 - side) * this.#width;
      return this.#bands.flatMap((band) =>
        band.column === of && this.#sideOf(band.of) === side
          ? [{ ...reached, input: side, column: band.of - side * this.#width, lag: reached.lag + band.most }]
          : [],
      );
    });
  }
}

/** Conditions on one column as one, where they are. */
function merged(conditions: Retention[]): Retention[] {
  const out: Retention[] = [];
  for (const c of conditions) {
    const at = out.findIndex((o) => o.column === c.column && o.text === c.text);
    if (at < 0) out.push(c);
    else {
      const nullsDead = out[at].nullsDead === true && c.nullsDead === true;
      out[at] = { ...out[at], ...both(out[at], c), nullsDead };
    }
  }
  return out;
}
