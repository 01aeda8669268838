/**
 * The payload of a key's slot in a keyed index (operators/state/key_slot.ts) as byte offsets, all fields u32. Plain numbers, because both compilers read this file.
 */
export const KEY_RUN = 0;
export const KEY_COUNT = 4;
export const KEY_CAPACITY = 8;
export const KEY_DEAD = 12;
export const KEY_DIRECTORY = 16;
export const KEY_ADDED = 20;
export const KEY_PAYLOAD_BYTES = 24;
