/** Texts and raw JSON into varlen slots, which point to where the text stands in the message; texts with escapes are written anew in scratch memory. */
import { hexDigit, plainEnd, stop } from './bytes';
import { skipValue } from './skip';

/** Free memory for texts with escapes, set by the caller; `scratchFull`: a text did not fit. */
export let scratch: usize = 0;
let scratchEnd: usize = 0;
export let scratchFull: bool = false;

export function setScratch(from: usize, to: usize): void {
  scratch = from;
  scratchEnd = to;
  scratchFull = false;
}

/** The varlen slot of bytes that lie at `address` (operators/batch/slots.ts); 16 bytes from there on can be read. */
export function pointText(slot: usize, address: usize, length: u32): void {
  if (length > 12) {
    store<u64>(slot, <u64>length | ((<u64>load<u32>(address)) << 32));
    store<u64>(slot, <u64>address, 8);
    return;
  }
  const places = i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const text = v128.and(v128.load(address), i8x16.lt_u(places, i8x16.splat(<i8>length)));
  store<u32>(slot, length);
  store<u64>(slot, i64x2.extract_lane(text, 0), 4);
  store<u32>(slot, i32x4.extract_lane(text, 2), 12);
}

/** A string, or any other value as it is written. What is not a string without escapes is left to a function apart, so that this one can stand in the scanner's loop. */
@inline
export function readText(p: usize, slot: usize): usize {
  if (load<u8>(p) === 34) {
    const start = p + 1;
    const end = plainEnd(start);
    if (load<u8>(end) === 34) {
      pointText(slot, start, <u32>(end - start));
      return end + 1;
    }
  }
  return readOddText(p, slot);
}

function readOddText(p: usize, slot: usize): usize {
  if (load<u8>(p) !== 34) {
    const end = skipValue(p);
    if (end !== 0) pointText(slot, p, <u32>(end - p));
    return end;
  }
  const start = p + 1;
  const end = plainEnd(start);
  return load<u8>(end) === 92 && end < stop ? readEscaped(start, end, slot) : 0;
}

/** What \c stands for, 0 for no escape. */
function simpleEscape(c: u32): u32 {
  switch (c) {
    case 34:
    case 92:
    case 47:
      return c;
    case 98:
      return 8;
    case 102:
      return 12;
    case 110:
      return 10;
    case 114:
      return 13;
    case 116:
      return 9;
    default:
      return 0;
  }
}

/** The string from `start` on, whose first escape is at p, unescaped into the scratch memory. */
function readEscaped(start: usize, p: usize, slot: usize): usize {
  const to = scratch;
  let at = to;
  let from = start;
  while (true) {
    // Bytes from .. p are plain; p is at a backslash, the closing quote, or something that no string has.
    if (at + (p - from) + 16 > scratchEnd) {
      scratchFull = true;
      return 0;
    }
    memory.copy(at, from, p - from);
    at += p - from;
    if (p >= stop) return 0;
    const c = load<u8>(p);
    if (c === 34) break;
    if (c !== 92) return 0;
    const kind: u32 = load<u8>(p, 1);
    if (kind === 117) {
      const code = unicodeEscape(p);
      if (code <= 0) return 0;
      p += code > 0xffff ? 12 : 6;
      at = putCodePoint(at, code);
    } else {
      const plain = simpleEscape(kind);
      if (plain === 0) return 0;
      store<u8>(at++, plain);
      p += 2;
    }
    from = p;
    p = plainEnd(p);
  }
  pointText(slot, to, <u32>(at - to));
  scratch = (at + 15) & ~15;
  return p + 1;
}

/** Code point of \uXXXX or of a surrogate pair at p; 0 or less for what a text can't hold. */
function unicodeEscape(p: usize): i32 {
  const unit = hex4(p + 2);
  if (unit < 0xd800 || unit > 0xdfff) return unit;
  if (unit > 0xdbff || load<u16>(p, 6) !== 0x755c) return -1;
  const low = hex4(p + 8);
  if (low < 0xdc00 || low > 0xdfff) return -1;
  return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
}

function hex4(p: usize): i32 {
  let value = 0;
  for (let i: usize = 0; i < 4; i++) {
    const digit = hexDigit(load<u8>(p + i));
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

function putCodePoint(at: usize, code: u32): usize {
  if (code < 0x80) {
    store<u8>(at, code);
    return at + 1;
  }
  if (code < 0x800) {
    store<u8>(at, 0xc0 | (code >> 6));
    store<u8>(at, 0x80 | (code & 63), 1);
    return at + 2;
  }
  if (code < 0x10000) {
    store<u8>(at, 0xe0 | (code >> 12));
    store<u8>(at, 0x80 | ((code >> 6) & 63), 1);
    store<u8>(at, 0x80 | (code & 63), 2);
    return at + 3;
  }
  store<u8>(at, 0xf0 | (code >> 18));
  store<u8>(at, 0x80 | ((code >> 12) & 63), 1);
  store<u8>(at, 0x80 | ((code >> 6) & 63), 2);
  store<u8>(at, 0x80 | (code & 63), 3);
  return at + 4;
}

/** The value as it stands, for json columns; a string with escapes is refused, because its escapes are resolved. */
export function readRaw(p: usize, slot: usize): usize {
  const end = skipValue(p);
  if (end === 0) return 0;
  if (load<u8>(p) === 34) for (let i = p; i < end; i++) if (load<u8>(i) === 92) return 0;
  pointText(slot, p, <u32>(end - p));
  return end;
}
