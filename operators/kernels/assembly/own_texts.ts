/**
 * Gives rows that were just stored their own copies of their long texts, in blocks of the owner's heap (operators/state/heap.ts): the next free block of the
 * size's class, or else one cut from the present chunk. A call from JavaScript for each text was most of what storing a row cost.
 */
import { HEAP_AHEAD } from '../heap_layout';
import { LARGEST, takeBlock } from './heap_blocks';
import { INLINE } from './varlen';

/** Texts that are touched at once: they stay in the second-level cache until they are copied. */
const STRETCH: u32 = 256;

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
 * Reads a byte at both ends of the texts in these slots of the list, so that as many loads are on their way at once as the processor can have: copies, whose steps depend
 * on the length, wait for one text after the other. Gives a sum, lest a compiler leave the reading out.
 */
@inline
function touchListed(list: usize, from: u32, to: u32): u32 {
  let sum: u32 = 0;
  for (let i = from; i < to; i++) {
    const slot: usize = load<u32>(list + (i << 2)) & ~1;
    const text: usize = load<u32>(slot, 8);
    sum += <u32>load<u8>(text) + <u32>load<u8>(text + load<u32>(slot) - 1);
  }
  return sum;
}

/**
 * Does the slots `from` .. `count` of the list, which hold shallow copies of texts of more than 12 bytes; gives the number of the first one that is not for it: an odd address
 * (a numeric), a text of more than a page, or one for which the chunk has no room.
 */
export function ownTexts(list: usize, from: u32, count: u32, heap: usize): u32 {
  for (let i = from; i < count; ) {
    const to = min(i + STRETCH, count);
    store<u32>(heap, touchListed(list, i, to), HEAP_AHEAD);
    for (; i < to; i++) {
      const slot: usize = load<u32>(list + (i << 2));
      if ((slot & 1) != 0) return i;
      const length = load<u32>(slot);
      if (length > LARGEST) return i;
      const block = takeBlock(heap, length);
      if (block == 0) return i;
      copyText(block, load<u32>(slot, 8), length);
      store<u32>(slot, <u32>block, 8);
    }
  }
  return count;
}

/** Lists the texts of more than 12 bytes in the slots that rows `fresh` made; `texts`: `count` words, where in a slot texts are. Gives their number. */
export function longTexts(slots: usize, fresh: usize, made: u32, texts: usize, count: u32, list: usize): u32 {
  const end = texts + (count << 2);
  let n: u32 = 0;
  for (let i: u32 = 0; i < made; i++) {
    const slot: usize = load<u32>(slots + (load<u32>(fresh + (i << 2)) << 2));
    for (let at = texts; at < end; at += 4) {
      const text = slot + load<u32>(at);
      if (load<u32>(text) > INLINE) store<u32>(list + (n++ << 2), <u32>text);
    }
  }
  return n;
}
