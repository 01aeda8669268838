/**
 * Functions of texts in varlen slots, for kernels that are WebAssembly themselves (operators/expr/kernel/wasm): what operators/expr/text/slot_text.ts
 * does around the functions of texts.ts. A call from WebAssembly costs 2 ns, from JavaScript with the slots looked at there 15 to 30.
 *
 * A function that makes a text gives the address of its slot: `out`, or an argument where that is the answer; or one of the two below.
 */
import { REGEX_SPANS, SEARCH_FOUND, SEARCH_NONE } from '../regex_layout';
import { ROOM_END, ROOM_NEEDED, ROOM_NEXT, TEXT_BAIL, TEXT_ROOM } from '../text_layout';
import { searchOnePass } from './regex';
import { casesOf, changeCase, countBytes, countCharacters, inCase, pointVarlen, replaceBytes } from './texts';

@inline
function lengthOf(slot: usize): usize {
  return load<u32>(slot);
}

@inline
function bytesOf(slot: usize, length: usize): usize {
  return length <= 12 ? slot + 4 : <usize>load<u32>(slot, 8);
}

/** Memory for the bytes of a text of more than 12; 0 when there is none, and notes how much was wanted. */
function take(room: usize, length: usize): usize {
  const at: usize = load<u32>(room, ROOM_NEXT);
  const next = (at + length + 15) & ~15;
  if (at === 0 || next > <usize>load<u32>(room, ROOM_END)) {
    store<u32>(room, <u32>length, ROOM_NEEDED);
    return 0;
  }
  store<u32>(room, <u32>next, ROOM_NEXT);
  return at;
}

/** lower and upper: `first` is the code of the first letter to change. Other characters than ASCII bail. */
export function slotCase(text: usize, first: i32, out: usize, room: usize): u32 {
  const length = lengthOf(text);
  if (length <= 12) {
    // The length, zeros behind the text: no letters.
    const slot = v128.load(text);
    if (i8x16.bitmask(slot) !== 0) return TEXT_BAIL;
    v128.store(out, v128.xor(slot, v128.and(inCase(slot, first), i8x16.splat(0x20))));
    return <u32>out;
  }
  const from = bytesOf(text, length);
  const cases = casesOf(from, from + length, first);
  if (cases < 0) return TEXT_BAIL;
  if (cases === 0) return <u32>text;
  const to = take(room, length);
  if (to === 0) return TEXT_ROOM;
  changeCase(from, from + length, first, to);
  pointVarlen(out, to, to + length);
  return <u32>out;
}

export function slotCharacters(text: usize): u32 {
  const length = lengthOf(text);
  const from = bytesOf(text, length);
  return countCharacters(from, from + length);
}

/** How often a text of at least one byte stands in the text, as slotReplace() would find it. */
export function slotOccurrences(text: usize, wanted: usize): u32 {
  const length = lengthOf(text);
  const from = bytesOf(text, length);
  const needleLength = lengthOf(wanted);
  return countBytes(from, from + length, bytesOf(wanted, needleLength), needleLength);
}

export function slotsEqual(a: usize, b: usize): bool {
  // Length and first four bytes.
  if (load<u64>(a) !== load<u64>(b)) return false;
  const length = lengthOf(a);
  if (length <= 12) return load<u64>(a, 8) === load<u64>(b, 8);
  return memory.compare(load<u32>(a, 8), load<u32>(b, 8), length) === 0;
}

/** Every `from` in the text as `to`. */
export function slotReplace(text: usize, from: usize, to: usize, out: usize, room: usize): u32 {
  const needleLength = lengthOf(from);
  if (needleLength === 0) return <u32>text;
  const length = lengthOf(text);
  const begin = bytesOf(text, length);
  const end = begin + length;
  const needle = bytesOf(from, needleLength);
  const count = countBytes(begin, end, needle, needleLength);
  if (count === 0) return <u32>text;
  const insertLength = lengthOf(to);
  const total: i64 = <i64>length + <i64>count * (<i64>insertLength - <i64>needleLength);
  if (total > 0x3ffffff0) return TEXT_BAIL;
  let result = out + 4;
  if (total > 12) {
    result = take(room, <usize>total);
    if (result === 0) return TEXT_ROOM;
  } else {
    store<u64>(out, 0);
    store<u64>(out, 0, 8);
  }
  replaceBytes(begin, end, needle, needleLength, bytesOf(to, insertLength), insertLength, result);
  if (total > 12) pointVarlen(out, result, result + <usize>total);
  else store<u32>(out, <u32>total);
  return <u32>out;
}

/** Searches the text with a one-pass expression: 1 found, 0 not, TEXT_BAIL where the kernel cannot say. */
export function slotSearch(program: usize, text: usize): u32 {
  const length = lengthOf(text);
  const from = bytesOf(text, length);
  const outcome = searchOnePass(program, from, from + length);
  if (outcome === SEARCH_FOUND) return 1;
  return outcome === SEARCH_NONE ? 0 : TEXT_BAIL;
}

/** The slot of a group of the match found in the text; 0 where it took no part. */
export function slotGroup(program: usize, group: u32, text: usize, out: usize): u32 {
  const span: usize = <usize>load<u32>(program, REGEX_SPANS) + (<usize>group << 3);
  const first = load<i32>(span);
  if (first < 0) return 0;
  const from = bytesOf(text, lengthOf(text));
  pointVarlen(out, from + first, from + load<i32>(span, 4));
  return <u32>out;
}
