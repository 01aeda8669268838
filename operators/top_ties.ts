/**
 * The best rows of each partition, all that tie, of input in which a row that is beaten never comes back: rank() = 1, WITH TIES LIMIT 1, and the rows
 * that have the greatest or least value of their group (planner/rewrite/extreme_rows.ts).
 *
 *   partition     the best sort key so far   +   rows of the tick   ->   better: - the rows shown, + the better ones;   equal: + the row;   worse: nothing
 *
 * What top_n.ts does for any limit and input. Input that never retracts qualifies, and so does input that replaces rows of a partition by rows that are not
 * worse within the same tick: counts and maxima of groups that only grow (PlanNode.keepsBest). So the best key never gets worse, and only the rows
 * that have it can be retracted and shown again.
 * State: the rows shown, by partition (keyed_index.ts). All rows of a partition tie, so the first has the best sort key; while a tick is looked at its best row stands in the partition's slot.
 * O(1) a row: one compare. O(rows shown) when a partition gets a better row.
 * A partition that a watermark proves untouched by every change to come is forgotten.
 */
import type { Arena } from './batch/arena.ts';
import type { Batch } from './batch/batch.ts';
import { BatchBuilder } from './batch/builder.ts';
import { I32, U32 } from './batch/memory.ts';
import { sliceBatch, slices } from './batch/slice.ts';
import { kernels } from './kernels/index.ts';
import type { Operator, Tick } from './operator.ts';
import type { PlanNode, SortKey } from './plan.ts';
import type { Watermarks } from './state/deadline.ts';
import { addedTo, COUNT, MOST_ADDED, RUN, setAdded } from './state/key_slot.ts';
import { KeyedIndex } from './state/keyed_index.ts';
import type { SlotPlace } from './state/row_layout.ts';
import { type BoundCompare, boundCompare } from './state/row_ops.ts';
import type { Saved } from './state/saved.ts';
import { type ColType, PHYS_WIDTH } from './types.ts';

type TopNSpec = PlanNode & { op: 'topn' };

/** Rows of the delta, and slots, at word addresses. */
interface Found {
  rows: number;
  count: number;
  changed: number;
  changes: number;
}

export class TopTiesOperator implements Operator {
  readonly #spec: TopNSpec;
  readonly #compare: BoundCompare;
  /** The sort key when it is one integer: the kernel compares it. */
  readonly #integer: SortKey | null;
  readonly #shown: KeyedIndex;

  constructor(spec: TopNSpec, inputTypes: ColType[]) {
    this.#spec = spec;
    this.#shown = new KeyedIndex(inputTypes, spec.partition, true, spec.frees);
    const { layout } = this.#shown.runs.rows;
    this.#compare = boundCompare(layout, spec.order, false);
    this.#integer = spec.order.length === 1 && /^i(32|64)$/.test(layout.phys[spec.order[0].col]) ? spec.order[0] : null;
  }

  step(inputs: Batch[], { arena }: Tick): Batch {
    const [delta] = inputs;
    const out = new BatchBuilder(this.#spec.types, arena, 0);
    // A slot has room for the numbers of so many rows.
    for (const some of slices(delta, MOST_ADDED)) this.#take(some, out, arena);
    return out.build();
  }

  #take(delta: Batch, out: BatchBuilder, arena: Arena): void {
    const { slots } = this.#shown.locate(delta, arena);
    this.#compare.bind(delta.columns);
    const found = this.#find(delta, slots, arena);
    const first = out.n;
    this.#replace(found, out);
    this.#add(delta, slots, found, out);
    this.#forgetBest(found);
    const rows = sliceBatch(out.build(), first, out.n - first);
    if (rows.n > 0) this.#shown.apply({ ...rows, columns: rows.columns.slice(0, delta.columns.length) }, arena);
  }

  /** Notes in the slot which row of the delta is better than what its partition has and not worse than those before it. */
  #find(delta: Batch, slots: number, arena: Arena): Found {
    const { n, weights } = delta;
    const rows = arena.alloc(n * 4) >>> 2;
    const list = arena.alloc((n + 1) * 4) >>> 2;
    const integer = this.#integer;
    if (integer === null) {
      const { count, changes } = this.#findEach(delta, slots, rows, list + 1);
      return { rows, count, changed: list + 1, changes };
    }
    const { data, valid, phys } = delta.columns[integer.col];
    const { offset, flag } = this.#shown.places[integer.col] as SlotPlace;
    const { desc, nullsFirst } = integer;
    const { payloadOffset } = this.#shown;
    const wide = phys === 'i64';
    const args = [n, payloadOffset, offset, flag, data, valid, wide, desc, nullsFirst, rows * 4, list * 4] as const;
    const count = kernels.bestRows(slots * 4, weights, ...args);
    return { rows, count, changed: list + 1, changes: U32[list] };
  }

  /** What the kernel does, for any sort key. */
  #findEach({ n, weights }: Batch, slots: number, rows: number, changed: number): { count: number; changes: number } {
    let count = 0;
    let changes = 0;
    for (let row = 0; row < n; row++) {
      const slot = U32[slots + row];
      if (slot === 0) continue;
      const order = this.#order(row, slot);
      if (order > 0) continue;
      U32[rows + count++] = row;
      if (order === 0 || I32[(weights >>> 2) + row] < 0) continue;
      const payload = this.#payloadOf(slot);
      if (addedTo(payload) === 0) U32[changed + changes++] = slot;
      setAdded(payload, row + 1);
    }
    return { count, changes };
  }

  #payloadOf(slot: number): number {
    return (slot + this.#shown.payloadOffset) >>> 2;
  }

  /** How a row compares with the best of its partition: below 0 where it is better. */
  #order(row: number, slot: number): number {
    const payload = this.#payloadOf(slot);
    const best = addedTo(payload);
    if (best !== 0) return this.#compare.rows(row, best - 1);
    return U32[payload + COUNT] === 0 ? -1 : this.#compare.stored(row, U32[payload + RUN]);
  }

  /** Takes back what partitions with a better row show. */
  #replace({ changed, changes }: Found, out: BatchBuilder): void {
    for (let i = 0; i < changes; i++) this.#write(U32[changed + i], -1, out);
  }

  #forgetBest({ changed, changes }: Found): void {
    for (let i = 0; i < changes; i++) setAdded(this.#payloadOf(U32[changed + i]), 0);
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
    let kept = 0;
    for (let i = 0; i < count; i++) {
      const row = U32[rows + i];
      if (this.#order(row, U32[slots + row]) === 0) U32[rows + kept++] = row;
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
    return this.#shown.free(watermarks);
  }

  endTick(): void {
    this.#shown.endTick();
  }

  coldStates() {
    return [this.#shown];
  }

  state() {
    return { rows: this.#shown.size, bytes: this.#shown.bytes };
  }

  save() {
    return this.#shown.save();
  }

  load(saved: Saved): void {
    this.#shown.load(saved as ReturnType<typeof this.save>);
  }

  release(): void {
    this.#shown.release();
  }
}
