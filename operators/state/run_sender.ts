/**
 * Sends the runs of many keys to the cold store at once, for chill.ts:
 *
 *   slots of the key table -- packRuns() --> packed runs | keys | blocks that they need no more | keys that are left
 *                                            one write     parts  freed                           one by one
 *
 * The kernel (kernels/assembly/pack_runs.ts) only reads; what the store did not take has not changed.
 */
import { PAGE_BYTES, U32 } from '../batch/memory.ts';
import { pages } from '../batch/pages.ts';
import { kernels } from '../kernels/index.ts';
import * as p from '../kernels/pack_layout.ts';
import type { Heap } from './heap.ts';
import { leavingMarks } from './leaving.ts';
import type { RowLayout } from './row_layout.ts';
import type { RowTable } from './row_table.ts';

/** Room for what is packed, and behind it, for copies that go 16 bytes a step. */
const OUT_BYTES = 1 << 20;
const SPARE_BYTES = 16;
/** Room for the lists. */
const KEYS_BYTES = PAGE_BYTES;
const FREED_BYTES = 4 * PAGE_BYTES;
const REST_BYTES = PAGE_BYTES / 2;
/** What one call takes. */
const ALL_BYTES = OUT_BYTES + SPARE_BYTES + KEYS_BYTES + FREED_BYTES + REST_BYTES + p.PACK_LONG;

/** What one call has done. */
export interface Sent {
  bytes: number;
  /** The slot to go on from. */
  next: number;
}

/** Whose rows go: those of a keyed index (runs.ts), or of partitions (kept_rows.ts). */
export interface SentRuns {
  keys: RowTable;
  heap: Heap;
  /** Of an entry. */
  layout: RowLayout;
  /** Where in an entry its weight is, and whether some is negative. */
  weightAt: number;
  isSigned(): boolean;
  /** Where in a payload the addresses of rows lie, and their number, as the kernel is told (PACK_LIST); 0: keys have runs. */
  list: number;
  listCount: number;
  /** Makes cold parts of what was packed from `out` on, by the list of slots from `keys` to `end`; gives their bytes. */
  sendPacked(out: number, keys: number, end: number): number;
}

export class RunSender {
  readonly #runs: SentRuns;
  /** Where in an entry values may be that lie outside of it: odd for numerics. */
  readonly #longs: number[];

  constructor(runs: SentRuns) {
    this.#runs = runs;
    const { phys, offsets } = runs.layout;
    this.#longs = offsets.flatMap((offset, i) =>
      phys[i] === 'varlen' ? [offset] : phys[i] === 'numeric' ? [offset | 1] : [],
    );
  }

  /**
   * Sends runs of the slots from one address to another, about so many bytes of them: those of which a part is leaving, or all. `rest` does a slot that cannot be sent so,
   * and gives the bytes that it sent.
   */
  send(from: number, end: number, bytes: number, all: boolean, rest: (slot: number) => number): Sent {
    const runs = this.#runs;
    // To the kernel, no marks are those of everything.
    if (!all && leavingMarks() === 0) return { bytes: 0, next: end };
    const count = Math.ceil((ALL_BYTES + this.#longs.length * 4) / PAGE_BYTES);
    const out = pages.allocate(count);
    try {
      const keys = out + OUT_BYTES + SPARE_BYTES;
      const freed = keys + KEYS_BYTES;
      const left = freed + FREED_BYTES;
      const pack = left + REST_BYTES;
      const at = pack >>> 2;
      this.#write(at, all);
      U32[at + p.PACK_OUT / 4] = out;
      U32[at + p.PACK_OUT_END / 4] = out + OUT_BYTES;
      U32[at + p.PACK_ENOUGH / 4] = out + Math.min(bytes, OUT_BYTES);
      U32[at + p.PACK_KEYS / 4] = keys;
      U32[at + p.PACK_KEYS_END / 4] = keys + KEYS_BYTES;
      U32[at + p.PACK_FREED / 4] = freed;
      U32[at + p.PACK_FREED_END / 4] = freed + FREED_BYTES;
      U32[at + p.PACK_REST / 4] = left;
      U32[at + p.PACK_REST_END / 4] = left + REST_BYTES;
      const next = kernels.packRuns(from, end, pack) >>> 0;
      let sent = runs.sendPacked(out, keys, U32[at + p.PACK_KEYS / 4]);
      runs.heap.freeNow(freed >>> 2, U32[at + p.PACK_FREED / 4] >>> 2);
      for (let slot = left; slot < U32[at + p.PACK_REST / 4]; slot += 4) sent += rest(U32[slot >>> 2]);
      return { bytes: sent, next };
    } finally {
      pages.release(out, count);
    }
  }

  /** What the record for the kernel says of the table, its runs and what goes. */
  #write(at: number, all: boolean): void {
    const { keys, layout, weightAt, isSigned, list, listCount } = this.#runs;
    U32[at + p.PACK_SLOT_BYTES / 4] = keys.place.slotBytes;
    U32[at + p.PACK_PAYLOAD / 4] = keys.payloadOffset;
    U32[at + p.PACK_ROW_BYTES / 4] = layout.stride;
    U32[at + p.PACK_WEIGHT / 4] = weightAt;
    U32[at + p.PACK_SIGNED / 4] = isSigned() ? 1 : 0;
    U32[at + p.PACK_LEAVING / 4] = all ? 0 : leavingMarks();
    U32[at + p.PACK_LIST / 4] = list;
    U32[at + p.PACK_LIST_COUNT / 4] = listCount;
    U32[at + p.PACK_LONG_COUNT / 4] = this.#longs.length;
    for (let i = 0; i < this.#longs.length; i++) U32[at + p.PACK_LONG / 4 + i] = this.#longs[i];
  }
}
