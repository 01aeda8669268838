/**
 * The first few rows of each partition in order, of input that never retracts: ORDER BY .. LIMIT, row_number() <= k.
 *
 *   partition's slot:   entries | changed | address of the first row, the second, ...     a row of the tick that comes after the last one is not looked at further
 *
 * What top_n.ts does for any offset, limit, rank, order and input; this is what is left of it here. Rows are compared and put in their places by a kernel
 * (kernels/assembly/top_few.ts); equal rows are entries of their own, since nothing is ever taken out by value. Each changed partition shows the ranks whose row
 * is another now, before and after.
 * State: the shown rows, but for what a slot has of them (state/kept_columns.ts), and a slot of 4 bytes a rank for each partition. O(1) a row that does not enter, O(limit) one that does.
 * Rows may lie in the cold store (state/kept_rows.ts). A partition that a watermark proves untouched by every change to come is forgotten; its rows stay shown.
 */
import type { Arena } from './batch/arena.ts';
import type { Batch, Column } from './batch/batch.ts';
import { BatchBuilder } from './batch/builder.ts';
import { I32, U32 } from './batch/memory.ts';
import { kernels } from './kernels/index.ts';
import * as k from './kernels/top_layout.ts';
import type { Operator, Tick } from './operator.ts';
import type { PlanNode } from './plan.ts';
import type { Watermarks } from './state/deadline.ts';
import { KeptColumns } from './state/kept_columns.ts';
import { KeptRows } from './state/kept_rows.ts';
import { storeRows } from './state/key_batch.ts';
import { type OrderColumn, plainOrder } from './state/plain_order.ts';
import { RetainedTable } from './state/retained_table.ts';
import { type RowOps, rowOps } from './state/row_ops.ts';
import { RowTable } from './state/row_table.ts';
import type { Saved } from './state/saved.ts';
import { topRecord } from './top_record.ts';
import { type ColType, type Phys, physOf, widthOf } from './types.ts';

type TopNSpec = PlanNode & { op: 'topn' };

/** So many addresses lie in a partition's slot. */
const MOST = 32;
/** Words of a partition's bytes before the addresses. */
const HEAD = 2;

interface Shown {
  n: number;
  rows: number;
  slots: number;
  ranks: number;
}

/** Whether a Top-N over input that never retracts is one of these. */
export function keepsFewRows(spec: TopNSpec, inputTypes: ColType[]): boolean {
  const { limit, offset, withTies, rank, frees, partition, order } = spec;
  if (limit === null || limit < 1 || limit > MOST || offset !== 0 || withTies) return false;
  if (rank !== 'none' && rank !== 'row_number') return false;
  // Where the rows of a partition die one by one, in order, top_n.ts knows how.
  if (frees?.every((f) => partition.includes(f.column)) === false) return false;
  return plainOrder(rowOps(inputTypes, 'identity').layout, order) !== null;
}

export class TopFewOperator implements Operator {
  readonly #spec: TopNSpec;
  readonly #limit: number;
  readonly #table: RowTable;
  readonly #columns: KeptColumns;
  readonly #rows: RowOps;
  readonly #kept: KeptRows;
  readonly #phys: Phys[];
  readonly #order: OrderColumn[];
  readonly #retained: RetainedTable;
  #entries = 0;

  constructor(spec: TopNSpec, inputTypes: ColType[]) {
    this.#spec = spec;
    this.#limit = spec.limit ?? 0;
    this.#table = new RowTable(
      spec.partition.map((c) => inputTypes[c]),
      ((HEAD + this.#limit) * 4 + 7) & ~7,
      'sql',
    );
    this.#columns = new KeptColumns(inputTypes, spec.partition, spec.order, this.#table);
    this.#rows = this.#columns.rows;
    this.#phys = inputTypes.map((type) => physOf(type.oid));
    this.#order = plainOrder(this.#rows.layout, this.#columns.order) ?? [];
    this.#kept = new KeptRows(this.#rows, this.#table, { list: HEAD * 4, count: 0 });
    this.#retained = new RetainedTable(this.#table, spec.frees, spec.partition);
  }

  step(inputs: Batch[], { arena }: Tick): Batch {
    const delta = eachOnce(inputs[0], this.#limit, arena);
    const { slots } = this.#retained.locate(delta, arena);
    this.#kept.thawAll(slots, delta.n, arena);
    const top = this.#record(delta, slots, arena);
    const at = top >>> 2;
    kernels.topInsert(top);
    const shown = U32[at + k.TOP_SHOWN / 4];
    U32[at + k.TOP_OUT_ROWS / 4] = arena.alloc(shown * 4);
    U32[at + k.TOP_OUT_SLOTS / 4] = arena.alloc(shown * 4);
    U32[at + k.TOP_OUT_WEIGHTS / 4] = arena.alloc(shown * 4);
    U32[at + k.TOP_OUT_RANKS / 4] = arena.alloc(shown * 8);
    U32[at + k.TOP_NEW / 4] = arena.alloc(shown * 4);
    U32[at + k.TOP_GONE / 4] = arena.alloc(shown * 4);
    kernels.topChanges(top);
    this.#keepNew(top, delta, arena);
    kernels.topResolve(top);
    const out = this.#changes(at, arena);
    this.#letGo(at);
    return out;
  }

  #record(delta: Batch, slots: number, arena: Arena): number {
    const record = topRecord({ delta, slots, kept: this.#columns, table: this.#table, order: this.#order }, arena);
    const at = record >>> 2;
    U32[at + k.TOP_LIMIT / 4] = this.#limit;
    U32[at + k.TOP_RANKED / 4] = this.#spec.rank === 'row_number' ? 1 : 0;
    U32[at + k.TOP_OLD / 4] = arena.alloc(delta.n * (this.#limit + 1) * 4);
    return record;
  }

  #changes(at: number, arena: Arena): Batch {
    const n = U32[at + k.TOP_OUT_COUNT / 4];
    const out = this.#show(
      {
        n,
        rows: U32[at + k.TOP_OUT_ROWS / 4],
        slots: U32[at + k.TOP_OUT_SLOTS / 4],
        ranks: U32[at + k.TOP_OUT_RANKS / 4],
      },
      U32[at + k.TOP_OUT_WEIGHTS / 4],
      arena,
    );
    // With their ranks, only the rows of one rank before and after can be equal.
    if (this.#spec.rank === 'row_number' && U32[at + k.TOP_TIES / 4] === 0) out.net = true;
    return out;
  }

  /** A batch of n rows, whose addresses, partitions' slots, ranks and weights lie at these addresses. */
  #show({ n, rows, slots, ranks }: Shown, weights: number, arena: Arena): Batch {
    const { types, rank } = this.#spec;
    const columns = this.#phys.map((phys, c): Column => {
      const column = { type: types[c], phys, data: arena.alloc(n * widthOf(phys)), valid: arena.alloc(n) };
      this.#columns.load(c, rows, slots, n, column, 0);
      return column;
    });
    if (rank !== 'none') columns.push({ type: types[columns.length], phys: 'i64', data: ranks, valid: 0 });
    return { n, columns, weights };
  }

  /** New entries get blocks of their own. */
  #keepNew(top: number, { n, columns }: Batch, arena: Arena): void {
    const { layout } = this.#rows;
    const [fresh, made, places] = [k.TOP_NEW, k.TOP_NEW_COUNT, k.TOP_PLACES].map((field) => U32[(top + field) >>> 2]);
    for (let i = 0; i < made; i++) {
      i = this.#kept.heap.lend((heap) => kernels.topKeep(top, i, heap));
      if (i === made) break;
      const cell = U32[(fresh >>> 2) + i] >>> 2;
      const block = this.#kept.heap.alloc(layout.stride);
      U32[(places >>> 2) + (U32[cell] >>> 1)] = block;
      U32[cell] = block;
    }
    this.#entries += made;
    storeRows(layout, this.#columns.of(columns), n, places >>> 2, this.#kept.heap, arena);
  }

  #letGo(at: number): void {
    const gone = U32[at + k.TOP_GONE / 4] >>> 2;
    const count = U32[at + k.TOP_GONE_COUNT / 4];
    for (let i = 0; i < count; i++) this.#freeEntry(U32[gone + i]);
  }

  #freeEntry(address: number): void {
    this.#kept.free(address);
    this.#entries--;
  }

  integral({ arena }: Tick): Batch {
    const rows = arena.alloc(this.#entries * 4);
    const slots = arena.alloc(this.#entries * 4);
    const ranks = arena.alloc(this.#entries * 8);
    const weights = arena.alloc(this.#entries * 4);
    let n = 0;
    this.#table.forEach((slot) => {
      this.#kept.forEach(slot, arena, (row, i) => {
        U32[(rows >>> 2) + n] = row;
        U32[(slots >>> 2) + n] = slot;
        U32[(ranks >>> 2) + n * 2] = i + 1;
        U32[(ranks >>> 2) + n * 2 + 1] = 0;
        I32[(weights >>> 2) + n] = 1;
        n++;
      });
    });
    return this.#show({ n, rows, slots, ranks }, weights, arena);
  }

  free(watermarks: Watermarks): boolean {
    return this.#retained.free(watermarks, (slot) => {
      this.#entries -= this.#kept.drop(slot);
    });
  }

  endTick(): void {
    this.#table.endTick();
    this.#kept.endTick();
  }

  coldStates() {
    return [this.#kept];
  }

  state() {
    return { rows: this.#entries, bytes: this.#table.bytes + this.#kept.bytes };
  }

  save() {
    return { entries: this.#entries, rows: this.#kept.save(), ...this.#retained.save() };
  }

  load(saved: Saved): void {
    const { entries, rows } = saved as ReturnType<typeof this.save>;
    this.#entries = entries;
    this.#retained.load(saved);
    this.#kept.load(rows);
  }

  release(): void {
    this.#kept.release();
    this.#retained.release();
  }
}

/** The rows one by one: a row of weight w comes w times, as often as it may be shown. */
function eachOnce(delta: Batch, limit: number, arena: Arena): Batch {
  const weights = delta.weights >>> 2;
  let isPlain = true;
  for (let row = 0; row < delta.n; row++) if (I32[weights + row] !== 1) isPlain = false;
  if (isPlain) return delta;
  const types = delta.columns.map((c) => c.type);
  const out = new BatchBuilder(types, arena, delta.n);
  for (let row = 0; row < delta.n; row++) {
    const times = Math.min(I32[weights + row], limit);
    if (times < 0) throw new Error('a retraction reached an append-only Top-N');
    for (let i = 0; i < times; i++) out.copyRow(delta, row, 1);
  }
  return out.build();
}
