/**
 * What kernels that are WebAssembly themselves agree on with the functions of texts that they call (assembly/text_slots.ts): plain numbers, because both
 * compilers read this file.
 *
 *   room   memory that long results are written to: next free byte, the byte behind the last, and how much was wanted when it did not suffice
 */
export const ROOM_NEXT = 0;
export const ROOM_END = 4;
export const ROOM_NEEDED = 8;

/** In the place of a slot's address: the interpreter has to do the row; there is no room for the result. */
export const TEXT_BAIL = 0xffffffff;
export const TEXT_ROOM = 0xfffffffe;
/** The same: the result is NULL. */
export const TEXT_NULL = 0;

/**
 * Fields of a text that split_part is asked for: address and length of the separator, how many there are, then of each its number and the address of its
 * slot, in the order of the numbers.
 */
export const PARTS_SEPARATOR = 0;
export const PARTS_LENGTH = 4;
export const PARTS_COUNT = 8;
export const PARTS_FIRST = 12;
export const PART_BYTES = 8;
