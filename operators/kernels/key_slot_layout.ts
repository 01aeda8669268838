/**
 * The payload of a key's slot in a keyed index (operators/state/key_slot.ts) as byte offsets, all fields u32. Plain numbers, because both compilers read this file.
 */
export const KEY_RUN = 0;
export const KEY_COUNT = 4;
/** The class of the run's block (ROOM_SHIFT) and, below it, the rows that the tick has appended. */
export const KEY_ROOM = 8;
export const KEY_DIRECTORY = 12;
/** The last of what every index has. */
export const KEY_PAYLOAD_BYTES = 16;
/** Where rows die one by one: how many have. */
export const KEY_DEAD = 16;
export const KEY_DEAD_PAYLOAD_BYTES = 24;

/** A class is 0 for no block, one more than the number of the heap's class, or behind these one for blocks of 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16 ... pages. */
export const ROOM_SHIFT = 24;
export const MOST_ADDED = 0xffffff;
export const LARGE_ROOM = 48;
