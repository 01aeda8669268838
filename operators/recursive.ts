/**
 * WITH RECURSIVE, as SQL defines it:
 *
 *   W0 = base          Wi+1 = step(Wi)  (UNION: without rows seen before)          out = W0 + W1 + ... until Wi is empty
 *
 * The step is a dataflow of its own whose state lives on: iteration i feeds it Wi - Wi-1, so each iteration costs what changed, and after the
 * last one the working table is empty again. Most steps are linear (linear_step.ts): they are fed Wi alone, and what comes is Wi+1. A read of such a one keeps no result: each working table goes on as it comes. A tick in which an input moved runs the recursion anew and emits the difference to the
 * result before. State: the base, the result, the step's inputs. Cost: O(the whole recursion) a changed tick.
 * A recursion that does not end is stopped (54001); its result is then empty and the error stays until the input changes.
 */
import { Arena } from './batch/arena.ts';
import type { Batch } from './batch/batch.ts';
import { BatchBuilder, emptyBatch, totalWeight, weightOf } from './batch/builder.ts';
import { I32 } from './batch/memory.ts';
import { slices } from './batch/slice.ts';
import { ErrorBag } from './error_bag.ts';
import { SqlError } from './errors.ts';
import { linearNodes } from './linear_step.ts';
import { type IndexProvider, type InnerFlow, type Operator, type PieceRoom, type Tick, tickWith } from './operator.ts';
import type { PlanNode } from './plan.ts';
import { consolidator } from './state/consolidate.ts';
import { RelationStore } from './state/relation_store.ts';
import type { Saved } from './state/saved.ts';
import { turn } from './turn.ts';
import type { ColType } from './types.ts';

type RecursiveSpec = PlanNode & { op: 'recursive' };

const WORKING_TABLE = -1;
const MAX_ITERATIONS = 100000;
const MAX_ROWS = 5000000;
/** In a read others have their turn after so many rows; a round counts as some. */
const ROWS_BETWEEN_STOPS = 4096;
const ROUND_ROWS = 64;
/** The same of a linear step, which has less to do around its rows. */
const LINEAR_ROUND_ROWS = 16;
/** Equal rows of a linear step's working table are added up from so many rows on. */
const ADDED_UP_ROWS = 4096;
/** Bytes that the iterations may hold before they start from the beginning of their arena. */
const KEPT_BYTES = 2 ** 20;

export class RecursiveOperator implements Operator {
  readonly #spec: RecursiveSpec;
  readonly #types: ColType[];
  readonly #flow: InnerFlow;
  readonly #linear: boolean;
  readonly #clocked: boolean;
  readonly #base: RelationStore;
  /** What the step gives for the present working table. */
  readonly #stepOutput: RelationStore;
  #result: RelationStore;
  /** Stores that this tick's output still shows. */
  #retired: RelationStore[] = [];
  readonly #stepErrors = new ErrorBag();
  #errors = new ErrorBag();
  /** For the working tables of one step(), of linear steps for every other, and for one iteration of the inner dataflow. */
  readonly #tables = new Arena();
  readonly #otherTables = new Arena();
  readonly #iteration = new Arena();
  readonly #consolidate: ReturnType<typeof consolidator>;
  /** Its pieces are being asked for, between which others' ticks may end. */
  #goesOn = false;

  constructor(spec: RecursiveSpec, indexes: IndexProvider) {
    this.#spec = spec;
    this.#types = spec.types;
    // The working table shrinks and grows, and comes back with every iteration, whatever the planner knows of the recursion as a whole.
    const nodes = spec.step.nodes.map((node) => ({ ...node, appendOnly: false, frees: undefined }));
    const passing = linearNodes(nodes, spec.step.root, WORKING_TABLE);
    this.#linear = passing !== null;
    this.#flow = indexes.flow({ ...spec.step, nodes }, passing);
    this.#clocked = nodes.some((node) => node.op === 'temporal' || node.op === 'window_close');
    this.#base = new RelationStore(spec.types);
    this.#stepOutput = new RelationStore(spec.types);
    this.#result = new RelationStore(spec.types);
    this.#consolidate = consolidator(spec.types);
  }

  step(inputs: Batch[], tick: Tick): Batch {
    const steps = this.#steps(inputs, tick);
    for (;;) {
      const { done, value } = steps.next();
      if (done) return value;
    }
  }

  /** Every so many rounds, of a step that is linear with the rows so far, else without rows. */
  *stepPieces(inputs: Batch[], tick: Tick, room: PieceRoom): Iterable<Batch> {
    if (this.#linear && tick.first) {
      yield* this.#stream(inputs, tick, room);
      return;
    }
    const nothing = emptyBatch(this.#types);
    const steps = this.#steps(inputs, tick);
    for (;;) {
      const { done, value } = steps.next();
      yield done ? value : nothing;
      if (done) return;
    }
  }

  /** Keeps no result: nobody asks again. */
  *#stream(inputs: Batch[], tick: Tick, { arena, rows }: PieceRoom): Iterable<Batch> {
    this.#goesOn = true;
    this.#base.apply(inputs[0]);
    const out = new BatchBuilder(this.#types, arena, rows);
    let rest = ROWS_BETWEEN_STOPS;
    for (const work of this.#workingTables(inputs, tick)) {
      // Equal rows that were added up are as many rows: who wants no more of them says so before they are more than can be counted.
      rest -= totalWeight(work) + LINEAR_ROUND_ROWS;
      const isLarge = work.n >= rows;
      if (!isLarge) out.append(work);
      if (!isLarge && out.n < rows && rest >= 0) continue;
      yield out.build();
      if (isLarge) yield* slices(work, rows);
      out.begin(arena, rows);
      rest = ROWS_BETWEEN_STOPS;
    }
    this.#errors.reportTo(tick.errors, 1);
    yield out.build();
    this.#goesOn = false;
  }

  *#steps(inputs: Batch[], tick: Tick): Generator<void, Batch, void> {
    const moved = inputs.some((input) => input.n > 0);
    if (!moved && !tick.first && !this.#clocked) return emptyBatch(this.#types);
    this.#goesOn = true;
    this.#base.apply(inputs[0]);
    const old = this.#result;
    const oldErrors = this.#errors;
    this.#result = new RelationStore(this.#types);
    this.#errors = new ErrorBag();
    if (this.#linear) for (const work of this.#workingTables(inputs, tick)) this.#result.apply(work);
    else yield* this.#run(inputs, tick);
    this.#errors.reportTo(tick.errors, 1);
    oldErrors.reportTo(tick.errors, -1);
    const out = new BatchBuilder(this.#types, tick.arena, old.size + this.#result.size);
    const show = (store: RelationStore, sign: 1 | -1) =>
      store.forEach((address, weight) => {
        store.table.ops.load(address, out.columns, out.addRow(sign * weight));
      });
    show(old, -1);
    show(this.#result, 1);
    this.#retired.push(old);
    this.#goesOn = false;
    return this.#consolidate(out.build(), tick.arena);
  }

  /** Runs the recursion to its end; the step's dataflow starts and ends with an empty working table. */
  *#run(inputs: Batch[], tick: Tick): Iterable<void> {
    const seen = this.#spec.all ? null : new RelationStore(this.#types, 'sql');
    try {
      yield* this.#iterate(inputs, seen, tick);
    } finally {
      seen?.release();
    }
  }

  *#iterate(inputs: Batch[], seen: RelationStore | null, tick: Tick): Iterable<void> {
    let before = new BatchBuilder(this.#types, this.#tables, 1);
    let work = this.#next(this.#base, seen);
    let rows = 0;
    let rest = ROWS_BETWEEN_STOPS;
    let moved = true;
    for (let iteration = 0; moved || work.n > 0 || before.n > 0; iteration++) {
      turn.look();
      rows += work.n;
      if (work.n > 0 && (iteration >= MAX_ITERATIONS || rows > MAX_ROWS)) {
        work = new BatchBuilder(this.#types, this.#tables, 1);
        this.#stop();
      }
      this.#result.apply(work.build());
      this.#feed(before, work, iteration === 0 ? inputs : null, tick);
      moved = false;
      before = work;
      work = work.n === 0 ? work : this.#next(this.#stepOutput, seen);
      rest -= work.n + ROUND_ROWS;
      if (rest >= 0) continue;
      rest = ROWS_BETWEEN_STOPS;
      yield;
    }
  }

  /**
   * Those of a step that is linear, each good until the next is asked for. Where ways come together equal rows would be twice as many with each round, so they are added up; where all differ that is
   * not tried again until there are twice as many.
   */
  *#workingTables(inputs: Batch[], tick: Tick): Iterable<Batch> {
    const seen = this.#spec.all ? null : new RelationStore(this.#types, 'sql');
    try {
      this.#readOthers(inputs, tick);
      const others = [this.#otherTables, this.#tables].map((arena) => new BatchBuilder(this.#types, arena, 1));
      const stepTick = tickWith(tick, this.#iteration, this.#errors);
      let work = this.#next(this.#base, seen).build();
      let least = ADDED_UP_ROWS;
      const delta = (relation: number) => (relation === WORKING_TABLE ? work : null);
      for (let [iteration, rows] = [0, 0]; work.n > 0; iteration++) {
        turn.look();
        rows += work.n;
        if (iteration >= MAX_ITERATIONS || rows > MAX_ROWS) {
          this.#stop();
          return;
        }
        yield work;
        let output = this.#flow.step(delta, stepTick);
        if (seen === null && output.n >= least) {
          output = this.#consolidate(output, this.#iteration);
          least = Math.max(ADDED_UP_ROWS, 2 * output.n);
        }
        work = this.#taken(output, others[iteration & 1], seen);
        this.#flow.endTick();
        if (this.#iteration.bytes > KEPT_BYTES) this.#iteration.reset();
      }
    } finally {
      seen?.release();
    }
  }

  /** The step takes in what it reads besides the working table. Errors there come once, however many working tables there are. */
  #readOthers(inputs: Batch[], tick: Tick): void {
    const delta = (relation: number) =>
      relation === WORKING_TABLE ? null : inputs[this.#spec.stepInputs[WORKING_TABLE - 1 - relation]];
    this.#flow.step(delta, tickWith(tick, this.#iteration, this.#stepErrors));
    this.#flow.endTick();
    this.#stepErrors.reportTo(this.#errors, 1);
  }

  /** What the step has put out as a working table, for UNION without what was seen; in the place of the table before the last. */
  #taken(output: Batch, table: BatchBuilder, seen: RelationStore | null): Batch {
    const { arena } = table;
    if (arena.bytes > KEPT_BYTES) arena.reset();
    table.begin(arena, output.n);
    if (seen === null) table.append(output);
    else {
      const weights = this.#iteration.alloc(output.n * 4);
      I32.fill(1, weights >>> 2, (weights >>> 2) + output.n);
      seen.apply({ ...output, weights }, (row, known) => {
        if (known > 0) return;
        const to = table.addRow(1);
        for (let c = 0; c < this.#types.length; c++) table.copyDeep(c, to, output.columns[c], row);
      });
    }
    return table.build();
  }

  #stop(): void {
    this.#retired.push(this.#result);
    this.#result = new RelationStore(this.#types);
    this.#errors = new ErrorBag();
    const hint = `A recursion ends when an iteration brings no row; the limit is ${MAX_ITERATIONS} iterations or ${MAX_ROWS} rows.`;
    this.#errors.report(new SqlError('54001', 'recursive query does not end', { hint }), [], 1);
  }

  /** The next working table: what the store holds, for UNION without what was seen. */
  #next(store: RelationStore, seen: RelationStore | null): BatchBuilder {
    const all = new BatchBuilder(this.#types, this.#tables, store.size);
    store.forEach((address, weight) => {
      if (weight > 0) store.table.ops.load(address, all.columns, all.addRow(seen === null ? weight : 1));
    });
    if (seen === null) return all;
    const fresh = new BatchBuilder(this.#types, this.#tables, all.n);
    const batch = all.build();
    seen.apply(batch, (row, known) => {
      if (known > 0) return;
      const to = fresh.addRow(1);
      for (let c = 0; c < this.#types.length; c++) fresh.copySlot(c, to, batch.columns[c], row);
    });
    return fresh;
  }

  /** Replaces the working table of the step and takes its output in. */
  #feed(before: BatchBuilder, work: BatchBuilder, inputs: Batch[] | null, tick: Tick): void {
    const change = new BatchBuilder(this.#types, this.#iteration, before.n + work.n);
    for (const [table, sign] of [
      [before, -1],
      [work, 1],
    ] as const) {
      const batch = table.build();
      for (let row = 0; row < batch.n; row++) {
        const to = change.addRow(sign * weightOf(batch, row));
        for (let c = 0; c < this.#types.length; c++) change.copySlot(c, to, batch.columns[c], row);
      }
    }
    const delta = (relation: number): Batch | null => {
      if (relation === WORKING_TABLE) return change.build();
      return inputs === null ? null : inputs[this.#spec.stepInputs[-2 - relation]];
    };
    const output = this.#flow.step(delta, tickWith(tick, this.#iteration, this.#stepErrors));
    this.#stepOutput.apply(output);
    if (work.n > 0) this.#stepErrors.reportTo(this.#errors, 1);
    this.#flow.endTick();
    // Most iterations are small: memory is reused when a first chunk is full, not each time.
    if (this.#iteration.bytes > KEPT_BYTES) this.#iteration.reset();
  }

  endTick(): void {
    if (this.#goesOn) return;
    for (const store of this.#retired) store.release();
    this.#retired = [];
    for (const store of [this.#base, this.#stepOutput, this.#result]) store.endTick();
    this.#tables.reset();
    this.#otherTables.reset();
    this.#iteration.reset();
  }

  coldStates() {
    return this.#flow.coldStates();
  }

  state() {
    const stores = [this.#base, this.#stepOutput, this.#result];
    let rows = stores.reduce((sum, store) => sum + store.size, 0);
    let bytes = stores.reduce((sum, store) => sum + store.bytes, 0);
    for (const figures of this.#flow.figures()) {
      rows += figures.stateRows;
      bytes += figures.stateBytes;
    }
    return { rows, bytes };
  }

  save() {
    return {
      base: this.#base.save(),
      stepOutput: this.#stepOutput.save(),
      result: this.#result.save(),
      stepErrors: this.#stepErrors.save(),
      errors: this.#errors.save(),
      flow: this.#flow.save(),
    };
  }

  load(saved: Saved): void {
    const { base, stepOutput, result, stepErrors, errors, flow } = saved as ReturnType<typeof this.save>;
    this.#base.load(base);
    this.#stepOutput.load(stepOutput);
    this.#result.load(result);
    this.#stepErrors.load(stepErrors);
    this.#errors.load(errors);
    this.#flow.load(flow);
  }

  release(): void {
    for (const store of [this.#base, this.#stepOutput, this.#result, ...this.#retired]) store.release();
    this.#retired = [];
    this.#flow.release();
    this.#tables.release();
    this.#otherTables.release();
    this.#iteration.release();
  }
}
