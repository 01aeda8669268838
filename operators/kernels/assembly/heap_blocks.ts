/**
 * Blocks of a heap (operators/state/heap.ts), whose free lists lie in a record as heap_layout.ts says. A free block:
 *
 *   | u32 next free block | u32 the fourth one from here when it was freed, or 0 |
 *
 * A list of blocks that were used long ago is a chain of cache misses, each known only after the one before it. The second word, a mere hint, lets four of them
 * overlap: 200 ns a block of 96 bytes became 60 to 100.
 */
import { HEAP_AHEAD, HEAP_END, HEAP_GIVEN, HEAP_LISTS, HEAP_NEXT, HEAP_POISON, HEAP_TAKEN } from '../heap_layout';
import { LARGE_ROOM } from '../key_slot_layout';
import { announce } from './marks';

const FIRST_LARGE: u32 = LARGE_ROOM;
/** The largest block that has a class. */
export const LARGEST: u32 = 65536;

/** Bytes of the class that a block of so many bytes is of: 16, 24, 32, ... 64, then eight sizes a doubling. */
@inline
export function classBytes(length: u32): u32 {
  const units: u32 = (length + 7) & ~7;
  if (units <= 64) return max<u32>(units, 16);
  const step: u32 = 1 << (28 - clz<u32>(units - 1));
  return (units + step - 1) & ~(step - 1);
}

/** Number of the class whose blocks have so many bytes. */
@inline
export function classOf(size: u32): u32 {
  if (size <= 64) return (size >> 3) - 2;
  const power = 31 - clz<u32>(size - 1);
  return 6 + ((power - 6) << 3) + ((size - (1 << power)) >> (power - 3));
}

/** Bytes of the block of a run, by its class (key_slot_layout.ts). */
@inline
export function roomBytes(room: u32): u32 {
  if (room <= 7) return room == 0 ? 0 : (room + 1) << 3;
  if (room < FIRST_LARGE) return (9 + ((room - 8) & 7)) << (3 + ((room - 8) >> 3));
  const large = room - FIRST_LARGE;
  return large < 2 ? (large + 2) << 16 : (4 + ((large - 2) & 3)) << (16 + ((large - 2) >> 2));
}

/** A block for so many bytes, at most LARGEST, announced; 0: the present chunk has no room for it. */
@inline
export function takeBlock(heap: usize, length: u32): usize {
  const size = classBytes(length);
  const free = heap + HEAP_LISTS + (classOf(size) << 2);
  let block: usize = load<u32>(free);
  if (block != 0) {
    store<u32>(free, load<u32>(block));
    // A byte, which is there whatever a hint says that an earlier version left.
    store<u32>(heap, load<u8>(<usize>load<u32>(block, 4)), HEAP_AHEAD);
  } else {
    block = load<u32>(heap, HEAP_NEXT);
    if (block + size > <usize>load<u32>(heap, HEAP_END)) return 0;
    store<u32>(heap, <u32>block + size, HEAP_NEXT);
  }
  store<u32>(heap, load<u32>(heap, HEAP_TAKEN) + size, HEAP_TAKEN);
  announce(block, size);
  return block;
}

/** Makes a block reusable at once. */
@inline
export function giveBlock(heap: usize, block: usize, length: u32): void {
  const size = classBytes(length);
  const free = heap + HEAP_LISTS + (classOf(size) << 2);
  announce(block, size);
  if (load<u32>(heap, HEAP_POISON) != 0) memory.fill(block, 0xdb, size);
  const first: usize = load<u32>(free);
  const second: usize = first == 0 ? 0 : load<u32>(first);
  const third: usize = second == 0 ? 0 : load<u32>(second);
  store<u32>(block, <u32>first);
  store<u32>(block, third == 0 ? 0 : load<u32>(third), 4);
  store<u32>(free, <u32>block);
  store<u32>(heap, load<u32>(heap, HEAP_GIVEN) + size, HEAP_GIVEN);
}
