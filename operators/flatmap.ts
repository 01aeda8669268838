/**
 * A set-returning function per row: input columns ++ function columns [++ ordinality].
 *
 *   out = { r ++ f : r x w in delta, f in fn(args(r)) }, weight w        left: r ++ NULLs when fn gives no row
 *
 * Linear and stateless. `hop`, `tumble` and `cumulate` assign time windows (time_windows.ts); all other names are functions of the
 * registry. A row whose arguments or function fail goes to the error sink as a whole.
 *
 *   input -> map with the arguments as columns -> kernel over all rows (item_rows.ts)       items of arrays whose arguments need no interpreter
 *                                              -> function, row by row                      all else, and what the kernel leaves
 */
import type { Batch } from './batch/batch.ts';
import { BatchBuilder, readDatum, readRow, weightOf } from './batch/builder.ts';
import type { Datum } from './datum.ts';
import { SqlError } from './errors.ts';
import { ExpandedRows } from './expanded_rows.ts';
import { columnsOf } from './expr/columns.ts';
import { EXTERNAL_ROWS } from './expr/external.ts';
import { type BoundSetFunction, resolveSet } from './expr/functions/registry.ts';
import { type BoundExpr, bindExpr } from './expr/interpret.ts';
import type { Expr } from './expr/ir.ts';
import { interpretedParts } from './expr/kernel/compile.ts';
import { ItemRows, itemKind } from './item_rows.ts';
import { ITEM_JSON, ITEMS_BYTES, ITEMS_DONE, ITEMS_ODD } from './kernels/items_layout.ts';
import { MapOperator } from './map.ts';
import type { PieceRoom, Tick } from './operator.ts';
import { ALL, piecesOf } from './pieces.ts';
import type { PlanNode } from './plan.ts';
import { StatelessOperator } from './stateless.ts';
import { timeWindowFunction } from './time_windows.ts';
import { turn } from './turn.ts';
import type { ColType } from './types.ts';

export class FlatMapOperator extends StatelessOperator {
  readonly #types: ColType[];
  readonly #inputWidth: number;
  readonly #args: BoundExpr[];
  readonly #fn: BoundSetFunction;
  readonly #strict: boolean;
  readonly #ordinality: boolean;
  readonly #left: boolean;
  readonly #needed: number[];
  /** Of functions that go by columns what the kernel calls their items, and which column the arrays are; null: row by row. */
  readonly #items: { kind: number; column: number } | null;
  /** Adds the arguments to the input's columns; null where they are among them, and where rows go one by one. */
  readonly #arguments: MapOperator | null;

  constructor(node: PlanNode & { op: 'flatmap' }, inputTypes: ColType[]) {
    super();
    const { fn, args, ordinality, left, types } = node;
    const inputWidth = inputTypes.length;
    this.#types = types;
    this.#inputWidth = inputWidth;
    const resultType = types[inputWidth];
    this.#fn =
      timeWindowFunction(fn) ?? resolveSet(fn, { argTypes: args.map((a) => a.t), resultType, variadic: false });
    // Every set-returning function of pg_proc that we have is strict, save unnest of several arrays, which sees its NULLs, as those in other languages do.
    this.#strict = fn !== EXTERNAL_ROWS && (args.length === 1 || !fn.startsWith('unnest('));
    this.#ordinality = ordinality;
    this.#left = left;
    // What is volatile must not be called again for a row that the kernel of the arguments gives up.
    const kind = node.eachRow ? null : itemKind(fn, resultType);
    const goes = kind !== null && (kind >= ITEM_JSON || isCompiled(args[0], inputTypes));
    const isColumn = args.length === 1 && args[0].k === 'col';
    this.#arguments = goes && !isColumn ? mapWith(args, inputTypes) : null;
    const made = this.#arguments === null ? args : args.map(({ t }, i): Expr => ({ k: 'col', id: inputWidth + i, t }));
    this.#items = goes && made[0].k === 'col' ? { kind, column: made[0].id } : null;
    this.#args = made.map(bindExpr);
    const needed = new Set<number>();
    for (const arg of made) columnsOf(arg, needed);
    this.#needed = [...needed];
  }

  step([input]: Batch[], tick: Tick): Batch {
    const out = new BatchBuilder(this.#types, tick.arena, input.n);
    for (const _ of this.#expandAll(input, out, tick, ALL, input.n));
    return out.build();
  }

  stepPieces([input]: Batch[], tick: Tick, room: PieceRoom): Iterable<Batch> {
    const out = new BatchBuilder(this.#types, room.arena, room.rows);
    return piecesOf(out, room, this.#expandAll(input, out, tick, room.rows, room.rows));
  }

  /** Adds the rows of all rows; stops when `out`, which has room for so many, has `most`, for the caller to take them out. */
  *#expandAll(given: Batch, out: BatchBuilder, tick: Tick, most: number, room: number): Iterable<void> {
    const input = this.#arguments === null ? given : this.#arguments.step([given], tick);
    const rows = new ExpandedRows(out, input, this.#inputWidth, most, Math.max(room, 1));
    const pieces = this.#items === null ? this.#byRows(input, rows, tick) : this.#byColumns(input, rows, tick);
    for (const _ of pieces) {
      rows.finish();
      yield;
      rows.begin();
    }
    rows.finish();
  }

  *#byRows(input: Batch, rows: ExpandedRows, tick: Tick): Iterable<void> {
    const row: Datum[] = new Array(input.columns.length).fill(null);
    for (let i = 0; i < input.n; i++) yield* this.#expand(row, input, i, rows, tick, 0);
  }

  *#byColumns(input: Batch, rows: ExpandedRows, tick: Tick): Iterable<void> {
    const { kind, column } = this.#items as { kind: number; column: number };
    const row: Datum[] = new Array(input.columns.length).fill(null);
    const [item, left, ordinality] = [this.#inputWidth, this.#left, this.#ordinality];
    const made = new ItemRows(tick.arena.alloc(ITEMS_BYTES), input.columns[column], input.n, kind, rows, {
      item,
      left,
      ordinality,
    });
    for (;;) {
      turn.look();
      const reason = made.go();
      if (reason === ITEMS_DONE) return;
      if (reason === ITEMS_ODD) {
        yield* this.#expand(row, input, made.row, rows, tick, made.given);
        made.pass();
      } else if (rows.isFull) yield;
      else if (rows.out.n === rows.room) rows.grow();
    }
  }

  /** Row i alone, of whose rows so many are there already. A row that fails gives none, but for those of a piece that has been taken. */
  *#expand(row: Datum[], input: Batch, i: number, rows: ExpandedRows, tick: Tick, given: number): Iterable<void> {
    let before = rows.out.n;
    try {
      for (const _ of this.#rowsOf(row, input, i, rows, tick, given)) {
        yield;
        before = rows.out.n;
      }
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      rows.out.n = before;
      const columns = input.columns.slice(0, this.#inputWidth);
      tick.errors.report(error, readRow({ ...input, columns }, i), weightOf(input, i));
    }
  }

  *#rowsOf(
    row: Datum[],
    input: Batch,
    i: number,
    rows: ExpandedRows,
    { evalContext }: Tick,
    given: number,
  ): Iterable<void> {
    const { out } = rows;
    for (const c of this.#needed) row[c] = readDatum(input.columns[c], i);
    const args = this.#args.map((arg) => arg(row, evalContext));
    const width = this.#types.length - this.#inputWidth - (this.#ordinality ? 1 : 0);
    let ordinal = 0;
    if (!this.#strict || !args.includes(null)) {
      const found = this.#fn(args, evalContext);
      if (found.rows !== undefined) rows.makeRoom(found.rows);
      for (const values of found) {
        if (ordinal++ < given) continue;
        if ((out.n & 1023) === 0) turn.look();
        const to = rows.add(i);
        for (let c = 0; c < width; c++) out.setDatum(this.#inputWidth + c, to, values[c] ?? null);
        if (this.#ordinality) out.setDatum(this.#types.length - 1, to, BigInt(ordinal));
        if (rows.isFull) yield;
      }
    }
    if (ordinal === 0 && this.#left) {
      const to = rows.add(i);
      for (let c = this.#inputWidth; c < this.#types.length; c++) out.setNull(c, to);
      if (rows.isFull) yield;
    }
  }

  override release(): void {
    this.#arguments?.release();
  }
}

/** A map that keeps the columns and adds expressions. */
function mapWith(args: Expr[], inputTypes: ColType[]): MapOperator {
  const columns = inputTypes.map((t, id): Expr => ({ k: 'col', id, t }));
  return new MapOperator(null, [...columns, ...args], inputTypes, [...inputTypes, ...args.map(({ t }) => t)]);
}

/** An array that the interpreter makes is there as a value already: it need not be written into bytes and read from there. */
function isCompiled(arg: Expr, inputTypes: ColType[]): boolean {
  return interpretedParts(null, [arg], inputTypes, [arg.t]).length === 0;
}
