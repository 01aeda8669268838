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
import { F64, I32, U32 } from '../batch/memory.ts';
import { kernels } from '../kernels/index.ts';
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
    const { n } = delta;
    table.begin([groups, ...this.#args.map((c) => delta.columns[c])], n);
    const keys = { n, weights: anyOf(weights, n, arena) * 4, skipNulls: false };
    const { slots, fresh, made } = table.findOrInsertAll(keys, arena);
    if (this.#expiry !== null) {
      for (let i = 0; i < made; i++) {
        const row = U32[fresh + i];
        const slot = U32[slots + row];
        F64[(slot + table.payloadOffset) / 8 + this.#filters] = deadline(row);
        this.#note(slot, this.#expiry);
      }
    }
    const filters = arena.alloc(this.#filters * 8) >>> 2;
    const flips = weights.map(() => arena.alloc(n * 4) >>> 2);
    for (let f = 0; f < this.#filters; f++) {
      U32[filters + f * 2] = weights[f] * 4;
      U32[filters + f * 2 + 1] = flips[f] * 4;
    }
    const emptied = arena.alloc(n * 4);
    const left = kernels.flip(slots * 4, n, table.payloadOffset, filters * 4, this.#filters, emptied);
    for (let i = 0; i < left; i++) {
      const slot = U32[(emptied >>> 2) + i];
      if (table.holds(slot) && this.#isEmpty(slot)) table.remove(slot);
    }
    return flips;
  }

  #isEmpty(slot: number): boolean {
    const at = (slot + this.#table.payloadOffset) / 8;
    for (let f = 0; f < this.#filters; f++) if (F64[at + f] !== 0) return false;
    return true;
  }

  #note(slot: number, expiry: Expiry): void {
    if (expiry.isStale(this.#table.size)) {
      expiry.clear();
      this.#table.forEach((entry) => {
        expiry.add(this.#deadlineAt(entry), this.#table.hashOf(entry));
      });
    } else expiry.add(this.#deadlineAt(slot), this.#table.hashOf(slot));
  }

  #deadlineAt(slot: number): number {
    return F64[(slot + this.#table.payloadOffset) / 8 + this.#filters];
  }

  /** Forgets values of groups that this watermark proves dead; false: there are more. */
  free(watermark: number): boolean {
    if (this.#expiry === null) return true;
    const time = { at: this.#table.payloadOffset + this.#filters * 8, flag: 0, lag: 0 };
    return this.#expiry.takeStretches(watermark, (hashes, n) => {
      this.#table.removeDead(hashes, n, time, watermark, null);
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

/** Not 0 where one of the weights is not 0; word addresses. */
function anyOf(weights: number[], n: number, arena: Arena): number {
  if (weights.length === 1) return weights[0];
  const any = arena.alloc(n * 4) >>> 2;
  for (let row = 0; row < n; row++) I32[any + row] = I32[weights[0] + row] | I32[weights[1] + row];
  for (const more of weights.slice(2)) for (let row = 0; row < n; row++) I32[any + row] |= I32[more + row];
  return any;
}
