/** string_to_array: the parts of a text as the bytes of an array of texts (operators/batch/composite.ts). */
import { TAG_ARRAY, TAG_TEXT } from '../composite_layout';
import { findBytes } from './texts';

/** OID of the items' type. */
const TEXT: u32 = 25;

@inline
function putPart(to: usize, from: usize, end: usize): usize {
  store<u8>(to, TAG_TEXT);
  store<u32>(to + 1, <u32>(end - from));
  memory.copy(to + 5, from, end - from);
  return to + 5 + (end - from);
}

/** Of [from, end) with `count` separators of at least one byte in it; `to` has room for 17 bytes, 5 for each part, and those of the parts. */
export function splitArray(from: usize, end: usize, separator: usize, length: usize, count: u32, to: usize): void {
  store<u8>(to, TAG_ARRAY);
  store<u32>(to + 1, TEXT);
  store<u32>(to + 5, 1);
  store<u32>(to + 9, count + 1);
  store<u32>(to + 13, 1);
  to += 17;
  for (; count > 0; count--) {
    const at = findBytes(from, end, separator, length);
    to = putPart(to, from, at);
    from = at + length;
  }
  putPart(to, from, end);
}
