/**
 * The integral of a relation of which a key is known: its rows lie in the index of that key, and nowhere else.
 *
 *   key's slot -> run of one entry, the whole row with its weight       place of a row = that of its key's slot
 *
 * A row that is replaced is looked for by its key alone, and the new one takes its place (index_changes.ts). That the key is one makes it fast, not right: a key that
 * has several rows for a while, or rows of a negative weight, is kept as any index keeps it.
 *
 * Rows may lie on disk, as those of any index (cold_runs.ts); a scan reads them into its arena and leaves them there.
 *
 * State: a slot and an entry a row. Cost: O(1) a row; two look-ups of the key for a row that is replaced.
 */
import { type Arena, withScratch } from '../batch/arena.ts';
import type { Batch } from '../batch/batch.ts';
import { I32, U32 } from '../batch/memory.ts';
import { kernels } from '../kernels/index.ts';
import type { ColdState } from './cold_state.ts';
import { COUNT, isCold, RUN } from './key_slot.ts';
import type { KeyedIndex } from './keyed_index.ts';
import { foundBy, type RowStore, type RowsFound, type VisitRow } from './relation_store.ts';
import type { RowOps } from './row_ops.ts';

/** A piece of a scan ends when it has read so much from disk: rows may be long, so it looks after a few keys. */
const MOST_READ = 1 << 20;
const STRETCH = 8;

export class KeyedRows implements RowStore, ColdState {
  /** Of whole rows that may be retracted. */
  readonly index: KeyedIndex;
  /** Rows come anywhere: a scan goes through all of them and is told of them. */
  readonly end = Number.POSITIVE_INFINITY;
  /** What lies in sparse chunks is the relation's to move, which knows of scans (StoredRelation.compact). */
  readonly sparse = false;

  constructor(index: KeyedIndex) {
    this.index = index;
  }

  get ops(): RowOps {
    return this.index.runs.rows;
  }

  get size(): number {
    return this.index.size;
  }

  get bytes(): number {
    return this.index.bytes;
  }

  get coldBytes(): number {
    return this.index.coldBytes;
  }

  get runBytes(): number {
    return this.index.runBytes;
  }

  get chilling(): boolean {
    return this.index.chilling;
  }

  get negative(): number {
    return this.index.runs.negative;
  }

  apply(delta: Batch): void {
    withScratch((scratch) => this.index.apply(delta, scratch));
  }

  /** apply() while scans go on: calls back with each row, its weight and its place. */
  applyEach(delta: Batch, visit: (row: number, weight: number, place: number) => void): void {
    const { keys } = this.index;
    this.index.applyEach(delta, (row, weight, slot) => visit(row, weight, keys.placeOf(slot)));
  }

  visitFrom(from: number, most: number, _end: number, arena: Arena, visit: VisitRow): number {
    const { keys } = this.index;
    const enough = arena.bytes + MOST_READ;
    let at = from;
    for (let left = most; left > 0 && at >= 0 && arena.bytes < enough; left -= STRETCH)
      at = keys.visitFrom(at, Math.min(left, STRETCH), (slot) => this.#visit(slot, arena, visit));
    return at;
  }

  /** Calls back with the rows of a key. */
  #visit(slot: number, arena: Arena, visit: VisitRow): void {
    const { keys, runs } = this.index;
    let payload = (slot + keys.payloadOffset) >>> 2;
    if (isCold(payload)) payload = (runs.cold.borrow(payload, keys.payloadOffset, arena) + keys.payloadOffset) >>> 2;
    let at = U32[payload + RUN];
    for (let left = U32[payload + COUNT]; left > 0; left--, at += runs.stride) visit(at, runs.weight(at));
  }

  rowsFrom(from: number, most: number, end: number, arena: Arena): RowsFound {
    const { keys, runs, size } = this.index;
    if (size !== keys.size || runs.cold.any) return this.#oneByOneFrom(from, most, end, arena);
    // The first word of a key's payload is its run, which is its row.
    const { n, words: rows, next } = keys.rowsFrom(from, most, arena);
    const [words, valid] = [arena.alloc(n * 4), arena.alloc(n)];
    kernels.loadColumn(rows * 4, n, runs.weightAt, 4, 0, words, valid);
    return { n, rows, words: words >>> 2, next };
  }

  /** rowsFrom() while some key has several rows, or rows on disk. */
  #oneByOneFrom(from: number, most: number, end: number, arena: Arena): RowsFound {
    const { keys, size } = this.index;
    const room = Math.min(most, keys.size) + size - keys.size;
    return foundBy(room, arena, (visit) => this.visitFrom(from, most, end, arena, visit));
  }

  /** Whether each row that the delta takes away is there as often. The delta is consolidated. */
  hasRetracted(delta: Batch): boolean {
    const { index } = this;
    const { runs } = index;
    return withScratch((arena) => {
      index.bindKeys(
        index.keyColumns.map((c) => delta.columns[c]),
        arena,
      );
      runs.rows.bind(delta.columns);
      for (let row = 0; row < delta.n; row++) {
        const weight = I32[(delta.weights >>> 2) + row];
        if (weight < 0 && this.#weightOf(row) + weight < 0) return false;
      }
      return true;
    });
  }

  /** Of the row that is bound. */
  #weightOf(row: number): number {
    const { index } = this;
    const { runs } = index;
    const slot = index.seek(row);
    if (slot === 0) return 0;
    const hash = runs.hashAt < 0 ? 0 : runs.rows.slotHash(row);
    let sum = 0;
    for (let at = index.runOf(slot), left = index.countOf(slot); left > 0; left--, at += runs.stride)
      if ((runs.hashAt < 0 || U32[(at + runs.hashAt) >>> 2] === hash) && runs.rows.equal(row, at))
        sum += runs.weight(at);
    return sum;
  }

  chill(bytes: number): number {
    return this.index.chill(bytes);
  }

  compact(): void {
    // See `sparse`.
  }

  visitCold(cursor: number, slots: number, visit: (place: number, bytes: number) => number): number {
    return this.index.visitCold(cursor, slots, visit);
  }

  endTick(): void {
    this.index.endTick();
  }

  release(): void {
    this.index.release();
  }
}
