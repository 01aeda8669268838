/**
 * split_part of one text: all fields that a row asks for, in one walk.
 *
 *   64 bytes -> a bit for each separator -> its lowest bit is taken off for every field that is passed over
 *
 * Nearly all texts have the fields that are asked for within 64 bytes. Nothing branches there on where the separators stand: a wrong guess costs as much as a field.
 */
import { PARTS_COUNT, PARTS_FIRST, PARTS_LENGTH, PARTS_SEPARATOR } from '../text_layout';
import { equal64, findBytes, lowBits64, slotOf } from './texts';

/** Writes the slots of the fields that `parts` (kernels/text_layout.ts) lists, in order, empty where there are fewer. */
export function slotParts(text: usize, parts: usize): void {
  const length: usize = load<u32>(text);
  const from: usize = length <= 12 ? text + 4 : <usize>load<u32>(text, 8);
  const end = from + length;
  const last = parts + PARTS_FIRST + (<usize>load<u32>(parts, PARTS_COUNT) << 3);
  if (load<u32>(parts, PARTS_LENGTH) === 1) {
    let found = equal64(from, v128.load8_splat(load<u32>(parts, PARTS_SEPARATOR))) & lowBits64(length);
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
