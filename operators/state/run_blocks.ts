/**
 * Long runs of a keyed index (keyed_index.ts) whose rows only come: several blocks, of which old ones stay where they are.
 *
 *   slot:    ... run, count: of the newest block, DIRECTORY = its address + IN_BLOCKS          (kernels/key_slot_layout.ts)
 *   block:   | u32 the block before it, or 0 | u32 entries in those before | entries |         all but the newest are full
 *
 * A short run is one block without such a head, which is copied when it grows. When a long one does, nothing moves: so an entry is written once, and only the room of the newest block
 * is not used yet. A run with rows in the cold store (cold_runs.ts) has one block in memory. Who moves a run, or lets a part of it go, makes it one block first.
 *
 * RunCursor reads any run of an index, newest entry first. Kernels do as much in kernels/assembly/run_blocks.ts.
 */
import { PAGE_BYTES, U32 } from '../batch/memory.ts';
import { checked } from '../batch/pages.ts';
import {
  BLOCK_BEFORE,
  BLOCK_FIRST,
  BLOCK_HEAD,
  BLOCK_SHARE,
  LEAST_BLOCK,
  MOST_BLOCK,
} from '../kernels/key_slot_layout.ts';
import { COUNT, isCold, newestBlock, RUN } from './key_slot.ts';

/** Runs of more bytes lie in blocks. Those of debug builds do early, so that all tests have some. */
export const BLOCKS_FROM = checked ? 64 : 256;

const BEFORE = BLOCK_BEFORE / 4;
const FIRST = BLOCK_FIRST / 4;

/** Entries of a key that are in memory. */
export function entriesOf(payload: number): number {
  const newest = newestBlock(payload);
  return U32[payload + COUNT] + (newest === 0 ? 0 : U32[(newest >>> 2) + FIRST]);
}

/** The entries for which a block behind so many has room at least. */
export function furtherEntries(count: number, stride: number): number {
  return Math.floor(Math.min(Math.max(Math.floor((count * stride) / BLOCK_SHARE), LEAST_BLOCK), MOST_BLOCK) / stride);
}

/** The most entries for which a block has room: larger ones would take whole pages, of which the last is on average half used. */
export function mostEntries(stride: number): number {
  return Math.max(1, Math.floor((PAGE_BYTES - BLOCK_HEAD) / stride));
}

/** Says at the head of a block which one it comes after, and how many entries there are before it. */
export function writeHead(block: number, before: number, entries: number): void {
  U32[(block >>> 2) + BEFORE] = before;
  U32[(block >>> 2) + FIRST] = entries;
}

/**
 * Calls back with the parts of a run in memory, newest first: where the entries are and how many, and the heap's block. `room`: bytes of the newest.
 */
export function eachBlock(
  payload: number,
  stride: number,
  room: number,
  visit: (run: number, count: number, block: number, bytes: number) => void,
): void {
  let block = newestBlock(payload);
  const run = U32[payload + RUN];
  visit(run, U32[payload + COUNT], block === 0 ? run : block, room);
  if (block === 0) return;
  for (;;) {
    const before = U32[(block >>> 2) + BEFORE];
    if (before === 0) return;
    const count = U32[(block >>> 2) + FIRST] - U32[(before >>> 2) + FIRST];
    visit(before + BLOCK_HEAD, count, before, BLOCK_HEAD + count * stride);
    block = before;
  }
}

/** What a cursor has to know of an index. */
export interface RunReader {
  readonly payloadOffset: number;
  readonly entryStride: number;
}

/** Goes through the entries of a key, as seek() gives its slot:  for (let at = cursor.begin(index, slot); at !== 0; at = cursor.next()) */
export class RunCursor {
  #stride = 0;
  /** Entries that are still to come, and of those the number in blocks before the present one. */
  #left = 0;
  #first = 0;
  #block = 0;
  /** Where the present block's entries are. */
  #run = 0;

  /** The newest entry of a slot's key but for `skip` of them; 0: there is none. */
  begin({ payloadOffset, entryStride }: RunReader, slot: number, skip = 0): number {
    if (slot === 0) return 0;
    const payload = (slot + payloadOffset) >>> 2;
    if (isCold(payload)) throw new Error('rows of the key are cold: seek() gives a copy of its slot');
    this.#stride = entryStride;
    this.#block = newestBlock(payload);
    this.#first = this.#block === 0 ? 0 : U32[(this.#block >>> 2) + FIRST];
    this.#run = U32[payload + RUN];
    this.#left = this.#first + U32[payload + COUNT] - skip;
    return this.next();
  }

  next(): number {
    if (this.#left <= 0) return 0;
    this.#left--;
    while (this.#left < this.#first) {
      this.#block = U32[(this.#block >>> 2) + BEFORE];
      this.#first = U32[(this.#block >>> 2) + FIRST];
      this.#run = this.#block + BLOCK_HEAD;
    }
    return this.#run + (this.#left - this.#first) * this.#stride;
  }
}
