/**
 * Searching, cutting and replacing in texts (operators/expr/text/slot_text.ts), 16 bytes a step. UTF-8 is searched bytewise.
 *
 * A load may reach past the text, by less than a page: nothing lies in the last page of the memory (operators/batch/memory.ts).
 */
import { compareBytes } from './varlen';

/** The lowest `n` bits; all for n of 16 and more. */
@inline
export function lowBits(n: usize): i32 {
  return n >= 16 ? 0xffff : (1 << (<i32>n)) - 1;
}

/** First place of the byte in [from, end), or `end`. */
export function findByte(from: usize, end: usize, byte: u8): usize {
  const wanted = i8x16.splat(<i8>byte);
  for (; from < end; from += 16) {
    const found = i8x16.bitmask(i8x16.eq(v128.load(from), wanted));
    if (found !== 0) return min<usize>(from + ctz(found), end);
  }
  return end;
}

/** Whether the needle stands at `at`, which is not too near to `end`. */
@inline
function standsAt(at: usize, end: usize, needle: usize, length: usize): bool {
  const bits = lowBits(length);
  const same = i8x16.bitmask(i8x16.eq(v128.load(at), v128.load(needle)));
  return (same & bits) === bits && (length <= 16 || compareBytes(at + 16, needle + 16, <u32>length - 16) === 0);
}

/** First place of a needle of at least one byte in [from, end); 0 when there is none. Its first and last byte are looked for together. */
export function findBytes(from: usize, end: usize, needle: usize, length: usize): usize {
  if (from + length > end) return 0;
  const places = end - length + 1;
  const first = i8x16.splat(load<i8>(needle));
  const last = i8x16.splat(load<i8>(needle + length - 1));
  let at = from;
  // As long as 16 places and the needles that begin there lie within the text, nothing has to be masked.
  for (; at + length + 15 <= end; at += 16) {
    let found = i8x16.bitmask(
      v128.and(i8x16.eq(v128.load(at), first), i8x16.eq(v128.load(at + length - 1), last)),
    );
    for (; found !== 0; found &= found - 1) {
      const place = at + ctz(found);
      if (length <= 2 || standsAt(place, end, needle, length)) return place;
    }
  }
  for (; at < places; at += 16) {
    let same = i8x16.eq(v128.load(at), first);
    if (length > 1) same = v128.and(same, i8x16.eq(v128.load(at + length - 1), last));
    let found = i8x16.bitmask(same) & lowBits(places - at);
    for (; found !== 0; found &= found - 1) {
      const place = at + ctz(found);
      if (length <= 2 || standsAt(place, end, needle, length)) return place;
    }
  }
  return 0;
}

/** The lowest `n` bits; all for n of 64 and more. */
@inline
export function lowBits64(n: usize): u64 {
  return select<u64>(~(<u64>0), (<u64>1 << (<u64>n)) - 1, n >= 64);
}

/** A bit for each of 64 bytes that is the wanted one. */
@inline
export function equal64(at: usize, wanted: v128): u64 {
  return (
    <u64>(<u32>i8x16.bitmask(i8x16.eq(v128.load(at), wanted))) |
    (<u64>(<u32>i8x16.bitmask(i8x16.eq(v128.load(at, 16), wanted))) << 16) |
    (<u64>(<u32>i8x16.bitmask(i8x16.eq(v128.load(at, 32), wanted))) << 32) |
    (<u64>(<u32>i8x16.bitmask(i8x16.eq(v128.load(at, 48), wanted))) << 48)
  );
}

/**
 * How often the byte stands in [from, end). Nothing branches on where a text of 17 to 128 bytes ends: a wrong guess, one for every other text of about 64, costs as much as counting these.
 */
@inline
function countByte(from: usize, end: usize, byte: u8): u32 {
  const wanted = i8x16.splat(<i8>byte);
  let left = end - from;
  if (left <= 16) return popcnt(i8x16.bitmask(i8x16.eq(v128.load(from), wanted)) & lowBits(left));
  let count: u64 = 0;
  for (; left > 128; left -= 64, from += 64) count += popcnt(equal64(from, wanted));
  count += popcnt(equal64(from, wanted) & lowBits64(left));
  count += popcnt(equal64(from + 64, wanted) & lowBits64(select<usize>(left - 64, 0, left > 64)));
  return <u32>count;
}

/** How often the needle stands in [from, end), counted from the left without overlaps. */
@inline
export function countBytes(from: usize, end: usize, needle: usize, length: usize): u32 {
  if (length === 1) return countByte(from, end, load<u8>(needle));
  let count: u32 = 0;
  for (let at = findBytes(from, end, needle, length); at !== 0; at = findBytes(at + length, end, needle, length)) count++;
  return count;
}

@inline
function copyShort(to: usize, from: usize, end: usize): usize {
  for (; from + 8 <= end; from += 8, to += 8) store<u64>(to, load<u64>(from));
  for (; from < end; from++, to++) store<u8>(to, load<u8>(from));
  return to;
}

/** Writes [from, end) with every needle as the bytes of `insert` to `to`, where there is room for exactly that. */
export function replaceBytes(
  from: usize,
  end: usize,
  needle: usize,
  length: usize,
  insert: usize,
  insertLength: usize,
  to: usize,
): void {
  for (let at = findBytes(from, end, needle, length); at !== 0; at = findBytes(from, end, needle, length)) {
    to = copyShort(to, from, at);
    to = copyShort(to, insert, insert + insertLength);
    from = at + length;
  }
  copyShort(to, from, end);
}

/** Characters of UTF-8: bytes that do not continue one. */
export function countCharacters(from: usize, end: usize): u32 {
  let count: u32 = 0;
  const first = i8x16.splat(-64);
  for (; from + 16 <= end; from += 16) count += popcnt(i8x16.bitmask(i8x16.ge_s(v128.load(from), first)));
  if (from < end) count += popcnt(i8x16.bitmask(i8x16.ge_s(v128.load(from), first)) & lowBits(end - from));
  return count;
}

export function isAscii(from: usize, end: usize): bool {
  if (end - from >= 16) {
    let all = v128.load(end - 16);
    for (; from + 16 <= end; from += 16) all = v128.or(all, v128.load(from));
    return i8x16.bitmask(all) === 0;
  }
  for (; from < end; from += 16) if ((i8x16.bitmask(v128.load(from)) & lowBits(end - from)) !== 0) return false;
  return true;
}

@inline
export function inCase(bytes: v128, first: i32): v128 {
  return i8x16.lt_u(i8x16.sub(bytes, i8x16.splat(<i8>first)), i8x16.splat(26));
}

/** -1 when the bytes are not all ASCII, else whether any is a letter of the case that begins with `first` ('A' or 'a'). */
export function casesOf(from: usize, end: usize, first: i32): i32 {
  let any = 0;
  for (; from < end; from += 16) {
    const bytes = v128.load(from);
    const bits = lowBits(end - from);
    if ((i8x16.bitmask(bytes) & bits) !== 0) return -1;
    any |= i8x16.bitmask(inCase(bytes, first)) & bits;
  }
  return any === 0 ? 0 : 1;
}

/** Writes the ASCII bytes [from, end) to `to` with the letters of that case changed to the other. */
export function changeCase(from: usize, end: usize, first: i32, to: usize): void {
  const bit = i8x16.splat(0x20);
  for (; from + 16 <= end; from += 16, to += 16) {
    const bytes = v128.load(from);
    v128.store(to, v128.xor(bytes, v128.and(inCase(bytes, first), bit)));
  }
  for (; from < end; from++, to++) {
    const c = <u32>load<u8>(from);
    store<u8>(to, c - <u32>first < 26 ? c ^ 0x20 : c);
  }
}

/** Where split_part is in a text: u32 number of the field at `start`, its start, start of the text, end of the text. */
const CURSOR_FIELD: usize = 0;
const CURSOR_START: usize = 4;
const CURSOR_TEXT: usize = 8;
const CURSOR_END: usize = 12;

/** Writes the varlen slot of field n (1-based) of the cursor's text, empty when there are fewer. Goes on from the field found last. */
export function splitPart(cursor: usize, separator: usize, length: usize, n: u32, out: usize): void {
  const end: usize = load<u32>(cursor, CURSOR_END);
  let field = load<u32>(cursor, CURSOR_FIELD);
  let start: usize = load<u32>(cursor, CURSOR_START);
  if (n < field) {
    field = 1;
    start = load<u32>(cursor, CURSOR_TEXT);
  }
  let stop: usize = 0;
  if (length === 1) {
    // Separators close to each other come from one load.
    const wanted = i8x16.splat(load<i8>(separator));
    for (let at = start; at < end && stop === 0; at += 16) {
      let found = i8x16.bitmask(i8x16.eq(v128.load(at), wanted)) & lowBits(end - at);
      for (; found !== 0; found &= found - 1) {
        const place = at + ctz(found);
        if (field === n) {
          stop = place;
          break;
        }
        field++;
        start = place + 1;
      }
    }
  } else {
    stop = findBytes(start, end, separator, length);
    for (; field < n && stop !== 0; field++) {
      start = stop + length;
      stop = findBytes(start, end, separator, length);
    }
  }
  store<u32>(cursor, field, CURSOR_FIELD);
  store<u32>(cursor, start, CURSOR_START);
  if (field < n) pointVarlen(out, end, end);
  else pointVarlen(out, start, stop === 0 ? end : stop);
}

/**
 * The slot that shows the bytes [from, end), as operators/batch/slots.ts has it. They are loaded where they stand in a slot, four bytes behind its start: what is
 * before them in memory gives way to the length.
 */
@inline
export function slotOf(from: usize, end: usize): v128 {
  const length = <i32>(end - from);
  if (length > 12) {
    return i32x4.replace_lane(i32x4.replace_lane(v128.load64_zero(from - 4), 0, length), 2, <i32>from);
  }
  const places = i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const bytes = v128.and(v128.load(from - 4), i8x16.gt_s(i8x16.splat(<i8>(length + 4)), places));
  return i32x4.replace_lane(bytes, 0, length);
}

/** In one store: what is loaded from the slot soon afterwards need not wait for several. */
export function pointVarlen(slot: usize, from: usize, end: usize): void {
  v128.store(slot, slotOf(from, end));
}
