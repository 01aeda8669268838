/**
 * The first bytes of rows' sort keys: rows whose bytes differ are in the order of their bytes, of rows with equal ones nothing is said. (state/sort_keys.ts says which columns there are.)
 *
 *   column by column, until 24 bytes are full:
 *     integers  0x7f - n or 0x80 + n, then the n bytes that say something      text   1, its bytes, 0
 *     float     8 bytes, the sign first                                         uuid   1, its 16 bytes
 *     bool      1 or 2                                                          numeric   exponent and 15 digits in 8 bytes
 *     of floats with equal values: 0 for -0, else 1
 *   NULL: one byte, or 8 for floats and numerics, below or above all. Descending: the other bits.
 *
 * The bytes of a value are never the beginning of another's, so what follows them compares only rows that are equal so far.
 */
import {
  COLUMN_BYTES,
  COLUMN_DATA,
  COLUMN_DESC,
  COLUMN_KIND,
  COLUMN_LAST,
  COLUMN_NULLS_FIRST,
  COLUMN_VALID,
  KEY_BYTES,
  RECORD_BYTES,
  RECORD_PIECE,
  RECORD_ROW,
  SORT_BOOL,
  SORT_BYTES,
  SORT_FLOAT,
  SORT_INT32,
  SORT_INT64,
  SORT_NUMERIC,
  SORT_PADDED,
  SORT_TEXT,
  SORT_UINT32,
  SORT_ZERO,
} from '../sort_layout';
import { NUMERIC_SMALL } from './numeric';
import { isAfter } from './sort_records';
import { INLINE } from './varlen';

/** Kinds of numerics without digits (operators/batch/slots.ts). */
const NUMERIC_INF: u8 = 3;
const NUMERIC_NEG_INF: u8 = 4;

const SIGN: u64 = 0x8000000000000000;

@inline
function putInteger(to: usize, value: i64): u32 {
  const negative = value < 0;
  const size: u32 = (71 - <u32>clz<i64>(negative ? ~value : value)) >> 3;
  store<u8>(to, negative ? 0x7f - size : 0x80 + size);
  if (size > 0) store<u64>(to + 1, bswap(<u64>value << ((8 - size) << 3)));
  return 1 + size;
}

@inline
function floatBits(at: usize): u64 {
  const value = load<f64>(at);
  if (value != value) return 0xfff8000000000000;
  if (value == 0) return SIGN;
  const bits = load<u64>(at);
  return (bits & SIGN) != 0 ? ~bits : bits | SIGN;
}

/** A number that is greater than 0: 1 | exponent, 12 bits | 15 digits, 50 bits | 1 if there are more digits. A smaller one has the other bits. */
function numericBits(slot: usize): u64 {
  const kind = load<u8>(slot, 10);
  if (kind == NUMERIC_INF) return SIGN | (<u64>4095 << 51);
  if (kind == NUMERIC_NEG_INF) return ~(SIGN | (<u64>4095 << 51));
  if (kind != NUMERIC_SMALL) return SIGN | (<u64>4095 << 51) | 2;
  const value = load<i64>(slot);
  if (value == 0) return SIGN;
  let digits: u64 = value < 0 ? 0 - <u64>value : <u64>value;
  let exponent: i32 = 2048 - <i32>load<i16>(slot, 8);
  let more: u64 = load<u8>(slot, 11);
  if (digits < 10000000) {
    digits *= 100000000;
    exponent -= 8;
  }
  if (digits < 100000000000) {
    digits *= 10000;
    exponent -= 4;
  }
  if (digits < 10000000000000) {
    digits *= 100;
    exponent -= 2;
  }
  if (digits < 100000000000000) {
    digits *= 10;
    exponent--;
  }
  for (; digits >= 1000000000000000; exponent++) {
    const rest = digits / 10;
    if (rest * 10 != digits) more = 1;
    digits = rest;
  }
  // Of the very great and the very small ones nothing but that is said.
  if (exponent < 1 || exponent > 4093) {
    exponent = exponent < 1 ? 0 : 4094;
    digits = 0;
    more = 1;
  }
  const bits = SIGN | (<u64>exponent << 51) | (digits << 1) | more;
  return value < 0 ? ~bits : bits;
}

/** Copies as many of the bytes as there is room for; gives how many. */
@inline
function putBytes(to: usize, from: usize, length: u32, room: u32): u32 {
  const n = min(length, room);
  let i: u32 = 0;
  for (; i + 8 <= n; i += 8) store<u64>(to + i, load<u64>(from + i));
  for (; i < n; i++) store<u8>(to + i, load<u8>(from + i));
  return n;
}

@inline
function invert(from: usize, end: usize): void {
  for (; from < end; from += 8) store<u64>(from, ~load<u64>(from));
}

/** Writes a row's key; up to 16 bytes behind it may be written. */
@inline
function putKey(columns: usize, end: usize, row: u32, key: usize): void {
  let at: u32 = 0;
  let fill: u64 = 0;
  for (let column = columns; column < end && at < <u32>KEY_BYTES; column += COLUMN_BYTES) {
    const kind = load<u32>(column, COLUMN_KIND);
    const valid: usize = load<u32>(column, COLUMN_VALID);
    const to = key + at;
    if (valid != 0 && load<u8>(valid + row) == 0) {
      store<u64>(to, load<u32>(column, COLUMN_NULLS_FIRST) != 0 ? 0 : <u64>-1);
      at += kind == SORT_FLOAT || kind == SORT_NUMERIC ? 8 : 1;
      continue;
    }
    const data: usize = load<u32>(column, COLUMN_DATA);
    const start = at;
    let isLast = false;
    if (kind == SORT_INT64) at += putInteger(to, load<i64>(data + (row << 3)));
    else if (kind == SORT_INT32) at += putInteger(to, load<i32>(data + (row << 2)));
    else if (kind == SORT_UINT32) at += putInteger(to, load<u32>(data + (row << 2)));
    else if (kind == SORT_BOOL) {
      store<u8>(to, load<u8>(data + row) + 1);
      at++;
    } else if (kind == SORT_FLOAT) {
      store<u64>(to, bswap(floatBits(data + (row << 3))));
      at += 8;
    } else if (kind == SORT_ZERO) {
      store<u8>(to, <u8>(load<u64>(data + (row << 3)) != SIGN));
      at++;
    } else if (kind == SORT_NUMERIC) {
      const bits = numericBits(data + (row << 4));
      store<u64>(to, bswap(bits));
      at += 8;
      // Digits were left out.
      isLast = bits > SIGN ? (bits & 1) != 0 : bits < SIGN && (bits & 1) == 0;
    } else if (kind >= <u32>SORT_TEXT) {
      const slot = data + (row << 4);
      let length = load<u32>(slot);
      const from: usize = length > INLINE ? load<u32>(slot, 8) : slot + 4;
      if (kind == SORT_PADDED) while (length > 0 && load<u8>(from + length - 1) == 32) length--;
      store<u8>(to, 1);
      at += 1 + putBytes(to + 1, from, length, KEY_BYTES - at);
      if (kind == SORT_BYTES) isLast = true;
      else {
        store<u8>(key + at, 0);
        at++;
      }
    } else {
      store<u8>(to, 1);
      v128.store(to + 1, v128.load(data + (row << 4)));
      at += 17;
    }
    if (load<u32>(column, COLUMN_DESC) != 0) {
      invert(key + start, key + at);
      if (isLast && kind == SORT_BYTES) fill = <u64>-1;
    }
    if (isLast || load<u32>(column, COLUMN_LAST) != 0) break;
  }
  for (; at < <u32>KEY_BYTES; at += 8) store<u64>(key + at, fill);
  store<u64>(key, bswap(load<u64>(key)));
  store<u64>(key, bswap(load<u64>(key, 8)), 8);
  store<u64>(key, bswap(load<u64>(key, 16)), 16);
}

/** The records of rows 0 .. n - 1 of a piece. */
export function sortRecords(columns: usize, count: u32, n: u32, piece: u32, to: usize): void {
  const end = columns + count * COLUMN_BYTES;
  for (let row: u32 = 0; row < n; row++, to += RECORD_BYTES) {
    putKey(columns, end, row, to);
    store<u32>(to, row, RECORD_ROW);
    store<u32>(to, piece, RECORD_PIECE);
  }
}

/** The same without those whose key is after that of the record `last`; gives how many there are. */
export function sortRecordsUpTo(columns: usize, count: u32, n: u32, last: usize, to: usize): u32 {
  const end = columns + count * COLUMN_BYTES;
  const start = to;
  for (let row: u32 = 0; row < n; row++) {
    putKey(columns, end, row, to);
    if (isAfter(to, last)) continue;
    store<u32>(to, row, RECORD_ROW);
    store<u32>(to, 0, RECORD_PIECE);
    to += RECORD_BYTES;
  }
  return <u32>(to - start) / RECORD_BYTES;
}
