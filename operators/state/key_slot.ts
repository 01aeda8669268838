/** The words of a key's slot in a keyed index (keyed_index.ts), from its payload on; kernels know them, too. */

import { PAGE_BYTES, U32 } from '../batch/memory.ts';
import * as k from '../kernels/key_slot_layout.ts';
import { roundUp } from './block_sizes.ts';

export { KEY_DEAD_PAYLOAD_BYTES, KEY_PAYLOAD_BYTES, MOST_ADDED } from '../kernels/key_slot_layout.ts';

export const RUN = k.KEY_RUN / 4;
/** Entries of the run. */
export const COUNT = k.KEY_COUNT / 4;
/** What block the run has, and the rows that the tick has appended: roomOf() and addedTo(). */
export const ROOM = k.KEY_ROOM / 4;
export const DEAD = k.KEY_DEAD / 4;
/** Directory of a long run (run_directory.ts); or, with a bit that says so, the newest cold part (cold_runs.ts) or the newest block of the run (run_blocks.ts); or 0. */
export const DIRECTORY = k.KEY_DIRECTORY / 4;

/** Whether rows of the key lie in the cold store. */
export function isCold(payload: number): boolean {
  return (U32[payload + DIRECTORY] & k.COLD) !== 0;
}

/** The newest block of a run that lies in several; 0: it does not. */
export function newestBlock(payload: number): number {
  const directory = U32[payload + DIRECTORY];
  return (directory & k.IN_BLOCKS) === 0 ? 0 : directory - k.IN_BLOCKS;
}

/** Bytes of the blocks of each class (key_slot_layout.ts). */
const BLOCK_BYTES: number[] = [0];
while (BLOCK_BYTES.length < k.LARGE_ROOM) BLOCK_BYTES.push(roundUp(BLOCK_BYTES[BLOCK_BYTES.length - 1] + 1));
BLOCK_BYTES.push(2 * PAGE_BYTES, 3 * PAGE_BYTES);
for (let pages = 4; BLOCK_BYTES.length < 1 << (32 - k.ROOM_SHIFT); pages *= 2)
  for (let quarter = 0; quarter < 4; quarter++) BLOCK_BYTES.push(pages * (1 + quarter / 4) * PAGE_BYTES);

/** Bytes of the run's block. */
export function roomOf(payload: number): number {
  return BLOCK_BYTES[U32[payload + ROOM] >>> k.ROOM_SHIFT];
}

/** Rows that the tick has appended. */
export function addedTo(payload: number): number {
  return U32[payload + ROOM] & k.MOST_ADDED;
}

/** Notes a number up to MOST_ADDED there, for an index that counts no rows; 0 again before it takes rows in. */
export function setAdded(payload: number, added: number): void {
  const at = payload + ROOM;
  U32[at] = ((U32[at] & ~k.MOST_ADDED) | added) >>> 0;
}

function classFor(bytes: number): number {
  let from = 0;
  let to = BLOCK_BYTES.length - 1;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (BLOCK_BYTES[middle] < bytes) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** Bytes of the block that a run of so many bytes has. */
export function roomFor(bytes: number): number {
  return BLOCK_BYTES[classFor(bytes)];
}

/** Says that the run has a block for so many bytes; gives the block's. */
export function setRoom(payload: number, bytes: number): number {
  const cls = classFor(bytes);
  U32[payload + ROOM] = ((cls << k.ROOM_SHIFT) | addedTo(payload)) >>> 0;
  return BLOCK_BYTES[cls];
}
