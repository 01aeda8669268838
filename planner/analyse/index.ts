/**
 * Runs all analyses over the nodes of a dataflow plan, in topological order.
 */
import type { DataflowPlan, PlanNode } from '../../operators/plan.ts';
import type { Relation } from '../catalog_reader.ts';
import { isAppendOnly, isFixed } from './append_only.ts';
import type { Monotone, NodeFacts } from './facts.ts';
import { keysOf } from './keys.ts';
import { monotoneOf } from './monotone.ts';
import { notNullOf } from './not_null.ts';
import { replacedOf } from './replaced.ts';
import { zoneReach } from './zone_reach.ts';

export type { Monotone, NodeFacts } from './facts.ts';

/** What the analyses ask about a relation OID; undefined: nothing is known (working tables). */
export type RelationLookup = (oid: number) => KnownRelation | undefined;

type KnownRelation = Pick<Relation, 'oid' | 'appendOnly' | 'key' | 'watermark' | 'monotone'> & {
  columns: { notNull: boolean }[];
};

/** Facts of the nodes of a growing list; a node's inputs stand before it. */
export class Analyser {
  private readonly nodes: readonly PlanNode[];
  private readonly relation: RelationLookup;
  private readonly zone: bigint;
  private readonly facts: NodeFacts[] = [];
  private readonly fixed: boolean[] = [];

  /** `timeZone`: the session's, for plans that a session's settings hold for. */
  constructor(nodes: readonly PlanNode[], relation: RelationLookup, timeZone?: string) {
    this.nodes = nodes;
    this.relation = relation;
    this.zone = zoneReach(timeZone);
  }

  of(index: number): NodeFacts {
    while (this.facts.length <= index) this.analyse(this.facts.length);
    return this.facts[index];
  }

  private analyse(index: number): void {
    const node = this.nodes[index];
    const inputs = node.inputs.map((i) => this.facts[i]);
    const fixed = node.inputs.map((i) => this.fixed[i]);
    const relation = node.op === 'source' ? this.relation(node.relation) : undefined;
    this.fixed.push(isFixed(node, fixed));
    const appendOnly = isAppendOnly(
      node,
      inputs.map((f) => f.appendOnly),
      fixed,
      relation?.appendOnly ?? false,
    );
    this.facts.push({
      keys: keysOf(node, inputs, relation?.key ?? null),
      appendOnly,
      replaced: replacedOf(node, inputs, appendOnly),
      monotone: monotoneOf(node, inputs, fixed, relation ? sourceMonotone(relation) : [], this.zone),
      notNull: notNullOf(node, inputs, relation?.columns.map((c) => c.notNull) ?? []),
    });
  }
}

/** A source's own monotone columns, by position in the relation. */
function sourceMonotone(relation: KnownRelation): (Monotone | null)[] {
  if (relation.monotone !== undefined) return relation.monotone;
  const facts: Monotone[] = [];
  if (relation.watermark && relation.appendOnly) {
    facts[relation.watermark.column] = { sources: [relation.oid], lag: 0n, strict: false };
  }
  return facts;
}

/** Facts of every node of a plan. */
export function analysePlan(plan: DataflowPlan, relation: RelationLookup, timeZone?: string): NodeFacts[] {
  const analyser = new Analyser(plan.nodes, relation, timeZone);
  return plan.nodes.map((_, i) => analyser.of(i));
}
