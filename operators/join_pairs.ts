/**
 * The matching pairs of two relations, as a delta: what every join is made of.
 *
 *   d(A x B) = dA x B' + A x dB                       A, B: the indexes before the tick, A', B' after it
 *            = dA x B' + A' x dB - dA x dB            what there is are A' and B': they contain this tick's deltas
 *
 * The first form holds for a delta dA without retractions: its rows stand at the ends of the runs of A', and the rest of a run is A. By
 * symmetry the sides may change places. Otherwise the second form; its pairs of both deltas come twice and are taken off once.
 *
 * A pair matches when its keys are equal (NULL only where the pair of keys is null-safe) and the residual predicate is true. The weight is the
 * product. State: none of its own, two shared indexes. O(|dA| + |dB| + matches). Without keys it is the cross product.
 * In the first tick A' = dA, so dA x B' alone is the answer.
 */
import type { Batch, Column } from './batch/batch.ts';
import { type BatchBuilder, isValid, readDatum, readRow } from './batch/builder.ts';
import { I32 } from './batch/memory.ts';
import { type RowCopy, rowCopy } from './batch/row_copy.ts';
import type { Datum } from './datum.ts';
import { SqlError } from './errors.ts';
import { columnsOf } from './expr/columns.ts';
import { type BoundExpr, bindExpr } from './expr/interpret.ts';
import type { Expr } from './expr/ir.ts';
import { compileTest, type RowTest } from './expr/kernel/compile.ts';
import type { IndexProvider, Tick } from './operator.ts';
import type { Watermarks } from './state/deadline.ts';
import { DeltaIndex } from './state/delta_index.ts';
import type { RowIndex } from './state/row_index.ts';
import type { ColType } from './types.ts';

export interface JoinSpec {
  leftKeys: number[];
  rightKeys: number[];
  nullSafe: boolean[];
  residual: Expr | null;
}

/** One side of a join: its index, how to probe with its delta, and where its columns lie in a joined row. */
export interface JoinSide {
  types: ColType[];
  keys: number[];
  /** Keys whose NULL matches nothing. */
  strictKeys: number[];
  index: RowIndex;
  /** This side's delta by key; built on demand. */
  grouped: DeltaIndex;
  copy: RowCopy;
  /** First column of this side in a joined row. */
  at: number;
}

/** Both sides of a join node; `nullKeys` also indexes rows with NULL keys. */
export function joinSides(
  spec: JoinSpec,
  inputTypes: ColType[][],
  indexes: IndexProvider,
  nullKeys = false,
): JoinSide[] {
  const withNulls = nullKeys || spec.nullSafe.includes(true);
  return [spec.leftKeys, spec.rightKeys].map((keys, i) => {
    const types = inputTypes[i];
    const side: Omit<JoinSide, 'index'> & { index?: RowIndex } = {
      types,
      keys,
      strictKeys: keys.filter((_, k) => !spec.nullSafe[k]),
      grouped: new DeltaIndex(types, keys),
      copy: rowCopy(types),
      at: i === 0 ? 0 : inputTypes[0].length,
    };
    indexes.index(i, keys, withNulls, (index) => {
      side.index = index;
    });
    return side as JoinSide;
  });
}

/** Frees of the indexes that a join reads what watermarks prove dead; all readers of an index agree on what that is. */
export function freeSides(sides: JoinSide[], watermarks: Watermarks): boolean {
  let done = true;
  for (const { index } of sides) {
    if (index.free?.(watermarks) === false) done = false;
  }
  return done;
}

/** True when a key column of the row is NULL and NULL matches nothing there. */
export function keyIsNull(side: JoinSide, delta: Batch, row: number): boolean {
  for (const c of side.strictKeys) if (!isValid(delta.columns[c], row)) return true;
  return false;
}

export function keyColumns(side: JoinSide, delta: Batch): Column[] {
  return side.keys.map((k) => delta.columns[k]);
}

/** The predicate of a pair beyond its keys, over left ++ right columns: a generated kernel, and the interpreter for odd rows. */
export class Residual {
  readonly #kernel: RowTest;
  readonly #test: BoundExpr;
  readonly #columns: number[];
  readonly #row: Datum[];

  constructor(expr: Expr, types: ColType[]) {
    this.#kernel = compileTest(expr, types);
    this.#test = bindExpr(expr);
    const columns = new Set<number>();
    columnsOf(expr, columns);
    this.#columns = [...columns];
    this.#row = new Array<Datum>(types.length).fill(null);
  }

  /** Whether row `row` of joined columns passes; false and reported with `weight` when the predicate fails. weight 0: not reported. */
  passes(columns: Column[], row: number, weight: number, tick: Tick): boolean {
    const known = this.#kernel(columns, row, tick.evalContext, tick.arena);
    if (known >= 0) return known === 1;
    for (const c of this.#columns) this.#row[c] = readDatum(columns[c], row);
    try {
      return this.#test(this.#row, tick.evalContext) === true;
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      if (weight !== 0) tick.errors.report(error, readRow({ n: 0, columns, weights: 0 }, row), weight);
      return false;
    }
  }

  release(): void {
    this.#kernel.release();
  }
}

/** Whether the side's index had all rows of the delta appended. */
function growsOnly(side: JoinSide, delta: Batch): boolean {
  if (!side.index.appends) return false;
  const weights = delta.weights >>> 2;
  for (let row = 0; row < delta.n; row++) if (I32[weights + row] < 0) return false;
  return true;
}

export class JoinPairs {
  readonly sides: JoinSide[];
  readonly residual: Residual | null;

  constructor(sides: JoinSide[], residual: Residual | null) {
    this.sides = sides;
    this.residual = residual;
  }

  /** Adds the delta of the joined rows to `out`. */
  emit(inputs: Batch[], out: BatchBuilder, tick: Tick): void {
    const [left, right] = inputs;
    if (tick.first || left.n === 0 || right.n === 0) {
      if (left.n > 0) this.#probeIndex(0, left, null, out, tick);
      else if (!tick.first && right.n > 0) this.#probeIndex(1, right, null, out, tick);
      return;
    }
    const [a, b] = this.sides;
    const leftGrows = growsOnly(a, left);
    const rightGrows = growsOnly(b, right);
    if (leftGrows && (left.n <= right.n || !rightGrows)) {
      a.grouped.build(left, tick.arena);
      this.#probeIndex(0, left, null, out, tick);
      this.#probeIndex(1, right, a.grouped, out, tick);
    } else if (rightGrows) {
      b.grouped.build(right, tick.arena);
      this.#probeIndex(1, right, null, out, tick);
      this.#probeIndex(0, left, b.grouped, out, tick);
    } else {
      this.#probeIndex(0, left, null, out, tick);
      this.#probeIndex(1, right, null, out, tick);
      this.#subtractBoth(left, right, out, tick);
    }
  }

  /** delta of side `from` x the other side's index; without the rows that `added`, the other side's delta by key, put at the ends of its runs. */
  #probeIndex(from: number, delta: Batch, added: DeltaIndex | null, out: BatchBuilder, tick: Tick): void {
    const side = this.sides[from];
    const other = this.sides[1 - from];
    const { index } = other;
    const { entryStride, rowOffset, rows } = index;
    const own = out.columns.slice(side.at, side.at + side.types.length);
    const others = out.columns.slice(other.at, other.at + other.types.length);
    const keys = keyColumns(side, delta);
    index.bindKeys(keys);
    added?.bindKeys(keys);
    side.copy.bind(delta.columns);
    const weights = delta.weights >>> 2;
    for (let row = 0; row < delta.n; row++) {
      const weight = I32[weights + row];
      if (weight === 0 || keyIsNull(side, delta, row)) continue;
      const slot = index.seek(row);
      if (slot === 0) continue;
      let count = index.countOf(slot);
      const group = added === null ? -1 : added.find(row);
      if (added !== null && group >= 0) count -= added.count[group];
      let at = index.runOf(slot);
      for (; count > 0; count--, at += entryStride) {
        const product = weight * I32[(at >>> 2) + 1];
        const to = out.addRow(product);
        side.copy.copy(row, own, to);
        rows.load(at + rowOffset, others, to);
        if (this.residual !== null && !this.residual.passes(out.columns, to, product, tick)) out.n = to;
      }
    }
  }

  /** Pairs of the two deltas were counted twice. */
  #subtractBoth(left: Batch, right: Batch, out: BatchBuilder, tick: Tick): void {
    const [a, b] = this.sides;
    const own = out.columns.slice(0, b.at);
    const others = out.columns.slice(b.at);
    b.grouped.build(right, tick.arena);
    b.grouped.bindKeys(keyColumns(a, left));
    a.copy.bind(left.columns);
    b.copy.bind(right.columns);
    const weights = left.weights >>> 2;
    const otherWeights = right.weights >>> 2;
    for (let row = 0; row < left.n; row++) {
      const weight = I32[weights + row];
      if (weight === 0 || keyIsNull(a, left, row)) continue;
      const group = b.grouped.find(row);
      if (group < 0) continue;
      for (let other = b.grouped.first[group]; other >= 0; other = b.grouped.next(other)) {
        const product = -weight * I32[otherWeights + other];
        if (product === 0) continue;
        const to = out.addRow(product);
        a.copy.copy(row, own, to);
        b.copy.copy(other, others, to);
        if (this.residual !== null && !this.residual.passes(out.columns, to, product, tick)) out.n = to;
      }
    }
  }
}
