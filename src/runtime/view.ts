/** A maintained view: its dataflow, the rows it holds now, and its errors. Sinks and subscriptions to queries are views without a store. */
import type { Arena } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { Dataflow } from '../../operators/dataflow.ts';
import type { EvalContext } from '../../operators/expr/ir.ts';
import { consolidator } from '../../operators/state/consolidate.ts';
import type { PhysicalQuery } from '../../planner/physical/index.ts';
import { ErrorLedger } from './ledger.ts';
import { StoredRelation } from './stored_relation.ts';

/** What all dataflows of one tick have in common. */
export interface TickFrame {
  number: bigint;
  now: bigint;
  arena: Arena;
  watermark(relation: number): bigint | null;
}

const CLOCK_OPS = new Set(['temporal', 'recursive']);

export class ViewRuntime {
  readonly oid: number;
  readonly name: string;
  readonly physical: PhysicalQuery;
  readonly dataflow: Dataflow;
  readonly stored: StoredRelation | null;
  readonly errors = new ErrorLedger();
  /** True when time alone can change the view. */
  readonly clocked: boolean;
  readonly sources: { relation: number; columns: number[] }[];
  readonly #consolidate: (delta: Batch, arena: Arena) => Batch;
  readonly #context: EvalContext;

  /** `context`: the settings of the session that made the view; its now() is replaced by the tick's. */
  constructor(oid: number, name: string, physical: PhysicalQuery, context: EvalContext, indexes: number[][] | null) {
    this.oid = oid;
    this.name = name;
    this.physical = physical;
    this.dataflow = new Dataflow(physical.plan);
    const types = physical.columns.map((c) => c.type);
    this.stored = indexes === null ? null : new StoredRelation(types, indexes);
    this.#consolidate = consolidator(types);
    this.#context = { ...context, session: undefined };
    this.clocked = physical.plan.nodes.some((node) => CLOCK_OPS.has(node.op));
    this.sources = this.dataflow.sources();
  }

  /** Takes in one tick's deltas; the returned delta is consolidated and holds until endTick(). */
  step(delta: (relation: number) => Batch | null, frame: TickFrame): Batch {
    const out = this.dataflow.step(delta, {
      ...frame,
      evalContext: { ...this.#context, now: frame.now, tick: frame.number },
      errors: this.errors,
    });
    // Hidden sort columns of the root do not belong to the view.
    const visible =
      out.columns.length > this.physical.columns.length
        ? { ...out, columns: out.columns.slice(0, this.physical.columns.length) }
        : out;
    const net = this.#consolidate(visible, frame.arena);
    this.stored?.apply(net);
    this.errors.apply(frame.arena);
    return net;
  }

  endTick(): void {
    this.dataflow.endTick();
    this.stored?.endTick();
    this.errors.relation.endTick();
  }

  release(): void {
    this.dataflow.release();
    this.stored?.release();
    this.errors.relation.release();
  }
}
