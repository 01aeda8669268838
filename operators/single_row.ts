/**
 * Guard of a scalar subquery: at most one row per key, else error 21000 for that key.
 *
 * out = the input's rows of the keys that have exactly one; a key with more shows none and is listed in the error relation until
 * it has one again. State: all rows by key. O(rows of the key) a touched key. A key that a watermark proves untouched by every change to
 * come is forgotten; its row stays shown, its error stays listed.
 */
import type { Batch } from './batch/batch.ts';
import { BatchBuilder, readRow } from './batch/builder.ts';
import { I32 } from './batch/memory.ts';
import { SqlError } from './errors.ts';
import type { Operator, Tick } from './operator.ts';
import type { Retention } from './plan.ts';
import { consolidator } from './state/consolidate.ts';
import type { Watermarks } from './state/deadline.ts';
import { KeyedIndex } from './state/keyed_index.ts';
import { RowTable } from './state/row_table.ts';
import type { Saved } from './state/saved.ts';
import type { ColType } from './types.ts';

export class SingleRowOperator implements Operator {
  readonly #types: ColType[];
  readonly #index: KeyedIndex;
  readonly #touched: RowTable;
  readonly #consolidate: ReturnType<typeof consolidator>;
  readonly #keys: number[];

  constructor(keys: number[], types: ColType[], frees?: Retention[]) {
    this.#types = types;
    this.#keys = keys;
    this.#index = new KeyedIndex(types, keys, true, frees);
    this.#touched = new RowTable(
      keys.map((k) => types[k]),
      0,
      'sql',
    );
    this.#consolidate = consolidator(types);
  }

  step(inputs: Batch[], tick: Tick): Batch {
    const delta = this.#consolidate(inputs[0], tick.arena);
    const keyColumns = this.#keys.map((k) => delta.columns[k]);
    const out = new BatchBuilder(this.#types, tick.arena, delta.n * 2);
    const firstOfKey: number[] = [];
    this.#touched.begin(keyColumns, delta.n);
    for (let row = 0; row < delta.n; row++) {
      this.#touched.findOrInsert(row);
      if (this.#touched.inserted) firstOfKey.push(row);
    }
    this.#show(delta, firstOfKey, -1, out, tick);
    this.#index.apply(delta);
    this.#show(delta, firstOfKey, 1, out, tick);
    this.#touched.forEach((slot) => {
      this.#touched.remove(slot);
    });
    return out.build();
  }

  /** Adds, with `sign`, what the keys of these rows show at present. */
  #show(delta: Batch, rows: number[], sign: 1 | -1, out: BatchBuilder, tick: Tick): void {
    this.#index.bindKeys(
      this.#keys.map((k) => delta.columns[k]),
      tick.arena,
    );
    for (const row of rows) {
      const slot = this.#index.seek(row);
      const count = this.#index.countOf(slot);
      if (count === 0) continue;
      const entry = this.#index.runOf(slot);
      const weight = I32[(entry + this.#index.weightOffset) >>> 2];
      if (count === 1 && weight === 1) {
        this.#index.loadRow(slot, entry, out.columns, out.addRow(sign));
      } else {
        const error = new SqlError('21000', 'more than one row returned by a subquery used as an expression');
        tick.errors.report(
          error,
          this.#keys.map((k) => readRow(delta, row)[k]),
          sign,
        );
      }
    }
  }

  free(watermarks: Watermarks): boolean {
    return this.#index.free(watermarks);
  }

  endTick(): void {
    this.#index.endTick();
    this.#touched.endTick();
  }

  coldStates() {
    return [this.#index];
  }

  state() {
    return { rows: this.#index.size, bytes: this.#index.bytes };
  }

  save() {
    // The table of touched keys is empty between ticks.
    return this.#index.save();
  }

  load(saved: Saved): void {
    this.#index.load(saved as ReturnType<typeof this.save>);
  }

  release(): void {
    this.#index.release();
    this.#touched.release();
  }
}
