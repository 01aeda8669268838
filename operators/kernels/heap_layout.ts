/**
 * What a heap (operators/state/heap.ts) and kernels that take blocks of it or give them back agree on: byte offsets in a record in the shared memory, all
 * fields u32. Plain numbers, because both compilers read this file.
 */
/** Where the next block is cut from the present chunk, and the chunk's end. */
export const HEAP_NEXT = 0;
export const HEAP_END = 4;
/** Results: bytes taken, and bytes given back. */
export const HEAP_TAKEN = 8;
export const HEAP_GIVEN = 12;
/** Not 0: blocks that are given back are filled, so that whoever still reads them is found out. */
export const HEAP_POISON = 16;
/** What reading ahead saw: of no use, but a result has to be used for the compiler to leave the reading in. */
export const HEAP_AHEAD = 20;
/** The first free block of each class. */
export const HEAP_LISTS = 24;
