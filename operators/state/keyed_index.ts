/**
 * An index: the rows of a relation, clustered by key (the literature's arrangement). Shared by every operator that needs the same
 * relation by the same key.
 *
 *   key table slot:  key row | u32 run, u32 count, u32 capacity, u32 spare
 *   run:             count entries of  | u32 slot hash | i32 weight | row |, contiguous, so a probe reads forward
 *
 * apply() adds a delta: a positive weight is appended without looking for an equal row unless the delta's row retracts; a negative
 * weight scans the run (by slot hash) and reduces entries until it is used up. Cost O(1) an insert, O(run) a retraction.
 * A retraction of a row that is not there is kept as a negative entry, so the integral stays exact whatever the order of deltas.
 */
import type { Batch, Column } from '../batch/batch.ts';
import { I32, U32 } from '../batch/memory.ts';
import { kernels } from '../kernels/index.ts';
import type { ColType } from '../types.ts';
import { Heap } from './heap.ts';
import { type RowOps, rowOps } from './row_ops.ts';
import { RowTable, type SavedRowTable } from './row_table.ts';
import { touch, touchRange } from './write_marks.ts';

const ENTRY_HEADER = 8;
const RUN = 0;
const COUNT = 1;
const CAPACITY = 2;

export type SavedKeyedIndex = {
  entries: number;
  negative: number;
  keys: SavedRowTable;
};

export class KeyedIndex {
  readonly heap = new Heap();
  readonly keys: RowTable;
  readonly rows: RowOps;
  /** Bytes of an entry, and the offset of the row in it. */
  readonly entryStride: number;
  readonly rowOffset = ENTRY_HEADER;
  readonly keyColumns: number[];
  readonly #nullKeys: boolean;
  #entries = 0;

  /** `keyColumns` are positions of `types`. nullKeys false: rows with a NULL key column are not stored (they can never match). */
  constructor(types: ColType[], keyColumns: number[], nullKeys: boolean) {
    this.keyColumns = keyColumns;
    this.#nullKeys = nullKeys;
    this.keys = new RowTable(
      keyColumns.map((c) => types[c]),
      16,
      'sql',
      this.heap,
    );
    this.rows = rowOps(types, 'identity');
    this.entryStride = ENTRY_HEADER + this.rows.layout.stride;
  }

  /** Number of stored entries. */
  get size(): number {
    return this.#entries;
  }

  get bytes(): number {
    return this.heap.liveBytes;
  }

  /** Adds the delta's rows with their weights. */
  apply(delta: Batch): void {
    const keyCols = this.keyColumns.map((c) => delta.columns[c]);
    this.keys.begin(keyCols, delta.n);
    this.rows.bind(delta.columns);
    const weights = delta.weights >>> 2;
    for (let row = 0; row < delta.n; row++) {
      const weight = I32[weights + row];
      if (weight === 0 || (!this.#nullKeys && this.keys.ops.hasNull(row))) continue;
      const slot = this.keys.findOrInsert(row);
      this.#add(slot, row, weight);
    }
  }

  #add(slot: number, row: number, weight: number): void {
    const payload = (slot + this.keys.payloadOffset) >>> 2;
    const stride = this.entryStride;
    const hash = this.rows.slotHash(row);
    const run = U32[payload + RUN];
    let count = U32[payload + COUNT];
    if (weight < 0 || this.#negative > 0) {
      for (let at = run, i = 0; i < count; i++, at += stride) {
        if (U32[at >>> 2] !== hash || !this.rows.equal(row, at + ENTRY_HEADER)) continue;
        const have = I32[(at >>> 2) + 1];
        if (have > 0 === weight > 0) continue;
        const sum = have + weight;
        if (sum !== 0 && sum > 0 === have > 0) {
          touch(at);
          I32[(at >>> 2) + 1] = sum;
          return;
        }
        // The entry is used up: the last one takes its place.
        if (have < 0) this.#negative--;
        this.rows.free(at + ENTRY_HEADER, this.heap);
        count--;
        const last = run + count * stride;
        if (last !== at) {
          touchRange(at, stride);
          kernels.copyBytes(at, last, stride);
        }
        this.#entries--;
        U32[payload + COUNT] = count;
        weight = sum;
        if (weight === 0) {
          if (count === 0) this.#dropKey(slot);
          return;
        }
        i--;
        at -= stride;
      }
    }
    let target = run;
    const capacity = U32[payload + CAPACITY];
    if (count === capacity) target = this.#growRun(payload, run, count);
    const at = target + count * stride;
    touchRange(at, stride);
    U32[at >>> 2] = hash;
    I32[(at >>> 2) + 1] = weight;
    if (weight < 0) this.#negative++;
    this.rows.store(row, at + ENTRY_HEADER, this.heap);
    U32[payload + COUNT] = count + 1;
    this.#entries++;
  }

  /** Entries with a negative weight; while there are none, inserts need not look for one to cancel. */
  #negative = 0;

  #growRun(payload: number, run: number, count: number): number {
    const stride = this.entryStride;
    const wanted = Heap.roundUp((count === 0 ? 1 : count * 2) * stride);
    const capacity = Math.floor(wanted / stride);
    const target = this.heap.alloc(capacity * stride);
    if (count > 0) {
      kernels.copyBytes(target, run, count * stride);
      this.heap.free(run, U32[payload + CAPACITY] * stride);
    }
    U32[payload + RUN] = target;
    U32[payload + CAPACITY] = capacity;
    return target;
  }

  #dropKey(slot: number): void {
    const payload = (slot + this.keys.payloadOffset) >>> 2;
    const capacity = U32[payload + CAPACITY];
    if (capacity > 0) this.heap.free(U32[payload + RUN], capacity * this.entryStride);
    this.keys.remove(slot);
  }

  /** True while some entry has a negative weight; while there is none, apply() appends a delta without retractions at the ends of runs. */
  get hasNegative(): boolean {
    return this.#negative > 0;
  }

  /** Fixes the key columns of another batch for seek(). */
  bindKeys(columns: Column[]): void {
    this.keys.ops.bind(columns);
  }

  /** Slot of the key of a bound row, or 0. */
  seek(row: number): number {
    return this.keys.find(row);
  }

  runOf(slot: number): number {
    return U32[((slot + this.keys.payloadOffset) >>> 2) + RUN];
  }

  countOf(slot: number): number {
    return slot === 0 ? 0 : U32[((slot + this.keys.payloadOffset) >>> 2) + COUNT];
  }

  /** Calls back with every entry: address of its row, and weight. */
  forEach(visit: (rowAddress: number, weight: number) => void): void {
    this.keys.forEach((slot) => {
      let at = this.runOf(slot);
      for (let i = this.countOf(slot); i > 0; i--, at += this.entryStride) {
        visit(at + ENTRY_HEADER, I32[(at >>> 2) + 1]);
      }
    });
  }

  endTick(): void {
    this.heap.endTick();
  }

  save(): SavedKeyedIndex {
    return { entries: this.#entries, negative: this.#negative, keys: this.keys.save() };
  }

  load(saved: SavedKeyedIndex): void {
    this.#entries = saved.entries;
    this.#negative = saved.negative;
    this.keys.load(saved.keys);
  }

  release(): void {
    this.keys.release();
    this.#entries = 0;
    this.#negative = 0;
  }
}
