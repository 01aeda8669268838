/**
 * What state/index_append.ts and assembly/append.ts agree on: the record of an append to an index, byte offsets in the shared memory, all fields u32. Plain
 * numbers, because both compilers read this file. The record of the keys (key_layout.ts, KEYS_BYTES) comes first; then this, the key columns and the row's columns.
 */

/** The columns of an entry, of which there are so many. */
export const APPEND_COLUMNS = 116;
export const APPEND_COLUMN_COUNT = 120;
/** Where a row's validity bytes begin, the bytes of an entry, which is a row, and where in it its weight is. */
export const APPEND_VALID = 124;
export const APPEND_ROW_BYTES = 128;
export const APPEND_WEIGHT = 132;
export const APPEND_WEIGHTS = 136;
/** The record of the heap of the runs (heap_layout.ts). */
export const APPEND_HEAP = 140;
/** Slots of the keys that got rows, a word a row, and their number. */
export const APPEND_TOUCHED = 144;
export const APPEND_TOUCHED_COUNT = 148;
/** Blocks that runs had before they grew, and slots of those that are left to the caller, as growRuns() of assembly/index_rows.ts says; how many are left. */
export const APPEND_OLD = 152;
export const APPEND_LEFT = 156;
export const APPEND_LEFT_COUNT = 160;
/** Addresses of the entries' rows, a word a row, 0 for one that is not stored; how many are. */
export const APPEND_PLACES = 164;
export const APPEND_PLACED = 168;
/** Slots of values that lie outside of their row, how many, and the number of the first that is left to the caller. */
export const APPEND_OUTSIDE = 172;
export const APPEND_OUTSIDE_COUNT = 176;
export const APPEND_OWNED = 180;
/** Two words a row of scratch memory. */
export const APPEND_CHOSEN = 184;
/** Runs of more bytes lie in blocks; 0: none does. */
export const APPEND_BLOCKS_FROM = 188;
export const APPEND_BYTES = 192;

/** What a call gives: all is done. */
export const APPEND_DONE = 0;
/** Some runs are left to the caller (APPEND_LEFT), and storeAppended() behind that. */
export const APPEND_NO_ROOM = 1;
/** Some weight is not positive; nothing was written. */
export const APPEND_SIGNED = 2;
/** There is no room for the next key's slot: appendFound() goes on when there is. */
export const APPEND_NO_SLOT = 3;
