/**
 * What the search with a one-pass expression (assembly/regex.ts) and its caller agree on: byte offsets in a program that lies in the shared memory. All
 * fields are u32 unless said.
 *
 *   program   the fields below, 128 bytes with the class of each character, then the states
 *   state     accept and its saves, the state behind the literal (0: character by character) and the saves at its start, where it stops to go to itself,
 *             then for each class the next state's address (0: none) and the saves
 */
export const REGEX_START = 0;
/** State where the match does not start at the start of the text. */
export const REGEX_LATER = 4;
/** The literal that every match contains, and the fewest and most characters before it. */
export const REGEX_NEEDLE = 8;
export const REGEX_NEEDLE_LENGTH = 12;
export const REGEX_LEAST = 16;
export const REGEX_MOST = 20;
/** Number of groups, the whole match counted. */
export const REGEX_GROUPS = 24;
/** Address of start and end (i32, -1 for none) of each group: of the match, and of the path being tried. */
export const REGEX_SPANS = 28;
export const REGEX_TRIED = 32;
export const REGEX_CLASSES = 40;
export const REGEX_BYTES = 168;

export const STATE_ACCEPT = 0;
export const STATE_ACCEPT_SAVES = 4;
export const STATE_LITERAL = 8;
export const STATE_LITERAL_SAVES = 12;
/** The only ASCII character that leads elsewhere than to the state itself, STOP_NONE: there is no such, STOP_MANY: there are several, or not all set no capture. */
export const STATE_STOP = 16;
export const STATE_NEXT = 20;
export const STATE_SAVES = 24;
export const STOP_NONE = 0xff;
export const STOP_MANY = 0x100;
/** Of a class within a state. */
export const CLASS_BYTES = 8;

/** What a search gives: no match, a match, a text beyond ASCII, too many places tried. */
export const SEARCH_NONE = 0;
export const SEARCH_FOUND = 1;
export const SEARCH_NOT_ASCII = 2;
export const SEARCH_GIVEN_UP = 3;
