/**
 * Searching, cutting and replacing in texts (operators/expr/text/slot_text.ts), 16 bytes a step. UTF-8 is searched bytewise.
 *
 * A load may reach past the text: all 4 GiB of the memory can be read (operators/batch/memory.ts). Only at their end the last bytes are gathered one by one.
 */
import { compareBytes } from './varlen';

/** Last place from which 16 bytes can be loaded. */
const LAST_PLACE: usize = 0xfffffff0;

/** The 16 bytes from `at` on; those from `end` on are anything. */
@inline
export function load16(at: usize, end: usize): v128 {
  return at <= LAST_PLACE ? v128.load(at) : gather16(at, end);
}

function gather16(at: usize, end: usize): v128 {
  let low: u64 = 0;
  let high: u64 = 0;
  for (let shift: u64 = 0; at < end && shift < 64; at++, shift += 8) low |= (<u64>load<u8>(at)) << shift;
  for (let shift: u64 = 0; at < end && shift < 64; at++, shift += 8) high |= (<u64>load<u8>(at)) << shift;
  return i64x2.replace_lane(i64x2.splat(low), 1, high);
}

/** The lowest `n` bits; all for n of 16 and more. */
@inline
export function lowBits(n: usize): i32 {
  return n >= 16 ? 0xffff : (1 << (<i32>n)) - 1;
}

/** First place of the byte in [from, end), or `end`. */
export function findByte(from: usize, end: usize, byte: u8): usize {
  const wanted = i8x16.splat(<i8>byte);
  for (; from < end; from += 16) {
    const found = i8x16.bitmask(i8x16.eq(load16(from, end), wanted));
    if (found !== 0) return min<usize>(from + ctz(found), end);
  }
  return end;
}

/** Whether the needle stands at `at`, which is not too near to `end`. */
@inline
function standsAt(at: usize, end: usize, needle: usize, length: usize): bool {
  const bits = lowBits(length);
  const same = i8x16.bitmask(i8x16.eq(load16(at, end), load16(needle, needle + length)));
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
    let same = i8x16.eq(load16(at, end), first);
    if (length > 1) same = v128.and(same, i8x16.eq(load16(at + length - 1, end), last));
    let found = i8x16.bitmask(same) & lowBits(places - at);
    for (; found !== 0; found &= found - 1) {
      const place = at + ctz(found);
      if (length <= 2 || standsAt(place, end, needle, length)) return place;
    }
  }
  return 0;
}

/** How often the needle stands in [from, end), counted from the left without overlaps. */
export function countBytes(from: usize, end: usize, needle: usize, length: usize): u32 {
  let count: u32 = 0;
  if (length > 1) {
    for (let at = findBytes(from, end, needle, length); at !== 0; at = findBytes(at + length, end, needle, length)) count++;
    return count;
  }
  const wanted = i8x16.splat(load<i8>(needle));
  for (; from + 16 <= end; from += 16) count += popcnt(i8x16.bitmask(i8x16.eq(v128.load(from), wanted)));
  if (from < end)
    count += popcnt(i8x16.bitmask(i8x16.eq(load16(from, end), wanted)) & lowBits(end - from));
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
  if (from < end) count += popcnt(i8x16.bitmask(i8x16.ge_s(load16(from, end), first)) & lowBits(end - from));
  return count;
}

export function isAscii(from: usize, end: usize): bool {
  if (end - from >= 16) {
    let all = v128.load(end - 16);
    for (; from + 16 <= end; from += 16) all = v128.or(all, v128.load(from));
    return i8x16.bitmask(all) === 0;
  }
  for (; from < end; from += 16) if ((i8x16.bitmask(load16(from, end)) & lowBits(end - from)) !== 0) return false;
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
    const bytes = load16(from, end);
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
      let found = i8x16.bitmask(i8x16.eq(load16(at, end), wanted)) & lowBits(end - at);
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

/** The slot that shows the bytes [from, end), as operators/batch/slots.ts has it. */
@inline
export function slotOf(from: usize, end: usize): v128 {
  const length = <u32>(end - from);
  const head = i32x4.replace_lane(i32x4.splat(0), 3, <i32>length);
  let body: v128;
  if (length > 12) body = i32x4.replace_lane(v128.load32_zero(from), 1, <i32>from);
  else {
    const places = i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    body = v128.and(load16(from, end), i8x16.lt_u(places, i8x16.splat(<i8>length)));
  }
  return i8x16.shuffle(head, body, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27);
}

/** In one store: what is loaded from the slot soon afterwards need not wait for several. */
export function pointVarlen(slot: usize, from: usize, end: usize): void {
  v128.store(slot, slotOf(from, end));
}
