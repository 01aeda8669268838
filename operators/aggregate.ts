/**
 * GROUP BY and global aggregates.   out = { (key, f1(group), f2(group), ...) : key has rows }
 *
 * Each tick, column by column:
 *
 *   groups    the slot of every row's group; the groups that are touched
 *   old       their output rows as they are shown
 *   take in   row counts, then each call: its weights (FILTER, DISTINCT) into its accumulator
 *   new       their output rows now; only differences leave: - old, + new
 *
 * Nothing flickers inside a tick.
 *
 * Grouping, counts, integer sums, least and greatest integers run as kernels over the whole delta (state/row_table.ts, kernels/assembly/aggregate.ts);
 * other accumulators have loops of their own over (group, weight).
 *
 * State: one slot a group: | key | f64 row count | with DISTINCT: f64 number of the group, f64 deadline | accumulators |, plus what
 * accumulators keep outside. Calls whose accumulators keep the same share one; that of count(*) is the row count.
 * A group whose row count is 0 is removed. Without GROUP BY there is one row, also for no input.
 * Cost: O(1) (or O(log n), see aggregates/) a row, O(1) output a touched group. State is freed when the group's rows are retracted, and when
 * a watermark proves that no row of the group comes or goes any more (`frees` names the key column); then nothing is emitted.
 * An accumulator that fails (overflow) makes the group's row an error row until its value fits again.
 */
import type { Accumulator, KernelCall, Rows } from './aggregates/accumulator.ts';
import { COUNT_STAR } from './aggregates/count.ts';
import { DistinctValues } from './aggregates/distinct.ts';
import { makeAccumulator } from './aggregates/make.ts';
import type { Arena } from './batch/arena.ts';
import type { Batch, Column } from './batch/batch.ts';
import { BatchBuilder, readDatum } from './batch/builder.ts';
import { gatherColumn, gatherWords } from './batch/gather.ts';
import { F64, I32, U8, U32 } from './batch/memory.ts';
import { SqlError } from './errors.ts';
import {
  CALL_BYTES,
  CALL_COUNT,
  CALL_DATA,
  CALL_DATA_2,
  CALL_KIND,
  CALL_OFFSET,
  CALL_REST,
  CALL_VALID,
  CALL_VALID_2,
  CALL_WEIGHTS,
} from './kernels/aggregate_layout.ts';
import { kernels } from './kernels/index.ts';
import { SLOT_STATE, SLOT_TOUCHED } from './kernels/table_layout.ts';
import type { Operator, Tick } from './operator.ts';
import { integralPieces } from './pieces.ts';
import type { AggCall, Retention } from './plan.ts';
import type { Watermarks } from './state/deadline.ts';
import { Heap } from './state/heap.ts';
import { rowOps } from './state/row_ops.ts';
import { RowTable } from './state/row_table.ts';
import type { Saved } from './state/saved.ts';
import { TableRetention } from './state/table_retention.ts';
import { touch } from './state/write_marks.ts';
import { type ColType, colType, OID, PHYS_WIDTH } from './types.ts';

const HEAD = 8;
/** Numbers of 8 bytes: the group's own, the watermark by which it is dead. */
const NUMBER = 1;
const DEADLINE = 2;
/** Bytes of each. */
const NUMBER_BYTES = 8;
const DEADLINE_BYTES = 8;
const NO_ROW = -1;
const COUNT_ROWS: KernelCall = { kind: CALL_COUNT, data: 0, valid: 0 };

interface Call {
  accumulator: Accumulator;
  filter: number | null;
  /** Where the call finds its weights after DISTINCT: which values, and which of their filters. */
  distinct: { values: number; filter: number } | null;
  offset: number;
  /** False: the state at `offset` is another call's, which takes the rows in. */
  owns: boolean;
}

/** Some groups' slots: n of them, at a word address. */
interface Slots {
  at: number;
  n: number;
}

/** Distinct values of one list of arguments, for the calls that ask for them under some filters. */
interface Distinct {
  values: DistinctValues;
  filters: (number | null)[];
}

/** Equal for calls that keep the same; null where nobody shares it. */
function stateName(state: string | null, filter: number | null, distinct: Call['distinct']): string | null {
  return state === null ? null : [state, filter, distinct?.values, distinct?.filter].join();
}

export class AggregateOperator implements Operator {
  readonly #types: ColType[];
  readonly #keys: number[];
  readonly #global: boolean;
  readonly #calls: Call[] = [];
  readonly #distincts: Distinct[] = [];
  readonly #table: RowTable;
  readonly #same: ReturnType<typeof rowOps>;
  readonly #retention: TableRetention | null;
  /** Of the tick: weights under filters. */
  readonly #filtered = new Map<number, number>();
  /** Groups get numbers in order of their making. */
  #made = 0;

  /** `appendOnly`: the input never retracts, so min and max may keep one value. `frees`: over key columns. */
  constructor(
    keys: number[],
    calls: AggCall[],
    global: boolean,
    inputTypes: ColType[],
    types: ColType[],
    appendOnly: boolean,
    frees?: Retention[],
  ) {
    this.#types = types;
    this.#keys = keys;
    this.#global = global;
    const dies = frees !== undefined;
    const heap = new Heap();
    const wanted = new Map<string, { args: number[]; filters: (number | null)[] }>();
    for (const call of calls) {
      const accumulator = makeAccumulator(call, inputTypes, appendOnly, heap);
      const { args, filter } = call;
      let distinct: Call['distinct'] = null;
      if (call.distinct && accumulator.countsDuplicates !== false) {
        const name = args.join();
        const known = wanted.get(name) ?? { args, filters: [] };
        wanted.set(name, known);
        if (!known.filters.includes(filter)) known.filters.push(filter);
        distinct = { values: [...wanted.keys()].indexOf(name), filter: known.filters.indexOf(filter) };
      }
      this.#calls.push({ accumulator, filter, distinct, offset: 0, owns: true });
    }
    for (const { args, filters } of wanted.values())
      this.#distincts.push({ values: new DistinctValues(args, filters.length, inputTypes, dies, appendOnly), filters });
    const payload = this.#place(dies);
    this.#table = new RowTable(
      keys.map((k) => inputTypes[k]),
      payload,
      'sql',
      heap,
    );
    this.#retention = TableRetention.of(this.#table, frees, keys);
    this.#same = rowOps(types.slice(keys.length), 'identity');
  }

  /** Gives each call its place in the groups' bytes; gives how many these are. */
  #place(dies: boolean): number {
    let bytes = HEAD;
    if (this.#distincts.length > 0) bytes += NUMBER_BYTES + (dies ? DEADLINE_BYTES : 0);
    const places = new Map([[stateName(COUNT_STAR, null, null), 0]]);
    for (const call of this.#calls) {
      const name = stateName(call.accumulator.state ?? null, call.filter, call.distinct);
      const known = name === null ? undefined : places.get(name);
      call.owns = known === undefined;
      call.offset = known ?? bytes;
      if (known !== undefined) continue;
      if (name !== null) places.set(name, bytes);
      bytes += call.accumulator.bytes;
    }
    return bytes;
  }

  step(inputs: Batch[], tick: Tick): Batch {
    const [delta] = inputs;
    const { arena } = tick;
    const groups = this.#begin(delta, arena);
    const touched = this.#group(delta, groups, tick);
    const rows = new BatchBuilder(this.#types, arena, touched.n * 2);
    const shown = this.#existing(touched, this.#global && tick.first, arena);
    const old = this.#write(shown, rows, -1, tick);
    this.#takeIn(delta, groups, arena);
    const existing = this.#existing(touched, false, arena);
    const now = this.#write(existing, rows, 1, tick);
    const out = this.#differences(shown, old, existing, now, rows, arena);
    this.#end(touched, arena);
    return out;
  }

  absorb(inputs: Batch[], tick: Tick): void {
    const [delta] = inputs;
    const groups = this.#begin(delta, tick.arena);
    const touched = this.#group(delta, groups, tick);
    this.#takeIn(delta, groups, tick.arena);
    this.#end(touched, tick.arena);
  }

  /** Gives room for the address of every row's group: a word address. */
  #begin(delta: Batch, arena: Arena): number {
    const keyColumns = this.#keys.map((k) => delta.columns[k]);
    this.#table.begin(keyColumns, delta.n);
    for (const call of this.#calls) call.accumulator.begin(delta);
    return arena.allocZeroed(delta.n * 4) >>> 2;
  }

  /** The groups are touched no more, and those without rows go. */
  #end({ at, n }: Slots, arena: Arena): void {
    const gone = arena.alloc(n * 4);
    const left = kernels.untouchGroups(at * 4, n, this.#table.payloadOffset, gone);
    if (!this.#global) for (let i = 0; i < left; i++) this.#remove(U32[(gone >>> 2) + i]);
    for (const call of this.#calls) call.accumulator.endTick();
  }

  #remove(slot: number): void {
    const payload = slot + this.#table.payloadOffset;
    for (const call of this.#calls) if (call.owns) call.accumulator.free(payload + call.offset);
    this.#table.remove(slot);
  }

  free(watermarks: Watermarks): boolean {
    const retention = this.#retention;
    if (retention === null) return true;
    const inSlots = this.#calls.every(({ accumulator }) => accumulator.inSlot === true);
    let done = retention.free(watermarks, inSlots ? null : (slot) => this.#remove(slot));
    const watermark = retention.deadline.watermark(watermarks);
    for (const { values } of this.#distincts) if (!values.free(watermark)) done = false;
    return done;
  }

  /** Notes the address of every row's group at `groups`; gives the groups that are touched. */
  #group({ n, weights }: Batch, groups: number, { arena, first }: Tick): Slots {
    const table = this.#table;
    const { payloadOffset } = table;
    const at = arena.alloc((n + 1) * 4) >>> 2;
    // Without keys all rows, and none, are one group.
    const only = this.#global && first ? table.findOrInsert(0) : 0;
    if (only !== 0 && this.#distincts.length > 0) F64[(only + payloadOffset) / 8 + NUMBER] = this.#made++;
    const located = table.findOrInsertAll({ n, weights, skipNulls: false }, arena);
    const { slots, fresh, made } = located;
    const times = made === 0 ? 0 : (this.#retention?.noteFresh(located, arena) ?? 0);
    if (this.#distincts.length > 0) {
      const [number, deadline] = [NUMBER * 8, DEADLINE * 8];
      kernels.numberGroups(slots * 4, fresh * 4, made, payloadOffset, this.#made, number, times * 8, deadline);
      this.#made += made;
    }
    const touched = kernels.touchGroups(slots * 4, n, payloadOffset, groups * 4, at * 4);
    if (only === 0 || touched > 0) return { at, n: touched };
    touch(only + SLOT_STATE);
    U8[only + SLOT_STATE] = SLOT_TOUCHED;
    U32[at] = only;
    return { at, n: 1 };
  }

  /** Those of the groups that have a row to show. `none`: there is none yet. */
  #existing({ at, n }: Slots, none: boolean, arena: Arena): Slots {
    if (none) return { at, n: 0 };
    if (this.#global) return { at, n };
    const to = arena.alloc(n * 4);
    return { at: to >>> 2, n: kernels.groupsWithRows(at * 4, n, this.#table.payloadOffset, to) };
  }

  #exists(slot: number): boolean {
    return this.#global || F64[(slot + this.#table.payloadOffset) / 8] !== 0;
  }

  #takeIn(delta: Batch, groups: number, arena: Arena): void {
    const { n } = delta;
    if (this.#filtered.size > 0) this.#filtered.clear();
    const flips = this.#distincts.length === 0 ? [] : this.#flips(delta, groups, arena);
    const calls = arena.alloc((this.#calls.length + 1) * CALL_BYTES) >>> 2;
    writeCall(calls, COUNT_ROWS, 0, delta.weights >>> 2);
    let count = 1;
    const left: { accumulator: Accumulator; rows: Rows }[] = [];
    for (const { accumulator, filter, distinct, offset, owns } of this.#calls) {
      if (!owns) continue;
      const own =
        distinct === null ? this.#weightsUnder(filter, delta, arena) : flips[distinct.values][distinct.filter];
      const call = accumulator.kernelCall?.(arena, n) ?? null;
      const rows = { groups, offset, weights: own, arena };
      if (call === null) accumulator.addAll(rows, n);
      else writeCall(calls + (count++ * CALL_BYTES) / 4, call, offset, own);
      if (call !== null && accumulator.takeRest !== undefined) left.push({ accumulator, rows });
    }
    if (kernels.takeIn(calls * 4, count, groups * 4, n) === 0)
      throw new Error('a retraction reached an append-only aggregate');
    for (const { accumulator, rows } of left) accumulator.takeRest?.(rows);
  }

  /** The rows' weights under a FILTER; word address. Each filter is evaluated once a tick. */
  #weightsUnder(filter: number | null, { columns, weights, n }: Batch, arena: Arena): number {
    if (filter === null) return weights >>> 2;
    let known = this.#filtered.get(filter);
    if (known === undefined) {
      known = arena.alloc(n * 4) >>> 2;
      this.#filtered.set(filter, known);
      kernels.passingWeights(columns[filter].data, columns[filter].valid, weights, n, known * 4);
    }
    return known;
  }

  /** By list of distinct values and filter: how the presence of the rows' values changes. */
  #flips(delta: Batch, groups: number, arena: Arena): number[][] {
    const { n, weights } = delta;
    const data = arena.alloc(n * 8);
    kernels.groupNumbers(groups * 4, weights, n, NUMBER * 8, data);
    const numbers: Column = { type: colType(OID.int8), phys: 'i64', data, valid: 0 };
    const rows = { addresses: groups * 4, numbers, deadline: DEADLINE * 8 };
    const flips: number[][] = [];
    for (const { values, filters } of this.#distincts) {
      const under: number[] = [];
      for (const filter of filters) under.push(this.#weightsUnder(filter, delta, arena));
      flips.push(values.flip(delta, rows, under, arena));
    }
    return flips;
  }

  /** Writes the groups' present output rows; gives the word address of their positions, NO_ROW where a value fails (then reported). */
  #write({ at, n }: Slots, out: BatchBuilder, sign: 1 | -1, tick: Tick): number {
    const { ops, rowOffset, payloadOffset } = this.#table;
    const { phys, offsets, valid } = ops.layout;
    const positions = tick.arena.alloc(n * 4) >>> 2;
    const first = out.addRows(n, sign);
    for (let i = 0; i < phys.length; i++) {
      const column = out.columns[i];
      const width = PHYS_WIDTH[phys[i]];
      const data = column.data + first * width;
      kernels.loadColumn(at * 4, n, rowOffset + offsets[i], width, rowOffset + valid + i, data, column.valid + first);
    }
    for (let i = 0; i < n; i++) I32[positions + i] = first + i;
    try {
      this.#calls.forEach(({ accumulator, offset }, c) => {
        const groups = { addresses: at, n, offset: payloadOffset + offset };
        accumulator.resultAll(groups, out, this.#keys.length + c, first, tick.evalContext);
      });
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      out.n = first;
      for (let i = 0; i < n; i++) I32[positions + i] = this.#writeOne(U32[at + i], out, sign, tick);
    }
    return positions;
  }

  #writeOne(slot: number, out: BatchBuilder, sign: 1 | -1, tick: Tick): number {
    const { ops, rowOffset, payloadOffset } = this.#table;
    const row = out.addRow(sign);
    ops.load(slot + rowOffset, out.columns, row);
    try {
      this.#calls.forEach((call, c) => {
        const state = slot + payloadOffset + call.offset;
        call.accumulator.result(state, out, this.#keys.length + c, row, tick.evalContext);
      });
      return row;
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      out.n = row;
      tick.errors.report(error, this.#keyOf(slot, tick), sign);
      return NO_ROW;
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

  /** The rows, without those that a group shows before and after. Both lists of groups are in the same order. */
  #differences(shown: Slots, old: number, existing: Slots, now: number, rows: BatchBuilder, arena: Arena): Batch {
    const all = rows.buildNet();
    // A group's key is that of its slot before and after.
    this.#same.bind(all.columns.slice(this.#keys.length));
    const weights = all.weights >>> 2;
    let kept = all.n;
    for (let before = 0, after = 0; before < shown.n && after < existing.n; ) {
      // A group that has gone, then one that has come, is passed by; each such group is touched, so one of the lists lacks it.
      if (U32[shown.at + before] !== U32[existing.at + after]) {
        if (this.#exists(U32[shown.at + before])) after++;
        else before++;
        continue;
      }
      const a = I32[old + before++];
      const b = I32[now + after++];
      if (a === NO_ROW || b === NO_ROW || !this.#same.same(a, b)) continue;
      I32[weights + a] = 0;
      I32[weights + b] = 0;
      kept -= 2;
    }
    if (kept === all.n) return all;
    const positions = arena.alloc(kept * 4) >>> 2;
    for (let row = 0, to = 0; row < all.n; row++) if (I32[weights + row] !== 0) I32[positions + to++] = row;
    const columns = all.columns.map((column) => gatherColumn(column, positions, kept, arena));
    const keptWeights = arena.alloc(kept * 4);
    gatherWords(weights, keptWeights >>> 2, 1, positions, kept);
    return { n: kept, columns, weights: keptWeights, net: true };
  }

  integral(tick: Tick): Batch {
    return this.#groupsFrom(0, this.#table.size, tick).rows;
  }

  integralPieces(tick: Tick, most: number): Iterable<Batch> {
    return integralPieces((place) => this.#groupsFrom(place, Math.min(most, this.#table.size), tick));
  }

  /** The rows of up to `most` groups from a place of the table on, and the place to go on from; -1 at the end. */
  #groupsFrom(place: number, most: number, tick: Tick): { rows: Batch; next: number } {
    const out = new BatchBuilder(this.#types, tick.arena, most);
    const at = tick.arena.alloc(most * 4) >>> 2;
    let n = 0;
    const next = this.#table.visitFrom(place, most, (slot) => {
      U32[at + n++] = slot;
    });
    this.#write({ at, n }, out, 1, tick);
    return { rows: out.build(), next };
  }

  endTick(): void {
    this.#table.endTick();
    for (const { values } of this.#distincts) values.endTick();
  }

  state() {
    let rows = this.#table.size;
    let { bytes } = this.#table;
    for (const call of this.#calls) {
      const size = call.accumulator.size();
      rows += size.rows;
      bytes += size.bytes;
    }
    for (const { values } of this.#distincts) {
      rows += values.size;
      bytes += values.bytes;
    }
    return { rows, bytes };
  }

  save() {
    return {
      made: this.#made,
      table: this.#table.save(),
      retention: this.#retention?.save(),
      accumulators: this.#calls.map((call) => call.accumulator.save()),
      distincts: this.#distincts.map(({ values }) => values.save()),
    };
  }

  load(saved: Saved): void {
    const { made, table, retention, accumulators, distincts } = saved as ReturnType<typeof this.save>;
    this.#made = made;
    this.#table.load(table);
    if (retention !== undefined) this.#retention?.load(retention);
    accumulators.forEach((accumulator, i) => {
      this.#calls[i].accumulator.load(accumulator);
    });
    distincts.forEach((values, i) => {
      this.#distincts[i].values.load(values);
    });
  }

  release(): void {
    for (const call of this.#calls) call.accumulator.release();
    for (const { values } of this.#distincts) values.release();
    this.#retention?.release();
    this.#table.release();
  }
}

function writeCall(at: number, call: KernelCall, offset: number, weights: number): void {
  const { kind, data, valid, rest = 0, second } = call;
  U32[at + CALL_KIND / 4] = kind;
  U32[at + CALL_OFFSET / 4] = offset;
  U32[at + CALL_WEIGHTS / 4] = weights * 4;
  U32[at + CALL_DATA / 4] = data;
  U32[at + CALL_VALID / 4] = valid;
  U32[at + CALL_REST / 4] = rest;
  U32[at + CALL_DATA_2 / 4] = second?.data ?? 0;
  U32[at + CALL_VALID_2 / 4] = second?.valid ?? 0;
}
