/**
 * GROUP BY and global aggregates.   out = { (key, f1(group), f2(group), ...) : key has rows }
 *
 * Each tick: the first row of a group in the tick saves the group's old output row; all rows of the tick are taken in; then the new output
 * row is compared with the old, and only a difference leaves: - old, + new. Nothing flickers inside a tick.
 *
 * State: one slot a group: | key | f64 row count | touched, shown | accumulators |, plus what accumulators keep outside.
 * A group whose row count is 0 is removed. Without GROUP BY there is one row, also for no input.
 * Cost: O(1) (or O(log n), see aggregates/) a row, O(1) output a touched group. State is freed when the group's rows are retracted.
 * An accumulator that fails (overflow) makes the group's row an error row until its value fits again.
 */
import type { Accumulator } from './aggregates/accumulator.ts';
import { DistinctFilter } from './aggregates/distinct.ts';
import { makeAccumulator } from './aggregates/make.ts';
import type { Batch, Column } from './batch/batch.ts';
import { BatchBuilder, readDatum } from './batch/builder.ts';
import { F64, I32, U8 } from './batch/memory.ts';
import { SqlError } from './errors.ts';
import type { Operator, Tick } from './operator.ts';
import type { AggCall } from './plan.ts';
import { Heap } from './state/heap.ts';
import { rowOps } from './state/row_ops.ts';
import { RowTable } from './state/row_table.ts';
import type { Saved } from './state/saved.ts';
import type { ColType } from './types.ts';

const HEAD = 16;
const TOUCHED = 2;

interface Call {
  accumulator: Accumulator;
  filter: number | null;
  distinct: DistinctFilter | null;
  offset: number;
}

export class AggregateOperator implements Operator {
  readonly #types: ColType[];
  readonly #keys: number[];
  readonly #global: boolean;
  readonly #calls: Call[] = [];
  readonly #table: RowTable;
  readonly #same: ReturnType<typeof rowOps>;
  readonly #old: ReturnType<typeof rowOps>;

  /** `appendOnly`: the input never retracts, so min and max may keep one value. */
  constructor(
    keys: number[],
    calls: AggCall[],
    global: boolean,
    inputTypes: ColType[],
    types: ColType[],
    appendOnly: boolean,
  ) {
    this.#types = types;
    this.#keys = keys;
    this.#global = global;
    let offset = HEAD;
    const heap = new Heap();
    for (const call of calls) {
      const accumulator = makeAccumulator(call, inputTypes, appendOnly, heap);
      const distinct =
        call.distinct && accumulator.countsDuplicates !== false
          ? new DistinctFilter([...keys, ...call.args], inputTypes)
          : null;
      this.#calls.push({ accumulator, filter: call.filter, distinct, offset });
      offset += accumulator.bytes;
    }
    this.#table = new RowTable(
      keys.map((k) => inputTypes[k]),
      offset,
      'sql',
      heap,
    );
    this.#same = rowOps(types, 'identity');
    this.#old = rowOps(types, 'identity');
  }

  step(inputs: Batch[], tick: Tick): Batch {
    const [delta] = inputs;
    const table = this.#table;
    const touched: number[] = [];
    const old = new BatchBuilder(this.#types, tick.arena, 16);
    const oldRow: number[] = [];
    const keyColumns = this.#keys.map((k) => delta.columns[k]);
    table.begin(keyColumns, Math.max(1, delta.n));
    for (const call of this.#calls) {
      call.accumulator.begin(delta);
      call.distinct?.begin(delta);
    }
    const touch = (slot: number) => {
      const payload = slot + table.payloadOffset;
      if (I32[(payload >>> 2) + TOUCHED] !== 0) return;
      I32[(payload >>> 2) + TOUCHED] = 1;
      touched.push(slot);
      oldRow.push(table.inserted ? -1 : this.#write(slot, old, -1, tick));
    };
    if (this.#global && tick.first) touch(table.findOrInsert(0));
    this.#takeIn(delta, touch);
    const out = new BatchBuilder(this.#types, tick.arena, touched.length * 2);
    for (let i = 0; i < touched.length; i++) this.#emit(touched[i], old, oldRow[i], out, tick);
    for (const call of this.#calls) call.accumulator.endTick();
    return out.build();
  }

  #takeIn(delta: Batch, touch: (slot: number) => void): void {
    const table = this.#table;
    const weights = delta.weights >>> 2;
    const calls = this.#calls;
    const filters = calls.map((c) => (c.filter === null ? null : delta.columns[c.filter]));
    for (let row = 0; row < delta.n; row++) {
      const weight = I32[weights + row];
      if (weight === 0) continue;
      const slot = table.findOrInsert(row);
      touch(slot);
      const payload = slot + table.payloadOffset;
      F64[payload / 8] += weight;
      for (let c = 0; c < calls.length; c++) {
        const call = calls[c];
        const filter = filters[c];
        if (filter !== null && !passes(filter, row)) continue;
        const effective = call.distinct === null ? weight : call.distinct.flip(row, weight);
        if (effective !== 0) call.accumulator.add(payload + call.offset, row, effective);
      }
    }
  }

  /** Writes the group's present output row and returns its position; -1 when it has none or its value fails (then reported). */
  #write(slot: number, out: BatchBuilder, sign: 1 | -1, tick: Tick): number {
    const payload = slot + this.#table.payloadOffset;
    const row = out.addRow(sign);
    this.#table.ops.load(slot + this.#table.rowOffset, out.columns, row);
    try {
      this.#calls.forEach((call, c) => {
        call.accumulator.result(payload + call.offset, out, this.#keys.length + c, row);
      });
      return row;
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      out.n = row;
      tick.errors.report(error, this.#keyOf(slot, tick), sign);
      return -1;
    }
  }

  #keyOf(slot: number, tick: Tick) {
    const key = new BatchBuilder(
      this.#keys.map((_, i) => this.#types[i]),
      tick.arena,
      1,
    );
    this.#table.ops.load(slot + this.#table.rowOffset, key.columns, key.addRow(1));
    return key.columns.map((column: Column) => readDatum(column, 0));
  }

  #emit(slot: number, old: BatchBuilder, oldRow: number, out: BatchBuilder, tick: Tick): void {
    const payload = slot + this.#table.payloadOffset;
    I32[(payload >>> 2) + TOUCHED] = 0;
    const exists = this.#global || F64[payload / 8] !== 0;
    const newRow = exists ? this.#write(slot, out, 1, tick) : -1;
    if (newRow >= 0 && oldRow >= 0 && this.#equal(old, oldRow, out, newRow)) out.n = newRow;
    else if (oldRow >= 0) {
      const to = out.addRow(-1);
      for (let c = 0; c < this.#types.length; c++) out.copySlot(c, to, old.columns[c], oldRow);
    }
    if (exists) return;
    for (const call of this.#calls) call.accumulator.free(payload + call.offset);
    this.#table.remove(slot);
  }

  #equal(old: BatchBuilder, oldRow: number, out: BatchBuilder, newRow: number): boolean {
    const from = this.#keys.length;
    for (let c = from; c < this.#types.length; c++) {
      const a = old.columns[c];
      const b = out.columns[c];
      if (U8[a.valid + oldRow] !== U8[b.valid + newRow]) return false;
    }
    this.#old.bind(old.columns);
    this.#same.bind(out.columns);
    const scratch = out.arena.alloc(this.#old.layout.stride);
    this.#old.storeShallow(oldRow, scratch);
    return this.#same.equal(newRow, scratch);
  }

  endTick(): void {
    this.#table.endTick();
    for (const call of this.#calls) call.distinct?.endTick();
  }

  state() {
    let rows = this.#table.size;
    let { bytes } = this.#table;
    for (const call of this.#calls) {
      const size = call.accumulator.size();
      rows += size.rows;
      bytes += size.bytes;
      if (call.distinct !== null) {
        rows += call.distinct.size;
        bytes += call.distinct.bytes;
      }
    }
    return { rows, bytes };
  }

  save() {
    return {
      table: this.#table.save(),
      calls: this.#calls.map((call) => ({
        accumulator: call.accumulator.save(),
        distinct: call.distinct === null ? null : call.distinct.save(),
      })),
    };
  }

  load(saved: Saved): void {
    const { table, calls } = saved as ReturnType<typeof this.save>;
    this.#table.load(table);
    calls.forEach(({ accumulator, distinct }, i) => {
      this.#calls[i].accumulator.load(accumulator);
      if (distinct !== null) this.#calls[i].distinct?.load(distinct);
    });
  }

  release(): void {
    for (const call of this.#calls) {
      call.accumulator.release();
      call.distinct?.release();
    }
    this.#table.release();
  }
}

/** FILTER keeps rows whose condition column is true, not NULL. */
function passes(filter: Column, row: number): boolean {
  return U8[filter.data + row] !== 0 && (filter.valid === 0 || U8[filter.valid + row] !== 0);
}
