/**
 * A plan as running operators: one synchronous pass a tick.
 *
 *   deltas of relations -> source nodes -> ... operators in topological order ... -> delta of the root
 *
 * A node whose inputs did not move is skipped. Indexes are kept per (node, key columns) and shared by all operators that ask; an index
 * takes in its node's delta before any consumer steps, so consumers see the new version and the delta.
 */
import type { Batch } from './batch/batch.ts';
import { emptyBatch } from './batch/builder.ts';
import { I32 } from './batch/memory.ts';
import { buildOperator } from './build.ts';
import type { Expr } from './expr/ir.ts';
import type { IndexProvider, Operator, Tick } from './operator.ts';
import type { DataflowPlan, PlanNode } from './plan.ts';
import { consolidator } from './state/consolidate.ts';
import { KeyedIndex } from './state/keyed_index.ts';
import type { Saved } from './state/saved.ts';

interface Node {
  spec: PlanNode;
  operator: Operator | null;
  indexes: Map<string, KeyedIndex>;
  output: Batch;
  consolidate: ReturnType<typeof consolidator> | null;
  rowsIn: number;
  rowsOut: number;
  nanoseconds: bigint;
}

/** Figures of one node for EXPLAIN. */
export interface NodeFigures {
  rowsIn: number;
  rowsOut: number;
  nanoseconds: bigint;
  stateRows: number;
  stateBytes: number;
}

/** Gives the rows of a relation that a source node asks for; `lookup`: rows of one key of an index are enough. */
export type RelationRows = (relation: number, lookup?: { columns: number[]; values: Expr[] }) => Batch | null;

/** Operators that may have output without input: the clock or a watermark moves them. */
const CLOCKED = new Set<PlanNode['op']>(['temporal', 'window_close', 'recursive']);

export class Dataflow {
  readonly plan: DataflowPlan;
  readonly #nodes: Node[] = [];
  #first = true;
  /** Measure time per node (EXPLAIN ANALYZE). */
  timed = false;

  constructor(plan: DataflowPlan) {
    this.plan = plan;
    for (const spec of plan.nodes) {
      const provider: IndexProvider = {
        index: (input, keyColumns, nullKeys) => this.#index(spec.inputs[input], keyColumns, nullKeys),
        flow: (inner) => new Dataflow(inner),
      };
      const inputs = spec.inputs.map((i) => ({
        types: plan.nodes[i].types,
        appendOnly: plan.nodes[i].appendOnly === true,
      }));
      this.#nodes.push({
        spec,
        operator: spec.op === 'source' ? null : buildOperator(spec, inputs, provider),
        indexes: new Map(),
        output: emptyBatch(spec.types),
        consolidate: null,
        rowsIn: 0,
        rowsOut: 0,
        nanoseconds: 0n,
      });
    }
  }

  /** Relations (OIDs) that the plan reads, with the columns it needs of each. */
  sources(): { relation: number; columns: number[] }[] {
    return this.#nodes.flatMap(({ spec }) =>
      spec.op === 'source' ? [{ relation: spec.relation, columns: spec.columns }] : [],
    );
  }

  /**
   * One tick. `delta(relation)` gives the changed rows of a relation, whole rows by position (columns that nobody needs may be
   * missing), or null when it did not move. Returns the root's delta, not consolidated, valid until endTick().
   */
  step(delta: RelationRows, tick: Omit<Tick, 'first'>): Batch {
    const full: Tick = { ...tick, first: this.#first };
    for (const node of this.#nodes) this.#stepNode(node, delta, full);
    this.#first = false;
    return this.#nodes[this.plan.root].output;
  }

  #stepNode(node: Node, delta: RelationRows, tick: Tick): void {
    const spec = node.spec;
    if (spec.op === 'source') {
      const batch = delta(spec.relation, spec.lookup);
      node.output =
        batch === null || batch.n === 0
          ? emptyBatch(spec.types)
          : {
              n: batch.n,
              weights: batch.weights,
              columns: spec.columns.map((c, i) => ({ ...batch.columns[c], type: spec.types[i] })),
            };
    } else {
      const inputs = spec.inputs.map((i) => this.#nodes[i].output);
      const moved = inputs.some((input) => input.n > 0);
      if (!moved && !tick.first && !CLOCKED.has(spec.op)) {
        if (node.output.n > 0) node.output = emptyBatch(spec.types);
        return;
      }
      const start = this.timed ? process.hrtime.bigint() : 0n;
      node.output = (node.operator as Operator).step(inputs, tick);
      if (spec.appendOnly === true && retracts(node.output)) {
        // The parts of a tick may cancel (a join counts dA x dB twice and takes it off again); who relies on append-only sees the net.
        node.consolidate ??= consolidator(spec.types);
        node.output = node.consolidate(node.output, tick.arena);
      }
      if (this.timed) node.nanoseconds += process.hrtime.bigint() - start;
      for (const input of inputs) node.rowsIn += input.n;
    }
    node.rowsOut += node.output.n;
    if (node.output.n > 0) for (const index of node.indexes.values()) index.apply(node.output);
  }

  #index(node: number, keyColumns: number[], nullKeys: boolean): KeyedIndex {
    const name = `${keyColumns.join(',')}${nullKeys ? ' nulls' : ''}`;
    const indexes = this.#nodes[node].indexes;
    let index = indexes.get(name);
    if (index === undefined) {
      index = new KeyedIndex(this.plan.nodes[node].types, keyColumns, nullKeys);
      indexes.set(name, index);
    }
    return index;
  }

  /** The tick's results were delivered: state may reuse what it let go. */
  endTick(): void {
    for (const node of this.#nodes) {
      if (node.output.n > 0) node.output = emptyBatch(node.spec.types);
      node.operator?.endTick();
      for (const index of node.indexes.values()) index.endTick();
    }
  }

  figures(): NodeFigures[] {
    return this.#nodes.map((node) => {
      const state = node.operator?.state() ?? { rows: 0, bytes: 0 };
      let { rows, bytes } = state;
      for (const index of node.indexes.values()) {
        rows += index.size;
        bytes += index.bytes;
      }
      return {
        rowsIn: node.rowsIn,
        rowsOut: node.rowsOut,
        nanoseconds: node.nanoseconds,
        stateRows: rows,
        stateBytes: bytes,
      };
    });
  }

  save() {
    return {
      first: this.#first,
      nodes: this.#nodes.map((node) => ({
        operator: node.operator === null ? null : node.operator.save(),
        indexes: [...node.indexes.values()].map((index) => index.save()),
        rowsIn: node.rowsIn,
        rowsOut: node.rowsOut,
      })),
    };
  }

  /** A dataflow of the same plan has the same nodes with the same indexes, in the same order. */
  load(saved: Saved): void {
    const { first, nodes } = saved as ReturnType<typeof this.save>;
    this.#first = first;
    nodes.forEach(({ operator, indexes, rowsIn, rowsOut }, i) => {
      const node = this.#nodes[i];
      node.operator?.load(operator);
      [...node.indexes.values()].forEach((index, k) => {
        index.load(indexes[k]);
      });
      node.rowsIn = rowsIn;
      node.rowsOut = rowsOut;
    });
  }

  release(): void {
    for (const node of this.#nodes) {
      node.operator?.release();
      for (const index of node.indexes.values()) index.release();
    }
  }
}

function retracts(batch: Batch): boolean {
  const weights = batch.weights >>> 2;
  for (let row = 0; row < batch.n; row++) if (I32[weights + row] < 0) return true;
  return false;
}
