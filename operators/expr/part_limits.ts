/**
 * How many parts a value may have, so that it fits in a heap. What is read here is counted against it; what a statement has in its text is not while
 * the statement is done again that an earlier version took, one without these limits.
 */

/** An item takes up to some 100 bytes of the heap, and an array is read and written in one go. (PostgreSQL has 134217727.) */
export const MAX_ITEMS = 1 << 22;
/** Of a document, whose tree and what is made of it lie on the heap, some 600 bytes a value at the most. (PostgreSQL has limits of bytes, which larger documents reach.) */
export const MAX_VALUES = 1 << 20;

let isLifted = false;

/** `n` parts are too many now. */
export function isOver(n: number, most: number): boolean {
  return n > most && !isLifted;
}

/** What `read` gives, with no limit. It must end in this turn. */
export function withoutPartLimits<T>(read: () => T): T {
  const before = isLifted;
  isLifted = true;
  try {
    return read();
  } finally {
    isLifted = before;
  }
}
