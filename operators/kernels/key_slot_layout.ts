/**
 * The payload of a key's slot in a keyed index (operators/state/key_slot.ts) as byte offsets, all fields u32. Plain numbers, because both compilers read this file.
 */
export const KEY_RUN = 0;
export const KEY_COUNT = 4;
/** The class of the run's block (ROOM_SHIFT) and, below it, the rows that the tick has appended. */
export const KEY_ROOM = 8;
/** What else there is of the run: address of the directory of a long one; or with COLD the newest cold part's address; or with IN_BLOCKS that of its newest block; or 0. */
export const KEY_DIRECTORY = 12;
export const COLD = 1;
export const IN_BLOCKS = 2;
/** The last of what every index has. */
export const KEY_PAYLOAD_BYTES = 16;
/** Where rows die one by one: how many have. */
export const KEY_DEAD = 16;
export const KEY_DEAD_PAYLOAD_BYTES = 24;

/** A class is 0 for no block, one more than the number of the heap's class, or behind these one for blocks of 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16 ... pages. */
export const ROOM_SHIFT = 24;
export const MOST_ADDED = 0xffffff;
export const LARGE_ROOM = 88;

/** Rows that go out of runs are compared with their entries so many at a time (assembly/single_rows.ts): of each a byte, what it says; number, entry, whether they differ. */
export const COMPARED_ROWS = 64;
export const COMPARED_ROW_BYTES = 12;
export const SINGLES_BYTES = 832;

/** A block of a run that lies in several (operators/state/run_blocks.ts): | the block before it, or 0 | entries in those before | entries |. */
export const BLOCK_BEFORE = 0;
export const BLOCK_FIRST = 4;
export const BLOCK_HEAD = 8;
/** A new block has room for this share of the entries before it, for so many bytes at least and at most, and for what has come. */
export const BLOCK_SHARE = 4;
export const LEAST_BLOCK = 512;
export const MOST_BLOCK = 16384;
