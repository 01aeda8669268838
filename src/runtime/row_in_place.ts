/**
 * A read of single rows by a whole key of an index, given where they lie: columns of a stored row, without an operator and without a copy.
 *
 *   value of the key -> slot of the index -> its only row:  column i of the batch = the row's address + the column's offset
 *
 * The filter that the planner leaves above a look-up asks again what the index has answered; here it must ask no more than that.
 *
 * Null where the read is of another kind, or the key has other than one row of weight 1: then the general way reads it.
 */
import type { Arena } from '../../operators/batch/arena.ts';
import type { Batch, Column } from '../../operators/batch/batch.ts';
import { I32 } from '../../operators/batch/memory.ts';
import { writeSlot } from '../../operators/batch/slots.ts';
import { evaluate } from '../../operators/expr/interpret.ts';
import type { EvalContext, Expr } from '../../operators/expr/ir.ts';
import type { DataflowPlan, PlanNode } from '../../operators/plan.ts';
import type { SlotPlace } from '../../operators/state/row_layout.ts';
import { physOf } from '../../operators/types.ts';
import { isEquality } from '../../planner/analyse/functions.ts';
import { conjuncts, sameExpr } from '../../planner/logical/expressions.ts';
import type { StoredRelation } from './stored_relation.ts';

export class RowInPlace {
  readonly relation: number;
  readonly #lookup: { columns: number[]; values: Expr[] };
  /** Of the key; bound anew for each read. */
  readonly #key: Column[] = [];
  /** Positions in the relation of the columns given. */
  readonly #columns: number[];
  readonly #batch: Batch;

  private constructor(
    source: Extract<PlanNode, { op: 'source' }>,
    columns: number[],
    plan: DataflowPlan,
    width: number,
  ) {
    if (typeof source.lookup?.index !== 'object') throw new Error('a source without a key');
    this.relation = source.relation;
    this.#lookup = { columns: source.lookup.index, values: source.lookup.values };
    this.#columns = columns.slice(0, width);
    const { types } = plan.nodes[plan.root];
    this.#batch = {
      n: 1,
      weights: 0,
      columns: this.#columns.map((_, i) => ({ type: types[i], phys: physOf(types[i].oid), data: 0, valid: 0 })),
    };
  }

  /** Null when the plan is more than columns of the rows of a key. */
  static of(plan: DataflowPlan, width: number): RowInPlace | null {
    const { nodes, root } = plan;
    const renamed: number[][] = [];
    let filter: Expr | null = null;
    let node = nodes[root];
    while (node.op === 'map') {
      if (filter !== null) return null;
      filter = node.filter;
      if (node.project !== null) {
        const columns = node.project.map((e) => (e.k === 'col' ? e.id : -1));
        if (columns.includes(-1)) return null;
        renamed.push(columns);
      }
      node = nodes[node.inputs[0]];
    }
    if (node.op !== 'source' || typeof node.lookup?.index !== 'object') return null;
    if (!isImplied(filter, node.columns, { columns: node.lookup.index, values: node.lookup.values })) return null;
    const columns = renamed.reduceRight((from, to) => to.map((c) => from[c]), node.columns);
    return new RowInPlace(node, columns, plan, width);
  }

  /** The row, valid as long as nothing changes; an empty batch when there is none. */
  read(stored: StoredRelation, context: EvalContext, scratch: Arena): Batch | null {
    const { columns, values } = this.#lookup;
    const index = stored.index(columns);
    if (index === undefined) return null;
    const key = this.#key;
    for (let i = 0; i < columns.length; i++) {
      const value = evaluate(values[i], [], context);
      if (value === null) return this.#none();
      if (key.length === i) {
        const type = stored.types[columns[i]];
        key.push({ type, phys: physOf(type.oid), data: 0, valid: 0 });
      }
      const column = key[i];
      column.data = scratch.alloc(16);
      writeSlot(column.phys, column.type.oid, column.data, value, scratch);
    }
    index.bindKeys(key, scratch);
    const slot = index.seek(0);
    const count = index.countOf(slot);
    if (count === 0) return this.#none();
    const entry = index.runOf(slot);
    if (count > 1 || I32[(entry + index.weightOffset) >>> 2] !== 1) return null;
    return this.#show(entry, index.places);
  }

  #none(): Batch {
    this.#batch.n = 0;
    return this.#batch;
  }

  #show(row: number, places: (SlotPlace | null)[]): Batch | null {
    const batch = this.#batch;
    for (let i = 0; i < this.#columns.length; i++) {
      const place = places[this.#columns[i]];
      if (place === null) return null;
      const column = batch.columns[i];
      column.data = row + place.offset;
      column.valid = row + place.flag;
    }
    batch.n = 1;
    return batch;
  }
}

/** Whether the rows of the source's key are all that the filter lets through: it compares columns of the key with the values looked up. */
function isImplied(filter: Expr | null, shown: number[], key: { columns: number[]; values: Expr[] }): boolean {
  return conjuncts(filter).every((e) => {
    if (e.k !== 'call' || e.args.length !== 2 || !isEquality(e.fn)) return false;
    const [a, b] = e.args[0].k === 'col' ? e.args : [e.args[1], e.args[0]];
    if (a.k !== 'col' || a.t.oid !== b.t.oid) return false;
    const at = key.columns.indexOf(shown[a.id]);
    return at >= 0 && sameExpr(key.values[at], b);
  });
}
