/**
 * What the callers of assembly/dead_rows.ts and the kernel agree on: byte offsets in a record in the shared memory, all fields u32. Plain numbers, because
 * both compilers read this file.
 */
/** The table of keys: its directory (assembly/directory.ts), number of entries - 1, bytes of a slot, and where the payload begins in it. */
export const DEAD_DIRECTORY = 0;
export const DEAD_MASK = 4;
export const DEAD_SLOT_BYTES = 8;
export const DEAD_PAYLOAD = 12;
/** Bytes of an entry of a run, and a run is compacted when one of so many entries is dead. */
export const DEAD_STRIDE = 16;
export const DEAD_SHARE = 20;
/** When a row is dead (assembly/deadline.ts). */
export const DEAD_CONDITIONS = 24;
export const DEAD_CONDITION_COUNT = 28;
/** Addresses of words: where in an entry the texts are, and the numerics. */
export const DEAD_TEXTS = 32;
export const DEAD_TEXT_COUNT = 36;
export const DEAD_NUMERICS = 40;
export const DEAD_NUMERIC_COUNT = 44;
/** The runs' heap (heap_layout.ts). */
export const DEAD_HEAP = 48;
/** Where slots are listed that are left to the caller, and for how many there is room. */
export const DEAD_LISTED = 52;
export const DEAD_ROOM = 56;
/** Results, added up: slots listed, entries that are gone, and those of them whose weight was negative. */
export const DEAD_LISTED_COUNT = 60;
export const DEAD_ENTRIES = 64;
export const DEAD_NEGATIVE = 68;
/** What reading ahead saw: of no use, but a result has to be used for the compiler to leave the reading in. */
export const DEAD_AHEAD = 72;
/** Where in an entry its weight is. */
export const DEAD_WEIGHT = 76;
export const DEAD_BYTES = 80;
