/**
 * What assembly/pack_runs.ts and its caller (operators/state/run_sender.ts) agree on: byte offsets in a record in the shared memory, all fields u32. Plain
 * numbers, because both compilers read this file.
 */
/** Bytes of a slot, where in it the key's payload is, and bytes of an entry. */
export const PACK_SLOT_BYTES = 0;
export const PACK_PAYLOAD = 4;
export const PACK_ROW_BYTES = 8;
/** Where an entry's weight is, if some may be negative, and whether some may. */
export const PACK_WEIGHT = 12;
export const PACK_SIGNED = 16;
/** A byte a page that is not 0 when the page is leaving; address 0: everything goes. */
export const PACK_LEAVING = 20;
/** Where the packed runs go, with 16 bytes to spare behind the end; the next one's address, a multiple of 16. */
export const PACK_OUT = 24;
export const PACK_OUT_END = 28;
/** Where so much is packed that no other key need follow. */
export const PACK_ENOUGH = 32;
/** Lists, each with its end, which are written from the first field on: where the next entry goes. Keys that were packed, PACKED_BYTES each. */
export const PACK_KEYS = 36;
export const PACK_KEYS_END = 40;
/** Blocks that packed keys have no use for any more: address, bytes. */
export const PACK_FREED = 44;
export const PACK_FREED_END = 48;
/** Slots of keys that are left to the caller. */
export const PACK_REST = 52;
export const PACK_REST_END = 56;
/** Rows in blocks of their own: where in the payload their addresses are, the first not odd; 0: a run as key_slot_layout.ts says. And where their number is; PACK_ONE: there is one row. */
export const PACK_LIST = 60;
export const PACK_LIST_COUNT = 64;
export const PACK_ONE = 1;
/** Where in an entry values may be that lie outside of it: a word each, the offset, odd for a numeric. */
export const PACK_LONG_COUNT = 68;
export const PACK_LONG = 72;

/** Of a key that was packed: the address of its payload, where its run begins, its bytes, its entries. */
export const PACKED_PAYLOAD = 0;
export const PACKED_AT = 4;
export const PACKED_BYTES = 8;
export const PACKED_ENTRIES = 12;
export const PACKED_SIZE = 16;
