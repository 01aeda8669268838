/**
 * A plan that is run once over input that comes in pieces: a long read (src/runtime/sliced_read.ts).
 *
 *   pieces -> source -> map ... -> aggregate | held | ... after the last piece:  its rows, in pieces -> map -> Top-N | held | ... its rows
 *
 * What a node puts out of a part of its input may be taken back by the next part: a sum, a row without a partner. Whoever evaluates an expression over
 * it would fail by rows that are none of the result, and have work in vain. So every node that may take rows back is held (held_nodes.ts): it takes its input in, and what comes of all of it goes on when
 * there is no more; so whoever reads it may count on rows that stay (a Top-N keeps few of them). Operators whose state has their output are then asked for it (integral()); of the others what they put out is kept until its parts have cancelled; those that look at a whole
 * partition or recursion for each piece get their input when all of it is there.
 *
 * A few rows may make as many as one likes, by a join without keys, by generate_series(). Operators that do so make their output in pieces too (stepPieces()), and each is a tick of the
 * nodes above:
 *
 *   step:  source -> map -> join -> piece 1 -> map -> flatmap -> piece 1 -> aggregate
 *                                                             -> piece 2 -> aggregate
 *                                -> piece 2 -> map -> flatmap -> ...
 *
 * A join keeps no rows for those of its other side where these are all there (passing_sides.ts).
 *
 * Between any two the caller may let others have their turn. Where a LIMIT has got its rows no more are made for it.
 */
import { Arena } from './batch/arena.ts';
import type { Batch } from './batch/batch.ts';
import { emptyBatch, totalWeight } from './batch/builder.ts';
import { oneBatch } from './batch/one_batch.ts';
import { RowPieces } from './batch/row_pieces.ts';
import { slices } from './batch/slice.ts';
import { buildOperator } from './build.ts';
import { CLOCKED, Dataflow, type RelationRows } from './dataflow.ts';
import type { FlowNode } from './flow_node.ts';
import { type HeldNodes, heldNodes } from './held_nodes.ts';
import { type Tick, tickWith } from './operator.ts';
import { OverOnce } from './over_once.ts';
import { rowsPass } from './passing_sides.ts';
import type { DataflowPlan, PlanNode } from './plan.ts';
import { isSelection, TopSelection } from './top_selection.ts';

/** Rows of a piece that goes on at once. */
const PIECE_ROWS = 8192;

const NOTHING: RelationRows = () => null;
const NONE: ReadonlySet<number> = new Set();

/** Operators that sort once stand for those that keep order. */
const buildOnce: typeof buildOperator = (node, inputs, indexes) => {
  if (node.op === 'over') return new OverOnce(node, inputs[0].types);
  const make = () => buildOperator(node, inputs, indexes);
  return isSelection(node) ? new TopSelection(node, make) : make();
};

export class Piecewise extends Dataflow {
  readonly #held: HeldNodes['held'];
  /** By node: those that read it. */
  readonly #readers: number[][];
  readonly #kept = new Arena();
  /** Of held nodes that have no integral what they have put out, or what each of their inputs has. */
  readonly #rows = new Map<FlowNode, RowPieces[]>();
  /** Where the pieces of nested operators are made. */
  readonly #levels: Arena[] = [];
  readonly #nothing: Batch;
  readonly #pieceRows: number;
  /** By node, of each LIMIT that asks for no order: rows that it has got, equal ones as many times as they are there. */
  readonly #got: number[];

  /** `rows`: of a piece. */
  constructor(plan: DataflowPlan, rows = PIECE_ROWS) {
    const { held, nodes } = heldNodes(plan);
    super({ ...plan, nodes }, buildOnce);
    this.#held = held;
    this.#pieceRows = rows;
    this.#got = nodes.map(() => 0);
    this.#nothing = emptyBatch(nodes[plan.root].types);
    this.#readers = nodes.map((_, i) => [...nodes.keys()].filter((reader) => nodes[reader].inputs.includes(i)));
    for (const [i, node] of this.nodes.entries()) if (held[i] !== null) this.#rows.set(node, this.#roomFor(node, i));
  }

  #roomFor({ spec, operator }: FlowNode, i: number): RowPieces[] {
    if (this.#held[i] === 'input')
      return spec.inputs.map((input) => new RowPieces(this.nodes[input].spec.types, this.#kept));
    const isInState = operator?.integralPieces !== undefined || operator?.integral !== undefined;
    return isInState ? [] : [new RowPieces(spec.types, this.#kept)];
  }

  /** From now on rows come of these relations alone. */
  expect(relations: ReadonlySet<number>): void {
    this.#letPass(relations, 0);
  }

  /** ... and, of held nodes, of those from a number on. */
  #letPass(relations: ReadonlySet<number>, from: number): void {
    const moves: boolean[] = [];
    for (const [i, { spec }] of this.nodes.entries()) {
      if (spec.op === 'source') moves.push(relations.has(spec.relation));
      else if (this.#held[i] !== null) moves.push(i >= from);
      else moves.push(CLOCKED.has(spec.op) || spec.inputs.some((input) => moves[input]));
    }
    for (const [i, node] of this.nodes.entries()) node.passes = rowsPass(node, i, (other) => moves[other]);
  }

  /** A step whose output, and what is made on the way to it, comes in pieces: each is good until the next is asked for. */
  *steps(delta: RelationRows, tick: Omit<Tick, 'first'>): Iterable<Batch> {
    yield* this.#pass(0, delta, this.begin(tick), 0);
    this.endTick();
  }

  /** All input is there: lets the held nodes' rows go on. */
  *rest(tick: Omit<Tick, 'first'>): Iterable<Batch> {
    const above = { ...tick, arena: this.#levelArena(0), first: false };
    for (const [i, node] of this.nodes.entries()) {
      if (this.#held[i] === null) continue;
      this.#letPass(NONE, i);
      const arena = new Arena();
      try {
        for (const piece of this.#integral(node, i, { ...tick, arena, first: false })) {
          if (this.#isDone(i)) break;
          node.put(piece, above.arena);
          yield* this.#pass(i + 1, NOTHING, above, 1);
          this.endTick();
          above.arena.reset();
        }
      } finally {
        arena.release();
      }
    }
  }

  /** Steps the nodes from one on; `level`: how many operators below are at a piece. */
  *#pass(from: number, delta: RelationRows, tick: Tick, level: number): Iterable<Batch> {
    for (let i = from; i < this.nodes.length; i++) {
      const node = this.nodes[i];
      if (node.spec.op === 'source') {
        node.take(delta(node.spec.relation, node.spec.lookup), tick.arena);
        continue;
      }
      const inputs = this.inputsOf(node, tick);
      if (inputs === null || this.#isDone(i)) {
        node.putNothing();
        continue;
      }
      if (limitOf(node.spec) !== null) this.#got[i] += totalWeight(inputs[0]);
      const room = { arena: this.#levelArena(level), rows: this.#pieceRows };
      const pieces = this.#held[i] === 'input' ? null : node.pieces(inputs, tick, room);
      if (this.#held[i] !== null) {
        if (pieces === null) this.#hold(node, i, inputs, tick);
        else
          for (const piece of pieces) {
            this.#rows.get(node)?.[0].append(piece);
            room.arena.reset();
            yield this.#nothing;
          }
        node.putNothing();
      } else if (pieces === null) node.run(inputs, tick);
      else {
        const some = yield* this.#passPieces(i, pieces, delta, tickWith(tick, room.arena), level);
        if (some) return;
        node.putNothing();
      }
    }
    yield this.nodes[this.plan.root].output;
  }

  /** A pass from above node i for each of its pieces; false: there was none. */
  *#passPieces(
    i: number,
    pieces: Iterable<Batch>,
    delta: RelationRows,
    tick: Tick,
    level: number,
  ): Generator<Batch, boolean> {
    const node = this.nodes[i];
    let others: RelationRows | null = null;
    let { first } = tick;
    for (const piece of pieces) {
      node.put(piece, tick.arena);
      yield* this.#pass(i + 1, others ?? delta, { ...tick, first }, level + 1);
      // What was put out below has been taken in with the first piece.
      for (let n = 0; n < i; n++) this.nodes[n].putNothing();
      node.endOutput();
      for (let n = i + 1; n < this.nodes.length; n++) this.nodes[n].endTick();
      tick.arena.reset();
      others = NOTHING;
      first = false;
      if (this.#isDone(i)) break;
    }
    return others !== null;
  }

  #levelArena(level: number): Arena {
    this.#levels[level] ??= new Arena();
    return this.#levels[level];
  }

  /** A held node takes its input in. */
  #hold(node: FlowNode, i: number, inputs: Batch[], tick: Tick): void {
    const rows = this.#rows.get(node) ?? [];
    if (this.#held[i] === 'input') for (const [k, input] of inputs.entries()) rows[k].append(input);
    else if (rows.length === 0) node.absorb(inputs, tick);
    else rows[0].append(node.runApart(inputs, tick));
  }

  /** No more rows of the relation are needed: who reads them asks for some, whichever they are, and has got as many. */
  needs(relation: number): boolean {
    return this.nodes.some(({ spec }, i) => spec.op === 'source' && spec.relation === relation && !this.#isDone(i));
  }

  #isDone(i: number): boolean {
    const readers = this.#readers[i];
    return readers.length > 0 && readers.every((reader) => this.#isFull(reader) || this.#isDone(reader));
  }

  /** A LIMIT that asks for no order and has its rows. */
  #isFull(i: number): boolean {
    const { spec } = this.nodes[i];
    const limit = limitOf(spec);
    return limit !== null && this.nodes[spec.inputs[0]].spec.appendOnly === true && this.#got[i] >= limit;
  }

  /** All that a held node puts out; a piece without rows is a step of its work. Whose state gives it in pieces needs no memory for all of it. */
  *#integral(node: FlowNode, i: number, tick: Tick): Iterable<Batch> {
    const { operator } = node;
    const rows = this.#rows.get(node)?.map((pieces) => pieces.netPieces(tick.arena)) ?? [];
    this.#rows.delete(node);
    if (this.#held[i] === 'input') yield* this.#runWhole(node, rows, { ...tick, first: true });
    else if (operator?.integralPieces !== undefined) {
      for (const piece of operator.integralPieces(tick, this.#pieceRows)) {
        yield piece;
        tick.arena.reset();
      }
    } else if (operator?.integral !== undefined) yield* slices(operator.integral(tick), this.#pieceRows);
    else for (const piece of rows.flat()) yield* slices(piece, this.#pieceRows);
  }

  /** The only step of an operator that has waited for all of its input. */
  *#runWhole(node: FlowNode, inputs: Batch[][], tick: Tick): Iterable<Batch> {
    const whole = inputs.map((pieces, k) => oneBatch(pieces, this.nodes[node.spec.inputs[k]].spec.types, tick.arena));
    const arena = new Arena();
    try {
      const pieces = node.pieces(whole, tick, { arena, rows: this.#pieceRows });
      if (pieces === null) yield* slices(node.runApart(whole, tick), this.#pieceRows);
      else
        for (const piece of pieces) {
          yield piece;
          arena.reset();
        }
    } finally {
      arena.release();
    }
  }

  override release(): void {
    super.release();
    this.#kept.release();
    for (const arena of this.#levels) arena.release();
  }
}

/** How many rows a LIMIT without an order wants, with those that OFFSET leaves out; null: it is none. */
function limitOf(spec: PlanNode): number | null {
  if (spec.op !== 'topn' || spec.order.length > 0 || spec.partition.length > 0 || spec.limit === null) return null;
  return spec.offset + spec.limit;
}
