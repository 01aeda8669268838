/**
 * One row for each item of arrays or jsonb arrays: unnest() and jsonb_array_elements() of a column (operators/item_rows.ts). Texts and documents are shown where they lie in the
 * array's bytes.
 *
 *   item, FROM        column of items, and for each the row of the input, by which the other columns are picked
 *
 * The kernel goes on where it stopped. What it does not take (items that are not of the column's kind, wide numerics, escapes that have to be resolved, what is no array) it leaves to the
 * interpreter, also in the midst of a row.
 */
import * as tags from '../composite_layout';
import * as layout from '../items_layout';
import { behindValue, showValue } from './json_text';
import { TEXT_BAIL, TEXT_NULL } from '../text_layout';
import { pointVarlen } from './texts';

/** Digits of a numeric that always fit 63 bits. */
const DIGITS: u32 = 18;

/** NULL's slot is zeros. */
@inline
function putNull(kind: i32, data: usize, valid: usize, row: u32): void {
  store<u8>(valid + row, 0);
  if (kind === layout.ITEM_BOOL) store<u8>(data + row, 0);
  else if (kind === layout.ITEM_I32) store<u32>(data + (row << 2), 0);
  else if (kind === layout.ITEM_I64 || kind === layout.ITEM_F64) store<u64>(data + (row << 3), 0);
  else v128.store(data + (row << 4), i64x2.splat(0));
}

/** Mantissa and scale as a numeric's slot; 0 where it is none of few digits, else the address behind. */
function putNumeric(at: usize, slot: usize): usize {
  const scale = load<u32>(at);
  const length = load<u32>(at, 4);
  at += 8;
  const end = at + length;
  const negative = load<u8>(at) === 45;
  if (negative) at++;
  if (at >= end || end - at > DIGITS || scale > 0xffff) return 0;
  let m: i64 = 0;
  for (; at < end; at++) {
    const digit = <u32>load<u8>(at) - 48;
    if (digit > 9) return 0;
    m = m * 10 + digit;
  }
  store<i64>(slot, negative ? -m : m);
  store<u64>(slot, scale, 8);
  return end;
}

/** Writes the item of an array at `at`; gives the address behind, 0 where it is not of the kind. */
@inline
function putItem(at: usize, kind: i32, data: usize, valid: usize, row: u32): usize {
  const tag: i32 = load<u8>(at++);
  if (tag === tags.TAG_NULL) {
    putNull(kind, data, valid, row);
    return at;
  }
  store<u8>(valid + row, 1);
  switch (kind) {
    case layout.ITEM_BOOL:
      if (tag !== tags.TAG_FALSE && tag !== tags.TAG_TRUE) return 0;
      store<u8>(data + row, tag === tags.TAG_TRUE ? 1 : 0);
      return at;
    case layout.ITEM_I32:
      if (tag !== tags.TAG_INT) return 0;
      store<u32>(data + (row << 2), load<u32>(at));
      return at + 4;
    case layout.ITEM_I64:
      if (tag !== tags.TAG_BIGINT) return 0;
      store<u64>(data + (row << 3), load<u64>(at));
      return at + 8;
    case layout.ITEM_F64:
      if (tag === tags.TAG_INT) {
        store<f64>(data + (row << 3), <f64>load<i32>(at));
        return at + 4;
      }
      if (tag !== tags.TAG_FLOAT) return 0;
      store<u64>(data + (row << 3), load<u64>(at));
      return at + 8;
    case layout.ITEM_NUMERIC:
      return tag === tags.TAG_NUMERIC ? putNumeric(at, data + (row << 4)) : 0;
    default: {
      if (tag !== tags.TAG_TEXT && tag !== tags.TAG_BYTES) return 0;
      const end = at + 4 + load<u32>(at);
      pointVarlen(data + (row << 4), at + 4, end);
      return end;
    }
  }
}

/** Begins the row: its first item and its end, and whether or how many there are; false where it is no array. */
function begin(items: usize, row: u32): bool {
  const valid: usize = load<u32>(items, layout.ITEMS_VALID);
  store<u32>(items, 0, layout.ITEMS_ORDINAL);
  store<u32>(items, 0, layout.ITEMS_REST);
  if (valid !== 0 && load<u8>(valid + row) === 0) {
    store<u32>(items, 1, layout.ITEMS_AT);
    return true;
  }
  const slot: usize = <usize>load<u32>(items, layout.ITEMS_DATA) + (row << 4);
  const length = load<u32>(slot);
  const from = length <= 12 ? slot + 4 : <usize>load<u32>(slot, 8);
  store<u32>(items, <u32>(from + length), layout.ITEMS_END);
  if (load<i32>(items, layout.ITEMS_KIND) >= layout.ITEM_JSON) {
    if (length < 2 || load<u8>(from) !== 91) return false;
    store<u32>(items, <u32>from + 1, layout.ITEMS_AT);
    store<u32>(items, load<u8>(from, 1) === 93 ? 0 : 1, layout.ITEMS_REST);
    return true;
  }
  if (load<u8>(from) !== tags.TAG_ARRAY) return false;
  const depth = load<u32>(from, 5);
  let count: u32 = depth === 0 ? 0 : 1;
  for (let i: u32 = 0; i < depth; i++) count *= load<u32>(from + 9 + (i << 2));
  store<u32>(items, <u32>from + 9 + (depth << 3), layout.ITEMS_AT);
  store<u32>(items, count, layout.ITEMS_REST);
  return true;
}

export function itemRows(items: usize): u32 {
  const rows = load<u32>(items, layout.ITEMS_ROWS);
  const kind = load<i32>(items, layout.ITEMS_KIND);
  const room = load<u32>(items, layout.ITEMS_ROOM);
  const left = load<u32>(items, layout.ITEMS_LEFT) !== 0;
  const from: usize = load<u32>(items, layout.ITEMS_FROM);
  const data: usize = load<u32>(items, layout.ITEMS_ITEM);
  const valid: usize = load<u32>(items, layout.ITEMS_ITEM_VALID);
  const numbers: usize = load<u32>(items, layout.ITEMS_NUMBER);
  const numbersValid: usize = load<u32>(items, layout.ITEMS_NUMBER_VALID);
  let out = load<u32>(items, layout.ITEMS_OUT);
  let row = load<u32>(items, layout.ITEMS_ROW);
  let reason: u32 = layout.ITEMS_DONE;
  for (; row < rows; row++) {
    if (load<u32>(items, layout.ITEMS_AT) === 0 && !begin(items, row)) {
      reason = layout.ITEMS_ODD;
      break;
    }
    let at: usize = load<u32>(items, layout.ITEMS_AT);
    const end: usize = load<u32>(items, layout.ITEMS_END);
    let rest = load<u32>(items, layout.ITEMS_REST);
    let ordinal = load<u32>(items, layout.ITEMS_ORDINAL);
    while (rest !== 0) {
      if (out === room) {
        reason = layout.ITEMS_FULL;
        break;
      }
      let next: usize;
      if (kind < layout.ITEM_JSON) {
        next = putItem(at, kind, data, valid, out);
        rest--;
      } else {
        next = behindValue(at, end);
        if (next !== 0 && next < end) {
          const shown = showValue(at, next, kind === layout.ITEM_JSON_TEXT, data + (out << 4));
          if (shown === TEXT_BAIL) next = 0;
          else if (shown === TEXT_NULL) putNull(kind, data, valid, out);
          else store<u8>(valid + out, 1);
          // A comma and a blank, or the end.
          if (next !== 0 && load<u8>(next) === 44) next += 2;
          else rest = 0;
        } else next = 0;
      }
      if (next === 0) {
        reason = layout.ITEMS_ODD;
        break;
      }
      at = next;
      store<u32>(from + (out << 2), row);
      ordinal++;
      if (numbers !== 0) {
        store<u64>(numbers + (out << 3), ordinal);
        store<u8>(numbersValid + out, 1);
      }
      out++;
    }
    if (reason === layout.ITEMS_DONE && ordinal === 0 && left) {
      if (out === room) reason = layout.ITEMS_FULL;
      else {
        putNull(kind, data, valid, out);
        if (numbers !== 0) putNull(layout.ITEM_I64, numbers, numbersValid, out);
        store<u32>(from + (out << 2), row);
        out++;
      }
    }
    store<u32>(items, ordinal, layout.ITEMS_ORDINAL);
    if (reason !== layout.ITEMS_DONE) {
      store<u32>(items, <u32>at, layout.ITEMS_AT);
      store<u32>(items, rest, layout.ITEMS_REST);
      break;
    }
    store<u32>(items, 0, layout.ITEMS_AT);
  }
  store<u32>(items, row, layout.ITEMS_ROW);
  store<u32>(items, out, layout.ITEMS_OUT);
  return reason;
}
