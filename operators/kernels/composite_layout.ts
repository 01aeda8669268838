/** Tags of the bytes of arrays, records and ranges (operators/batch/composite.ts): plain numbers, because both compilers read this file. */
export const TAG_NULL = 0;
export const TAG_FALSE = 1;
export const TAG_TRUE = 2;
export const TAG_INT = 3;
export const TAG_BIGINT = 4;
export const TAG_FLOAT = 5;
export const TAG_TEXT = 6;
export const TAG_BYTES = 7;
export const TAG_NUMERIC = 8;
export const TAG_INTERVAL = 9;
export const TAG_ARRAY = 10;
export const TAG_RECORD = 11;
export const TAG_RANGE = 12;
export const TAG_MULTIRANGE = 13;
