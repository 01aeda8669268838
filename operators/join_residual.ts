/**
 * The predicate of a join beyond its keys.
 *
 *   pairs of a probe -> the columns that the predicate reads, looked up -> map kernel -> the pairs that pass
 *
 * Generated kernels, and the interpreter for odd rows. A pair for which it fails goes to the error sink, and does not match. State: none.
 */
import type { Batch, Column } from './batch/batch.ts';
import { readDatum, readRow } from './batch/builder.ts';
import type { Datum } from './datum.ts';
import { SqlError } from './errors.ts';
import { columnsOf } from './expr/columns.ts';
import { type BoundExpr, bindExpr } from './expr/interpret.ts';
import type { Expr } from './expr/ir.ts';
import { compileTest, type RowTest } from './expr/kernel/compile.ts';
import { MapOperator } from './map.ts';
import { type ErrorSink, type Tick, tickWith } from './operator.ts';
import type { Pairs } from './state/index_probe.ts';
import { type ColType, colType, OID } from './types.ts';

export const PLACE = colType(OID.int4);

/** Over left ++ right columns. */
export class Residual implements ErrorSink {
  readonly #kernel: RowTest;
  readonly #test: BoundExpr;
  /** Over left ++ right columns ++ Pairs.rows, Pairs.others: gives the latter of the pairs that pass. */
  readonly #filter: MapOperator;
  /** Those that it reads. */
  readonly columns: number[];
  readonly #row: Datum[];
  /** Whom errors of the present keepPassing() go to. */
  #step: { errors: ErrorSink; whole: (row: number, other: number) => Datum[] } | null = null;

  constructor(expr: Expr, types: ColType[]) {
    this.#kernel = compileTest(expr, types);
    this.#test = bindExpr(expr);
    const columns = new Set<number>();
    columnsOf(expr, columns);
    this.columns = [...columns];
    this.#row = new Array<Datum>(types.length).fill(null);
    const places = [0, 1].map((i): Expr => ({ k: 'col', id: types.length + i, t: PLACE }));
    this.#filter = new MapOperator(expr, places, [...types, PLACE, PLACE], [PLACE, PLACE]);
  }

  /** Whether row `row` of joined columns passes; false and reported with `weight` when the predicate fails. weight 0: not reported. */
  passes(columns: Column[], row: number, weight: number, tick: Tick): boolean {
    const known = this.#kernel(columns, row, tick.evalContext, tick.arena);
    if (known >= 0) return known === 1;
    for (const c of this.columns) this.#row[c] = readDatum(columns[c], row);
    try {
      return this.#test(this.#row, tick.evalContext) === true;
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      if (weight !== 0) tick.errors.report(error, readRow({ n: 0, columns, weights: 0 }, row), weight);
      return false;
    }
  }

  /** Drops the pairs that do not pass. `columns` become its own, of which only those that it reads need be there; `whole` gives the row of a pair for the report. */
  keepPassing(columns: Column[], pairs: Pairs, tick: Tick, whole: (row: number, other: number) => Datum[]): void {
    const { n, rows, others, weights } = pairs;
    this.#step = { errors: tick.errors, whole };
    columns.push(placeColumn(rows), placeColumn(others));
    const joined: Batch = { n, weights, columns };
    const kept = this.#filter.step([joined], tickWith(tick, tick.arena, this));
    pairs.n = kept.n;
    pairs.rows = kept.columns[0].data;
    pairs.others = kept.columns[1].data;
    pairs.weights = kept.weights;
  }

  /** Of a pair for which the filter fails: its last columns are the row's number and the other's address. */
  report(error: SqlError, row: Datum[], weight: number): void {
    const [own, other] = row.slice(-2) as number[];
    this.#step?.errors.report(error, this.#step.whole(own, other), weight);
  }

  release(): void {
    this.#kernel.release();
    this.#filter.release();
  }
}

function placeColumn(data: number): Column {
  return { type: PLACE, phys: 'i32', data, valid: 0 };
}
