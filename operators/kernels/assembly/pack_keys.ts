/**
 * Key columns of a batch, packed as the rows of a hash table (operators/state/row_table.ts) are, and the hashes of these rows: column by column, a block of rows at a time.
 *
 *   a row:   | header | 16-byte values | 8 | 4 | 1 | a byte a column: it is not NULL |        zeros for NULLs and padding, so that rows compare word by word
 *
 * Hashes are those of state/row_ops.ts. Kernels that look rows up (keys.ts), and that add equal rows up, begin with it.
 */
import {
  HEADER_BYTES,
  KEY_COLUMN_AT,
  KEY_COLUMN_BYTES,
  KEY_COLUMN_DATA,
  KEY_COLUMN_KIND,
  KEY_COLUMN_VALID,
  KEY_COLUMN_WIDTH,
  KEY_KIND_FLOAT,
  KEY_KIND_NUMERIC,
  KEY_KIND_TEXT,
  KEYS_COLUMN_COUNT,
  KEYS_COLUMNS,
  KEYS_HASHES,
  KEYS_NUMBER,
  KEYS_ODD,
  KEYS_PACKED,
  KEYS_ROWS,
  KEYS_STRIDE,
  KEYS_VALID,
  ODD_SPECIAL,
  ODD_WIDE,
} from '../key_layout';
import { finish, hashBytes, mix } from './bytes';
import { USED } from './directory';
import { hashFloat } from './float_keys';
import { placeOf, placeOf4 } from './home';
import { hashSmallNumeric, NUMERIC_SMALL, NUMERIC_WIDE } from './numeric';
import { INLINE } from './varlen';

const HEADER: u32 = HEADER_BYTES;
/** The header of a packed row whose columns are all NULL. */
const USED_HEADER: u64 = (<u64>USED) << 32;
/** Rows that are packed at once. */
const BLOCK: u32 = 256;
const NULL_WORD: u32 = 0x5bd1e995;
/** Of a column's pass over the rows: the first begins their hashes and clears their padding, the last finishes the hashes; the low word of the number comes later. The rest is the number of columns. */
const FIRST: u32 = 1;
const LAST: u32 = 2;
const NUMBER: u32 = 4;
const COUNT_SHIFT: u32 = 3;

/** Packs the key columns and hashes them: of a block of rows all columns, while what is written stays in the nearest cache. */
export function packKeys(k: usize): void {
  const n = load<u32>(k, KEYS_ROWS);
  for (let row: u32 = 0; row < n; row += BLOCK) packRows(k, row, min(BLOCK, n - row));
}

/** n rows from `row` on. */
function packRows(k: usize, row: u32, n: u32): void {
  const stride = load<u32>(k, KEYS_STRIDE) + HEADER;
  const packed = <usize>load<u32>(k, KEYS_PACKED) + row * stride;
  const hashes = <usize>load<u32>(k, KEYS_HASHES) + (row << 2);
  const count = load<u32>(k, KEYS_COLUMN_COUNT);
  const validAt = load<u32>(k, KEYS_VALID);
  const number = load<u32>(k, KEYS_NUMBER);
  const columns: usize = load<u32>(k, KEYS_COLUMNS);
  let column = columns;
  for (let c: u32 = 0; c < count; c++, column += KEY_COLUMN_BYTES) {
    const width = load<u32>(column, KEY_COLUMN_WIDTH);
    const data = <usize>load<u32>(column, KEY_COLUMN_DATA) + row * width;
    const validity: usize = load<u32>(column, KEY_COLUMN_VALID);
    const valid = validity == 0 ? 0 : validity + row;
    const to = packed + load<u32>(column, KEY_COLUMN_AT);
    const flags = packed + validAt + c;
    const last = packed - HEADER + stride - 8;
    const pass = (count << COUNT_SHIFT) | (c == 0 ? FIRST : 0) | (c + 1 == count ? LAST : 0) | (c == number ? NUMBER : 0);
    if (width == 8 && load<u32>(column, KEY_COLUMN_KIND) >= <u32>KEY_KIND_FLOAT) packEight<f64>(n, data, valid, to, flags, stride, hashes, pass, last);
    else if (width == 8) packLongs(n, data, valid, to, flags, stride, hashes, pass, last);
    else if (width == 4) packSmall<u32>(n, data, valid, to, flags, stride, hashes, pass, last);
    else if (width == 1) packSmall<u8>(n, data, valid, to, flags, stride, hashes, pass, last);
    else if (load<u32>(column, KEY_COLUMN_KIND) == KEY_KIND_TEXT) packTexts(n, data, valid, to, flags, stride, hashes, pass, last);
    else if (load<u32>(column, KEY_COLUMN_KIND) == KEY_KIND_NUMERIC) {
      store<u32>(k, load<u32>(k, KEYS_ODD) | packNumerics(n, data, valid, to, flags, stride, hashes, pass, last), KEYS_ODD);
    }
    else packWide(n, data, valid, to, flags, stride, hashes, pass, last);
  }
  if (number < count) placeNumbers(n, packed + load<u32>(columns + number * KEY_COLUMN_BYTES, KEY_COLUMN_AT), stride, hashes);
}

/** The low words of numbers, zeros for NULLs, complete the hashes. */
function placeNumbers(n: u32, number: usize, stride: u32, hashes: usize): void {
  const end = hashes + (n << 2);
  for (let at = hashes; at < end; at += 4, number += stride) store<u32>(at, load<u32>(at) + load<u32>(number));
  let at = hashes;
  for (; at + 16 <= end; at += 16) v128.store(at, placeOf4(v128.load(at)));
  for (; at < end; at += 4) store<u32>(at, placeOf(load<u32>(at)));
}

/** The hash so far; `last` are the row's last 8 bytes, which may have padding and flags, and `stride` its bytes with the header. */
@inline
function begun(hashes: usize, pass: u32, last: usize, stride: u32): u32 {
  if ((pass & FIRST) == 0) return load<u32>(hashes);
  store<u64>(last, 0);
  store<u64>(last + 8 - stride, USED_HEADER);
  return (pass >> COUNT_SHIFT) - 1;
}

@inline
function putHash(hashes: usize, pass: u32, h: u32): void {
  store<u32>(hashes, (pass & LAST) == 0 ? h : finish(h));
}

@inline
function isNull(valid: usize, row: u32): bool {
  return valid != 0 && load<u8>(valid + row) == 0;
}

@inline
function mix4(h: v128, words: v128): v128 {
  const product = i32x4.mul(v128.xor(h, words), i32x4.splat(<i32>0x9e3779b1));
  return v128.or(i32x4.shl(product, 15), i32x4.shr_u(product, 17));
}

@inline
function finish4(h: v128): v128 {
  h = v128.xor(h, i32x4.shr_u(h, 16));
  h = i32x4.mul(h, i32x4.splat(<i32>0x85ebca6b));
  h = v128.xor(h, i32x4.shr_u(h, 13));
  h = i32x4.mul(h, i32x4.splat(<i32>0xc2b2ae35));
  return v128.xor(h, i32x4.shr_u(h, 16));
}

/** Values of 8 bytes of which none is NULL: four rows a step. */
function packPresent(n: u32, data: usize, to: usize, flags: usize, stride: u32, hashes: usize, pass: u32, last: usize): void {
  const end = hashes + (n << 2);
  const first = (pass & FIRST) != 0;
  for (; hashes < end; hashes += 16, data += 32) {
    const a = v128.load(data);
    const b = v128.load(data, 16);
    let h = i32x4.splat((pass >> COUNT_SHIFT) - 1);
    if (first) {
      for (let i = 0; i < 4; i++) {
        store<u64>(last, 0);
        store<u64>(last + 8 - stride, USED_HEADER);
        last += stride;
      }
    } else h = v128.load(hashes);
    const low = i8x16.shuffle(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27);
    const high = i8x16.shuffle(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
    h = mix4((pass & NUMBER) != 0 ? h : mix4(h, low), high);
    v128.store(hashes, (pass & LAST) == 0 ? h : finish4(h));
    for (let i = 0; i < 32; i += 8) {
      store<u64>(to, load<u64>(data + i));
      store<u8>(flags, 1);
      to += stride;
      flags += stride;
    }
  }
}

function packLongs(n: u32, data: usize, valid: usize, to: usize, flags: usize, stride: u32, hashes: usize, pass: u32, last: usize): void {
  if (valid == 0) {
    const done = n & ~3;
    packPresent(done, data, to, flags, stride, hashes, pass, last);
    const passed = done * stride;
    n -= done;
    data += done << 3;
    to += passed;
    flags += passed;
    hashes += done << 2;
    last += passed;
  }
  packEight<u64>(n, data, valid, to, flags, stride, hashes, pass, last);
}

/** u64, or f64: these are packed as they are, and equal ones have equal hashes. */
function packEight<T>(n: u32, data: usize, valid: usize, to: usize, flags: usize, stride: u32, hashes: usize, pass: u32, last: usize): void {
  for (let row: u32 = 0; row < n; row++, to += stride, flags += stride, hashes += 4, last += stride) {
    const h = begun(hashes, pass, last, stride);
    if (isNull(valid, row)) {
      store<u64>(to, 0);
      store<u8>(flags, 0);
      putHash(hashes, pass, mix(h, NULL_WORD));
      continue;
    }
    const value = load<T>(data + (row << 3));
    store<T>(to, value);
    store<u8>(flags, 1);
    if (isFloat<T>()) putHash(hashes, pass, hashFloat(h, value));
    else putHash(hashes, pass, mix((pass & NUMBER) != 0 ? h : mix(h, <u32>value), <u32>(value >> 32)));
  }
}

/** u32 or u8. */
function packSmall<T>(n: u32, data: usize, valid: usize, to: usize, flags: usize, stride: u32, hashes: usize, pass: u32, last: usize): void {
  for (let row: u32 = 0; row < n; row++, to += stride, flags += stride, hashes += 4, last += stride) {
    const h = begun(hashes, pass, last, stride);
    const absent = isNull(valid, row);
    const value: T = absent ? 0 : load<T>(data + row * sizeof<T>());
    store<T>(to, value);
    store<u8>(flags, absent ? 0 : 1);
    if ((pass & NUMBER) != 0 && !absent) putHash(hashes, pass, h);
    else putHash(hashes, pass, mix(h, absent ? NULL_WORD : <u32>value));
  }
}

/** A NULL of 16 bytes. */
@inline
function packNull(to: usize, flags: usize, hashes: usize, pass: u32, h: u32): void {
  store<u64>(to, 0);
  store<u64>(to, 0, 8);
  store<u8>(flags, 0);
  putHash(hashes, pass, mix(h, NULL_WORD));
}

function packTexts(n: u32, data: usize, valid: usize, to: usize, flags: usize, stride: u32, hashes: usize, pass: u32, last: usize): void {
  for (let row: u32 = 0; row < n; row++, to += stride, flags += stride, hashes += 4, last += stride) {
    let h = begun(hashes, pass, last, stride);
    if (isNull(valid, row)) {
      packNull(to, flags, hashes, pass, h);
      continue;
    }
    const slot = data + (row << 4);
    const first = load<u64>(slot);
    const rest = load<u64>(slot, 8);
    store<u64>(to, first);
    store<u64>(to, rest, 8);
    store<u8>(flags, 1);
    const length = <u32>first;
    if (length > INLINE) h = hashBytes(h, <u32>rest, length);
    else h = mix(mix(mix(mix(h, <u32>(first >> 32)), <u32>rest), <u32>(rest >> 32)), length);
    putHash(hashes, pass, h);
  }
}

function packWide(n: u32, data: usize, valid: usize, to: usize, flags: usize, stride: u32, hashes: usize, pass: u32, last: usize): void {
  for (let row: u32 = 0; row < n; row++, to += stride, flags += stride, hashes += 4, last += stride) {
    let h = begun(hashes, pass, last, stride);
    const absent = isNull(valid, row);
    const first = absent ? 0 : load<u64>(data + (row << 4));
    const rest = absent ? 0 : load<u64>(data + (row << 4), 8);
    store<u64>(to, first);
    store<u64>(to, rest, 8);
    store<u8>(flags, absent ? 0 : 1);
    if (absent) h = mix(h, NULL_WORD);
    else h = mix(mix(mix(mix(h, <u32>first), <u32>(first >> 32)), <u32>rest), <u32>(rest >> 32));
    putHash(hashes, pass, h);
  }
}

/**
 * Numerics that are equal by identity: value and scale. Gives ODD_WIDE and ODD_SPECIAL where there are such; the hash of a wide one is good for one batch
 * alone, and that of a special one for nothing.
 */
function packNumerics(n: u32, data: usize, valid: usize, to: usize, flags: usize, stride: u32, hashes: usize, pass: u32, last: usize): u32 {
  let odd: u32 = 0;
  for (let row: u32 = 0; row < n; row++, to += stride, flags += stride, hashes += 4, last += stride) {
    const h = begun(hashes, pass, last, stride);
    if (isNull(valid, row)) {
      packNull(to, flags, hashes, pass, h);
      continue;
    }
    const slot = data + (row << 4);
    const kind = load<u8>(slot, 10);
    store<u64>(to, load<u64>(slot));
    store<u64>(to, load<u64>(slot, 8), 8);
    store<u8>(flags, 1);
    if (kind == NUMERIC_SMALL) putHash(hashes, pass, hashSmallNumeric(h, slot));
    else if (kind == NUMERIC_WIDE && load<u32>(slot) >= 8) {
      odd |= ODD_WIDE;
      putHash(hashes, pass, hashBytes(mix(h, load<u32>(slot, 8)), load<u32>(slot, 12), load<u32>(slot)));
    } else return ODD_SPECIAL;
  }
  return odd;
}
