/**
 * Looks few rows up in a keyed index (keyed_index.ts) by one call of a kernel (kernels/assembly/probe.ts): what RowTable.findAll() and the kernels that count
 * and list the pairs do, which many rows go by.
 *
 *   columns -> packed keys -> slots -> pairs of a row and an entry, in memory of the tick
 *
 * Of few rows telling the kernels where things are costs more than finding them: so what is the same in each tick stays in a record (lent_records.ts), and
 * a tick adds addresses. State: none; the index's own is only read.
 */
import type { Arena } from '../batch/arena.ts';
import type { Batch } from '../batch/batch.ts';
import { U32 } from '../batch/memory.ts';
import { kernels } from '../kernels/index.ts';
import * as k from '../kernels/key_layout.ts';
import * as p from '../kernels/probe_layout.ts';
import { writeAddresses, writeKeyLayout } from './key_batch.ts';
import { giveRecord, takeRecord } from './lent_records.ts';
import type { RowTable } from './row_table.ts';

/** More rows are looked up by findAll(). */
export const MOST_ROWS = 16;
/** Pairs that are listed at once; of more it takes a second call. */
const ROOM = 64;
/** More pairs than these may be too many to be listed at all. */
const MOST_PAIRS = 1 << 20;
const LIST_BYTES = ROOM * 4;

/** Pairs of a row of a delta, by its number, and a row of an index, by its address; byte addresses of n words each. */
export interface Pairs {
  n: number;
  rows: number;
  others: number;
  weights: number;
}

/** Which pairs: not of rows with a NULL key if `skipNulls`; without entries that the tick has appended if `older`. */
export interface PairRows {
  skipNulls: boolean;
  older: boolean;
}

export class IndexProbe {
  readonly #keys: RowTable;
  readonly #stride: number;
  readonly #weightAt: number;
  /** The record, and its bytes; 0: there is none yet. */
  #record = 0;
  readonly #bytes: number;

  /** `stride`, `weightAt`: bytes of an entry, and where in it its weight is. */
  constructor(keys: RowTable, stride: number, weightAt: number) {
    const { layout } = keys.ops;
    this.#keys = keys;
    this.#stride = stride;
    this.#weightAt = weightAt;
    const packed = layout.stride + k.HEADER_BYTES;
    this.#bytes = p.PROBE_BYTES + layout.types.length * k.KEY_COLUMN_BYTES + MOST_ROWS * (packed + 8) + k.HEADER_BYTES;
  }

  /** The pairs of the rows of a delta, whose key columns are at these positions, into `pairs`. False: a product of weights is beyond 32 bits; null: not of so many rows or pairs, nor of such keys. */
  find(
    { n, columns, weights }: Batch,
    keyColumns: number[],
    { skipNulls, older }: PairRows,
    pairs: Pairs,
    arena: Arena,
  ): boolean | null {
    if (n > MOST_ROWS || !this.#keys.packs) return null;
    pairs.n = 0;
    if (this.#keys.size === 0) return true;
    if (this.#record === 0) this.#begin();
    const record = this.#record;
    const at = record >>> 2;
    this.#keys.showTo(record);
    const lists = arena.alloc(3 * LIST_BYTES);
    U32[at + k.KEYS_ROWS / 4] = n;
    U32[at + k.KEYS_FROM / 4] = 0;
    U32[at + k.KEYS_WEIGHTS / 4] = weights;
    U32[at + k.KEYS_SKIP_NULLS / 4] = skipNulls ? 1 : 0;
    U32[at + p.PROBE_OLDER / 4] = older ? 1 : 0;
    U32[at + p.PROBE_PAIRS / 4] = lists;
    writeAddresses(columns, keyColumns, at + p.PROBE_BYTES / 4);
    const total = kernels.findPairs(record);
    pairs.n = total;
    if (total > MOST_PAIRS) return null;
    if (total > ROOM) return this.#listMany(pairs, n, weights, older, arena);
    pairs.rows = lists;
    pairs.others = lists + LIST_BYTES;
    pairs.weights = lists + 2 * LIST_BYTES;
    return U32[at + p.PROBE_BEYOND / 4] === 0;
  }

  #listMany(pairs: Pairs, n: number, weights: number, older: boolean, arena: Arena): boolean {
    pairs.rows = arena.alloc(pairs.n * 4);
    pairs.others = arena.alloc(pairs.n * 4);
    pairs.weights = arena.alloc(pairs.n * 4);
    const slots = U32[(this.#record + k.KEYS_SLOTS) >>> 2];
    const payload = this.#keys.payloadOffset;
    const { rows, others, weights: products } = pairs;
    return (
      kernels.expandPairs(slots, weights, n, payload, this.#stride, this.#weightAt, older, rows, others, products) !== 0
    );
  }

  #begin(): void {
    const keys = this.#keys;
    const { layout } = keys.ops;
    const record = takeRecord(this.#bytes);
    const words = U32.subarray(record >>> 2, (record + this.#bytes) >>> 2);
    words.fill(0);
    writeKeyLayout(words, layout, 'sql', p.PROBE_BYTES / 4);
    const slots = record + p.PROBE_BYTES + layout.types.length * k.KEY_COLUMN_BYTES;
    const hashes = slots + MOST_ROWS * 4;
    words[k.KEYS_COLUMNS / 4] = record + p.PROBE_BYTES;
    words[k.KEYS_SLOT_BYTES / 4] = keys.place.slotBytes;
    words[k.KEYS_PAYLOAD / 4] = keys.payloadOffset;
    words[k.KEYS_SLOTS / 4] = slots;
    words[k.KEYS_HASHES / 4] = hashes;
    words[k.KEYS_PACKED / 4] = ((hashes + MOST_ROWS * 4 + 7) & ~7) + k.HEADER_BYTES;
    words[p.PROBE_STRIDE / 4] = this.#stride;
    words[p.PROBE_WEIGHT_AT / 4] = this.#weightAt;
    words[p.PROBE_ROOM / 4] = ROOM;
    this.#record = record;
  }

  release(): void {
    if (this.#record !== 0) giveRecord(this.#record, this.#bytes);
    this.#record = 0;
  }
}
