/**
 * All maintained plans of the engine as one dataflow graph: a node that several plans have in common is one node, with one operator and
 * one set of indexes, stepped once a tick.
 *
 *   relation's delta -> source nodes ─> ... ─> root of a flow -> its owner's net delta = the delta of the owner's relation -> source nodes ...
 *
 * A flow is one plan in the graph: the nodes of a view, sink or subscription. Nodes are the same when their keys are (planner/physical/node_key.ts):
 * the keys of a node's inputs are part of its key, so what two flows share is closed downwards.
 *
 * Views that are the same query have the same rows: sources of them are one node, which takes the delta of any (GraphNode.relations).
 *
 * A tick visits levels: the level of a node is above those of its inputs, that of a source of a view above the view's root. Only nodes
 * with a moved input are visited, and those that the clock or a watermark may move. Cost: O(work of the moved nodes).
 *
 * A new flow is filled in a graph of its own and then adopted (graph_adopt.ts), or added here and filled from the rows that its nodes'
 * inputs have now (graph_fill.ts). Errors are kept per node: those of a flow are those of its nodes.
 */
import type { Batch } from './batch/batch.ts';
import { buildOperator } from './build.ts';
import { Dataflow, inputSpec } from './dataflow.ts';
import type { Deltas } from './deltas.ts';
import { Flow, type FlowOwner, type GraphTick, type KeyedPlan } from './flow.ts';
import { GraphNode, type NodeErrors } from './graph_node.ts';
import { empty, ListedSet } from './lists.ts';
import { freedBy, isClocked } from './node_time.ts';
import { freesOf } from './plan.ts';
import type { ColdState } from './state/cold_state.ts';
import type { Watermarks } from './state/deadline.ts';
import { abandon } from './state/heap_pages.ts';
import { KeyedIndex } from './state/keyed_index.ts';
import type { RowIndex } from './state/row_index.ts';
import { pagesOf, type Saved } from './state/saved.ts';
import type { Undo } from './state/undo.ts';
import { turn } from './turn.ts';
import { WatermarkReaders } from './watermark_readers.ts';

/** An index that a relation keeps of its rows by these keys (positions in the row), giving these columns; null when it has none. */
export type IndexLender = (relation: number, columns: number[], keys: number[]) => RowIndex | null;

export class Graph {
  readonly #newErrors: () => NodeErrors;
  readonly #lend: IndexLender;
  readonly #nodes = new Map<string, GraphNode>();
  /** By the relation that the owner's result is. */
  readonly #flows = new Map<number, Flow>();
  readonly #sources = new Map<number, ListedSet<GraphNode>>();
  /** Nodes that time alone may move. */
  readonly #clocked = new Set<GraphNode>();
  /** Nodes that a watermark alone may move, with the watermarks they have seen. */
  readonly #watermarked = new WatermarkReaders();
  /** Nodes that were never stepped. */
  readonly #fresh = new Set<GraphNode>();
  /** Nodes whose state a relation's watermark frees, and the watermarks by which they did last. */
  readonly #freeing = new Map<number, ListedSet<GraphNode>>();
  readonly #freedAt = new Map<number, bigint | null>();
  /** Nodes that had more to free than one tick's share. */
  readonly #unfinished = new Set<GraphNode>();
  #watermarks: Watermarks = () => null;
  readonly #due: GraphNode[][] = [];
  /** Those that take part in the end of the tick. */
  readonly #ending: GraphNode[] = [];
  readonly #toFree: GraphNode[] = [];

  /** `newErrors` makes the ledger of a node's errors when it has its first one; `lend` gives indexes that relations keep. */
  constructor(newErrors: () => NodeErrors, lend: IndexLender = () => null) {
    this.#newErrors = newErrors;
    this.#lend = lend;
  }

  /** The live node with this key. */
  node(key: string): GraphNode | undefined {
    return this.#nodes.get(key);
  }

  nodes(): Iterable<GraphNode> {
    return this.#nodes.values();
  }

  flow(relation: number): Flow | undefined {
    return this.#flows.get(relation);
  }

  /** True while there is dead state that the next ticks free. */
  get freeing(): boolean {
    return this.#unfinished.size > 0;
  }

  /** True when time alone may change something. */
  get clocked(): boolean {
    return this.#clocked.size > 0;
  }

  /** True when watermarks alone may change something. */
  get watchesWatermarks(): boolean {
    return this.#watermarked.any;
  }

  /** True when they have moved since the last step that such nodes have seen. */
  isBehind(watermark: Watermarks): boolean {
    return this.#watermarked.isBehind(watermark);
  }

  /** Puts a plan into the graph: equal nodes are shared, the others are new and empty until their first step. */
  add(owner: FlowOwner, { plan, keys, context }: KeyedPlan): Flow {
    const flow = new Flow(owner, plan);
    plan.nodes.forEach((spec, i) => {
      const known = this.#nodes.get(keys[i]);
      if (known !== undefined) {
        flow.nodes.push(known);
        known.flows.add(flow);
        if (spec.op === 'source') this.reads(known, spec.relation, 1);
        return;
      }
      const inputs = spec.inputs.map((input) => flow.nodes[input]);
      const node = new GraphNode(spec, keys[i], context, inputs, this.#newErrors);
      if (spec.op === 'source') node.relations.set(spec.relation, 1);
      else {
        node.operator = buildOperator(spec, inputs.map(inputSpec), {
          index: (i, keyColumns, nullKeys, use) => {
            const input = inputs[i];
            const wanted = { keyColumns, nullKeys, frees: freesOf(spec, i) };
            const index = input.readIndex(wanted, node, use);
            const lent = index !== null && this.borrowIndexes(input);
            if (lent || this.#fresh.has(input)) return;
            if (index !== null) flow.emptyIndexes.push({ node: input, index });
            else if (wanted.frees.length > 0) flow.freedIndexes.push({ node: input, spec: wanted, reader: node, use });
          },
          flow: (inner, passing) => new Dataflow(inner, undefined, passing),
        });
      }
      node.flows.add(flow);
      flow.nodes.push(node);
      this.insert(node);
      this.#fresh.add(node);
    });
    this.attach(flow);
    for (const node of flow.nodes) node.holdForAll();
    return flow;
  }

  /** Makes a node part of the graph; its inputs are. */
  insert(node: GraphNode): void {
    const { spec } = node;
    this.#nodes.set(node.key, node);
    for (const input of node.inputs) input.consumers.add(node);
    node.level = node.inputs.reduce((level, input) => Math.max(level, input.level + 1), 0);
    for (const relation of node.relations.keys()) this.#listen(node, relation);
    for (const relation of freedBy(spec)) {
      let nodes = this.#freeing.get(relation);
      if (nodes === undefined) {
        nodes = new ListedSet();
        this.#freeing.set(relation, nodes);
      }
      nodes.add(node);
    }
    if (isClocked(spec)) this.#clocked.add(node);
    this.#watermarked.add(node);
  }

  /** So many more nodes of plans read this relation by the source. */
  reads(node: GraphNode, relation: number, count: number): void {
    const before = node.relations.get(relation) ?? 0;
    node.relations.set(relation, before + count);
    if (before === 0) this.#listen(node, relation);
  }

  #readsNoMore(node: GraphNode, relation: number): void {
    const left = (node.relations.get(relation) ?? 0) - 1;
    if (left > 0) {
      node.relations.set(relation, left);
      return;
    }
    node.relations.delete(relation);
    this.#forget(node, relation);
  }

  /** The relation's deltas move the source. */
  #listen(node: GraphNode, relation: number): void {
    const read = this.#flows.get(relation);
    if (read !== undefined) node.level = read.root.level + 1;
    let sources = this.#sources.get(relation);
    if (sources === undefined) {
      sources = new ListedSet();
      this.#sources.set(relation, sources);
    }
    sources.add(node);
  }

  #forget(node: GraphNode, relation: number): void {
    const sources = this.#sources.get(relation);
    sources?.delete(node);
    if (sources?.size === 0) this.#sources.delete(relation);
  }

  /** From now on the flow's owner takes the deltas of its root. */
  attach(flow: Flow): void {
    flow.root.ends.add(flow);
    this.#flows.set(flow.owner.relation, flow);
  }

  /** Takes a flow out, and the nodes that no other flow has. Within a tick only a flow that was just added. */
  drop(flow: Flow): void {
    this.detach(flow);
    for (const node of this.#ending.splice(0)) {
      node.ending = false;
      if (node.flows.size > 1 || !node.flows.has(flow)) this.#ends(node);
    }
    flow.plan.nodes.forEach((spec, i) => {
      if (spec.op === 'source') this.#readsNoMore(flow.nodes[i], spec.relation);
    });
    const nodes = flow.distinctNodes().reverse();
    for (const node of nodes) node.flows.delete(flow);
    for (const node of nodes) {
      if (node.flows.size > 0) continue;
      this.remove(node);
      for (const input of node.inputs) input.forgetReader(node);
      node.release();
    }
  }

  /** The opposite of attach(). */
  detach(flow: Flow): void {
    flow.root.ends.delete(flow);
    if (this.#flows.get(flow.owner.relation) === flow) this.#flows.delete(flow.owner.relation);
  }

  /** The opposite of insert(). */
  remove(node: GraphNode): void {
    const { spec } = node;
    this.#nodes.delete(node.key);
    for (const input of node.inputs) input.consumers.delete(node);
    for (const relation of node.relations.keys()) this.#forget(node, relation);
    for (const relation of freedBy(spec)) {
      const nodes = this.#freeing.get(relation);
      nodes?.delete(node);
      if (nodes?.size === 0) this.#freeing.delete(relation);
    }
    this.#unfinished.delete(node);
    this.#clocked.delete(node);
    this.#watermarked.delete(node);
    this.#fresh.delete(node);
  }

  /**
   * One tick: `deltas` has the changed rows by relation (whole rows by position, columns that nobody needs may be missing); the net
   * deltas of the flows' relations are added to it. All of them are valid until endTick(). With `undo` the step can be taken back.
   */
  step(deltas: Deltas, tick: GraphTick, undo: Undo | null = null): void {
    if (undo !== null) this.#keepSchedule(undo);
    for (let i = 0; i < deltas.size; i++) if (deltas.batches[i].n > 0) this.#moved(deltas.relations[i]);
    if (this.#clocked.size > 0) this.#scheduleClocked(tick);
    if (this.#watermarked.any) this.#watermarked.see(tick.watermark, (node) => this.#schedule(node));
    if (this.#fresh.size > 0) for (const node of this.#fresh) this.#schedule(node);
    for (let level = 0; level < this.#due.length; level++) {
      const due = this.#due[level];
      if (due.length === 0) continue;
      for (const node of due) this.#stepNode(node, deltas, tick, undo);
      empty(due);
    }
    this.#watermarks = tick.watermark;
  }

  #keepSchedule(undo: Undo): void {
    const unsee = this.#watermarked.keep();
    const watermarks = this.#watermarks;
    undo.restore(() => {
      for (const nodes of this.#due) {
        for (const node of nodes) node.due = false;
        nodes.length = 0;
      }
      unsee();
      this.#watermarks = watermarks;
      for (const node of this.#ending) node.ending = false;
      empty(this.#ending);
    });
  }

  /** Before a node's step. Its operator is made anew when the step is taken back, for one that failed half-way may have left anything in its scratch. */
  #keepNode(node: GraphNode, undo: Undo): void {
    if (!undo.isNew(node)) return;
    const { errors, rowsIn, rowsOut } = node;
    const operator = node.operator === null ? null : node.operator.save();
    const fresh = this.#fresh.has(node);
    for (const { own } of node.indexes.values()) if (own !== null) undo.keep(own);
    if (errors !== null) undo.keep(errors);
    undo.restore(() => {
      if (fresh) this.#fresh.add(node);
      node.forget(errors, rowsIn, rowsOut);
      const old = node.operator;
      if (old === null) return;
      abandon(pagesOf(operator), () => old.release());
      for (const input of node.inputs) input.forgetUses(node);
      node.operator = buildOperator(node.spec, node.inputs.map(inputSpec), {
        index: (i, keyColumns, nullKeys, use) => {
          node.inputs[i].readIndex({ keyColumns, nullKeys, frees: freesOf(node.spec, i) }, node, use);
        },
        flow: (inner, passing) => new Dataflow(inner, undefined, passing),
      });
      node.operator.load(operator);
      node.hold();
    });
  }

  /**
   * The readers of a source's indexes read those that its relation keeps, where it has them: they are up to date before any source steps, and
   * a second copy of the rows is not kept. True when there were any.
   */
  borrowIndexes(node: GraphNode): boolean {
    let borrowed = false;
    for (const entry of node.indexes.values()) {
      const lent = entry.own === null ? null : this.#lent(node, entry.keyColumns);
      if (lent === null) continue;
      node.exchangeIndex(entry, lent, null);
      borrowed = true;
    }
    return borrowed;
  }

  #lent({ spec, relations }: GraphNode, keyColumns: number[]): RowIndex | null {
    if (spec.op !== 'source') return null;
    const keys = keyColumns.map((k) => spec.columns[k]);
    for (const relation of relations.keys()) {
      const lent = this.#lend(relation, spec.columns, keys);
      if (lent !== null) return lent;
    }
    return null;
  }

  /** A relation lends an index no more, or lends a new one. `rows`: its present rows. When it throws, some nodes may still have the index that is lent no more. */
  indexesChanged(relation: number, rows: () => Batch): void {
    for (const node of this.#sources.get(relation) ?? []) {
      this.borrowIndexes(node);
      for (const entry of node.indexes.values()) {
        if (entry.own !== null) continue;
        const { keyColumns, nullKeys, frees } = entry;
        const lent = this.#lent(node, keyColumns);
        if (lent !== null) {
          node.exchangeIndex(entry, lent, null);
          continue;
        }
        const own = new KeyedIndex(node.spec.types, keyColumns, nullKeys, frees);
        try {
          own.apply(node.columnsOf(rows()));
        } catch (error) {
          own.release();
          throw error;
        }
        own.endTick();
        node.exchangeIndex(entry, own, own);
      }
    }
  }

  /** True while a node waits for its first step. */
  isFresh(node: GraphNode): boolean {
    return this.#fresh.has(node);
  }

  /** The first step of a new source: all rows of its relation. */
  fillSource(node: GraphNode, rows: Batch | null, tick: GraphTick): void {
    this.#fresh.delete(node);
    this.#ends(node);
    node.take(rows, tick.arena);
  }

  /** The first step of any other new node, over the whole outputs of its inputs. */
  fillNode(node: GraphNode, inputs: Batch[], tick: GraphTick): void {
    this.#fresh.delete(node);
    this.#ends(node);
    node.runIn(inputs, tick, true);
  }

  #ends(node: GraphNode): void {
    if (node.ending) return;
    node.ending = true;
    this.#ending.push(node);
  }

  /** State that the tick's watermarks prove dead goes, and memory of the tick may be reused. */
  endTick(): void {
    this.#free();
    for (const node of this.#ending) {
      node.ending = false;
      node.endTick();
    }
    empty(this.#ending);
  }

  /** Frees state of the nodes whose watermark has moved, or that are not done since it did. */
  #free(): void {
    if (this.#unfinished.size > 0) for (const node of this.#unfinished) this.#frees(node);
    for (const [relation, readers] of this.#freeing) {
      const watermark = this.#watermarks(relation);
      if (watermark === (this.#freedAt.get(relation) ?? null)) continue;
      this.#freedAt.set(relation, watermark);
      for (const node of readers.list) this.#frees(node);
    }
    const nodes = this.#toFree;
    for (const node of nodes) {
      node.freeing = false;
      if (node.operator?.free?.(this.#watermarks) === false) this.#unfinished.add(node);
      else if (this.#unfinished.size > 0) this.#unfinished.delete(node);
      this.#ends(node);
    }
    empty(nodes);
  }

  #frees(node: GraphNode): void {
    if (node.freeing) return;
    node.freeing = true;
    this.#toFree.push(node);
  }

  #moved(relation: number): void {
    const sources = this.#sources.get(relation);
    if (sources !== undefined) for (const node of sources.list) this.#schedule(node);
  }

  #schedule(node: GraphNode): void {
    if (node.due) return;
    node.due = true;
    while (this.#due.length <= node.level) this.#due.push([]);
    this.#due[node.level].push(node);
  }

  #scheduleClocked(tick: GraphTick): void {
    for (const node of this.#clocked) {
      const { operator } = node;
      const due = operator?.due === undefined ? tick.now : operator.due();
      if (due !== null && due <= tick.now) this.#schedule(node);
    }
  }

  #stepNode(node: GraphNode, deltas: Deltas, tick: GraphTick, undo: Undo | null): void {
    turn.look();
    const { source } = node;
    if (undo !== null) this.#keepNode(node, undo);
    node.due = false;
    this.#ends(node);
    if (source !== null) node.take(deltas.ofEqual(source.relation, node.relations), tick.arena);
    else {
      const first = this.#fresh.size > 0 && this.#fresh.has(node);
      node.runIn(node.outputsOfInputs(), tick, first);
    }
    if (this.#fresh.size > 0) this.#fresh.delete(node);
    if (node.output.n === 0) return;
    for (const consumer of node.consumers.list) this.#schedule(consumer);
    for (const { owner } of node.ends.list) {
      if (undo !== null) owner.kept?.keepIn(undo);
      const net = owner.take(node.output, tick);
      if (net.n === 0) continue;
      deltas.set(owner.relation, net);
      this.#moved(owner.relation);
    }
  }

  /** Those of all nodes. */
  *coldStates(): Iterable<ColdState> {
    for (const node of this.#nodes.values()) yield* node.coldStates();
  }

  /** The nodes of these flows, between two ticks. */
  save(kept: ReadonlySet<Flow>) {
    return [...this.#nodes.values()].filter((node) => node.isOf(kept)).map((node) => node.saveFor(kept));
  }

  /** Fills the nodes of a graph that has exactly the flows that were saved. */
  load(saved: Saved): void {
    const nodes = saved as ReturnType<typeof this.save>;
    if (nodes.length !== this.#nodes.size)
      throw new Error(`${nodes.length} nodes were saved, ${this.#nodes.size} exist`);
    for (const state of nodes) {
      const node = this.#nodes.get(state.key);
      if (node === undefined) throw new Error(`no node has the key ${state.key}`);
      node.loadFrom(state);
    }
  }

  release(): void {
    for (const node of this.#nodes.values()) node.release();
    for (const map of [
      this.#nodes,
      this.#flows,
      this.#sources,
      this.#clocked,
      this.#watermarked,
      this.#freeing,
      this.#unfinished,
      this.#fresh,
    ])
      map.clear();
    empty(this.#ending);
  }
}
