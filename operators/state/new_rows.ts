/**
 * Takes rows into a keyed index (keyed_index.ts) that are not there yet, each once: what a DISTINCT asks for whose rows lie in an index of its output (first_seen.ts).
 *
 *   rows -> slots of their keys -> all columns are the key's: a key that was made is a new row, and has the shared run (shared_run.ts)
 *                                  else: a kernel compares each with the entries of its key (kernels/assembly/new_rows.ts), and what is new is appended
 *
 * What the kernel leaves is done row by row: cold keys, of which a copy is read once a batch (borrowed_slots.ts), and keys that get several rows at once. O(entries of the key) a row, so this is
 * for keys of few rows: isCrowded.
 */
import type { Arena } from '../batch/arena.ts';
import type { Column } from '../batch/batch.ts';
import { U32 } from '../batch/memory.ts';
import { kernels } from '../kernels/index.ts';
import type { BorrowedSlots } from './borrowed_slots.ts';
import type { EntryColumns } from './entry_columns.ts';
import type { IndexAppend } from './index_append.ts';
import { writeColumns } from './key_batch.ts';
import { addedTo, COUNT, isCold, ROOM, RUN } from './key_slot.ts';
import type { Located } from './located.ts';
import type { RowTable } from './row_table.ts';
import type { Runs } from './runs.ts';
import { SharedRun } from './shared_run.ts';
import { touch } from './write_marks.ts';

/** A key has too many entries to compare a row with all of them; rows of hot keys that are left by the kernel, of a batch of some, are too many. */
const MANY_ENTRIES = 16;
const SOME_ROWS = 64;
const MANY_LEFT = 1 / 4;

/** What of a batch was new. */
export interface Taken {
  /** Word address of the numbers of the rows, and how many. */
  fresh: number;
  made: number;
  /** Word address of the slots of their keys, each once, and how many. */
  touched: number;
  count: number;
}

export class NewRows {
  readonly #keys: RowTable;
  readonly #runs: Runs;
  readonly #columns: EntryColumns;
  readonly #appender: IndexAppend;
  readonly #borrowed: BorrowedSlots;
  readonly shared: SharedRun;
  /** Keys have so many rows that a table of the rows is better. */
  isCrowded = false;

  constructor(keys: RowTable, runs: Runs, columns: EntryColumns, appender: IndexAppend, borrowed: BorrowedSlots) {
    this.#keys = keys;
    this.#runs = runs;
    this.#columns = columns;
    this.#appender = appender;
    this.#borrowed = borrowed;
    this.shared = new SharedRun(keys, runs);
  }

  /** The rows of these columns, whose keys were located. */
  take(columns: Column[], n: number, located: Located, arena: Arena): Taken {
    if (this.#columns.kept.length > 0) return this.#compare(columns, n, located, arena);
    const { fresh, made } = located;
    const touched = made === 0 ? 0 : this.shared.give(located, arena);
    return { fresh, made, touched, count: made };
  }

  #compare(columns: Column[], n: number, located: Located, arena: Arena): Taken {
    const { layout } = this.#runs.rows;
    const kept = this.#columns.of(columns);
    const fresh = arena.alloc(n * 4);
    const left = arena.alloc(n * 8);
    const counts = arena.alloc(16);
    kernels.newRows(
      located.slots * 4,
      n,
      this.#keys.payloadOffset,
      writeColumns(layout, kept, arena),
      kept.length,
      layout.valid,
      layout.stride,
      fresh,
      left,
      counts,
    );
    const made = U32[counts >>> 2];
    const later = U32[(counts >>> 2) + 1];
    const longest = U32[(counts >>> 2) + 2];
    // That keys are cold says nothing of how many rows they have.
    const hot = later - U32[(counts >>> 2) + 3];
    if (longest > MANY_ENTRIES || (n >= SOME_ROWS && hot > n * MANY_LEFT)) this.isCrowded = true;
    const weights = arena.alloc(n * 4);
    U32.fill(1, weights >>> 2, (weights >>> 2) + n);
    const { touched, count } = this.#appender.appendLocated({ n, columns, weights }, located, arena);
    const taken = { fresh: fresh >>> 2, made, touched, count };
    if (later > 0) this.#takeLeft(kept, left >>> 2, later, taken, arena);
    return taken;
  }

  /** Rows one by one: numbers and slots from a word address on. */
  #takeLeft(kept: Column[], left: number, n: number, taken: Taken, arena: Arena): void {
    const runs = this.#runs;
    runs.rows.bind(kept);
    for (let i = left, end = left + n * 2; i < end; i += 2) {
      const row = U32[i];
      const slot = U32[i + 1];
      const payload = (slot + this.#keys.payloadOffset) >>> 2;
      if (isCold(payload)) {
        // The copy, which is this batch's alone, shows what was there before the first of these rows.
        const copy = (this.#borrowed.borrow(slot, arena) + this.#keys.payloadOffset) >>> 2;
        if (this.#has(row, copy, 0) || this.#has(row, payload, U32[payload + COUNT] - addedTo(payload))) continue;
      } else if (this.#has(row, payload, 0)) continue;
      runs.add(payload, row, 1);
      if (addedTo(payload) === 0) U32[taken.touched + taken.count++] = slot;
      touch((payload + ROOM) * 4);
      U32[payload + ROOM]++;
      U32[taken.fresh + taken.made++] = row;
    }
  }

  /** Whether one of the run's entries, from this one on, has the bound row's values. */
  #has(row: number, payload: number, from: number): boolean {
    const { rows, stride } = this.#runs;
    const run = U32[payload + RUN];
    const end = run + U32[payload + COUNT] * stride;
    for (let at = run + from * stride; at < end; at += stride) if (rows.equal(row, at)) return true;
    return false;
  }
}
