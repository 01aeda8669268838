/**
 * One plan as running operators, for what is run once or inside an operator: ad hoc reads, the step of WITH RECURSIVE. The maintained
 * plans of the engine run in one Graph instead (graph.ts).
 *
 *   deltas of relations -> source nodes -> ... operators in topological order ... -> delta of the root
 *
 * A node whose inputs did not move is skipped. State that the tick's watermarks prove dead goes at the end of the tick.
 */
import type { Batch } from './batch/batch.ts';
import { buildOperator } from './build.ts';
import { FlowNode, type NodeFigures } from './flow_node.ts';
import type { Tick } from './operator.ts';
import { type DataflowPlan, freesOf, type Lookup, type PlanNode } from './plan.ts';
import type { ColdState } from './state/cold_state.ts';
import type { Watermarks } from './state/deadline.ts';
import type { Saved } from './state/saved.ts';
import { turn } from './turn.ts';

export type { NodeFigures } from './flow_node.ts';

/** Gives the rows of a relation that a source node asks for; `lookup`: rows of one key of an index are enough. */
export type RelationRows = (relation: number, lookup?: Lookup) => Batch | null;

/** Operators that may have output without input: the clock or a watermark moves them. */
export const CLOCKED: ReadonlySet<PlanNode['op']> = new Set<PlanNode['op']>(['temporal', 'window_close', 'recursive']);

export class Dataflow {
  readonly plan: DataflowPlan;
  protected readonly nodes: FlowNode[] = [];
  #first = true;
  #watermarks: Watermarks = () => null;

  /** `passing`: by node whether its indexes take nothing in. */
  constructor(plan: DataflowPlan, build = buildOperator, passing: boolean[] | null = null) {
    this.plan = plan;
    for (const [i, spec] of plan.nodes.entries()) {
      const node = new FlowNode(spec);
      node.passes = passing?.[i] === true;
      const inputs = spec.inputs.map((i) => this.nodes[i]);
      if (spec.op !== 'source') {
        node.operator = build(spec, inputs.map(inputSpec), {
          index: (input, keyColumns, nullKeys, use) => {
            inputs[input].readIndex({ keyColumns, nullKeys, frees: freesOf(spec, input) }, node, use);
          },
          flow: (inner, passing) => new Dataflow(inner, undefined, passing),
        });
      }
      this.nodes.push(node);
    }
  }

  /**
   * One tick. `delta(relation)` gives the changed rows of a relation, whole rows by position (columns that nobody needs may be
   * missing), or null when it did not move. Returns the root's delta, not consolidated, valid until endTick().
   */
  step(delta: RelationRows, tick: Omit<Tick, 'first'>): Batch {
    const full = this.begin(tick);
    for (const node of this.nodes) this.#stepNode(node, delta, full);
    return this.nodes[this.plan.root].output;
  }

  /** The tick as the nodes see it. */
  protected begin({ number, arena, evalContext, errors, now, watermark }: Omit<Tick, 'first'>): Tick {
    const first = this.#first;
    this.#first = false;
    this.#watermarks = watermark;
    return { number, arena, evalContext, errors, now, watermark, first };
  }

  #stepNode(node: FlowNode, delta: RelationRows, tick: Tick): void {
    turn.look();
    const { spec } = node;
    if (spec.op === 'source') {
      node.take(delta(spec.relation, spec.lookup), tick.arena);
      return;
    }
    const inputs = this.inputsOf(node, tick);
    if (inputs === null) node.putNothing();
    else node.run(inputs, tick);
  }

  /** What an operator's inputs put out in this tick; null: nothing that it has to step for. */
  protected inputsOf({ spec }: FlowNode, tick: Tick): Batch[] | null {
    const inputs: Batch[] = [];
    let moved = tick.first || CLOCKED.has(spec.op);
    for (const i of spec.inputs) {
      const input = this.nodes[i].output;
      inputs.push(input);
      if (input.n > 0) moved = true;
    }
    return moved ? inputs : null;
  }

  /** The tick's results were delivered: state may reuse what it let go. */
  endTick(): void {
    for (const node of this.nodes) node.operator?.free?.(this.#watermarks);
    for (const node of this.nodes) node.endTick();
  }

  *coldStates(): Iterable<ColdState> {
    for (const node of this.nodes) yield* node.coldStates();
  }

  figures(): NodeFigures[] {
    return this.nodes.map((node) => node.figures());
  }

  save() {
    return { first: this.#first, nodes: this.nodes.map((node) => node.save()) };
  }

  /** A dataflow of the same plan has the same nodes with the same indexes. */
  load(saved: Saved): void {
    const { first, nodes } = saved as ReturnType<typeof this.save>;
    this.#first = first;
    nodes.forEach((node, i) => {
      this.nodes[i].load(node);
    });
  }

  release(): void {
    for (const node of this.nodes) node.release();
  }
}

/** What an operator is told of an input. */
export function inputSpec(node: FlowNode) {
  return { types: node.spec.types, appendOnly: node.spec.appendOnly === true };
}
