/**
 * What would let rows go that a join keeps for ever.
 *
 *   watermarks   the condition holds the times together, but some of them follow no watermark: asked of the analyses, as if all times of streams did
 *   distance     a bound by now(), or times of both sides held together by the condition
 *   clock        a bound by now() alone: the times are held together already, conditions may fail, it is a NOT IN, or the other side has no rows with times of their own
 *   none         the last right row of an ASOF JOIN is needed however old it is
 */
import type { DataflowPlan, PlanNode } from '../../operators/plan.ts';
import { isTimestamp } from '../../operators/types.ts';
import { bandsOf, mayHaveBands } from '../analyse/band.ts';
import type { Monotone, NodeFacts } from '../analyse/facts.ts';
import { analysePlan } from '../analyse/index.ts';
import { retention } from './retention.ts';

/** A time of a relation, by its OID. */
export interface RelationTime {
  relation: number;
  name: string;
}

export type Remedy = { by: 'watermarks'; of: RelationTime[] } | { by: 'distance' } | { by: 'clock' } | { by: 'none' };

export class Remedies {
  readonly #plan: DataflowPlan;
  /** Their positions stand for relations in the facts. */
  readonly #times: RelationTime[] = [];
  readonly #facts: NodeFacts[];

  constructor(plan: DataflowPlan) {
    this.#plan = plan;
    const marked = this.#markedTimes();
    this.#facts = analysePlan(plan, (oid) => {
      const monotone = marked.get(oid);
      return monotone && { oid, appendOnly: true, key: null, columns: [], monotone };
    });
  }

  /** `otherComes`: rows of the other input are those of a stream, too. */
  of(index: number, input: number, otherComes: boolean): Remedy {
    const node = this.#plan.nodes[index];
    const frees = retention(
      node,
      node.inputs.map((x) => this.#facts[x]),
    ).filter((f) => f.input === input);
    const of = [...new Set(frees.flatMap((f) => f.sources))].map((i) => this.#times[i]);
    // A relation has one watermark.
    const isPossible = new Set(of.map((t) => t.relation)).size === of.length;
    if (of.length > 0 && isPossible) return { by: 'watermarks', of };
    if (node.op !== 'join') return { by: 'none' };
    const distance = otherComes && !node.nullAware && mayHaveBands(node.residual) && !this.#holdsTogether(node);
    return { by: distance ? 'distance' : 'clock' };
  }

  #markedTimes(): Map<number, (Monotone | null)[]> {
    const marked = new Map<number, (Monotone | null)[]>();
    for (const node of this.#plan.nodes) {
      if (node.op !== 'source' || !node.appendOnly || node.relation < 0) continue;
      const columns = marked.get(node.relation) ?? [];
      marked.set(node.relation, columns);
      for (const [i, column] of node.columns.entries()) {
        if (columns[column] || !isTimestamp(node.types[i].oid)) continue;
        columns[column] = { sources: [this.#times.length], lag: 0n, strict: false };
        this.#times.push({ relation: node.relation, name: node.names[i] });
      }
    }
    return marked;
  }

  /** The condition says of times of both sides how far they are apart, both ways. */
  #holdsTogether(node: PlanNode & { op: 'join' }): boolean {
    const left = this.#plan.nodes[node.inputs[0]].types;
    if (node.leftKeys.some((k) => isTimestamp(left[k].oid))) return true;
    const bands = bandsOf(node.residual);
    return bands.some((a) => bands.some((b) => a.column === b.of && a.of === b.column));
  }
}
