/**
 * split_part of one text: all fields that a row asks for, in one walk.
 *
 *   64 bytes -> a bit for each separator -> its lowest bit is taken off for every field that is passed over
 *
 * Nearly all texts have the fields that are asked for within 64 bytes. Nothing branches there on where the separators stand: a wrong guess costs as much as a field.
 */
import { PARTS_COUNT, PARTS_FIRST, PARTS_LENGTH, PARTS_SEPARATOR } from '../text_layout';
import { findBytes, lowBits, slotOf } from './texts';

@inline
function places(at: usize, wanted: v128): u64 {
  return <u64>(<u32>i8x16.bitmask(i8x16.eq(v128.load(at), wanted)));
}

/** A bit for each of the bytes from `at` to `end`, 64 at most, that is the wanted one. Loads overlap instead of reaching behind the end. */
@inline
function places64(at: usize, end: usize, wanted: v128): u64 {
  const size = end - at;
  if (size < 16) return <u64>(<u32>(i8x16.bitmask(i8x16.eq(v128.load(at), wanted)) & lowBits(size)));
  const last = min<usize>(size, 64) - 16;
  const second = min<usize>(last, 16);
  const third = min<usize>(last, 32);
  return (
    places(at, wanted) |
    (places(at + second, wanted) << second) |
    (places(at + third, wanted) << third) |
    (places(at + last, wanted) << last)
  );
}

/** Writes the slots of the fields that `parts` (kernels/text_layout.ts) lists, in order, empty where there are fewer. */
export function slotParts(text: usize, parts: usize): void {
  const length: usize = load<u32>(text);
  const from: usize = length <= 12 ? text + 4 : <usize>load<u32>(text, 8);
  const end = from + length;
  const last = parts + PARTS_FIRST + (<usize>load<u32>(parts, PARTS_COUNT) << 3);
  if (load<u32>(parts, PARTS_LENGTH) === 1) {
    let found = places64(from, end, v128.load8_splat(load<u32>(parts, PARTS_SEPARATOR)));
    if ((<u32>(length <= 64) | <u32>(<u32>popcnt(found) >= load<u32>(last - 8))) !== 0) {
      let start = from;
      let field: u32 = 1;
      for (let part = parts + PARTS_FIRST; part < last; part += 8) {
        const n = load<u32>(part);
        if (field !== n) {
          for (field++; field < n; field++) found &= found - 1;
          // Where no bit is left this is behind the end.
          start = min<usize>(from + <usize>ctz(found) + 1, end);
          found &= found - 1;
        }
        v128.store(load<u32>(part, 4), slotOf(start, min<usize>(from + <usize>ctz(found), end)));
      }
      return;
    }
  }
  searchParts(from, end, parts, last);
}

function searchParts(from: usize, end: usize, parts: usize, last: usize): void {
  const separator: usize = load<u32>(parts, PARTS_SEPARATOR);
  const width: usize = load<u32>(parts, PARTS_LENGTH);
  let field: u32 = 1;
  let stop = findBytes(from, end, separator, width);
  for (let part = parts + PARTS_FIRST; part < last; part += 8) {
    const n = load<u32>(part);
    for (; field < n && stop !== 0; field++) {
      from = stop + width;
      stop = findBytes(from, end, separator, width);
    }
    v128.store(load<u32>(part, 4), slotOf(field === n ? from : end, stop === 0 ? end : stop));
  }
}
