/**
 * A planned read that only looks up rows by index and maps them: its operators keep no state, so they are built once and serve every
 * execution; parameters are read from the evaluation context instead of being written into the plan. What a dashboard or an
 * application does thousands of times a second.
 */
import { Arena } from '../../operators/batch/arena.ts';
import { Dataflow } from '../../operators/dataflow.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import type { DataflowPlan, PlanNode } from '../../operators/plan.ts';
import { isVolatile } from '../../planner/analyse/functions.ts';
import type { PhysicalQuery } from '../../planner/physical/index.ts';
import { finish, lookupRows, type Reader, type ReadResult, tickOf } from './reads.ts';

/** A prepared statement has no end that could be waited for: its operators go with it when it is collected. */
const collected = new FinalizationRegistry<Dataflow>((dataflow) => dataflow.release());

export class PointRead {
  readonly #physical: PhysicalQuery;
  readonly #dataflow: Dataflow;
  readonly isVolatile: boolean;

  private constructor(physical: PhysicalQuery) {
    this.#physical = physical;
    this.#dataflow = new Dataflow(physical.plan);
    this.isVolatile = physical.plan.nodes.some((node) => expressionsOf(node).some(isVolatile));
    collected.register(this, this.#dataflow);
  }

  /** Null when the plan is not of this kind. */
  static of(physical: PhysicalQuery): PointRead | null {
    return isPointRead(physical.plan) ? new PointRead(physical) : null;
  }

  /**
   * `reader.context` has the parameters. Null when an index no longer serves, or the transaction sees other rows than the live ones: read in the
   * general way.
   */
  read(reader: Reader): ReadResult | null {
    const { loop, transaction } = reader;
    for (const node of this.#physical.plan.nodes) {
      if (node.op !== 'source' || node.lookup === undefined) continue;
      if (loop.relations.get(node.relation)?.index(node.lookup.columns) === undefined) return null;
      if (transaction.corrections(node.relation).length > 0) return null;
    }
    const { context } = reader;
    const arena = new Arena();
    try {
      const out = this.#dataflow.step(
        (relation, lookup) => {
          const stored = loop.relations.get(relation);
          return stored === undefined || lookup === undefined ? null : lookupRows(stored, lookup, context, arena);
        },
        tickOf(reader, arena),
      );
      return finish(out, this.#physical.columns.length, this.#physical.order);
    } finally {
      this.#dataflow.endTick();
      arena.release();
    }
  }
}

function expressionsOf(node: PlanNode): Expr[] {
  if (node.op === 'source') return node.lookup?.values ?? [];
  if (node.op !== 'map') return [];
  return [...(node.filter === null ? [] : [node.filter]), ...(node.project ?? [])];
}

function isPointRead(plan: DataflowPlan): boolean {
  return plan.nodes.every((node) => (node.op === 'source' ? node.lookup !== undefined : node.op === 'map'));
}
