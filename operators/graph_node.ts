/** A node of the engine's graph: a running plan node with its place in the graph, the flows it is part of, and its errors. */
import type { Arena } from './batch/arena.ts';
import type { Batch } from './batch/batch.ts';
import type { Datum } from './datum.ts';
import type { SqlError } from './errors.ts';
import { withoutClock } from './expr/context.ts';
import type { EvalContext } from './expr/ir.ts';
import type { Flow, GraphTick } from './flow.ts';
import { FlowNode } from './flow_node.ts';
import { ListedSet } from './lists.ts';
import type { ErrorSink, Tick } from './operator.ts';
import type { PlanNode } from './plan.ts';
import type { Watermarks } from './state/deadline.ts';
import type { Saved } from './state/saved.ts';

/** The error rows of a node, as the server keeps them. */
export interface NodeErrors extends ErrorSink {
  save(): Saved;
  load(saved: Saved): void;
  /** Makes what was reported in this tick part of the rows. */
  apply(arena: Arena): void;
  endTick(): void;
  release(): void;
}

/** What an operator is told of a tick: the same object in each, so that of a tick only its frame is written down, which all nodes have in common. */
class NodeTick implements Tick {
  first = false;
  frame: GraphTick;
  readonly evalContext: EvalContext;
  readonly errors: ErrorSink;

  constructor(frame: GraphTick, context: EvalContext, errors: ErrorSink) {
    this.frame = frame;
    this.errors = errors;
    this.evalContext = Object.defineProperty(withoutClock(context), 'tick', { get: () => this.frame.number });
  }

  get number(): bigint {
    return this.frame.number;
  }

  get arena(): Arena {
    return this.frame.arena;
  }

  get now(): bigint {
    return this.frame.now;
  }

  get watermark(): Watermarks {
    return this.frame.watermark;
  }
}

export class GraphNode extends FlowNode implements ErrorSink {
  readonly key: string;
  /** Settings of the session that first asked for the node; the key has those that its expressions look at. */
  readonly context: EvalContext;
  inputs: GraphNode[];
  readonly consumers = new ListedSet<GraphNode>();
  /** Flows that have the node. */
  readonly flows = new Set<Flow>();
  /** Flows whose root it is. */
  readonly ends = new ListedSet<Flow>();
  /**
   * Of a source: the relations that flows read by it, and how many nodes of their plans do. They have the same rows, for they are the same query; one that is
   * dropped while a flow still names it has no deltas any more.
   */
  readonly relations = new Map<number, number>();
  /** Above the levels of all inputs. */
  level = 0;
  /** To be stepped in the present tick. */
  due = false;
  /** Takes part in the end of the present tick. */
  ending = false;
  /** Is about to free state. */
  freeing = false;
  /** Null while there was no error. */
  errors: NodeErrors | null = null;
  readonly #newErrors: () => NodeErrors;
  #reported = false;
  readonly #inputBatches: Batch[] = [];
  #tick: NodeTick | null = null;

  constructor(spec: PlanNode, key: string, context: EvalContext, inputs: GraphNode[], newErrors: () => NodeErrors) {
    super(spec);
    this.key = key;
    this.context = context;
    this.inputs = inputs;
    this.#newErrors = newErrors;
  }

  report(error: SqlError, row: Datum[], weight: number): void {
    this.errors ??= this.#newErrors();
    this.errors.report(error, row, weight);
    this.#reported = true;
  }

  /** What its inputs put out in this tick: the same list in each. */
  outputsOfInputs(): Batch[] {
    for (let i = 0; i < this.inputs.length; i++) this.#inputBatches[i] = this.inputs[i].output;
    return this.#inputBatches;
  }

  runIn(inputs: Batch[], tick: GraphTick, first: boolean): void {
    this.run(inputs, this.#told(tick, first));
    if (!this.#reported) return;
    this.errors?.apply(tick.arena);
    this.#reported = false;
  }

  #told(frame: GraphTick, first: boolean): Tick {
    this.#tick ??= new NodeTick(frame, this.context, this);
    const told = this.#tick;
    told.frame = frame;
    told.first = first;
    return told;
  }

  /** A step is taken back: what it put out, and the errors when they are its first. */
  forget(errors: NodeErrors | null, rowsIn: number, rowsOut: number): void {
    if (errors === null) this.errors?.release();
    this.errors = errors;
    this.#reported = false;
    this.rowsIn = rowsIn;
    this.rowsOut = rowsOut;
    this.putNothing();
  }

  override endTick(): void {
    super.endTick();
    this.errors?.endTick();
  }

  /** What the node has for the flows of `kept`: indexes that only others read are left out. */
  saveFor(kept: ReadonlySet<Flow>) {
    const isRead = (name: string) =>
      this.indexes.get(name)?.readers.some(({ reader }) => reader instanceof GraphNode && reader.isOf(kept));
    const { indexes, ...node } = this.save();
    return {
      key: this.key,
      node: { ...node, indexes: indexes.filter(({ name }) => isRead(name)) },
      errors: this.errors === null ? null : this.errors.save(),
    };
  }

  /** Takes over what a node with the same key saved. */
  loadFrom({ node, errors }: ReturnType<typeof this.saveFor>): void {
    this.load(node);
    if (errors === null) return;
    this.errors = this.#newErrors();
    this.errors.load(errors);
  }

  /** An index in which the operator has its rows is there as long as the node is: where it has no reader in one of the node's flows, the operator has them elsewhere. */
  holdForAll(): void {
    for (const flow of this.flows)
      if (!this.isHeldFor((reader) => reader instanceof GraphNode && reader.flows.has(flow))) this.holdApart();
  }

  override get stays(): boolean {
    return this.flows.size > 0;
  }

  isOf(flows: ReadonlySet<Flow>): boolean {
    for (const flow of this.flows) if (flows.has(flow)) return true;
    return false;
  }

  override release(): void {
    super.release();
    this.errors?.release();
    this.errors = null;
  }
}
