/**
 * What state/index_probe.ts and assembly/probe.ts agree on: the record of a look-up of few rows in an index, byte offsets in the shared memory, all fields u32. Plain
 * numbers, because both compilers read this file. The record of the keys (key_layout.ts, KEYS_BYTES) comes first; then this, and the key columns.
 */

/** Not 0: without the rows that the tick has appended. */
export const PROBE_OLDER = 116;
/** Bytes of an entry, and where in it its weight is. */
export const PROBE_STRIDE = 120;
export const PROBE_WEIGHT_AT = 124;
/** Where the pairs go, as three lists of PROBE_ROOM words: numbers of the rows, addresses of the entries, products of the weights. More than that are only counted. */
export const PROBE_PAIRS = 128;
export const PROBE_ROOM = 132;
/** Result: not 0 where a product is beyond 32 bits. */
export const PROBE_BEYOND = 136;
export const PROBE_BYTES = 140;
