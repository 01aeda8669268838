/**
 * Where the cold part of state lies: bytes by place, written once (docs/decisions/0190). The server gives a store of files, tests one in memory; while there
 * is none, nothing goes cold.
 *
 *   write()            between two ticks only           state that was not used lately goes
 *   read(), free()     in ticks and between them        a step needs it again; nobody needs it any more
 *   save(), load()     around a tick that may be taken back (undo.ts does it): what it freed is there again
 *
 * What a start loads from a checkpoint has places in it: they hold what they held at the checkpoint, whatever was freed since then.
 */
import type { Restorable } from './undo.ts';

/** Places count in these. */
export const PLACE_BYTES = 16;

export interface ColdStore extends Restorable {
  /**
   * Keeps copies of pieces of so many bytes, which lie one behind the other from `address` of the shared memory on, each at a multiple of 16 bytes from there; taken before it
   * returns. Gives the place of the first: above 0 and below 2^32, in units of PLACE_BYTES of one space, where the others follow likewise. Throws when it cannot keep them; then
   * nothing has changed.
   */
  write(address: number, pieces: number[]): number;
  /** Copies the bytes at a place back to `to`; `bytes` as it was written. Throws when they are not what was written. */
  read(place: number, bytes: number, to: number): void;
  /** State has no use for these bytes any more; a kept checkpoint may have, and so has a tick that is taken back. */
  free(place: number, bytes: number): void;
}

/** The store of the process. */
export const cold: { store: ColdStore | null } = { store: null };
