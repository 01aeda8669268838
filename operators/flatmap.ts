/**
 * A set-returning function per row: input columns ++ function columns [++ ordinality].
 *
 *   out = { r ++ f : r x w in delta, f in fn(args(r)) }, weight w        left: r ++ NULLs when fn gives no row
 *
 * Linear and stateless. `hop`, `tumble` and `cumulate` assign time windows (time_windows.ts); all other names are functions of the
 * registry. A row whose arguments or function fail goes to the error sink as a whole.
 */
import type { Batch } from './batch/batch.ts';
import { BatchBuilder, readDatum, readRow, weightOf } from './batch/builder.ts';
import type { Datum } from './datum.ts';
import { SqlError } from './errors.ts';
import { columnsOf } from './expr/columns.ts';
import { type BoundSetFunction, resolveSet } from './expr/functions/registry.ts';
import { type BoundExpr, bindExpr } from './expr/interpret.ts';
import type { Expr } from './expr/ir.ts';
import type { Operator, PieceRoom, Tick } from './operator.ts';
import { ALL, piecesOf } from './pieces.ts';
import { timeWindowFunction } from './time_windows.ts';
import { turn } from './turn.ts';
import type { ColType } from './types.ts';

export class FlatMapOperator implements Operator {
  readonly #types: ColType[];
  readonly #inputWidth: number;
  readonly #args: BoundExpr[];
  readonly #fn: BoundSetFunction;
  readonly #strict: boolean;
  readonly #ordinality: boolean;
  readonly #left: boolean;
  readonly #needed: number[];

  constructor(fn: string, args: Expr[], inputWidth: number, ordinality: boolean, left: boolean, types: ColType[]) {
    this.#types = types;
    this.#inputWidth = inputWidth;
    this.#args = args.map(bindExpr);
    const resultType = types[inputWidth];
    this.#fn =
      timeWindowFunction(fn) ?? resolveSet(fn, { argTypes: args.map((a) => a.t), resultType, variadic: false });
    // Every set-returning function of pg_proc that we have is strict, save unnest of several arrays, which sees its NULLs.
    this.#strict = args.length === 1 || !fn.startsWith('unnest(');
    this.#ordinality = ordinality;
    this.#left = left;
    const needed = new Set<number>();
    for (const arg of args) columnsOf(arg, needed);
    this.#needed = [...needed];
  }

  step([input]: Batch[], tick: Tick): Batch {
    const out = new BatchBuilder(this.#types, tick.arena, input.n);
    for (const _ of this.#expandAll(input, out, tick, ALL));
    return out.build();
  }

  stepPieces([input]: Batch[], tick: Tick, room: PieceRoom): Iterable<Batch> {
    const out = new BatchBuilder(this.#types, room.arena, room.rows);
    return piecesOf(out, room, this.#expandAll(input, out, tick, room.rows));
  }

  /** Adds the rows of all rows; stops when `out` has `most`, for the caller to take them out. */
  *#expandAll(input: Batch, out: BatchBuilder, tick: Tick, most: number): Iterable<void> {
    const row: Datum[] = new Array(input.columns.length).fill(null);
    for (let i = 0; i < input.n; i++) {
      let before = out.n;
      try {
        for (const _ of this.#expand(row, input, i, out, tick, most)) {
          yield;
          before = out.n;
        }
      } catch (error) {
        if (!(error instanceof SqlError)) throw error;
        out.n = before;
        tick.errors.report(error, readRow(input, i), weightOf(input, i));
      }
    }
  }

  /** The same of row i alone. */
  *#expand(
    row: Datum[],
    input: Batch,
    i: number,
    out: BatchBuilder,
    { evalContext }: Tick,
    most: number,
  ): Iterable<void> {
    for (const c of this.#needed) row[c] = readDatum(input.columns[c], i);
    const args = this.#args.map((arg) => arg(row, evalContext));
    const width = this.#types.length - this.#inputWidth - (this.#ordinality ? 1 : 0);
    let ordinal = 0n;
    if (!this.#strict || !args.includes(null)) {
      const found = this.#fn(args, evalContext);
      if (found.rows !== undefined) out.reserve(Math.min(found.rows, most));
      for (const values of found) {
        if ((out.n & 1023) === 0) turn.look();
        const to = this.#copyInput(input, i, out);
        for (let c = 0; c < width; c++) out.setDatum(this.#inputWidth + c, to, values[c] ?? null);
        ordinal++;
        if (this.#ordinality) out.setDatum(this.#types.length - 1, to, ordinal);
        if (out.n >= most) yield;
      }
    }
    if (ordinal === 0n && this.#left) {
      const to = this.#copyInput(input, i, out);
      for (let c = this.#inputWidth; c < this.#types.length; c++) out.setNull(c, to);
    }
  }

  #copyInput(input: Batch, i: number, out: BatchBuilder): number {
    const to = out.addRow(weightOf(input, i));
    for (let c = 0; c < this.#inputWidth; c++) out.copySlot(c, to, input.columns[c], i);
    return to;
  }

  endTick(): void {
    // Stateless.
  }

  state() {
    return { rows: 0, bytes: 0 };
  }

  save() {
    return null;
  }

  load(): void {
    // Stateless.
  }

  release(): void {
    // Stateless.
  }
}
