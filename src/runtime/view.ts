/**
 * A maintained view: its part of the dataflow graph, the rows it holds now, and its errors. Sinks and subscriptions to queries are views
 * without a store.
 *
 * A view is filled within one tick of the engine's graph where its inputs can be read there; else in a graph of its own, by replay, and the
 * engine's graph adopts its nodes when it becomes live.
 */
import type { Arena } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { emptyBatch } from '../../operators/batch/builder.ts';
import type { Deltas } from '../../operators/deltas.ts';
import type { EvalContext } from '../../operators/expr/ir.ts';
import type { Flow, FlowOwner, GraphTick, KeyedPlan } from '../../operators/flow.ts';
import type { NodeFigures } from '../../operators/flow_node.ts';
import { Graph, type IndexLender } from '../../operators/graph.ts';
import { adopt } from '../../operators/graph_adopt.ts';
import type { Filling } from '../../operators/graph_fill.ts';
import type { GraphNode } from '../../operators/graph_node.ts';
import type { ColdState } from '../../operators/state/cold_state.ts';
import { keyDigest, nodeKeys, type PhysicalQuery, type RowsOf } from '../../planner/physical/index.ts';
import { ERROR_COLUMNS, ErrorLedger } from './ledger.ts';
import { concat } from './signed_batches.ts';
import type { StoredRelation } from './stored_relation.ts';
import { ViewResult } from './view_result.ts';

export class ViewRuntime implements FlowOwner {
  readonly oid: number;
  /** As the catalog has it now. */
  name: string;
  readonly physical: PhysicalQuery;
  readonly plan: KeyedPlan;
  readonly sources: { relation: number; columns: number[] }[];
  readonly errors = new ViewErrors(this);
  #place: { graph: Graph; flow: Flow } | null = null;
  readonly #indexes: number[][] | null;
  #result: ViewResult;

  /** `context`: the settings of the session that made the view; its now() is replaced by the tick's. `rowsOf`: of the views that it reads. */
  constructor(
    oid: number,
    name: string,
    physical: PhysicalQuery,
    context: EvalContext,
    indexes: number[][] | null,
    rowsOf?: RowsOf,
  ) {
    this.oid = oid;
    this.name = name;
    this.physical = physical;
    this.plan = keyedPlan(physical, context, rowsOf);
    this.#indexes = indexes;
    this.#result = new ViewResult(
      physical.columns.map((c) => c.type),
      indexes,
      physical.appendOnly,
      physical.key?.length === 0 ? null : physical.key,
    );
    this.sources = physical.plan.nodes.flatMap((spec) =>
      spec.op === 'source' ? [{ relation: spec.relation, columns: spec.columns }] : [],
    );
  }

  get relation(): number {
    return this.oid;
  }

  /** Its nodes; none before it is filled. */
  get flow(): Flow {
    if (this.#place === null) throw new Error(`${this.name} has no operators yet`);
    return this.#place.flow;
  }

  /** While it is being filled apart: state of its operators, and its rows. */
  *coldStates(): Iterable<ColdState> {
    yield* this.#place?.graph.coldStates() ?? [];
    yield* this.stored?.coldStates() ?? [];
  }

  /** Its rows; views that are the same query have them in common. Null for sinks. */
  get stored(): StoredRelation | null {
    return this.#result.stored;
  }

  get result(): StoredRelation | null {
    const { nodes, root } = this.physical.plan;
    return nodes[root].types.length === this.#result.width ? this.stored : null;
  }

  get kept(): StoredRelation | null {
    return this.stored;
  }

  take(delta: Batch, tick: GraphTick): Batch {
    return this.#result.take(delta, tick);
  }

  /** Fills it in one go within the live graph's tick; gives its rows, which hold until the end of the tick. */
  fill(live: Graph, filling: Filling, tick: GraphTick): Batch {
    const { flow, output } = filling.add(this, this.plan);
    this.#place = { graph: live, flow };
    return this.#shareResult(flow) ? this.#result.all(output, tick) : this.take(output, tick);
  }

  /** Joins the result of a view that is the same query; false when there is none. */
  #shareResult({ root }: Flow): boolean {
    for (const { owner } of root.ends) {
      if (owner === this || !(owner instanceof ViewRuntime)) continue;
      const other = owner.#result;
      if (other.width !== this.#result.width || (other.stored === null) !== (this.stored === null)) continue;
      // A key may have been added between the two: rows that are restored have to be stored as they were.
      if (String(other.stored?.key) !== String(this.stored?.key)) continue;
      this.#result.release();
      this.#result = other.share();
      for (const columns of this.#indexes ?? []) this.stored?.addIndex(columns);
      return true;
    }
    return false;
  }

  /** While it is being filled apart: takes in rows of relations; gives the change of its rows, which holds until endStep(). */
  step(deltas: Deltas, tick: GraphTick): Batch | null {
    if (this.#place === null) {
      const graph = newGraph();
      this.#place = { graph, flow: graph.add(this, this.plan) };
    }
    this.#place.graph.step(deltas, tick);
    return deltas.get(this.oid) ?? null;
  }

  endStep(): void {
    this.#place?.graph.endTick();
    this.#result.endTick();
  }

  /** Filled apart, it becomes part of the live graph. */
  join(live: Graph): void {
    if (this.#place === null) throw new Error(`${this.name} is not filled`);
    const { graph, flow } = this.#place;
    adopt(live, graph, flow);
    this.#place = { graph: live, flow };
    this.#shareResult(flow);
  }

  /** As a checkpoint has it, it becomes part of the live graph; its nodes' state and its rows, if they are not another view's too, are to be loaded. */
  restore(live: Graph): void {
    const graph = newGraph();
    this.#place = { graph, flow: graph.add(this, this.plan) };
    this.join(live);
  }

  /** By node of the plan. */
  figures(): NodeFigures[] {
    return this.flow.nodes.map((node) => node.figures());
  }

  get nodes(): GraphNode[] {
    return this.#place?.flow.distinctNodes() ?? [];
  }

  release(): void {
    this.#place?.graph.drop(this.#place.flow);
    this.#place = null;
    this.#result.release();
  }
}

export function newGraph(lend?: IndexLender): Graph {
  return new Graph(() => new ErrorLedger(), lend);
}

/** A query's plan with what makes its nodes equal to those of other queries. */
export function keyedPlan({ plan }: PhysicalQuery, context: EvalContext, rowsOf?: RowsOf): KeyedPlan {
  const { now, tick, session: _, ...settings } = context;
  const text = JSON.stringify(Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1)));
  return { plan, keys: nodeKeys(plan, text, rowsOf), context: { ...settings, now, tick } };
}

/** Equal for views that are the same query, and so have the same rows. */
export function rowsKey({ columns }: PhysicalQuery, { plan, keys }: KeyedPlan): string {
  return `${columns.length} of ${keyDigest(keys[plan.root])}`;
}

/** The errors of a view: those of all its nodes. */
class ViewErrors {
  readonly #view: ViewRuntime;

  constructor(view: ViewRuntime) {
    this.#view = view;
  }

  #ledgers(): ErrorLedger[] {
    return this.#view.nodes.flatMap(({ errors }) => (errors instanceof ErrorLedger ? [errors] : []));
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
