/** The words of a key's slot in a keyed index (keyed_index.ts), from its payload on; kernels/assembly/index_rows.ts knows them too. */
import { U32 } from '../batch/memory.ts';

export const RUN = 0;
/** Entries of the run. */
export const COUNT = 1;
export const CAPACITY = 2;
export const DEAD = 3;
/** Directory of a long run (run_directory.ts); or 1 more than the address of the newest cold part (cold_runs.ts), which is even; or 0. */
export const DIRECTORY = 4;
export const ADDED = 5;
export const KEY_PAYLOAD_BYTES = 24;

/** Bytes of an entry before its row. */
export const ENTRY_HEADER = 8;

/** Whether rows of the key lie in the cold store. */
export function isCold(payload: number): boolean {
  return (U32[payload + DIRECTORY] & 1) !== 0;
}
