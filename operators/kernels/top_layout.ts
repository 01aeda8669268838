/**
 * What the callers of assembly/top_few.ts and the kernel agree on: byte offsets in a record in the shared memory, all fields u32. Plain numbers, because
 * both compilers read this file.
 */
/** Addresses: the rows' slots (0: not of interest), and the rows in the form of state, TOP_STRIDE bytes each. */
export const TOP_SLOTS = 0;
export const TOP_ROWS = 4;
export const TOP_COUNT = 8;
export const TOP_STRIDE = 12;
/** Where a slot's payload begins, and the most entries of a partition. */
export const TOP_PAYLOAD = 16;
export const TOP_LIMIT = 20;
/** The order: an address, and how many columns it looks at. */
export const TOP_ORDER = 24;
export const TOP_ORDER_COUNT = 28;
/** Not 0: rows that only move to another rank change. */
export const TOP_RANKED = 32;
/** Where the slots of changed partitions go, and of each what it was: TOP_LIMIT + 1 words. */
export const TOP_TOUCHED = 36;
export const TOP_OLD = 40;
/** Results of topInsert: changed partitions, and rows that they show at most before and after. */
export const TOP_TOUCHED_COUNT = 44;
export const TOP_SHOWN = 48;
/** Where the changes go: address of the row, weight, rank of each. */
export const TOP_OUT_ROWS = 52;
export const TOP_OUT_WEIGHTS = 56;
export const TOP_OUT_RANKS = 60;
/** Where the places of new entries go, and the addresses of those that are gone. */
export const TOP_NEW = 64;
export const TOP_GONE = 68;
/** Results of topChanges. */
export const TOP_OUT_COUNT = 72;
export const TOP_NEW_COUNT = 76;
export const TOP_GONE_COUNT = 80;
/** What reading ahead saw: of no use, but a result has to be used for the compiler to leave the reading in. */
export const TOP_AHEAD = 84;
export const TOP_BYTES = 88;

/** A column of the order: how it compares, where its value and its validity lie in a row, whether it is descending, whether NULL is first. */
export const ORDER_KIND = 0;
export const ORDER_OFFSET = 4;
export const ORDER_FLAG = 8;
export const ORDER_DESC = 12;
export const ORDER_NULLS_FIRST = 16;
export const ORDER_BYTES = 20;

export const KIND_INT64 = 0;
export const KIND_INT32 = 1;
export const KIND_UINT32 = 2;
export const KIND_BYTE = 3;
export const KIND_FLOAT = 4;
export const KIND_TEXT = 5;
export const KIND_UUID = 6;
