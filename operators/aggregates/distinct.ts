/**
 * DISTINCT inside aggregates: for each FILTER, passes a value on when its weight in the group leaves 0 (+1) or returns to 0 (-1).
 *
 *   count(DISTINCT x), count(DISTINCT x) FILTER (f), sum(DISTINCT x) FILTER (g):    one entry a (group, x):  | w | w where f | w where g |
 *
 * One for all calls with the same arguments. State: one entry a (group, arguments) with a weight a filter; the group is its number, so its key is
 * neither stored nor hashed again. O(1) a row.
 *
 * Values are freed with their group: an entry then also has the watermark by which its group is dead, and the calendar its hash (expiry.ts).
 */
import type { Arena } from '../batch/arena.ts';
import type { Batch, Column } from '../batch/batch.ts';
import { F64, I32 } from '../batch/memory.ts';
import { Expiry, type SavedExpiry } from '../state/expiry.ts';
import { RowTable, type SavedRowTable } from '../state/row_table.ts';
import { type ColType, colType, OID } from '../types.ts';

export type SavedDistinctValues = { table: SavedRowTable; expiry: SavedExpiry | undefined };

export class DistinctValues {
  readonly #args: number[];
  readonly #filters: number;
  readonly #table: RowTable;
  /** Null when no group ever dies. The time is the last number of an entry. */
  readonly #expiry: Expiry | null;

  /** `args`: input columns of the arguments; `filters`: number of weights kept for each value; `dies`: a watermark frees groups. */
  constructor(args: number[], filters: number, inputTypes: ColType[], dies: boolean) {
    this.#args = args;
    this.#filters = filters;
    const payload = (filters + (dies ? 1 : 0)) * 8;
    this.#table = new RowTable([colType(OID.int8), ...args.map((c) => inputTypes[c])], payload, 'sql');
    this.#expiry = dies ? new Expiry(this.#table.heap) : null;
  }

  get size(): number {
    return this.#table.size;
  }

  get bytes(): number {
    return this.#table.bytes;
  }

  /**
   * Takes the rows of a delta in. `groups`: number of each row's group. weights[f]: word address of the rows' weights under filter f, 0 where a
   * row does not pass. `deadline`: the watermark by which a row's group is dead, NaN for never. Gives for each filter, likewise, how the presence of the row's value in its group changes: +1, -1 or 0.
   */
  flip(delta: Batch, groups: Column, weights: number[], deadline: (row: number) => number, arena: Arena): number[] {
    const table = this.#table;
    const filters = this.#filters;
    table.begin([groups, ...this.#args.map((c) => delta.columns[c])], delta.n);
    const flips = weights.map(() => arena.alloc(delta.n * 4) >>> 2);
    for (let row = 0; row < delta.n; row++) {
      let any = 0;
      for (let f = 0; f < filters; f++) {
        any |= I32[weights[f] + row];
        I32[flips[f] + row] = 0;
      }
      if (any === 0) continue;
      const slot = table.findOrInsert(row);
      const at = (slot + table.payloadOffset) / 8;
      if (table.inserted && this.#expiry !== null) {
        F64[at + filters] = deadline(row);
        this.#note(slot, this.#expiry);
      }
      let left = false;
      for (let f = 0; f < filters; f++) {
        const weight = I32[weights[f] + row];
        const before = F64[at + f];
        const after = before + weight;
        if (weight !== 0) {
          F64[at + f] = after;
          I32[flips[f] + row] = (after > 0 ? 1 : 0) - (before > 0 ? 1 : 0);
        }
        if (after !== 0) left = true;
      }
      if (!left) table.remove(slot);
    }
    return flips;
  }

  #note(slot: number, expiry: Expiry): void {
    const add = (entry: number) => expiry.add(this.#deadlineAt(entry), this.#table.hashOf(entry));
    if (!expiry.isStale(this.#table.size)) {
      add(slot);
      return;
    }
    expiry.clear();
    this.#table.forEach(add);
  }

  #deadlineAt(slot: number): number {
    return F64[(slot + this.#table.payloadOffset) / 8 + this.#filters];
  }

  /** Forgets values of groups that this watermark proves dead; false: there are more. */
  free(watermark: number): boolean {
    if (this.#expiry === null) return true;
    return this.#expiry.take(watermark, (hash) => {
      this.#table.forEachOfHash(hash, (slot) => {
        if (this.#deadlineAt(slot) < watermark) this.#table.remove(slot);
      });
    });
  }

  endTick(): void {
    this.#table.endTick();
  }

  save(): SavedDistinctValues {
    return { table: this.#table.save(), expiry: this.#expiry?.save() };
  }

  load({ table, expiry }: SavedDistinctValues): void {
    this.#table.load(table);
    if (expiry !== undefined) this.#expiry?.load(expiry);
  }

  release(): void {
    this.#expiry?.forget();
    this.#table.release();
  }
}
