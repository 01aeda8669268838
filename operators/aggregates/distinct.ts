/**
 * DISTINCT inside aggregates: for each FILTER, passes a value on when its weight in the group leaves 0 (+1) or returns to 0 (-1).
 *
 *   count(DISTINCT x), count(DISTINCT x) FILTER (f), sum(DISTINCT x) FILTER (g):    one entry a (group, x):  | w | w where f | w where g |
 *
 * One for all calls with the same arguments. State: one entry a (group, arguments) with a weight a filter; the group is its number, so its key is
 * neither stored nor hashed again. O(1) a row. Where the input never retracts, a value that came stays, and a bit a filter says that it did.
 *
 * Values are freed with their group: an entry then also has the watermark by which its group is dead, and the calendar its hash (expiry.ts).
 */
import type { Arena } from '../batch/arena.ts';
import type { Batch, Column } from '../batch/batch.ts';
import { F64, U32 } from '../batch/memory.ts';
import { kernels } from '../kernels/index.ts';
import { Expiry, type SavedExpiry } from '../state/expiry.ts';
import type { Located } from '../state/located.ts';
import { RowTable, type SavedRowTable } from '../state/row_table.ts';
import { type ColType, colType, OID } from '../types.ts';

/** A bit a filter. */
const MOST_BITS = 64;

/** The groups of a delta's rows. */
export interface RowGroups {
  /** Address of the addresses of their bytes. */
  addresses: number;
  /** A number each, as a column. */
  numbers: Column;
  /** Where the watermark lies in a group's bytes by which it is dead; of no use where none is. */
  deadline: number;
}

export type SavedDistinctValues = { table: SavedRowTable; expiry: SavedExpiry | undefined };

export class DistinctValues {
  readonly #args: number[];
  readonly #filters: number;
  /** Entries have bits, not weights. */
  readonly #bits: boolean;
  readonly #table: RowTable;
  /** Null when no group ever dies. The time is the last number of an entry. */
  readonly #expiry: Expiry | null;

  /**
   * `args`: input columns of the arguments; `filters`: number of weights kept for each value; `dies`: a watermark frees groups; `appendOnly`: the input never
   * retracts.
   */
  constructor(args: number[], filters: number, inputTypes: ColType[], dies: boolean, appendOnly: boolean) {
    this.#args = args;
    this.#filters = filters;
    this.#bits = appendOnly && filters <= MOST_BITS;
    const payload = ((this.#bits ? 1 : filters) + (dies ? 1 : 0)) * 8;
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
   * Takes the rows of a delta in. weights[f]: word address of the rows' weights under filter f, 0 where a row does not pass. Gives for each filter, likewise, how
   * the presence of the row's value in its group changes: +1, -1 or 0.
   */
  flip(delta: Batch, groups: RowGroups, weights: number[], arena: Arena): number[] {
    const table = this.#table;
    const { payloadOffset } = table;
    const { n } = delta;
    const filters = arena.alloc(this.#filters * 8);
    const flips = weights.map(() => arena.alloc(n * 4) >>> 2);
    for (let f = 0; f < this.#filters; f++) {
      U32[(filters >>> 2) + f * 2] = weights[f] * 4;
      U32[(filters >>> 2) + f * 2 + 1] = flips[f] * 4;
    }
    let any = weights[0] * 4;
    if (this.#filters > 1) {
      any = arena.alloc(n * 4);
      kernels.anyWeights(filters, this.#filters, n, any);
    }
    table.begin([groups.numbers, ...this.#args.map((c) => delta.columns[c])], n);
    const located = table.findOrInsertAll({ n, weights: any, skipNulls: false }, arena);
    const { slots } = located;
    if (this.#expiry !== null && located.made > 0) this.#note(located, groups, this.#expiry, arena);
    if (this.#bits) {
      if (kernels.flipBits(slots * 4, n, payloadOffset, filters, this.#filters) === 0)
        throw new Error('a retraction reached an append-only aggregate');
      return flips;
    }
    const emptied = arena.alloc(n * 4);
    const left = kernels.flip(slots * 4, n, payloadOffset, filters, this.#filters, emptied);
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

  /** The entries just made are dead when their groups are. */
  #note({ slots, fresh, made }: Located, groups: RowGroups, expiry: Expiry, arena: Arena): void {
    const list = arena.alloc(made * 4);
    kernels.freshDeadlines(slots * 4, fresh * 4, made, groups.addresses, groups.deadline, this.#deadline, list);
    if (!expiry.isStale(this.#table.size)) {
      expiry.addSlots(list >>> 2, made, this.#deadline);
      return;
    }
    expiry.clear();
    this.#table.forEach((entry) => {
      expiry.add(F64[(entry + this.#deadline) / 8], this.#table.hashOf(entry));
    });
  }

  /** Where an entry's deadline lies from its slot. */
  get #deadline(): number {
    return this.#table.payloadOffset + (this.#bits ? 1 : this.#filters) * 8;
  }

  /** Forgets values of groups that this watermark proves dead; false: there are more. */
  free(watermark: number): boolean {
    if (this.#expiry === null) return true;
    const time = { at: this.#deadline, flag: 0, lag: 0 };
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
