/**
 * A planned read that only looks up rows by index and maps them: its operators keep no state, so they are built once and serve every
 * execution; parameters are read from the evaluation context instead of being written into the plan. What a dashboard or an
 * application does thousands of times a second: a single row is shown where it lies (row_in_place.ts), and rows that whoever reads uses at once
 * are not copied.
 */
import type { Batch } from '../../operators/batch/batch.ts';
import { Dataflow } from '../../operators/dataflow.ts';
import type { Expr } from '../../operators/expr/ir.ts';
import type { DataflowPlan, PlanNode, SortKey } from '../../operators/plan.ts';
import { isVolatile } from '../../planner/analyse/functions.ts';
import type { TakeRows } from '../engine.ts';
import { copyOut, inOrder, isServed, lookupRows, type Reader, type ReadResult, tickOf } from './reads.ts';
import { RowInPlace } from './row_in_place.ts';

/** A prepared statement has no end that could be waited for: its operators go with it when it is collected. */
const collected = new FinalizationRegistry<Dataflow>((dataflow) => dataflow.release());

export class PointRead {
  readonly #plan: DataflowPlan;
  readonly #width: number;
  readonly #order: SortKey[];
  readonly #dataflow: Dataflow;
  readonly #inPlace: RowInPlace | null;
  readonly isVolatile: boolean;

  private constructor(plan: DataflowPlan, width: number, order: SortKey[]) {
    this.#plan = plan;
    this.#width = width;
    this.#order = order;
    this.#dataflow = new Dataflow(plan);
    this.#inPlace = RowInPlace.of(plan, width);
    this.isVolatile = plan.nodes.some((node) => expressionsOf(node).some(isVolatile));
    collected.register(this, this.#dataflow);
  }

  /** Of the first `width` columns, in this order. Null when the plan is not of this kind. */
  static of(plan: DataflowPlan, width: number, order: SortKey[]): PointRead | null {
    return isPointRead(plan) ? new PointRead(plan, width, order) : null;
  }

  /**
   * `reader.context` has the parameters. Null when an index no longer serves: read in the general way. 'taken': `take` has used the rows.
   */
  read(reader: Reader): ReadResult | null;
  read(reader: Reader, take: TakeRows): ReadResult | 'taken' | null;
  read(reader: Reader, take?: TakeRows): ReadResult | 'taken' | null {
    if (!this.#isServed(reader)) return null;
    try {
      const rows = this.#rowInPlace(reader) ?? this.#step(reader);
      return take?.({ batch: rows, from: 0, count: rows.n }) === true ? 'taken' : copyOut(rows);
    } finally {
      this.#dataflow.endTick();
      reader.loop.scratch.reset();
    }
  }

  /** The same with weights: for who changes the rows. */
  readWeighted(reader: Reader): ReadResult | null {
    if (!this.#isServed(reader)) return null;
    try {
      return copyOut(this.#step(reader));
    } finally {
      this.#dataflow.endTick();
      reader.loop.scratch.reset();
    }
  }

  #isServed(reader: Reader): boolean {
    for (const node of this.#plan.nodes) {
      if (node.op !== 'source' || node.lookup === undefined) continue;
      if (!isServed(node.relation, node.lookup, reader)) return false;
    }
    return true;
  }

  #rowInPlace({ loop, context, transaction }: Reader): Batch | null {
    if (this.#inPlace === null || transaction.corrects(this.#inPlace.relation)) return null;
    const stored = loop.relations.get(this.#inPlace.relation);
    return stored === undefined ? null : this.#inPlace.read(stored, context, loop.scratch);
  }

  #step(reader: Reader): Batch {
    const { scratch } = reader.loop;
    const out = this.#dataflow.step(
      (relation, lookup) => {
        return lookup === undefined ? null : lookupRows(relation, lookup, reader, scratch);
      },
      tickOf(reader, scratch),
    );
    return inOrder(out, this.#width, this.#order, scratch);
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
