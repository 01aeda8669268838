/**
 * The best rows of each partition, all that tie, of input in which a row that is beaten never comes back: rank() = 1, WITH TIES LIMIT 1, and the rows
 * that have the greatest or least value of their group (planner/rewrite/extreme_rows.ts).
 *
 *   partition     the best sort key so far   +   rows of the tick   ->   better: - the rows shown, + the better ones;   equal: + the row;   worse: nothing
 *
 * What top_n.ts does for any limit and input. Input that never retracts qualifies, and so does input that replaces rows of a partition by rows that are not
 * worse within the same tick: counts and maxima of groups that only grow (PlanNode.keepsBest). So the best key never gets worse, and only the rows
 * that have it can be retracted and shown again.
 * State: one slot a partition | u32 1 + number of the tick's best row, 0 between ticks | u32 present | sort key |; the rows shown, by partition.
 * O(1) a row: one compare. O(rows shown) when a partition gets a better row.
 * A partition that a watermark proves untouched by every change to come is forgotten; its rows stay shown.
 */
import type { Arena } from './batch/arena.ts';
import type { Batch } from './batch/batch.ts';
import { BatchBuilder } from './batch/builder.ts';
import { I32, U32 } from './batch/memory.ts';
import { kernels } from './kernels/index.ts';
import type { Operator, Tick } from './operator.ts';
import type { PlanNode, SortKey } from './plan.ts';
import type { Watermarks } from './state/deadline.ts';
import { Heap } from './state/heap.ts';
import { KeyedIndex } from './state/keyed_index.ts';
import { RetainedTable } from './state/retained_table.ts';
import { type BoundCompare, boundCompare, type RowOps, rowOps } from './state/row_ops.ts';
import { RowTable } from './state/row_table.ts';
import type { Saved } from './state/saved.ts';
import { type ColType, PHYS_WIDTH } from './types.ts';

type TopNSpec = PlanNode & { op: 'topn' };

const BEST = 0;
const PRESENT = 1;
const KEY = 8;

/** Rows of the delta, and slots, at word addresses. */
interface Found {
  rows: number;
  count: number;
  changed: number;
  changes: number;
}

export class TopTiesOperator implements Operator {
  readonly #spec: TopNSpec;
  readonly #heap = new Heap();
  /** The sort key's columns, each once. */
  readonly #order: number[];
  readonly #table: RowTable;
  readonly #keys: RowOps;
  readonly #compare: BoundCompare;
  /** The sort key when it is one integer: the kernel compares it. */
  readonly #integer: SortKey | null;
  readonly #shown: KeyedIndex;
  readonly #retained: RetainedTable;

  constructor(spec: TopNSpec, inputTypes: ColType[]) {
    this.#spec = spec;
    this.#order = [...new Set(spec.order.map((k) => k.col))];
    const orderTypes = this.#order.map((c) => inputTypes[c]);
    this.#keys = rowOps(orderTypes, 'identity');
    const { layout } = this.#keys;
    const order = spec.order.map((k) => ({ ...k, col: this.#order.indexOf(k.col) }));
    this.#compare = boundCompare(layout, order, false);
    this.#integer = this.#order.length === 1 && /^i(32|64)$/.test(layout.phys[0]) ? spec.order[0] : null;
    this.#table = new RowTable(
      spec.partition.map((c) => inputTypes[c]),
      KEY + layout.stride,
      'sql',
      this.#heap,
    );
    this.#shown = new KeyedIndex(inputTypes, spec.partition, true, spec.frees);
    this.#retained = new RetainedTable(this.#table, spec.frees, spec.partition);
  }

  step(inputs: Batch[], { arena }: Tick): Batch {
    const [delta] = inputs;
    const located = this.#retained.locate(delta, arena);
    const found = this.#find(delta, located.slots, arena);
    const out = new BatchBuilder(this.#spec.types, arena, found.count);
    this.#replace(delta, found, out, arena);
    this.#add(delta, located.slots, found, out);
    const rows = out.build();
    if (rows.n > 0)
      this.#shown.apply({ n: rows.n, columns: rows.columns.slice(0, delta.columns.length), weights: rows.weights });
    return rows;
  }

  /** Notes at BEST which row of the delta is better than what its partition has and not worse than those before it. */
  #find(delta: Batch, slots: number, arena: Arena): Found {
    const { n, weights } = delta;
    const columns = this.#order.map((c) => delta.columns[c]);
    this.#compare.bind(columns);
    const rows = arena.alloc(n * 4) >>> 2;
    const list = arena.alloc((n + 1) * 4) >>> 2;
    const integer = this.#integer;
    if (integer === null) {
      const { count, changes } = this.#findEach(delta, slots, rows, list + 1);
      return { rows, count, changed: list + 1, changes };
    }
    const [{ data, valid, phys }] = columns;
    const flag = this.#keys.layout.valid;
    const { desc, nullsFirst } = integer;
    const { payloadOffset } = this.#table;
    const wide = phys === 'i64';
    const args = [n, payloadOffset, flag, data, valid, wide, desc, nullsFirst, rows * 4, list * 4] as const;
    const count = kernels.bestRows(slots * 4, weights, ...args);
    return { rows, count, changed: list + 1, changes: U32[list] };
  }

  /** What the kernel does, for any sort key. */
  #findEach({ n, weights }: Batch, slots: number, rows: number, changed: number): { count: number; changes: number } {
    const { payloadOffset } = this.#table;
    let count = 0;
    let changes = 0;
    for (let row = 0; row < n; row++) {
      const slot = U32[slots + row];
      if (slot === 0) continue;
      const words = (slot + payloadOffset) >>> 2;
      const best = U32[words + BEST];
      let order = -1;
      if (best !== 0) order = this.#compare.rows(row, best - 1);
      else if (U32[words + PRESENT] !== 0) order = this.#compare.stored(row, slot + payloadOffset + KEY);
      if (order > 0) continue;
      U32[rows + count++] = row;
      if (order === 0 || I32[(weights >>> 2) + row] < 0) continue;
      if (best === 0) U32[changed + changes++] = slot;
      U32[words + BEST] = row + 1;
    }
    return { count, changes };
  }

  /** Takes back what partitions with a better row show, and keeps its sort key. */
  #replace(delta: Batch, { changed, changes }: Found, out: BatchBuilder, arena: Arena): void {
    const { payloadOffset } = this.#table;
    const shown = this.#shown;
    const columns = this.#order.map((c) => delta.columns[c]);
    this.#keys.bind(columns);
    shown.bindKeys(
      this.#spec.partition.map((c) => delta.columns[c]),
      arena,
    );
    for (let i = 0; i < changes; i++) {
      const payload = U32[changed + i] + payloadOffset;
      const words = payload >>> 2;
      const row = U32[words + BEST] - 1;
      if (U32[words + PRESENT] !== 0) {
        this.#keys.free(payload + KEY, this.#heap);
        const slot = shown.seek(row);
        if (slot !== 0) this.#write(slot, -1, out);
      }
      this.#keys.store(row, payload + KEY, this.#heap);
      U32[words + BEST] = 0;
      U32[words + PRESENT] = 1;
    }
  }

  /** Adds, times `sign`, the rows that a partition shows. */
  #write(slot: number, sign: 1 | -1, out: BatchBuilder): void {
    const { weightOffset, entryStride } = this.#shown;
    let at = this.#shown.runOf(slot);
    for (let i = this.#shown.countOf(slot); i > 0; i--, at += entryStride) {
      const to = out.addRow(sign * I32[(at + weightOffset) >>> 2]);
      this.#shown.loadRow(slot, at, out.columns, to);
      this.#rank(out, to);
    }
  }

  /** Adds those of the rows that are among the best after all. */
  #add(delta: Batch, slots: number, { rows, count }: Found, out: BatchBuilder): void {
    const { payloadOffset } = this.#table;
    let kept = 0;
    for (let i = 0; i < count; i++) {
      const row = U32[rows + i];
      const key = U32[slots + row] + payloadOffset + KEY;
      if (this.#compare.stored(row, key) === 0) U32[rows + kept++] = row;
    }
    const first = out.addRows(kept, 1);
    delta.columns.forEach((from, c) => {
      const { data, valid, phys } = out.columns[c];
      const width = PHYS_WIDTH[phys];
      kernels.gatherColumn(rows * 4, kept, width, from.data, from.valid, data + first * width, valid + first);
    });
    for (let i = 0; i < kept; i++) {
      I32[(out.weights >>> 2) + first + i] = I32[(delta.weights >>> 2) + U32[rows + i]];
      this.#rank(out, first + i);
    }
  }

  #rank(out: BatchBuilder, row: number): void {
    if (this.#spec.rank !== 'none') out.setDatum(out.columns.length - 1, row, 1n);
  }

  integral({ arena }: Tick): Batch {
    const out = new BatchBuilder(this.#spec.types, arena, this.#shown.size);
    this.#shown.forEach(arena, (slot, entry, weight) => {
      const to = out.addRow(weight);
      this.#shown.loadRow(slot, entry, out.columns, to);
      this.#rank(out, to);
    });
    return out.build();
  }

  free(watermarks: Watermarks): boolean {
    const done = this.#retained.free(watermarks, (slot) => {
      this.#keys.free(slot + this.#table.payloadOffset + KEY, this.#heap);
    });
    return this.#shown.free(watermarks) && done;
  }

  endTick(): void {
    this.#table.endTick();
    this.#shown.endTick();
  }

  coldStates() {
    return [this.#shown];
  }

  state() {
    return { rows: this.#shown.size, bytes: this.#table.bytes + this.#shown.bytes };
  }

  save() {
    return { ...this.#retained.save(), shown: this.#shown.save() };
  }

  load(saved: Saved): void {
    this.#retained.load(saved);
    this.#shown.load((saved as ReturnType<typeof this.save>).shown);
  }

  release(): void {
    this.#retained.release();
    this.#shown.release();
  }
}
