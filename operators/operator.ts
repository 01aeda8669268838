/**
 * What every operator of the dataflow is: a function of deltas with state of its own.
 *
 * Contract
 *  - step() is called once a tick, after all its inputs have been stepped; inputs[i] is the delta of input i, possibly empty
 *    (n = 0) and not necessarily consolidated: the same row may stand in it several times with weights that cancel.
 *  - The result is the delta of the output. It may share memory with the inputs and with state; it is valid until endTick(), and may be the same object in
 *    each tick (docs/decisions/0330): who needs more of it than its tick copies it.
 *  - Sum over ticks of outputs = Q(sum over ticks of inputs), as bags, after every tick. Within a tick nothing else is promised.
 *  - No input anywhere (all n = 0, and no clock or watermark moved) gives no output, except at the first tick for global aggregates
 *    and constants.
 *  - A row whose expression fails is left out from here on and reported to tick.errors with its weight; the operator goes on.
 *  - After the deletion of all input, state is empty again (stateRows 0).
 */
import type { Arena } from './batch/arena.ts';
import type { Batch } from './batch/batch.ts';
import type { Datum } from './datum.ts';
import type { SqlError } from './errors.ts';
import type { EvalContext } from './expr/ir.ts';
import type { DataflowPlan, Retention } from './plan.ts';
import type { ColdState } from './state/cold_state.ts';
import type { Watermarks } from './state/deadline.ts';
import type { KeyedIndex } from './state/keyed_index.ts';
import type { RowIndex } from './state/row_index.ts';
import type { Saved } from './state/saved.ts';

/** Where failed rows go: a weighted row (reason, the row) of the view's error relation. */
export interface ErrorSink {
  report(error: SqlError, row: Datum[], weight: number): void;
}

export interface Tick {
  number: bigint;
  /** True in the first tick of the dataflow. */
  first: boolean;
  /** Lives until the end of the tick: for output batches and scratch. */
  arena: Arena;
  evalContext: EvalContext;
  errors: ErrorSink;
  /** Microseconds since 2000-01-01 UTC; never goes back. */
  now: bigint;
  /**
   * Watermark of a source relation (its oid) in the units of its time column, or null while there is none: no row before it comes in a later
   * tick. Rows of this tick may be before it.
   */
  watermark: Watermarks;
}

/** Where the pieces of an output are made, and of about how many rows. */
export interface PieceRoom {
  arena: Arena;
  rows: number;
}

/** The same tick with another memory, and other errors if they are given. */
export function tickWith(tick: Tick, arena: Arena, errors = tick.errors): Tick {
  const { number, first, evalContext, now, watermark } = tick;
  return { number, first, arena, evalContext, errors, now, watermark };
}

export interface OperatorState {
  /** Stored rows or groups, and bytes of memory behind them. */
  rows: number;
  bytes: number;
}

export interface Operator {
  step(inputs: Batch[], tick: Tick): Batch;
  /**
   * step() in pieces, for an operator whose output for a few rows, or whose work on them, may be without bounds; null: this one's is not. Each is good until the next is asked for, before which the room's arena may be reset. What the tick's arena
   * has stays to the end. Meanwhile neither this operator nor those below it step. A row that fails may have given others before it.
   */
  stepPieces?(inputs: Batch[], tick: Tick, room: PieceRoom): Iterable<Batch> | null;
  /** step() for input of which more is to come before anybody asks what comes of it: the integral says that at the end. */
  absorb?(inputs: Batch[], tick: Tick): void;
  /** For operators that the clock moves: the time at which that happens next; null: not before there is input. */
  due?(): bigint | null;
  /** The sum of all outputs so far, where state holds it; not asked of an operator that a watermark frees state of. */
  integral?(tick: Tick): Batch;
  /** The same in pieces of about so many rows, for who lets others have their turn in between. The tick's arena may be reset before the next piece is asked for. */
  integralPieces?(tick: Tick, rows: number): Iterable<Batch>;
  /**
   * Lets state go that these watermarks, those of the tick, prove dead (PlanNode.frees). Comes after all operators have stepped, before
   * endTick(). No output, now or later, differs by it. False: there is more, which the next calls take.
   */
  free?(watermarks: Watermarks): boolean;
  /** After all operators have stepped and the results were delivered: memory of the tick may be reused. */
  endTick(): void;
  state(): OperatorState;
  /** Whether it could have its rows in this index of its output, and no other state: holdIn(). */
  canHoldIn?(index: IndexSpec): boolean;
  /** From now on it has its rows in this index, which is empty or has them, and takes them in itself; null: in state of its own again. Between two ticks. */
  holdIn?(index: KeyedIndex | null): void;
  /** State of its own that may go cold: indexes, rows of partitions. */
  coldStates?(): Iterable<ColdState>;
  /** What the operator keeps outside of state memory (state/saved.ts); the indexes that it asked for are their owner's. */
  save(): Saved;
  /** Takes over what an operator of the same plan node saved. */
  load(saved: Saved): void;
  /** Gives all memory back. */
  release(): void;
}

/** Which index of a node's output a reader wants. */
export interface IndexSpec {
  keyColumns: number[];
  nullKeys: boolean;
  /** When the reader needs a row no more; none: it needs every row for ever. */
  frees: Retention[];
}

/** Takes an index to read from now on. */
export type IndexUse = (index: RowIndex) => void;

/**
 * What a stateful operator asks of the graph that holds it: the index of an input by some key columns, shared with every other
 * operator that asks for the same. The index already contains this tick's delta when step() is called. `use` is called at once, and again
 * between two ticks when another index with the same rows takes its place.
 */
export interface IndexProvider {
  index(input: number, keyColumns: number[], nullKeys: boolean, use: IndexUse): void;
  /** A dataflow of its own inside an operator: the step of WITH RECURSIVE. `passing`: by node whether its rows only pass, so that its indexes need not take them in. */
  flow(plan: DataflowPlan, passing?: boolean[] | null): InnerFlow;
}

/** A running plan, as dataflow.ts makes it: deltas of its relations in, the delta of its root out, valid until endTick(). */
export interface InnerFlow {
  step(delta: (relation: number) => Batch | null, tick: Omit<Tick, 'first'>): Batch;
  endTick(): void;
  figures(): { stateRows: number; stateBytes: number }[];
  coldStates(): Iterable<ColdState>;
  save(): Saved;
  load(saved: Saved): void;
  release(): void;
}
