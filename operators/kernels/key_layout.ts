/**
 * What the callers of assembly/keys.ts and pack_keys.ts and these kernels agree on: byte offsets in records in the shared memory, all fields u32. Plain numbers, because
 * both compilers read this file.
 *
 *   keys     the key columns of a batch, packed as rows (state/row_layout.ts) with a slot's header each, of which the hash is not written; and their hashes
 *   column   one for each key column
 */
/** Of a packed row and of a slot. */
export const HEADER_BYTES = 8;

export const KEYS_COLUMNS = 0;
export const KEYS_COLUMN_COUNT = 4;
export const KEYS_ROWS = 8;
/** Bytes of a packed row without its header; where its validity bytes begin, which may be in the header. */
export const KEYS_STRIDE = 12;
export const KEYS_VALID = 16;
/** Number of 16-byte slots, which come first; bit i is set when slot i is a varlen. */
export const KEYS_WIDE = 20;
export const KEYS_TEXTS = 24;
/** Address of the first packed row, behind its header, and of the rows' hashes. */
export const KEYS_PACKED = 28;
export const KEYS_HASHES = 32;
/** Address of the weights: rows of weight 0 are left out. 0: none is. */
export const KEYS_WEIGHTS = 36;
/** Not 0: rows with a NULL key are left out. */
export const KEYS_SKIP_NULLS = 40;
/** Where the slot of each row goes, 0 for a row that is left out or not found; and the numbers of the rows that made a slot. */
export const KEYS_SLOTS = 44;
export const KEYS_FRESH = 48;
/** The table: its directory (assembly/directory.ts), number of entries - 1, bytes of a slot, of which the first of the payload. */
export const KEYS_DIRECTORY = 52;
export const KEYS_MASK = 56;
export const KEYS_SLOT_BYTES = 60;
export const KEYS_PAYLOAD = 64;
/** Results: slots made, and texts in them that lie outside. */
export const KEYS_MADE = 68;
export const KEYS_LONG = 76;
/** What reading ahead saw: of no use, but a result has to be used for the compiler to leave the reading in. */
export const KEYS_AHEAD = 80;
/** Result of packing: numerics that tables of keys know row by row only. Wide ones the kernel that adds equal rows up knows too. */
export const KEYS_ODD = 84;
export const ODD_WIDE = 1;
export const ODD_SPECIAL = 2;
/** Bit i is set when 16-byte slot i is a numeric. */
export const KEYS_NUMERICS = 88;
/** The row to begin with; result: the first one for which there was no room, else the number of rows. */
export const KEYS_FROM = 92;
/** Rows of the table, to be written back. */
export const KEYS_USED = 72;
/** Entries that may still be filled; the first slot that is not in use, 0 for none; where the next new one lies, and where there are no more. */
export const KEYS_ROOM = 96;
export const KEYS_UNUSED = 100;
export const KEYS_NEXT = 104;
export const KEYS_END = 108;
/** Of the columns the one whose low word is added to the hash of the rest (state/row_ops.ts); their number: none is. */
export const KEYS_NUMBER = 112;
export const KEYS_BYTES = 116;

export const KEY_COLUMN_WIDTH = 0;
/** Types whose values lie outside of their slots, or whose equals are more than the same bytes; 0: another. */
export const KEY_COLUMN_KIND = 4;
export const KEY_KIND_TEXT = 1;
export const KEY_KIND_NUMERIC = 2;
/** From here on floats, whose equals may be other bytes: NaN and NaN, and by value -0 and 0. By look -0 is another row than 0. */
export const KEY_KIND_FLOAT = 3;
export const KEY_KIND_FLOAT_LOOK = 4;
export const KEY_COLUMN_DATA = 8;
export const KEY_COLUMN_VALID = 12;
/** Byte offset in a packed row. */
export const KEY_COLUMN_AT = 16;
export const KEY_COLUMN_BYTES = 20;
