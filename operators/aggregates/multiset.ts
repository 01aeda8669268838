/**
 * Aggregates that need all values of the group: min and max under retraction, array_agg, string_agg, json aggregates, percentiles, mode.
 *
 * State: | head of an ordered run | of (arguments ++ ORDER BY columns), ordered by ORDER BY, then by value.
 * Cost O(log n) a row; a result reads one end of the run (min, max) or all of it (the others, for touched groups only).
 */
import type { Batch } from '../batch/batch.ts';
import { type BatchBuilder, isValid } from '../batch/builder.ts';
import { U8, U32 } from '../batch/memory.ts';
import { readSlot } from '../batch/slots.ts';
import type { Datum } from '../datum.ts';
import type { EvalContext } from '../expr/ir.ts';
import type { SortKey } from '../plan.ts';
import type { Heap } from '../state/heap.ts';
import { OrderedRuns, type SavedOrderedRuns } from '../state/ordered_runs.ts';
import { type RowCompare, rowCompare } from '../state/row_ops.ts';
import type { Saved } from '../state/saved.ts';
import type { ColType } from '../types.ts';
import { type Accumulator, addEach, type Groups, type Rows } from './accumulator.ts';

/** The group's rows in order: each with its weight. `values` are arguments, then ORDER BY columns. */
export interface Entry {
  values: Datum[];
  weight: number;
  /** The arguments are equal to those of the entry before; only told to who asks for it. */
  repeats: boolean;
}

/** How a result is made of the ordered group. */
export interface MultisetResult {
  /** True when NULL arguments take part (array_agg, json_agg). */
  keepsNulls: boolean;
  /** Read only this end. */
  end?: 'first' | 'last';
  /** So many arguments come first that are the same in all rows of the group; they are read once. */
  direct?: number;
  /** Looks at Entry.repeats. */
  tellsRepeats?: true;
  result(entries: Iterable<Entry>, context: EvalContext): Datum;
}

export class MultisetAccumulator implements Accumulator {
  readonly bytes = OrderedRuns.HEAD;
  readonly countsDuplicates = false;
  readonly #columns: number[];
  readonly #argCount: number;
  readonly #types: ColType[];
  readonly #runs: OrderedRuns;
  readonly #compareArgs: RowCompare;
  readonly #reading: MultisetResult;
  readonly #distinct: boolean;
  #delta: Batch | null = null;

  /**
   * `args`: input columns of the arguments, with their types; `order`: sort keys over input columns. distinct: equal argument lists count
   * once.
   */
  constructor(
    args: number[],
    inputTypes: ColType[],
    order: SortKey[],
    distinct: boolean,
    reading: MultisetResult,
    heap: Heap,
  ) {
    const orderColumns = order.map((k) => k.col);
    this.#columns = [...args, ...orderColumns];
    this.#argCount = args.length;
    this.#types = this.#columns.map((c) => inputTypes[c]);
    const byArgs: SortKey[] = args.map((_, i) => ({ col: i, desc: false, nullsFirst: false }));
    this.#runs = new OrderedRuns(
      this.#types,
      [...order.map((k, i) => ({ ...k, col: args.length + i })), ...byArgs],
      heap,
    );
    this.#compareArgs = rowCompare(this.#runs.rows.layout, byArgs, false);
    this.#distinct = distinct;
    this.#reading = reading;
  }

  begin(delta: Batch): void {
    this.#delta = delta;
    this.#runs.bind(this.#columns.map((c) => delta.columns[c]));
  }

  add(state: number, row: number, weight: number): void {
    if (!this.#reading.keepsNulls && this.#delta !== null) {
      for (let i = 0; i < this.#argCount; i++) if (!isValid(this.#delta.columns[this.#columns[i]], row)) return;
    }
    this.#runs.add(state, row, weight);
  }

  addAll(rows: Rows, n: number): void {
    addEach(this, rows, n);
  }

  result(state: number, out: BatchBuilder, column: number, row: number, context: EvalContext): void {
    const { end } = this.#reading;
    if (end !== undefined) {
      const count = this.#runs.count(state);
      if (count === 0) out.setNull(column, row);
      else if (this.#types.length === 1) {
        // The slot as it lies: a value of JavaScript would be made for every group and tick.
        const address = this.#runs.entry(state, end === 'first' ? 0 : count - 1) + this.#runs.rowOffset;
        this.#runs.rows.load(address, [out.columns[column]], row);
      } else out.setDatum(column, row, this.#values(this.#runs.entry(state, end === 'first' ? 0 : count - 1))[0]);
      return;
    }
    out.setDatum(column, row, this.#reading.result(this.#entries(state), context));
  }

  *#entries(state: number): Iterable<Entry> {
    const count = this.#runs.count(state);
    const { direct = 0, tellsRepeats = false } = this.#reading;
    const compares = this.#distinct || tellsRepeats;
    let previous = 0;
    let known: Datum[] = [];
    for (let i = 0; i < count; i++) {
      const entry = this.#runs.entry(state, i);
      const row = entry + this.#runs.rowOffset;
      const repeats = compares && previous !== 0 && this.#compareArgs(previous, row) === 0;
      previous = row;
      if (repeats && this.#distinct) continue;
      const values = this.#values(entry, known);
      if (i === 0) known = values.slice(0, direct);
      yield { values, weight: this.#distinct ? 1 : this.#runs.weight(entry), repeats };
    }
  }

  /** `known`: the first of them. */
  #values(entry: number, known: Datum[] = []): Datum[] {
    const { types, phys, offsets, valid } = this.#runs.rows.layout;
    const row = entry + this.#runs.rowOffset;
    const values = known.slice();
    for (let i = known.length; i < types.length; i++)
      values.push(U8[row + valid + i] === 0 ? null : readSlot(phys[i], types[i].oid, row + offsets[i]));
    return values;
  }

  resultAll(
    { addresses, n, offset }: Groups,
    out: BatchBuilder,
    column: number,
    row: number,
    context: EvalContext,
  ): void {
    for (let i = 0; i < n; i++) this.result(U32[addresses + i] + offset, out, column, row + i, context);
  }

  free(state: number): void {
    this.#runs.free(state);
  }

  endTick(): void {
    // The heap is the group table's.
  }

  size() {
    return { rows: this.#runs.size, bytes: 0 };
  }

  save() {
    return this.#runs.save();
  }

  load(saved: Saved): void {
    this.#runs.load(saved as SavedOrderedRuns);
  }

  release(): void {
    // The heap is the group table's.
  }
}
