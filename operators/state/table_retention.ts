/**
 * Frees rows of a table (row_table.ts) that a watermark proves dead: groups, distinct rows, partitions, keys of a join.
 *
 * Every new row is noted in a calendar (expiry.ts); free() takes the buckets that are over, finds their rows by hash and hands those that are
 * dead to the owner. Cost: O(1) a new row, O(1) a dead row; 4 bytes a row.
 *
 * While what is over is always a fair share of the table, as with windows, the calendar only counts: free() looks at all rows then. The first time that it is not, or when the table is large, the rows are
 * noted anew with their hashes.
 */
import type { Arena } from '../batch/arena.ts';
import { U32 } from '../batch/memory.ts';
import { kernels } from '../kernels/index.ts';
import type { Retention } from '../plan.ts';
import { Deadline, type SlotTime, type Watermarks } from './deadline.ts';
import { Expiry, type SavedExpiry } from './expiry.ts';
import type { Located } from './located.ts';
import type { RemoveSlot, RemoveSlots, RowTable } from './row_table.ts';

/** Where the hashes that are over are more than one in so many places, all rows are looked at. */
const SWEPT_SHARE = 3;
/** Where the calendar only counts: all rows are looked at when so many of them are no more than this times those that are over; of a table of a few they always are. */
const LOOKED_AT = 8;
const FEW_PLACES = 64;
/** All rows of a larger table are more than a tick may look at. */
const MOST_PLACES = 1 << 15;

export class TableRetention {
  readonly #table: RowTable;
  readonly deadline: Deadline;
  readonly #expiry: Expiry;
  /** Where kernels find when a row is dead; null: they do not know. */
  readonly #time: SlotTime | null;

  /** `position`: where a retention's column stands in the table's rows. */
  constructor(table: RowTable, retentions: Retention[], position: (column: number) => number) {
    this.#table = table;
    this.deadline = new Deadline(table.ops.layout, retentions, position);
    this.#expiry = new Expiry(table.heap);
    this.#time = this.deadline.inSlot(table.rowOffset);
    this.#expiry.counts = this.#time !== null;
  }

  /** The same when there is something to free, else null. `columns`: the input columns that the table's rows are made of. */
  static of(table: RowTable, retentions: Retention[] | undefined, columns: number[]): TableRetention | null {
    if (retentions === undefined || retentions.length === 0) return null;
    return new TableRetention(table, retentions, (column) => columns.indexOf(column));
  }

  /** A new row stands in the slot. */
  note(slot: number): void {
    if (!this.#renew()) this.#add(slot);
  }

  /** note() for the slots that a batch made; gives their deadlines, at an address of 8 bytes a step. */
  noteFresh({ slots, fresh, made }: Located, arena: Arena): number {
    const list = arena.alloc(made * 4);
    kernels.freshSlots(slots * 4, fresh * 4, made, this.#table.rowOffset, list);
    const times = this.deadline.ofAll(list >>> 2, made, arena);
    if (this.#renew()) return times;
    kernels.freshSlots(slots * 4, fresh * 4, made, 0, list);
    this.#expiry.addAll(times, list >>> 2, made);
    return times;
  }

  #add(slot: number): void {
    this.#expiry.add(this.deadline.of(slot + this.#table.rowOffset), this.#table.hashOf(slot));
  }

  /** Notes all rows anew where that is due, with their hashes from now on when there are many; false: it is not. */
  #renew(): boolean {
    if (this.#expiry.counts && this.#table.places > MOST_PLACES) {
      this.#list();
      return true;
    }
    if (!this.#expiry.isStale(this.#table.size)) return false;
    this.noteAll();
    return true;
  }

  /** From now on the calendar has the rows' hashes. */
  #list(): void {
    this.#expiry.counts = false;
    this.noteAll();
  }

  /** Forgets all notes. */
  clear(): void {
    this.#expiry.clear();
  }

  /** Notes the table's rows anew. */
  noteAll(): void {
    this.#expiry.clear();
    this.#table.forEach((slot) => {
      this.#add(slot);
    });
  }

  /** Removes dead rows, by a callback where they keep something elsewhere, or one for many of them. False: there are more. */
  free(
    watermarks: Watermarks,
    remove: RemoveSlot | null,
    removeAll = remove === null ? null : eachSlot(remove),
  ): boolean {
    const table = this.#table;
    const watermark = this.deadline.watermark(watermarks);
    if (this.#expiry.isBefore(watermark)) return true;
    const time = this.#time;
    if (time !== null && this.#expiry.counts) {
      const dead = this.#expiry.takeCounted(watermark);
      if (table.places <= Math.max(FEW_PLACES, dead * LOOKED_AT)) {
        table.sweepDead(time, watermark, removeAll);
        table.settle();
        return true;
      }
      this.#list();
    }
    const done = this.#expiry.takeStretches(watermark, (hashes, n) => {
      if (time !== null && table.places <= n * SWEPT_SHARE) table.sweepDead(time, watermark, removeAll);
      else if (time !== null) table.removeDead(hashes, n, time, watermark, removeAll);
      else
        table.forEachOfHashes(hashes, n, (slot) => {
          if (this.deadline.of(slot + table.rowOffset) >= watermark) return;
          if (remove === null) table.remove(slot);
          else remove(slot);
        });
    });
    table.settle();
    // What is left in it is of rows that are gone.
    if (table.size === 0) {
      this.#expiry.clear();
      this.#expiry.counts = time !== null;
    }
    return done;
  }

  /** The table is saved by its owner. */
  save(): SavedExpiry {
    return this.#expiry.save();
  }

  load(saved: SavedExpiry): void {
    this.#expiry.load(saved);
  }

  /** The table's heap gives everything back. */
  release(): void {
    this.#expiry.forget();
  }
}

function eachSlot(remove: RemoveSlot): RemoveSlots {
  return (slots, n) => {
    for (let i = slots >>> 2, end = i + n; i < end; i++) remove(U32[i]);
  };
}
