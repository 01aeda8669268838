/**
 * All rows of a stored relation as of one tick, taken piece by piece while ticks go on.
 *
 *   place 0 ........ cursor ........ end of the table
 *     taken already  |  not taken yet: a tick that changes a row here is undone for the scan: undo += before - after
 *
 *   piece = rows as they lie, each with its undo added           at the end: rows that are left in undo (they were removed meanwhile)
 *
 * Every row comes once with the weight it had at the scan's tick, so operators that were planned for append-only input see no retraction.
 * What a transaction sees beyond its tick (older pins, its own writes) is put into `undo` at the start.
 *
 * Memory: the changed rows only. When the table is about to be dropped, the rest is copied out at once; where that does not fit, its reader is told, for what is dropped has to go.
 */
import { Arena } from '../../operators/batch/arena.ts';
import type { Batch } from '../../operators/batch/batch.ts';
import { budget } from '../../operators/batch/budget.ts';
import { BatchBuilder, weightOf } from '../../operators/batch/builder.ts';
import { I32 } from '../../operators/batch/memory.ts';
import { pages } from '../../operators/batch/pages.ts';
import { sliceBatch } from '../../operators/batch/slice.ts';
import { OutOfMemory } from '../../operators/errors.ts';
import { kernels } from '../../operators/kernels/index.ts';
import { RelationStore, type RowStore } from '../../operators/state/relation_store.ts';
import { PHYS_WIDTH } from '../../operators/types.ts';

/** What a transaction sees otherwise than the rows are. */
export interface Correction {
  batch: Batch;
  sign: 1 | -1;
}

export class RelationScan {
  readonly #store: RowStore;
  readonly #end: number;
  readonly #undo: RelationStore;
  readonly #onEnd: (scan: RelationScan) => void;
  /** Place to go on from; -1 when all of the table was taken. */
  #cursor = 0;
  /** What was copied out before the table was dropped, and how much of it was taken. */
  #copied: { batch: Batch; arena: Arena; taken: number } | null = null;
  /** The rest did not fit. */
  #lost: OutOfMemory | null = null;

  /** `corrections` are added to the table's present rows to see them as the reader does. */
  constructor(store: RowStore, corrections: Correction[], onEnd: (scan: RelationScan) => void) {
    this.#store = store;
    this.#end = store.end;
    this.#onEnd = onEnd;
    this.#undo = new RelationStore(store.ops.layout.types);
    const arena = new Arena();
    try {
      for (const { batch, sign } of corrections) this.#undo.apply(sign === 1 ? batch : negated(batch, arena));
    } catch (error) {
      this.#undo.release();
      throw error;
    } finally {
      arena.release();
    }
  }

  /** Up to about `most` rows, in the arena, sharing long values with the state until the next tick; null at the end. */
  next(most: number, arena: Arena): Batch | null {
    if (this.#lost !== null) throw this.#lost;
    this.#undo.endTick();
    const copied = this.#copied;
    if (copied !== null) return this.#nextCopied(copied, most);
    if (this.#cursor >= 0) return this.#take(most, arena);
    return this.#rest(most, arena);
  }

  #take(most: number, arena: Arena): Batch {
    if (this.#undo.size === 0) return this.#takePlain(most, arena);
    const { ops } = this.#store;
    const out = new BatchBuilder(ops.layout.types, arena, Math.max(1, most));
    const undo = this.#undo;
    undo.table.bind(out.columns);
    this.#cursor = this.#store.visitFrom(this.#cursor, most, this.#end, arena, (address, weight) => {
      const row = out.addRow(weight);
      ops.load(address, out.columns, row);
      undoInto(out, row, undo);
    });
    return out.build();
  }

  /** Rows that no tick has changed: column by column. */
  #takePlain(most: number, arena: Arena): Batch {
    const { types, phys, offsets, valid } = this.#store.ops.layout;
    const { n, rows, words, next } = this.#store.rowsFrom(this.#cursor, most, this.#end, arena);
    this.#cursor = next;
    const columns = types.map((type, i) => {
      const width = PHYS_WIDTH[phys[i]];
      const column = { type, phys: phys[i], data: arena.alloc(n * width), valid: arena.alloc(n) };
      kernels.loadColumn(rows * 4, n, offsets[i], width, valid + i, column.data, column.valid);
      return column;
    });
    return { n, columns, weights: words * 4 };
  }

  /** Rows that only the undo has. */
  #rest(most: number, arena: Arena): Batch | null {
    if (this.#undo.size === 0) return null;
    const out = new BatchBuilder(this.#undo.table.ops.layout.types, arena, Math.max(1, most));
    this.#undo.table.visitFrom(0, most, (slot) => {
      this.#undo.table.ops.load(this.#undo.rowAt(slot), out.columns, out.addRow(this.#undo.weightAt(slot)));
      this.#undo.table.remove(slot);
    });
    return out.build();
  }

  #nextCopied(copied: { batch: Batch; arena: Arena; taken: number }, most: number): Batch | null {
    const { batch, taken } = copied;
    if (taken >= batch.n) return null;
    const n = Math.min(most, batch.n - taken);
    copied.taken += n;
    return sliceBatch(batch, taken, n);
  }

  /** A row of the relation is changed at this place of the table: what the scan must see when it comes there. */
  sees(place: number): boolean {
    return this.#isAttached && this.#cursor >= 0 && place >= this.#cursor;
  }

  /** Rows that `sees` and the weights to add to them. */
  undo(rows: Batch): void {
    if (rows.n > 0) this.#undo.apply(rows);
  }

  get #isAttached(): boolean {
    return this.#copied === null && this.#lost === null;
  }

  /** Copies out what is not taken yet: the table goes away. */
  detach(): void {
    if (!this.#isAttached) return;
    const before = pages.usedBytes;
    const arena = new Arena();
    const scratch = new Arena();
    try {
      const out = new BatchBuilder(this.#store.ops.layout.types, arena, 1024);
      for (;;) {
        const piece = this.next(4096, scratch);
        if (piece === null) break;
        out.append(piece);
        scratch.reset();
        budget.checkRoom(before, pages.usedBytes);
      }
      this.#copied = { batch: out.build(), arena, taken: 0 };
    } catch (error) {
      arena.release();
      if (!(error instanceof OutOfMemory)) throw error;
      this.#lost = error;
    } finally {
      scratch.release();
    }
  }

  /** For a tick that may be taken back. */
  save() {
    return { cursor: this.#cursor, undo: this.#undo.save(), isAttached: this.#isAttached };
  }

  load({ cursor, undo, isAttached }: ReturnType<typeof this.save>): void {
    this.#cursor = cursor;
    this.#undo.load(undo);
    if (!isAttached) return;
    this.#lost = null;
    this.#copied?.arena.release();
    this.#copied = null;
  }

  close(): void {
    this.#onEnd(this);
    this.#undo.release();
    this.#copied?.arena.release();
  }
}

/**
 * Adds the undo's weight of the bound row to it, or leaves the row out when nothing remains. What would make the weight negative is kept for an equal
 * row that comes later.
 */
function undoInto(out: BatchBuilder, row: number, undo: RelationStore): void {
  const found = undo.table.find(row);
  if (found === 0) return;
  const at = (out.weights >>> 2) + row;
  const weight = I32[at];
  const wanted = undo.weightAt(found);
  const added = weight > 0 ? Math.max(wanted, -weight) : wanted;
  I32[at] = weight + added;
  if (added === wanted) undo.table.remove(found);
  else undo.addAt(found, -added);
  if (I32[at] === 0) out.n--;
}

/** The batch with its weights turned round. */
export function negated(batch: Batch, arena: Arena): Batch {
  const weights = arena.alloc(batch.n * 4);
  for (let row = 0; row < batch.n; row++) I32[(weights >>> 2) + row] = -weightOf(batch, row);
  return { ...batch, weights };
}
