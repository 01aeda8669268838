/**
 * Walking over the canonical text of a jsonb value (operators/expr/json/value.ts): `, ` between items, `: ` behind keys, no other blank outside of strings. A part of it is the
 * canonical text of that part, so what is found is shown where it lies.
 *
 * Addresses are 0 where the text does not go on as such a text does.
 */
import { TEXT_BAIL, TEXT_NULL } from '../text_layout';
import { pointVarlen } from './texts';

const QUOTE: u8 = 34;
const COMMA: u8 = 44;
const BACKSLASH: u8 = 92;
const OPEN_LIST: u8 = 91;
const CLOSE_LIST: u8 = 93;
const OPEN_OBJECT: u8 = 123;
const CLOSE_OBJECT: u8 = 125;

/** Behind the string whose opening quote is before `at`. */
function behindString(at: usize, end: usize): usize {
  for (; at < end; ) {
    const bytes = v128.load(at);
    const found = i8x16.bitmask(
      v128.or(i8x16.eq(bytes, i8x16.splat(QUOTE)), i8x16.eq(bytes, i8x16.splat(BACKSLASH))),
    );
    if (found === 0) {
      at += 16;
      continue;
    }
    at += ctz(found);
    if (at >= end) return 0;
    if (load<u8>(at) === QUOTE) return at + 1;
    at += 2;
  }
  return 0;
}

/** Behind the value that begins at `at`. */
export function behindValue(at: usize, end: usize): usize {
  if (at >= end) return 0;
  const first = load<u8>(at);
  if (first === QUOTE) return behindString(at + 1, end);
  if (first !== OPEN_LIST && first !== OPEN_OBJECT) {
    for (; at < end; at++) {
      const c = load<u8>(at);
      if (c === COMMA || c === CLOSE_LIST || c === CLOSE_OBJECT) break;
    }
    return at;
  }
  let depth: u32 = 0;
  while (at < end) {
    const c = load<u8>(at++);
    if (c === QUOTE) {
      at = behindString(at, end);
      if (at === 0) return 0;
    } else if (c === OPEN_LIST || c === OPEN_OBJECT) depth++;
    else if ((c === CLOSE_LIST || c === CLOSE_OBJECT) && --depth === 0) return at;
  }
  return 0;
}

/** What -> shows of the value in [from, to) (`text` false), or ->>: the slot `out`, TEXT_NULL, or TEXT_BAIL where escapes have to be resolved. */
export function showValue(from: usize, to: usize, text: bool, out: usize): u32 {
  if (text) {
    const first = load<u8>(from);
    if (first === QUOTE) {
      from++;
      to--;
      for (let at = from; at < to; at++) if (load<u8>(at) === BACKSLASH) return TEXT_BAIL;
    } else if (first === 110) return TEXT_NULL;
  }
  pointVarlen(out, from, to);
  return <u32>out;
}

@inline
function bytesOf(slot: usize): usize {
  return load<u32>(slot) <= 12 ? slot + 4 : <usize>load<u32>(slot, 8);
}

/** -> and ->> with a key: `key` are the bytes that it is in a document, with its quotes. */
export function jsonField(slot: usize, key: usize, length: usize, text: bool, out: usize): u32 {
  let at = bytesOf(slot);
  const end = at + load<u32>(slot);
  if (load<u8>(at) !== OPEN_OBJECT) return TEXT_NULL;
  if (load<u8>(++at) === CLOSE_OBJECT) return TEXT_NULL;
  while (at < end) {
    const behind = behindString(at + 1, end);
    if (behind === 0) return TEXT_BAIL;
    const value = behind + 2;
    const next = behindValue(value, end);
    if (next === 0 || next >= end) return TEXT_BAIL;
    if (behind - at === length && memory.compare(at, key, length) === 0) return showValue(value, next, text, out);
    if (load<u8>(next) !== COMMA) return TEXT_NULL;
    at = next + 2;
  }
  return TEXT_BAIL;
}

/** -> and ->> with a number that is not negative. */
export function jsonElement(slot: usize, index: u32, text: bool, out: usize): u32 {
  let at = bytesOf(slot);
  const end = at + load<u32>(slot);
  if (load<u8>(at) !== OPEN_LIST) return load<u8>(at) === OPEN_OBJECT ? TEXT_NULL : TEXT_BAIL;
  if (load<u8>(++at) === CLOSE_LIST) return TEXT_NULL;
  for (; at < end; index--) {
    const next = behindValue(at, end);
    if (next === 0 || next >= end) return TEXT_BAIL;
    if (index === 0) return showValue(at, next, text, out);
    if (load<u8>(next) !== COMMA) return TEXT_NULL;
    at = next + 2;
  }
  return TEXT_BAIL;
}
