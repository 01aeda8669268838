/** The words of a key's slot in a keyed index (keyed_index.ts), from its payload on; kernels know them, too. */
import { U32 } from '../batch/memory.ts';
import * as k from '../kernels/key_slot_layout.ts';

export { KEY_PAYLOAD_BYTES } from '../kernels/key_slot_layout.ts';

export const RUN = k.KEY_RUN / 4;
/** Entries of the run. */
export const COUNT = k.KEY_COUNT / 4;
export const CAPACITY = k.KEY_CAPACITY / 4;
export const DEAD = k.KEY_DEAD / 4;
/** Directory of a long run (run_directory.ts); or 1 more than the address of the newest cold part (cold_runs.ts), which is even; or 0. */
export const DIRECTORY = k.KEY_DIRECTORY / 4;
export const ADDED = k.KEY_ADDED / 4;

/** Bytes of an entry before its row. */
export const ENTRY_HEADER = 8;

/** Whether rows of the key lie in the cold store. */
export function isCold(payload: number): boolean {
  return (U32[payload + DIRECTORY] & 1) !== 0;
}
