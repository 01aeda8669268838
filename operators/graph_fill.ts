/**
 * Filling a new flow at one tick, without replay of history: from the rows that the inputs of its new nodes have now.
 *
 *   new node:   its first step takes the whole output of its inputs; indexes that it asks for hold all rows by then, and where a live one has
 *               given rows up it reads a temporary one with all of them in this step
 *   live node:  its whole output comes from a result that is kept (a view's rows), its operator's state, an index with all rows, or is
 *               computed anew from its inputs' whole outputs
 *   source:     the rows of its relation, where they are kept
 *
 * A stream's past is not kept anywhere: a flow with a new node over a source of a stream cannot be filled in this way. Nor can state be read
 * from which a watermark frees rows: it no longer has all that the node has given out.
 * Cost: O(rows read), once.
 */
import type { Batch } from './batch/batch.ts';
import { BatchBuilder, emptyBatch } from './batch/builder.ts';
import { buildOperator } from './build.ts';
import { Dataflow, inputSpec } from './dataflow.ts';
import { withoutClock } from './expr/context.ts';
import type { Flow, FlowOwner, GraphTick, KeyedPlan } from './flow.ts';
import { FlowNode, indexName, type NodeIndex } from './flow_node.ts';
import type { Graph } from './graph.ts';
import type { GraphNode } from './graph_node.ts';
import type { ErrorSink, Tick } from './operator.ts';
import type { PlanNode } from './plan.ts';
import { KeyedIndex } from './state/keyed_index.ts';
import type { RowIndex } from './state/row_index.ts';

/** Relations whose rows at the present tick are known. */
export interface KnownRelations {
  has(relation: number): boolean;
  /** The rows of a known relation, in memory of the tick; null when there are none. */
  rows(relation: number): Batch | null;
}

/** Whether this plan can be filled in the graph as it is. */
export function canFill(graph: Graph, { plan, keys }: KeyedPlan, relations: KnownRelations): boolean {
  const known = new Map<GraphNode, boolean>();
  const readable = (i: number): boolean => {
    const live = graph.node(keys[i]);
    return live === undefined || canRead(live, relations, known);
  };
  return plan.nodes.every((spec, i) => {
    if (i === plan.root && !readable(i)) return false;
    if (graph.node(keys[i]) !== undefined) return true;
    return spec.op === 'source' ? relations.has(spec.relation) : spec.inputs.every(readable);
  });
}

/** Whether a live node's whole output can be read. */
function canRead(node: GraphNode, relations: KnownRelations, known: Map<GraphNode, boolean>): boolean {
  let answer = known.get(node);
  if (answer === undefined) {
    const { spec } = node;
    answer =
      keptResult(node) !== null ||
      stateHasOutput(node) ||
      wholeIndex(node) !== undefined ||
      (spec.op === 'source'
        ? knownRelation(node, relations) !== undefined
        : node.inputs.every(
            (input, i) => matchingRows(spec, i, input) !== undefined || canRead(input, relations, known),
          ));
    known.set(node, answer);
  }
  return answer;
}

/** One of a live source's relations whose rows are known. */
function knownRelation(node: GraphNode, relations: KnownRelations): number | undefined {
  return [...node.relations.keys()].find((relation) => relations.has(relation));
}

/** A flow whose owner keeps the node's output. */
function keptResult(node: GraphNode): Flow | null {
  for (const flow of node.ends) if (flow.owner.result !== null) return flow;
  return null;
}

function freesNothing({ frees }: PlanNode): boolean {
  return frees === undefined || frees.length === 0;
}

function stateHasOutput({ operator, spec }: FlowNode): boolean {
  return operator?.integral !== undefined && freesNothing(spec);
}

function isComplete({ frees }: NodeIndex): boolean {
  return frees.length === 0;
}

/** The name of the index from which nothing is freed. */
function wholeIndexName(keyColumns: number[], nullKeys: boolean): string {
  return indexName({ keyColumns, nullKeys, frees: [] });
}

/** An index that holds every row of the node's output. */
function wholeIndex(node: FlowNode): RowIndex | undefined {
  for (const entry of node.indexes.values()) if (entry.nullKeys && isComplete(entry)) return entry.index;
  return undefined;
}

/** An inner join's input by its key: rows whose key is NULL match nothing, so the index need not have them. */
function matchingRows(spec: PlanNode, i: number, input: FlowNode): RowIndex | undefined {
  if (spec.op !== 'join' || spec.kind !== 'inner' || spec.nullSafe.includes(true)) return undefined;
  const entry = input.indexes.get(wholeIndexName(i === 0 ? spec.leftKeys : spec.rightKeys, false));
  return entry !== undefined && isComplete(entry) ? entry.index : undefined;
}

/** Errors that are listed already: by the live node that is read. */
const LISTED: ErrorSink = {
  report() {
    // See above.
  },
};

/** Fills new nodes of the graph within one tick, after the graph's own step. release() when the tick is over. */
export class Filling {
  readonly #graph: Graph;
  readonly #tick: GraphTick;
  readonly #relations: KnownRelations;
  readonly #whole = new Map<GraphNode, Batch>();
  readonly #temporary: { release(): void }[] = [];

  constructor(graph: Graph, tick: GraphTick, relations: KnownRelations) {
    this.#graph = graph;
    this.#tick = tick;
    this.#relations = relations;
  }

  /** Adds a flow to the graph and fills its new nodes; gives the flow, and the whole output of its root in memory of the tick. */
  add(owner: FlowOwner, keyed: KeyedPlan): { flow: Flow; output: Batch } {
    this.#readLive(keyed);
    const flow = this.#graph.add(owner, keyed);
    try {
      for (const { node, index } of flow.emptyIndexes.splice(0)) {
        const rows = this.#wholeOutput(node);
        if (rows.n > 0) index.apply(rows);
        index.endTick();
      }
      for (const node of flow.distinctNodes()) if (this.#graph.isFresh(node)) this.#fillNode(node, flow);
      flow.freedIndexes.length = 0;
    } catch (error) {
      this.#graph.drop(flow);
      throw error;
    }
    return { flow, output: this.#wholeOutput(flow.root) };
  }

  /** Reads what the new nodes need of live ones, while these are as canFill() saw them. */
  #readLive({ plan, keys }: KeyedPlan): void {
    const live = keys.map((key) => this.#graph.node(key));
    plan.nodes.forEach((spec, i) => {
      for (const read of [...(live[i] === undefined ? spec.inputs : []), ...(i === plan.root ? [i] : [])]) {
        const node = live[read];
        if (node !== undefined) this.#wholeOutput(node);
      }
    });
  }

  #fillNode(node: GraphNode, flow: Flow): void {
    const { spec } = node;
    const freed = flow.freedIndexes.filter(({ reader }) => reader === node);
    for (const { node: input, spec: wanted, use } of freed)
      use(this.#indexOf(input, this.#wholeOutput(input), wanted.keyColumns, wanted.nullKeys));
    if (spec.op === 'source') this.#graph.fillSource(node, this.#relations.rows(spec.relation), this.#tick);
    else {
      const inputs = node.inputs.map((input) => this.#wholeOutput(input));
      this.#graph.fillNode(node, inputs, this.#tick);
    }
    for (const { node: input, spec: wanted, use } of freed) use(input.indexes.get(indexName(wanted))!.index);
    this.#whole.set(node, node.output);
  }

  #wholeOutput(node: GraphNode): Batch {
    let rows = this.#whole.get(node);
    if (rows === undefined) {
      rows = this.#readOutput(node);
      this.#whole.set(node, rows);
    }
    return rows;
  }

  #readOutput(node: GraphNode): Batch {
    const { spec, operator } = node;
    const result = keptResult(node)?.owner.result;
    if (result) return result.snapshot(this.#tick.arena);
    const known = spec.op === 'source' ? knownRelation(node, this.#relations) : undefined;
    if (known !== undefined) {
      const rows = this.#relations.rows(known);
      return rows === null ? emptyBatch(spec.types) : node.columnsOf(rows);
    }
    if (operator?.integral !== undefined && stateHasOutput(node)) return operator.integral(this.#operatorTick(node));
    const index = wholeIndex(node);
    return index === undefined ? this.#recompute(node) : this.#indexRows(index, node);
  }

  #indexRows(index: RowIndex, { spec }: GraphNode): Batch {
    const out = new BatchBuilder(spec.types, this.#tick.arena, Math.max(1, index.size));
    index.forEach(this.#tick.arena, (slot, entry, weight) => {
      index.loadRow(slot, entry, out.columns, out.addRow(weight));
    });
    return out.build();
  }

  /** Runs an operator of its own over the whole outputs of the node's inputs. */
  #recompute(node: GraphNode): Batch {
    const { spec } = node;
    const inputs = node.inputs.map((input, i) => {
      const index = this.#whole.has(input) ? undefined : matchingRows(spec, i, input);
      return index === undefined ? this.#wholeOutput(input) : this.#indexRows(index, input);
    });
    const twin = new FlowNode(spec);
    twin.operator = buildOperator(spec, node.inputs.map(inputSpec), {
      index: (input, keyColumns, nullKeys, use) => {
        use(this.#indexOf(node.inputs[input], inputs[input], keyColumns, nullKeys));
      },
      flow: (inner) => new Dataflow(inner),
    });
    this.#temporary.push(twin);
    twin.run(inputs, this.#operatorTick(node));
    return twin.output;
  }

  #indexOf(node: GraphNode, rows: Batch, keyColumns: number[], nullKeys: boolean): RowIndex {
    const live = node.indexes.get(wholeIndexName(keyColumns, nullKeys));
    if (live !== undefined && isComplete(live)) return live.index;
    const index = new KeyedIndex(node.spec.types, keyColumns, nullKeys);
    this.#temporary.push(index);
    if (rows.n > 0) index.apply(rows);
    return index;
  }

  #operatorTick(node: GraphNode): Tick {
    const { number, now, arena } = this.#tick;
    const evalContext = withoutClock(node.context);
    evalContext.tick = number;
    return {
      number,
      now,
      arena,
      evalContext,
      first: true,
      errors: LISTED,
      watermark: (relation) => this.#tick.watermark(relation),
    };
  }

  release(): void {
    for (const temporary of this.#temporary.splice(0)) temporary.release();
  }
}
