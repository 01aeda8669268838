/**
 * The states of a slot of a hash table (operators/state/slot_pool.ts), and what an entry of its directory (operators/state/directory.ts) says in place of a
 * slot's address. Plain numbers, because both compilers read this file.
 */
/** Where in a slot its state is, a byte. */
export const SLOT_STATE = 4;
export const SLOT_UNUSED = 0;
export const SLOT_USED = 1;
/** Of a group that the tick has in its list; used when the tick ends. */
export const SLOT_TOUCHED = 3;
/** Said to be taken out soon. */
export const SLOT_LEAVING = 2;

/** Bytes of an entry. */
export const ENTRY_BYTES = 8;
export const ENTRY_EMPTY = 0;
