/**
 * A plan that is run once over input that comes in pieces: a long read (src/runtime/sliced_read.ts).
 *
 *   pieces -> source -> map ... -> aggregate | held | ... after the last piece:  its rows, in pieces -> map -> Top-N | held | ... its rows
 *
 * What a node puts out of a part of its input may be taken back by the next part: a sum, a row without a partner. Whoever evaluates an expression over
 * it would fail by rows that are none of the result, and have work in vain. So every node that is not append-only is held: it takes its input in, and what comes of all of it goes on when
 * there is no more. An aggregate is then asked for its groups (integral()); of the others what they put out is kept until its parts have cancelled.
 */
import { Arena } from './batch/arena.ts';
import type { Batch } from './batch/batch.ts';
import { BatchBuilder } from './batch/builder.ts';
import { sliceBatch } from './batch/slice.ts';
import { Dataflow } from './dataflow.ts';
import type { FlowNode } from './flow_node.ts';
import type { Tick } from './operator.ts';
import type { DataflowPlan } from './plan.ts';
import { consolidator } from './state/consolidate.ts';

/** Rows of a held node that go on at once. */
const PIECE_ROWS = 4096;

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
  readonly #rows = new Map<FlowNode, BatchBuilder>();

  constructor(plan: DataflowPlan) {
    super(plan);
    const read = readsInput(plan);
    this.#held = new Set(this.nodes.filter(({ spec }, i) => read[i] && spec.op !== 'source' && !spec.appendOnly));
  }

  protected override runNode(node: FlowNode, inputs: Batch[], tick: Tick): void {
    const { operator, spec } = node;
    if (!this.#held.has(node)) super.runNode(node, inputs, tick);
    else if (operator?.absorb !== undefined) operator.absorb(inputs, tick);
    else {
      const rows = this.#rows.get(node) ?? new BatchBuilder(spec.types, this.#kept, PIECE_ROWS);
      this.#rows.set(node, rows);
      const output = node.runApart(inputs, tick);
      if (output.n > 0) rows.append(output);
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
        const all = this.#all(node, { ...tick(), arena, first: false });
        for (let from = 0; from < all.n; from += PIECE_ROWS) {
          const piece = sliceBatch(all, from, Math.min(PIECE_ROWS, all.n - from));
          yield this.stepFrom(node, piece, tick());
        }
      } finally {
        arena.release();
      }
    }
  }

  /** All that a held node puts out, each row once. */
  #all(node: FlowNode, tick: Tick): Batch {
    const { operator, spec } = node;
    if (operator?.absorb !== undefined && operator.integral !== undefined) return operator.integral(tick);
    const rows = this.#rows.get(node);
    this.#rows.delete(node);
    const builder = rows ?? new BatchBuilder(spec.types, tick.arena, 1);
    return consolidator(spec.types)(builder.build(), tick.arena);
  }

  override release(): void {
    super.release();
    this.#kept.release();
  }
}
