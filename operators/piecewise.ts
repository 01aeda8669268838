/**
 * A plan that is run once over input that comes in pieces: a long read (src/runtime/sliced_read.ts).
 *
 *   pieces -> source -> map ... -> aggregate | held | ... after the last piece:  its rows, in pieces -> map -> Top-N | held | ... its rows
 *
 * What a node puts out of a part of its input may be taken back by the next part: a sum, a row without a partner. Whoever evaluates an expression over
 * it would fail by rows that are none of the result, and have work in vain. So every node that is not append-only is held: it takes its input in, and what comes of all of it goes on when
 * there is no more. Operators whose state has their output are then asked for it (integral()); of the others what they put out is kept until its parts have cancelled.
 */
import { Arena } from './batch/arena.ts';
import type { Batch } from './batch/batch.ts';
import { RowPieces } from './batch/row_pieces.ts';
import { slices } from './batch/slice.ts';
import type { InputSpec } from './build.ts';
import { Dataflow } from './dataflow.ts';
import type { FlowNode } from './flow_node.ts';
import type { IndexProvider, Operator, Tick } from './operator.ts';
import { OverOnce } from './over_once.ts';
import type { DataflowPlan, PlanNode } from './plan.ts';
import { isSelection, TopSelection } from './top_selection.ts';

/** Rows of a held node that go on at once. */
const PIECE_ROWS = 2048;

/** Which nodes depend on a relation: what comes of constants alone is whole with the first piece, and joins count on that. */
function readsInput(plan: DataflowPlan): boolean[] {
  const read: boolean[] = [];
  for (const { op, inputs } of plan.nodes) read.push(op === 'source' || inputs.some((i) => read[i]));
  return read;
}

export class Piecewise extends Dataflow {
  /** In the order of the plan. */
  readonly #held: Set<FlowNode>;
  readonly #kept = new Arena();
  /** Of held nodes that have no integral: what they have put out. */
  readonly #rows = new Map<FlowNode, RowPieces>();

  constructor(plan: DataflowPlan) {
    super(plan);
    const read = readsInput(plan);
    this.#held = new Set(this.nodes.filter(({ spec }, i) => read[i] && spec.op !== 'source' && !spec.appendOnly));
  }

  /** Runs in the constructor of Dataflow. */
  protected override build(node: PlanNode, inputs: InputSpec[], indexes: IndexProvider): Operator {
    if (node.op === 'over') return new OverOnce(node, inputs[0].types);
    const make = () => super.build(node, inputs, indexes);
    return isSelection(node) ? new TopSelection(node, make) : make();
  }

  protected override runNode(node: FlowNode, inputs: Batch[], tick: Tick): void {
    const { operator, spec } = node;
    if (!this.#held.has(node)) super.runNode(node, inputs, tick);
    else if (operator?.integral !== undefined) node.absorb(inputs, tick);
    else {
      const rows = this.#rows.get(node) ?? new RowPieces(spec.types, this.#kept);
      this.#rows.set(node, rows);
      rows.append(node.runApart(inputs, tick));
    }
  }

  /** No more input is needed: the plan asks for some rows, whichever they are, of a node that takes none back, and has got as many. */
  get isFull(): boolean {
    const root = this.nodes[this.plan.root];
    const { spec } = root;
    if (spec.op !== 'topn' || spec.order.length > 0 || spec.partition.length > 0 || spec.limit === null) return false;
    return this.nodes[spec.inputs[0]].spec.appendOnly === true && root.rowsIn >= spec.offset + spec.limit;
  }

  /** All input is there: lets the held nodes' rows go on, a piece a step. Each is the root's output of a tick, to be followed by endTick(). */
  *rest(tick: () => Omit<Tick, 'first'>): Iterable<Batch> {
    for (const node of this.#held) {
      const arena = new Arena();
      try {
        for (const piece of this.#pieces(node, { ...tick(), arena, first: false }))
          yield this.stepFrom(node, piece, tick());
      } finally {
        arena.release();
      }
    }
  }

  /** All that a held node puts out; a piece without rows is a step of its work. Whose state gives it in pieces needs no memory for all of it. */
  *#pieces(node: FlowNode, tick: Tick): Iterable<Batch> {
    const { operator } = node;
    if (operator?.integralPieces !== undefined) {
      for (const piece of operator.integralPieces(tick, PIECE_ROWS)) {
        yield piece;
        tick.arena.reset();
      }
    } else if (operator?.integral !== undefined) yield* slices(operator.integral(tick), PIECE_ROWS);
    else for (const rows of this.#putOut(node, tick.arena)) yield* slices(rows, PIECE_ROWS);
  }

  /** What a held node has put out. */
  #putOut(node: FlowNode, arena: Arena): Batch[] {
    const rows = this.#rows.get(node);
    this.#rows.delete(node);
    return rows?.netPieces(arena) ?? [];
  }

  override release(): void {
    super.release();
    this.#kept.release();
  }
}
