/**
 * Filter, then project.        out = { project(r) x w : r x w in delta, filter(r) is true }
 *
 * Linear and stateless; O(1) a row. A projection of plain columns without a filter moves no data: the output shares the input's
 * columns. Everything else runs as a generated kernel (expr/kernel/compile.ts), which hands odd rows to the interpreter here. A row whose filter or
 * projection fails goes to the error sink.
 *
 * Calls of functions in other languages may take as long as they like: who asks for pieces (piecewise.ts) gets one for some milliseconds of them.
 */
import type { Arena } from './batch/arena.ts';
import type { Batch } from './batch/batch.ts';
import { BatchBuilder, emptyBatch, readDatum, readRow, weightOf } from './batch/builder.ts';
import { sliceBatch } from './batch/slice.ts';
import type { Datum } from './datum.ts';
import { SqlError } from './errors.ts';
import { columnsOf } from './expr/columns.ts';
import { type InAdvance, inAdvance } from './expr/in_advance.ts';
import { type BoundExpr, bindExpr, isTrueOf } from './expr/interpret.ts';
import type { Expr } from './expr/ir.ts';
import { compileMap, type MapKernel } from './expr/kernel/compile.ts';
import { compileWasmMap } from './expr/kernel/wasm/compile.ts';
import { type PieceRoom, type Tick, tickWith } from './operator.ts';
import { StatelessOperator } from './stateless.ts';
import { turn } from './turn.ts';
import type { ColType } from './types.ts';

/** How a map computes its rows. */
export type MapPath = 'interpreter' | 'JavaScript' | 'WebAssembly';

/**
 * Rows that the kernel in JavaScript does before one in WebAssembly is made, where one can be: that takes half a millisecond, which a read of few rows
 * never earns. Until then the code in JavaScript has not run often enough for V8 to spend its optimizing compiler on it.
 */
const WARM_ROWS = 2000;
/** So many are made in one tick at most: a thousand views over one stream have seen their rows in the same one. */
const MOST_A_TICK = 4;
/** Work on a piece of rows that call functions in other languages. */
const PIECE_MS = 1;

/** The tick in which kernels in WebAssembly were made last, and how many. */
const made = { tick: -1n, count: 0 };

function mayMake(tick: bigint): boolean {
  if (made.tick !== tick) Object.assign(made, { tick, count: 0 });
  return made.count++ < MOST_A_TICK;
}

export class MapOperator extends StatelessOperator {
  readonly #types: ColType[];
  readonly #filter: BoundExpr | null;
  /** For each output column: an input column, or an expression. Null: keep the row. */
  readonly #project: (number | BoundExpr)[] | null;
  readonly #columnsOnly: boolean;
  /** Columns of the input that are no column of the output, and those that are. */
  readonly #dropped: number[];
  readonly #passed: number[];
  readonly #needed: number[];
  /** Of expressions that call functions in other languages. */
  readonly #inAdvance: InAdvance | null;
  /** Rows of the next piece. */
  #pieceRows = 1;
  /** The filter, where that calls none. */
  readonly #plainFilter: Expr | null;
  #kernel: MapKernel | null;
  /** Makes the kernel in WebAssembly when the time has come; null when it was asked. */
  #faster: (() => MapKernel | null) | null = null;
  #rows = 0;
  /** What it builds, and what it puts out where it only names columns anew: the same objects in each tick. */
  #out: BatchBuilder | null = null;
  readonly #renamed: Batch;
  /** The step. */
  #input: Batch;
  #tick: Tick | null = null;

  /** `path`: this one only, for tests that compare them. */
  constructor(
    filter: Expr | null,
    project: Expr[] | null,
    inputTypes: ColType[],
    types: ColType[],
    path: MapPath | null = null,
  ) {
    super();
    this.#types = types;
    this.#renamed = emptyBatch(types);
    this.#input = this.#renamed;
    this.#filter = filter === null ? null : bindExpr(filter);
    this.#project = project?.map((e) => (e.k === 'col' ? e.id : bindExpr(e))) ?? null;
    this.#columnsOnly = this.#project === null || this.#project.every((p) => typeof p === 'number');
    const all = [...inputTypes.keys()];
    this.#passed = this.#project?.filter((p) => typeof p === 'number') ?? all;
    this.#dropped = all.filter((c) => !this.#passed.includes(c));
    const needed = new Set<number>();
    if (filter !== null) columnsOf(filter, needed);
    for (const e of project ?? []) if (e.k !== 'col') columnsOf(e, needed);
    this.#needed = [...needed];
    // What is volatile (each_row.ts) must not be evaluated twice.
    this.#inAdvance =
      path === 'interpreter' ? null : inAdvance([...(filter === null ? [] : [filter]), ...(project ?? [])]);
    this.#plainFilter = filter !== null && inAdvance([filter]) === null ? filter : null;
    const computes = path !== 'interpreter' && (filter !== null || !this.#columnsOnly);
    this.#kernel = computes ? compileMap(filter, project, inputTypes, types) : null;
    if (computes && path !== 'JavaScript') this.#faster = () => compileWasmMap(filter, project, inputTypes, types);
    if (path === 'WebAssembly') this.#changeKernel();
  }

  #changeKernel(): void {
    const faster = this.#faster?.() ?? null;
    this.#faster = null;
    if (faster === null) return;
    this.#kernel?.release();
    this.#kernel = faster;
  }

  step(inputs: Batch[], tick: Tick): Batch {
    const input = inputs[0];
    if (this.#filter === null && this.#columnsOnly) return this.#rename(input);
    const out = this.#builder(tick.arena, input.n);
    this.#input = input;
    this.#tick = tick;
    if (this.#faster !== null) {
      this.#rows += input.n;
      if (this.#rows > WARM_ROWS && mayMake(tick.number)) this.#changeKernel();
    }
    const run = () => this.#run(input, out, tick);
    const ahead = input.n > 1 ? this.#inAdvance : null;
    const made = ahead === null ? run() : ahead(() => this.#rowsAhead(input, tick), tick.evalContext, run);
    if (input.net === true && this.#keepsAll(input)) made.net = true;
    return made;
  }

  stepPieces([input]: Batch[], tick: Tick, room: PieceRoom): Iterable<Batch> | null {
    return this.#inAdvance === null ? null : this.#pieces(input, tick, room);
  }

  /** A piece that took less is followed by a larger one, a piece that took more than twice as much by a smaller one. */
  *#pieces(input: Batch, tick: Tick, { arena, rows }: PieceRoom): Iterable<Batch> {
    for (let from = 0; from < input.n; ) {
      const n = Math.min(this.#pieceRows, rows, input.n - from);
      const start = performance.now();
      const made = this.step([sliceBatch(input, from, n)], tickWith(tick, arena));
      const worked = performance.now() - start;
      if (worked < PIECE_MS) this.#pieceRows = Math.min(this.#pieceRows * 2, rows);
      else if (worked > 2 * PIECE_MS) this.#pieceRows = Math.max(this.#pieceRows >>> 1, 1);
      from += n;
      yield made;
    }
  }

  #run(input: Batch, out: BatchBuilder, tick: Tick): Batch {
    if (this.#kernel === null) for (let i = 0; i < input.n; i++) this.#interpret(i);
    return this.#kernel?.(input, out, tick.evalContext, this.#interpret) ?? out.build();
  }

  /** What the expressions look at, of each row in turn. */
  *#rowsAhead(input: Batch, { evalContext }: Tick): Iterable<Datum[]> {
    const filter = this.#plainFilter;
    for (let i = 0; i < input.n; i++) {
      const row: Datum[] = new Array(input.columns.length).fill(null);
      for (const c of this.#needed) row[c] = readDatum(input.columns[c], i);
      if (filter === null || isTrueOf(filter, row, evalContext)) yield row;
    }
  }

  #builder(arena: Arena, rows: number): BatchBuilder {
    if (this.#out === null) this.#out = new BatchBuilder(this.#types, arena, rows);
    else this.#out.begin(arena, rows);
    return this.#out;
  }

  /** A row of the step's input. */
  readonly #interpret = (i: number): void => {
    const input = this.#input;
    const tick = this.#tick as Tick;
    const out = this.#out as BatchBuilder;
    const row: Datum[] = new Array(input.columns.length).fill(null);
    if ((i & 3) === 0) turn.look();
    try {
      for (const c of this.#needed) row[c] = readDatum(input.columns[c], i);
      if (this.#filter !== null && this.#filter(row, tick.evalContext) !== true) return;
      const values = this.#project?.map((p) => (typeof p === 'number' ? null : p(row, tick.evalContext)));
      this.#emit(out, input, i, values ?? null);
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      tick.errors.report(error, readRow(input, i), weightOf(input, i));
    }
  };

  #emit(out: BatchBuilder, input: Batch, i: number, values: Datum[] | null): void {
    const to = out.addRow(weightOf(input, i));
    for (let c = 0; c < this.#types.length; c++) {
      const source = this.#project === null ? c : this.#project[c];
      if (typeof source === 'number') out.copySlot(c, to, input.columns[source], i);
      else if (values !== null) out.setDatum(c, to, values[c]);
    }
  }

  /** Different rows stay different: every column of the input is one of the output, or lies where one of these does. */
  #keepsAll({ columns }: Batch): boolean {
    for (const c of this.#dropped) {
      const { data, valid } = columns[c];
      if (!this.#passed.some((p) => columns[p].data === data && columns[p].valid === valid)) return false;
    }
    return true;
  }

  #rename(input: Batch): Batch {
    if (this.#project === null) return input;
    const renamed = this.#renamed;
    for (let i = 0; i < this.#project.length; i++) {
      const { data, valid } = input.columns[this.#project[i] as number];
      const column = renamed.columns[i];
      column.data = data;
      column.valid = valid;
    }
    renamed.n = input.n;
    renamed.weights = input.weights;
    renamed.net = input.net === true && this.#keepsAll(input);
    return renamed;
  }

  override release(): void {
    this.#kernel?.release();
  }
}
