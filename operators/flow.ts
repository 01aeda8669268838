/** One plan in the engine's graph (graph.ts): who it is for, which nodes it has, and what a tick is to it. */
import type { Arena } from './batch/arena.ts';
import type { Batch } from './batch/batch.ts';
import type { EvalContext } from './expr/ir.ts';
import type { GraphNode } from './graph_node.ts';
import type { IndexSpec, IndexUse } from './operator.ts';
import type { DataflowPlan } from './plan.ts';
import type { Watermarks } from './state/deadline.ts';
import type { KeyedIndex } from './state/keyed_index.ts';
import type { Keepable } from './state/undo.ts';

/** What the steps of one tick have in common. */
export interface GraphTick {
  number: bigint;
  now: bigint;
  /** Lives until the end of the tick. */
  arena: Arena;
  /** Is handed on as it is, so it needs no `this`. */
  watermark: Watermarks;
}

/** Who a flow is for. */
export interface FlowOwner {
  /** The relation that the flow's result is, for flows that read it. */
  readonly relation: number;
  readonly name: string;
  /** The root's whole output, where the owner keeps it. */
  readonly result: { snapshot(arena: Arena): Batch } | null;
  /** What take() changes; null when it keeps nothing. */
  readonly kept: Keepable | null;
  /** Takes the root's delta of a tick; gives the relation's net delta. */
  take(delta: Batch, tick: GraphTick): Batch;
}

/** A plan with what makes its nodes equal to others'. */
export interface KeyedPlan {
  plan: DataflowPlan;
  /** By node of the plan. */
  keys: string[];
  /** Settings of the session that made the plan; now and tick are the graph's. */
  context: EvalContext;
}

/** One plan in a graph. */
export class Flow {
  readonly owner: FlowOwner;
  readonly plan: DataflowPlan;
  /** By node of the plan; equal nodes of one plan are one. */
  readonly nodes: GraphNode[] = [];
  /** Indexes that were made on live nodes for it and have no rows yet. */
  readonly emptyIndexes: { node: GraphNode; index: KeyedIndex }[] = [];
  /** Indexes of live nodes that its new nodes read and that no longer have all rows: enough from now on, not for the past. */
  readonly freedIndexes: { node: GraphNode; spec: IndexSpec; reader: GraphNode; use: IndexUse }[] = [];

  constructor(owner: FlowOwner, plan: DataflowPlan) {
    this.owner = owner;
    this.plan = plan;
  }

  get root(): GraphNode {
    return this.nodes[this.plan.root];
  }

  /** Every node once, inputs before those who read them. */
  distinctNodes(): GraphNode[] {
    return [...new Set(this.nodes)];
  }
}
