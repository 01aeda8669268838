/**
 * Gives rows that were just stored their own copies of their long texts, in blocks of the owner's heap (operators/state/heap.ts): the next free block of the
 * size's class, or else one cut from the present chunk. A call from JavaScript for each text was most of what storing a row cost.
 */
import { HEAP_END, HEAP_LISTS, HEAP_NEXT, HEAP_TAKEN } from '../heap_layout';
import { classBytes, classOf, LARGEST } from './heap_blocks';
import { announce } from './marks';

/** At least 13 bytes; nothing beyond them is read. */
@inline
function copyText(to: usize, from: usize, length: u32): void {
  if (length < 16) {
    const last = length - 8;
    const tail = load<u64>(from + last);
    store<u64>(to, load<u64>(from));
    store<u64>(to + last, tail);
    return;
  }
  const last = length - 16;
  for (let at: u32 = 0; at < last; at += 16) v128.store(to + at, v128.load(from + at));
  v128.store(to + last, v128.load(from + last));
}

/**
 * Does the slots `from` .. `count` of the list, which hold shallow copies of texts of more than 12 bytes; gives the number of the first one that is not for it: an odd address
 * (a numeric), a text of more than a page, or one for which the chunk has no room.
 */
export function ownTexts(list: usize, from: u32, count: u32, heap: usize): u32 {
  for (let i = from; i < count; i++) {
    const slot: usize = load<u32>(list + (i << 2));
    if ((slot & 1) != 0) return i;
    const length = load<u32>(slot);
    if (length > LARGEST) return i;
    const size = classBytes(length);
    const free = heap + HEAP_LISTS + (classOf(size) << 2);
    let block: usize = load<u32>(free);
    if (block != 0) store<u32>(free, load<u32>(block));
    else {
      block = load<u32>(heap, HEAP_NEXT);
      if (block + size > <usize>load<u32>(heap, HEAP_END)) return i;
      store<u32>(heap, <u32>block + size, HEAP_NEXT);
    }
    store<u32>(heap, load<u32>(heap, HEAP_TAKEN) + size, HEAP_TAKEN);
    announce(block, size);
    copyText(block, load<u32>(slot, 8), length);
    store<u32>(slot, <u32>block, 8);
  }
  return count;
}
