/**
 * The first row of each partition in order, of input that never retracts: ORDER BY .. LIMIT 1, DISTINCT ON, row_number() = 1.
 *
 *   partition    the first row so far    +    rows of the tick    ->    where a row of the tick comes before it: - old, + new
 *
 * What top_n.ts does for any offset, limit and input; this is what is left of it here: order is by the sort keys, then by the whole row, and a row that lost once
 * never comes back, so nothing but the winner is kept.
 * State: one slot a partition, and the row, but for what the slot has of it (state/kept_columns.ts), in a block of its own: a table is half empty, and moves what is in it when it grows. O(1) a row: one compare; O(1) output a
 * partition whose first row changes.
 * Rows may lie in the cold store (state/kept_rows.ts). A partition that a watermark proves untouched by every change to come is forgotten; its row stays shown.
 */
import type { Arena } from './batch/arena.ts';
import type { Batch } from './batch/batch.ts';
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
import { type BoundCompare, boundCompare, type RowOps } from './state/row_ops.ts';
import { RowTable } from './state/row_table.ts';
import type { Saved } from './state/saved.ts';
import { topRecord } from './top_record.ts';
import { type ColType, physOf, widthOf } from './types.ts';

type TopNSpec = PlanNode & { op: 'topn' };

/** Words of a partition's bytes: 1 + the number of the tick's best row, 0 between ticks; the address of its row, 0 while there is none. */
const BEST = 0;
const ROW = 1;
const BYTES = 8;

/** Whether a Top-N over input that never retracts is one of these. */
export function keepsOneRow({ limit, offset, withTies, frees, partition }: TopNSpec): boolean {
  if (limit !== 1 || offset !== 0 || withTies) return false;
  // Where the rows of a partition die one by one, in order, top_n.ts knows how.
  return frees === undefined || frees.every((f) => partition.includes(f.column));
}

export class TopOneOperator implements Operator {
  readonly #spec: TopNSpec;
  readonly #table: RowTable;
  readonly #columns: KeptColumns;
  readonly #rows: RowOps;
  readonly #kept: KeptRows;
  readonly #widths: number[];
  readonly #compare: BoundCompare;
  /** For the kernel; null: rows are compared in JavaScript. */
  readonly #order: OrderColumn[] | null;
  readonly #retained: RetainedTable;

  constructor(spec: TopNSpec, inputTypes: ColType[]) {
    this.#spec = spec;
    this.#table = new RowTable(
      spec.partition.map((c) => inputTypes[c]),
      BYTES,
      'sql',
    );
    this.#columns = new KeptColumns(inputTypes, spec.partition, spec.order, this.#table);
    this.#rows = this.#columns.rows;
    const { layout } = this.#rows;
    this.#widths = inputTypes.map((type) => widthOf(physOf(type.oid)));
    this.#compare = boundCompare(layout, this.#columns.order, true);
    this.#order = plainOrder(layout, this.#columns.order);
    this.#kept = new KeptRows(this.#rows, this.#table, { list: ROW * 4, count: null });
    this.#retained = new RetainedTable(this.#table, spec.frees, spec.partition);
  }

  step(inputs: Batch[], { arena }: Tick): Batch {
    const [delta] = inputs;
    const { n } = delta;
    const { slots } = this.#retained.locate(delta, arena);
    this.#kept.thawAll(slots, n, arena);
    const top = this.#record(delta, slots, arena);
    if (this.#order === null) this.#firstRows(top, delta);
    else kernels.firstRows(top);
    const touched = U32[(top + k.TOP_TOUCHED_COUNT) >>> 2];
    const shown = U32[(top + k.TOP_SHOWN) >>> 2];
    const old = U32[(top + k.TOP_OLD) >>> 2];
    const out = new BatchBuilder(this.#spec.types, arena, shown + touched);
    this.#show(old, U32[(top + k.TOP_OUT_SLOTS) >>> 2], shown, -1, out);
    for (let i = 0; i < shown; i++) this.#rows.free(U32[(old >>> 2) + i], this.#kept.heap);
    const best = arena.alloc(touched * 4);
    U32[(top + k.TOP_NEW) >>> 2] = best;
    this.#keepFirst(top, touched);
    const first = out.addRows(touched, 1);
    delta.columns.forEach((from, c) => {
      const { data, valid } = out.columns[c];
      const width = this.#widths[c];
      kernels.gatherColumn(best, touched, width, from.data, from.valid, data + first * width, valid + first);
    });
    this.#number(out, first);
    const kept = this.#columns.of(delta.columns);
    storeRows(this.#rows.layout, kept, n, U32[(top + k.TOP_PLACES) >>> 2] >>> 2, this.#kept.heap, arena);
    return out.buildNet();
  }

  #record(delta: Batch, slots: number, arena: Arena): number {
    const record = topRecord({ delta, slots, kept: this.#columns, table: this.#table, order: this.#order }, arena);
    U32[(record + k.TOP_OLD) >>> 2] = arena.alloc(delta.n * 4);
    U32[(record + k.TOP_OUT_SLOTS) >>> 2] = arena.alloc(delta.n * 4);
    return record;
  }

  /** The kernel of this name, for an order that is not plain. */
  #firstRows(top: number, { n, columns }: Batch): void {
    const { payloadOffset } = this.#table;
    const compare = this.#compare;
    compare.bind(this.#columns.of(columns));
    const [slots, touched, old, oldSlots] = [k.TOP_SLOTS, k.TOP_TOUCHED, k.TOP_OLD, k.TOP_OUT_SLOTS].map(
      (field) => U32[(top + field) >>> 2] >>> 2,
    );
    let count = 0;
    let shown = 0;
    for (let row = 0; row < n; row++) {
      const slot = U32[slots + row];
      if (slot === 0) continue;
      const words = (slot + payloadOffset) >>> 2;
      const best = U32[words + BEST];
      if (best !== 0) {
        if (compare.rows(row, best - 1) < 0) U32[words + BEST] = row + 1;
        continue;
      }
      const stored = U32[words + ROW];
      if (stored !== 0) {
        if (compare.stored(row, stored) >= 0) continue;
        U32[oldSlots + shown] = slot;
        U32[old + shown++] = stored;
      }
      U32[words + BEST] = row + 1;
      U32[touched + count++] = slot;
    }
    U32[(top + k.TOP_TOUCHED_COUNT) >>> 2] = count;
    U32[(top + k.TOP_SHOWN) >>> 2] = shown;
  }

  /** Blocks for the new first rows of n partitions. */
  #keepFirst(top: number, n: number): void {
    const touched = U32[(top + k.TOP_TOUCHED) >>> 2] >>> 2;
    for (let i = 0; i < n; ) {
      i = this.#kept.heap.lend((heap) => kernels.keepFirst(top, i, heap));
      if (i < n)
        U32[((U32[touched + i] + this.#table.payloadOffset) >>> 2) + ROW] = this.#kept.heap.alloc(
          this.#rows.layout.stride,
        );
    }
  }

  /** Adds n stored rows, whose addresses and whose partitions' slots are at these addresses, each with this weight. */
  #show(rows: number, slots: number, n: number, weight: number, out: BatchBuilder): void {
    const first = out.addRows(n, weight);
    for (let c = 0; c < this.#widths.length; c++) this.#columns.load(c, rows, slots, n, out.columns[c], first);
    this.#number(out, first);
  }

  /** The rank of every row from `first` on is 1. */
  #number(out: BatchBuilder, first: number): void {
    if (this.#spec.rank === 'none') return;
    const { data, valid } = out.columns[out.columns.length - 1];
    kernels.fillBytes(valid + first, 1, out.n - first);
    for (let word = (data >>> 2) + first * 2, end = (data >>> 2) + out.n * 2; word < end; word += 2) {
      I32[word] = 1;
      I32[word + 1] = 0;
    }
  }

  integral({ arena }: Tick): Batch {
    const { size } = this.#table;
    const out = new BatchBuilder(this.#spec.types, arena, size);
    const rows = arena.alloc(size * 4);
    const slots = arena.alloc(size * 4);
    let n = 0;
    this.#table.forEach((slot) => {
      this.#kept.forEach(slot, arena, (row) => {
        U32[(slots >>> 2) + n] = slot;
        U32[(rows >>> 2) + n++] = row;
      });
    });
    this.#show(rows, slots, n, 1, out);
    return out.build();
  }

  free(watermarks: Watermarks): boolean {
    return this.#retained.free(watermarks, (slot) => {
      this.#kept.drop(slot);
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
    const { rows, bytes } = this.#retained.state();
    return { rows, bytes: bytes + this.#kept.bytes };
  }

  save() {
    return { rows: this.#kept.save(), ...this.#retained.save() };
  }

  load(saved: Saved): void {
    this.#retained.load(saved);
    this.#kept.load((saved as ReturnType<typeof this.save>).rows);
  }

  release(): void {
    this.#kept.release();
    this.#retained.release();
  }
}
