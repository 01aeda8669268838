/**
 * DISTINCT inside aggregates: for each FILTER, passes a value on when its weight in the group leaves 0 (+1) or returns to 0 (-1).
 *
 *   count(DISTINCT x), count(DISTINCT x) FILTER (f), sum(DISTINCT x) FILTER (g):    one entry a (group, x):  | w | w where f | w where g |
 *
 * One for all calls with the same arguments. State: one entry a (group, arguments) with a weight a filter; the group is its number, so its key is
 * neither stored nor hashed again. O(1) a row.
 */
import type { Arena } from '../batch/arena.ts';
import type { Batch, Column } from '../batch/batch.ts';
import { F64, I32 } from '../batch/memory.ts';
import { RowTable, type SavedRowTable } from '../state/row_table.ts';
import { type ColType, colType, OID } from '../types.ts';

export class DistinctValues {
  readonly #args: number[];
  readonly #filters: number;
  readonly #table: RowTable;

  /** `args`: input columns of the arguments; `filters`: number of weights kept for each value. */
  constructor(args: number[], filters: number, inputTypes: ColType[]) {
    this.#args = args;
    this.#filters = filters;
    this.#table = new RowTable([colType(OID.int8), ...args.map((c) => inputTypes[c])], filters * 8, 'sql');
  }

  get size(): number {
    return this.#table.size;
  }

  get bytes(): number {
    return this.#table.bytes;
  }

  /**
   * Takes the rows of a delta in. `groups`: number of each row's group. weights[f]: word address of the rows' weights under filter f, 0 where a
   * row does not pass. Gives for each filter, likewise, how the presence of the row's value in its group changes: +1, -1 or 0.
   */
  flip(delta: Batch, groups: Column, weights: number[], arena: Arena): number[] {
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

  endTick(): void {
    this.#table.endTick();
  }

  save(): SavedRowTable {
    return this.#table.save();
  }

  load(saved: SavedRowTable): void {
    this.#table.load(saved);
  }

  release(): void {
    this.#table.release();
  }
}
