/**
 * What AggregateOperator and its kernels (assembly/aggregate.ts) agree on: a record for each call that the kernels take in, all fields u32. Plain
 * numbers, because both compilers read this file.
 */
export const CALL_KIND = 0;
/** Byte offset of the call's state in a group's bytes. */
export const CALL_OFFSET = 4;
/** Byte address of the rows' weights for this call. */
export const CALL_WEIGHTS = 8;
/** The argument; validity 0: no NULLs. */
export const CALL_DATA = 12;
export const CALL_VALID = 16;
export const CALL_BYTES = 20;

/** What a call does with a row. */
export const CALL_COUNT = 0;
export const CALL_SUM_INT4 = 1;
export const CALL_SUM_INT8 = 2;
export const CALL_LEAST_INT4 = 3;
export const CALL_GREATEST_INT4 = 4;
export const CALL_LEAST_INT8 = 5;
export const CALL_GREATEST_INT8 = 6;

/** Bytes of the state of a least or greatest value before its validity byte, which says whether there is one. */
export const EXTREME_INT4_BYTES = 4;
export const EXTREME_INT8_BYTES = 8;
export const EXTREME_TEXT_BYTES = 16;
