/**
 * What the callers of assembly/sort_keys.ts and assembly/sort_records.ts and these kernels agree on. Plain numbers, because both compilers read this file.
 *
 * A record stands for a row that is sorted: its key, three u64 that compare as numbers, then which row it is, and of which piece.
 */
export const RECORD_BYTES = 32;
export const KEY_BYTES = 24;
export const RECORD_ROW = 24;
export const RECORD_PIECE = 28;
/** A record is written as a whole, and some bytes more. */
export const RECORD_SLACK = 32;

/** A column of the key: what its bytes are made of (below), whether it is descending, whether NULL is first; where its values and their validity are (0: no NULLs). All u32. */
export const COLUMN_KIND = 0;
export const COLUMN_DESC = 4;
export const COLUMN_NULLS_FIRST = 8;
export const COLUMN_DATA = 12;
export const COLUMN_VALID = 16;
/** Not 0: equal bytes are not equal values, so no column after this one is looked at. */
export const COLUMN_LAST = 20;
export const COLUMN_BYTES = 24;

export const SORT_INT64 = 0;
export const SORT_INT32 = 1;
export const SORT_UINT32 = 2;
export const SORT_BOOL = 3;
export const SORT_FLOAT = 4;
export const SORT_UUID = 5;
/** Bytes in which there is no 0. */
export const SORT_TEXT = 6;
/** Blanks at the end do not count. */
export const SORT_PADDED = 7;
/** Any bytes; nothing follows. */
export const SORT_BYTES = 8;
/** Digits in the slot, of which those behind the last may have been left out: then byte 11 is not 0, and the scale, an i16, may be negative. */
export const SORT_NUMERIC = 9;
/** Of floats with equal values: -0 is before 0. */
export const SORT_ZERO = 10;

/** A merge of two runs of records, some at a time: where they go on and end, and where the next record goes. All u32. */
export const MERGE_A = 0;
export const MERGE_A_END = 4;
export const MERGE_B = 8;
export const MERGE_B_END = 12;
export const MERGE_TO = 16;
export const MERGE_BYTES = 20;
