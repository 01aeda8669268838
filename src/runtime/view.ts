/**
 * A maintained view: its part of the dataflow graph, the rows it holds now, and its errors. Sinks and subscriptions to queries are views
 * without a store.
 *
 * While a view is being filled its nodes lie in a graph of its own; when it becomes live, the engine's graph adopts them.
 */
import type { Arena } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { emptyBatch } from '../../operators/batch/builder.ts';
import type { EvalContext } from '../../operators/expr/ir.ts';
import type { NodeFigures } from '../../operators/flow_node.ts';
import { type Flow, type FlowOwner, Graph, type GraphTick, type KeyedPlan } from '../../operators/graph.ts';
import { adopt } from '../../operators/graph_adopt.ts';
import { kernels } from '../../operators/kernels/index.ts';
import { consolidator } from '../../operators/state/consolidate.ts';
import { nodeKeys, type PhysicalQuery } from '../../planner/physical/index.ts';
import { ERROR_COLUMNS, ErrorLedger } from './ledger.ts';
import { StoredRelation } from './stored_relation.ts';
import { concat } from './transaction.ts';

export class ViewRuntime implements FlowOwner {
  readonly oid: number;
  readonly name: string;
  readonly physical: PhysicalQuery;
  readonly stored: StoredRelation | null;
  readonly sources: { relation: number; columns: number[] }[];
  readonly errors: ViewErrors;
  readonly flow: Flow;
  /** The settings that the view was made under. */
  readonly context: EvalContext;
  /** The graph that the flow is part of. */
  #graph: Graph;
  readonly #consolidate: (delta: Batch, arena: Arena) => Batch;

  /** `context`: the settings of the session that made the view; its now() is replaced by the tick's. */
  constructor(oid: number, name: string, physical: PhysicalQuery, context: EvalContext, indexes: number[][] | null) {
    this.oid = oid;
    this.name = name;
    this.physical = physical;
    const types = physical.columns.map((c) => c.type);
    this.stored = indexes === null ? null : new StoredRelation(types, indexes);
    this.#consolidate = consolidator(types);
    this.#graph = newGraph();
    this.context = { ...context, session: undefined };
    this.flow = this.#graph.add(this, keyedPlan(physical, context));
    this.sources = this.flow.sources();
    this.errors = new ViewErrors(this.flow);
  }

  get relation(): number {
    return this.oid;
  }

  take(delta: Batch, tick: GraphTick): Batch {
    // Hidden sort columns of the root do not belong to the view.
    const visible =
      delta.columns.length > this.physical.columns.length
        ? { ...delta, columns: delta.columns.slice(0, this.physical.columns.length) }
        : delta;
    // Where nothing is taken away nothing can cancel.
    const net = kernels.allPositive(visible.weights, visible.n) ? visible : this.#consolidate(visible, tick.arena);
    this.stored?.apply(net);
    return net;
  }

  /** While the view is being filled: takes in rows of relations; gives the change of the view's rows, which holds until endStep(). */
  step(deltas: Map<number, Batch>, tick: GraphTick): Batch | null {
    this.#graph.step(deltas, tick);
    return deltas.get(this.oid) ?? null;
  }

  endStep(): void {
    this.#graph.endTick();
    this.stored?.endTick();
  }

  /** The filled view becomes part of the live graph. */
  join(live: Graph): void {
    adopt(live, this.#graph, this.flow);
    this.#graph = live;
  }

  /** By node of the plan. */
  figures(): NodeFigures[] {
    return this.flow.nodes.map((node) => node.figures());
  }

  release(): void {
    this.#graph.drop(this.flow);
    this.stored?.release();
  }
}

export function newGraph(): Graph {
  return new Graph(() => new ErrorLedger());
}

/** A query's plan with what makes its nodes equal to those of other queries. */
export function keyedPlan({ plan }: PhysicalQuery, context: EvalContext): KeyedPlan {
  const { now, tick, session: _, ...settings } = context;
  const text = JSON.stringify(Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1)));
  return { plan, keys: nodeKeys(plan, text), context: { ...settings, now, tick } };
}

/** The errors of a view: those of all its nodes. */
class ViewErrors {
  readonly #flow: Flow;

  constructor(flow: Flow) {
    this.#flow = flow;
  }

  #ledgers(): ErrorLedger[] {
    return this.#flow.distinctNodes().flatMap(({ errors }) => (errors instanceof ErrorLedger ? [errors] : []));
  }

  /** Error rows ever reported, retractions not subtracted. */
  get count(): bigint {
    return this.#ledgers().reduce((sum, ledger) => sum + ledger.count, 0n);
  }

  /** The error rows as they are now. */
  get relation(): ErrorRows {
    const relations = this.#ledgers().map((ledger) => ledger.relation);
    return {
      rows: relations.reduce((sum, relation) => sum + relation.rows, 0),
      snapshot: (arena) =>
        relations.length === 0
          ? emptyBatch(ERROR_COLUMNS.map((c) => c.type))
          : concat(
              relations.map((relation) => ({ batch: relation.snapshot(arena), sign: 1 })),
              arena,
            ),
    };
  }
}

interface ErrorRows {
  rows: number;
  snapshot(arena: Arena): Batch;
}
