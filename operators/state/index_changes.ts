/**
 * Takes a delta with retractions into the runs of a keyed index (keyed_index.ts) by a few calls for all of its rows:
 *
 *   keys' slots and the rows' hashes -> rows that go are taken out of their runs -> those that come are appended (index_append.ts) -> keys without rows go
 *
 * A row that is replaced finds the place of the one before it. Rows of keys with a directory or with cold rows, and retractions that find nothing, are left to the index, which takes
 * rows one by one (kernels/assembly/index_changes.ts). While an entry has a negative weight all of them are.
 */
import type { Arena } from '../batch/arena.ts';
import type { Batch } from '../batch/batch.ts';
import { U32 } from '../batch/memory.ts';
import { kernels } from '../kernels/index.ts';
import { SINGLES_BYTES } from '../kernels/key_slot_layout.ts';
import type { IndexAppend } from './index_append.ts';
import { canPack, writeColumns } from './key_batch.ts';
import { COUNT } from './key_slot.ts';
import type { Located } from './located.ts';
import type { RowTable } from './row_table.ts';
import { LONG_RUN, type Runs } from './runs.ts';

/** Rows that are left to the caller: word address of a row's number and its weight, for n rows. And the addresses of those that were appended, 0 for others. */
export interface Changed {
  rest: number;
  n: number;
  slots: number;
  places: number;
}

export class IndexChanges {
  readonly #keys: RowTable;
  readonly #runs: Runs;
  readonly #appender: IndexAppend;
  /** Whether rows are equal when their bytes are. */
  readonly knows: boolean;

  constructor(keys: RowTable, runs: Runs, appender: IndexAppend) {
    this.#keys = keys;
    this.#runs = runs;
    this.#appender = appender;
    this.knows = canPack(runs.rows.layout.types, 'identity');
  }

  /** The keys' slots are known. */
  apply(delta: Batch, located: Located, arena: Arena): Changed {
    const { n, weights } = delta;
    const keys = this.#keys;
    const runs = this.#runs;
    const { layout } = runs.rows;
    const width = layout.phys.length;
    const { payloadOffset } = keys;
    const columns = writeColumns(layout, delta.columns, arena);
    const isHashed = runs.hashAt >= 0;
    const hashes = isHashed ? arena.alloc(n * 4) : 0;
    if (isHashed) kernels.slotHashes(columns, width, n, hashes);
    const comes = arena.alloc(n * 4);
    const rest = arena.alloc(n * 8);
    const freed = arena.alloc(n * 8 * layout.wide);
    const emptied = arena.alloc(n * 4);
    const counts = arena.alloc(20);
    kernels.takeOut(
      columns,
      width,
      layout.valid,
      runs.stride,
      runs.weightAt,
      runs.hashAt,
      located.slots * 4,
      weights,
      hashes,
      n,
      payloadOffset,
      LONG_RUN,
      comes,
      rest,
      freed,
      layout.wide,
      emptied,
      counts,
      isHashed ? 0 : arena.alloc(SINGLES_BYTES),
    );
    const at = counts >>> 2;
    runs.entries -= U32[at + 3];
    runs.heap.freeAll(freed >>> 2, U32[at + 1]);
    const slots = comes >>> 2;
    const { places, touched, count } = this.#appender.appendLocated(delta, { ...located, slots }, arena);
    if (isHashed) kernels.writeHashes(places * 4, hashes, n, runs.hashAt);
    kernels.clearAdded(touched * 4, count, payloadOffset);
    this.#dropKeys(emptied, U32[at + 2]);
    return { rest: rest >>> 2, n: U32[at], slots, places };
  }

  /** Of n keys whose slots are at an address, those that have no rows. */
  #dropKeys(slots: number, n: number): void {
    const keys = this.#keys;
    let empty = slots >>> 2;
    for (let i = slots >>> 2, end = i + n; i < end; i++) {
      const payload = (U32[i] + keys.payloadOffset) >>> 2;
      if (U32[payload + COUNT] !== 0) continue;
      this.#runs.drop(payload);
      U32[empty++] = U32[i];
    }
    keys.removeAll(slots, empty - (slots >>> 2));
  }
}
