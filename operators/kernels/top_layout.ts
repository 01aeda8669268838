/**
 * What the callers of assembly/top_few.ts and assembly/top_one.ts and these kernels agree on: byte offsets in a record in the shared memory, all fields u32.
 * Plain numbers, because both compilers read this file.
 *
 * An entry is a row: 1 + twice its number for a row of the tick, else the address of a row of state, which is even.
 */
/** Where the rows' slots are (0: not of interest), and how many rows. */
export const TOP_SLOTS = 0;
export const TOP_COUNT = 4;
/** Bytes of a row of state. */
export const TOP_STRIDE = 8;
/** Where a slot's payload begins, and the most entries of a partition. */
export const TOP_PAYLOAD = 12;
export const TOP_LIMIT = 16;
/** The order: an address, and how many columns it looks at. */
export const TOP_ORDER = 20;
export const TOP_ORDER_COUNT = 24;
/** Not 0: rows that only move to another rank change. */
export const TOP_RANKED = 28;
/** Where the slots of changed partitions go, and what each was: TOP_LIMIT + 1 words; of top_one.ts its row, where there was one. */
export const TOP_TOUCHED = 32;
export const TOP_OLD = 36;
/** Results of topInsert and firstRows: changed partitions, and rows that they show at most before and after; of firstRows before. */
export const TOP_TOUCHED_COUNT = 40;
export const TOP_SHOWN = 44;
/** Where the changes go: entry, weight, rank of each (and its partition's slot: TOP_OUT_SLOTS). */
export const TOP_OUT_ROWS = 48;
export const TOP_OUT_WEIGHTS = 52;
export const TOP_OUT_RANKS = 56;
/** Where the places of new entries go, or their rows' numbers of top_one.ts; and the addresses of those that are gone. */
export const TOP_NEW = 60;
export const TOP_GONE = 64;
/** Results of topChanges; ties are ranks whose row before and after are equal. */
export const TOP_OUT_COUNT = 68;
export const TOP_NEW_COUNT = 72;
export const TOP_GONE_COUNT = 76;
export const TOP_TIES = 80;
/** Where the new entries' blocks go: a word for each row of the tick. */
export const TOP_PLACES = 84;
/** What reading ahead saw: of no use, but a result has to be used for the compiler to leave the reading in. */
export const TOP_AHEAD = 88;
/** Where the slot of each change's partition goes; of top_one.ts of each row in TOP_OLD. */
export const TOP_OUT_SLOTS = 92;
export const TOP_BYTES = 96;

/**
 * A column of the order: how it compares, where its value and its validity lie in a row of state, whether it is descending, whether NULL is first; and of the
 * rows of the tick: addresses of values and validity (0: no NULLs), bytes of a value as a power of two.
 */
export const ORDER_KIND = 0;
export const ORDER_OFFSET = 4;
export const ORDER_FLAG = 8;
export const ORDER_DESC = 12;
export const ORDER_NULLS_FIRST = 16;
export const ORDER_DATA = 20;
export const ORDER_VALID = 24;
export const ORDER_SHIFT = 28;
export const ORDER_BYTES = 32;

export const KIND_INT64 = 0;
export const KIND_INT32 = 1;
export const KIND_UINT32 = 2;
export const KIND_BYTE = 3;
export const KIND_FLOAT = 4;
export const KIND_TEXT = 5;
export const KIND_UUID = 6;
/** As KIND_FLOAT, then -0 before 0. */
export const KIND_FLOAT_LOOK = 7;
