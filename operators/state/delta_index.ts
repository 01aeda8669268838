/**
 * A delta's rows by key, for one tick: lies in the tick's arena and needs no freeing.
 *
 *   group: first row, sum of weights         next[row]: the following row of the same key
 *
 * Open addressing over group numbers; O(n) to build, O(1) a probe. Keys are compared by SQL's `=`, NULLs equal.
 */
import type { Arena } from '../batch/arena.ts';
import type { Batch } from '../batch/batch.ts';
import { I32 } from '../batch/memory.ts';
import type { ColType } from '../types.ts';
import { homeOf } from './home.ts';
import { type RowOps, rowOps } from './row_ops.ts';

export class DeltaIndex {
  readonly #keyColumns: number[];
  readonly #own: RowOps;
  readonly #probe: RowOps;
  #table = 0;
  #mask = 0;
  #keys = 0;
  #next = 0;
  #hashes: Uint32Array = new Uint32Array(0);
  /** A row that stands for each group, and the sum of the group's weights. */
  readonly first: number[] = [];
  readonly sum: number[] = [];
  /** Rows of each group whose weight is not 0. */
  readonly count: number[] = [];

  /** `keyColumns` are positions of `types`, the types of the deltas to come. */
  constructor(types: ColType[], keyColumns: number[]) {
    this.#keyColumns = keyColumns;
    const keyTypes = keyColumns.map((c) => types[c]);
    this.#own = rowOps(keyTypes, 'sql');
    this.#probe = rowOps(keyTypes, 'sql');
  }

  /** Number of distinct keys. */
  get groups(): number {
    return this.first.length;
  }

  build(delta: Batch, arena: Arena): void {
    this.first.length = 0;
    this.sum.length = 0;
    this.count.length = 0;
    let capacity = 4;
    while (capacity < delta.n * 2) capacity *= 2;
    this.#mask = capacity - 1;
    this.#table = arena.allocZeroed(capacity * 4) >>> 2;
    this.#next = arena.alloc(delta.n * 4) >>> 2;
    const { stride } = this.#own.layout;
    this.#keys = arena.alloc(delta.n * stride);
    this.#hashes = new Uint32Array(delta.n);
    const columns = this.#keyColumns.map((c) => delta.columns[c]);
    this.#own.bind(columns);
    this.#probe.bind(columns);
    const weights = delta.weights >>> 2;
    for (let row = 0; row < delta.n; row++) {
      const hash = this.#probe.hash(row);
      let at = homeOf(hash, this.#mask);
      let group = I32[this.#table + at] - 1;
      while (group >= 0 && !this.#is(group, hash, row)) {
        at = (at + 1) & this.#mask;
        group = I32[this.#table + at] - 1;
      }
      if (group < 0) {
        group = this.first.length;
        I32[this.#table + at] = group + 1;
        this.#own.storeShallow(row, this.#keys + group * stride);
        this.#hashes[group] = hash;
        this.first.push(row);
        this.sum.push(I32[weights + row]);
        this.count.push(I32[weights + row] === 0 ? 0 : 1);
        I32[this.#next + row] = 0;
      } else {
        I32[this.#next + row] = I32[this.#next + this.first[group]];
        I32[this.#next + this.first[group]] = row + 1;
        this.sum[group] += I32[weights + row];
        if (I32[weights + row] !== 0) this.count[group]++;
      }
    }
  }

  #is(group: number, hash: number, row: number): boolean {
    return this.#hashes[group] === hash && this.#probe.equal(row, this.#keys + group * this.#own.layout.stride);
  }

  /** Fixes the key columns of the batch whose rows find() is asked for. */
  bindKeys(columns: Batch['columns']): void {
    this.#probe.bind(columns);
  }

  /** Group of the bound row's key, or -1. */
  find(row: number): number {
    if (this.first.length === 0) return -1;
    const hash = this.#probe.hash(row);
    let at = homeOf(hash, this.#mask);
    for (;;) {
      const group = I32[this.#table + at] - 1;
      if (group < 0 || this.#is(group, hash, row)) return group;
      at = (at + 1) & this.#mask;
    }
  }

  /** The row after `row` in its group, or -1. */
  next(row: number): number {
    return I32[this.#next + row] - 1;
  }

  /** Forgets the tick's delta. */
  clear(): void {
    this.first.length = 0;
    this.sum.length = 0;
    this.count.length = 0;
  }
}
