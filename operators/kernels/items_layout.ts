/**
 * Where the kernel that makes rows of items (assembly/items.ts) finds its input and room, and notes how far it is: plain numbers, because both compilers read this file.
 *
 *   ROW ROWS         the row of the input that is at work, and how many there are
 *   DATA VALID       slots and validity (0: no NULL) of the arrays
 *   AT END REST      the next item, 0 where the row has not begun; the end of the value's bytes; how many items are to come, of documents whether there are any
 *   ORDINAL          how many items the row has given
 *   LEFT             1: a row without items gives one with NULL
 *   KIND             what an item is, see below
 *   OUT ROOM         rows that are put out, and for how many there is room
 *   FROM             for each of them the row of the input that it comes from
 *   ITEM ITEM_VALID  the column of items
 *   NUMBER           the column of their numbers (int8), 0 where nobody asks for them, and its validity
 */
export const ITEMS_ROW = 0;
export const ITEMS_ROWS = 4;
export const ITEMS_DATA = 8;
export const ITEMS_VALID = 12;
export const ITEMS_AT = 16;
export const ITEMS_END = 20;
export const ITEMS_REST = 24;
export const ITEMS_ORDINAL = 28;
export const ITEMS_LEFT = 32;
export const ITEMS_KIND = 36;
export const ITEMS_OUT = 40;
export const ITEMS_ROOM = 44;
export const ITEMS_FROM = 48;
export const ITEMS_ITEM = 52;
export const ITEMS_ITEM_VALID = 56;
export const ITEMS_NUMBER = 60;
export const ITEMS_NUMBER_VALID = 64;
export const ITEMS_BYTES = 72;

/** Items of arrays by their phys, then those of jsonb: as documents, and as texts. */
export const ITEM_BOOL = 0;
export const ITEM_I32 = 1;
export const ITEM_I64 = 2;
export const ITEM_F64 = 3;
export const ITEM_NUMERIC = 4;
export const ITEM_VARLEN = 5;
export const ITEM_JSON = 6;
export const ITEM_JSON_TEXT = 7;

/** Why the kernel has stopped: all rows are done; no room is left; a row that it leaves to the interpreter, from item ORDINAL on. */
export const ITEMS_DONE = 0;
export const ITEMS_FULL = 1;
export const ITEMS_ODD = 2;
