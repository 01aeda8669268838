/**
 * Key columns of a batch against a hash table of rows (operators/state/row_table.ts), all rows of the batch in one call:
 *
 *   columns -> packed rows and their hashes, column by column -> a slot each: found, or made with a payload of zeros
 *
 * Packed rows have zeros for NULLs and padding, as the rows of such a table do, so that rows compare word by word; only long texts look further.
 * What a stretch of rows will probe first is read ahead of the stretch, so that cache misses overlap. Hashes are those of
 * state/row_ops.ts; operators/state/row_table.test.ts holds both ways to each other.
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
  KEYS_AHEAD,
  KEYS_COLUMN_COUNT,
  KEYS_COLUMNS,
  KEYS_DIRECTORY,
  KEYS_END,
  KEYS_FRESH,
  KEYS_FROM,
  KEYS_HASHES,
  KEYS_LONG,
  KEYS_MADE,
  KEYS_MASK,
  KEYS_NEXT,
  KEYS_NUMERICS,
  KEYS_ODD,
  KEYS_PACKED,
  KEYS_PAYLOAD,
  KEYS_ROOM,
  KEYS_ROWS,
  KEYS_SKIP_NULLS,
  KEYS_SLOT_BYTES,
  KEYS_SLOTS,
  KEYS_STRIDE,
  KEYS_TEXTS,
  KEYS_UNUSED,
  KEYS_USED,
  KEYS_VALID,
  KEYS_WEIGHTS,
  KEYS_WIDE,
  ODD_SPECIAL,
  ODD_WIDE,
} from '../key_layout';
import { finish, hashBytes, mix } from './bytes';
import { hashFloat, sameEight } from './float_keys';
import { entryOf, isEnd, readAhead, STRETCH, USED } from './directory';
import { announce } from './marks';
import { hashSmallNumeric, NUMERIC_SMALL, NUMERIC_WIDE } from './numeric';
import { INLINE } from './varlen';

const HEADER: u32 = HEADER_BYTES;
/** The header of a packed row whose columns are all NULL. */
const USED_HEADER: u64 = (<u64>USED) << 32;
/** A directory of so many entries is not in the nearest caches, and its rows are not: what is looked up is read ahead. */
const FAR: u32 = 16384;
/** Rows that are packed at once. */
const BLOCK: u32 = 256;
const NULL_WORD: u32 = 0x5bd1e995;
/** Of a column's pass over the rows: the first begins their hashes and clears their padding, the last finishes the hashes. The rest of the word is the number of columns. */
const FIRST: u32 = 1;
const LAST: u32 = 2;

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
  let column: usize = load<u32>(k, KEYS_COLUMNS);
  for (let c: u32 = 0; c < count; c++, column += KEY_COLUMN_BYTES) {
    const width = load<u32>(column, KEY_COLUMN_WIDTH);
    const data = <usize>load<u32>(column, KEY_COLUMN_DATA) + row * width;
    const validity: usize = load<u32>(column, KEY_COLUMN_VALID);
    const valid = validity == 0 ? 0 : validity + row;
    const to = packed + load<u32>(column, KEY_COLUMN_AT);
    const flags = packed + validAt + c;
    const last = packed - HEADER + stride - 8;
    const pass = (count << 2) | (c == 0 ? FIRST : 0) | (c + 1 == count ? LAST : 0);
    if (width == 8 && load<u32>(column, KEY_COLUMN_KIND) == KEY_KIND_FLOAT) packFloats(n, data, valid, to, flags, stride, hashes, pass, last);
    else if (width == 8) packLongs(n, data, valid, to, flags, stride, hashes, pass, last);
    else if (width == 4) packWords(n, data, valid, to, flags, stride, hashes, pass, last);
    else if (width == 1) packBytes(n, data, valid, to, flags, stride, hashes, pass, last);
    else if (load<u32>(column, KEY_COLUMN_KIND) == KEY_KIND_TEXT) packTexts(n, data, valid, to, flags, stride, hashes, pass, last);
    else if (load<u32>(column, KEY_COLUMN_KIND) == KEY_KIND_NUMERIC) {
      store<u32>(k, load<u32>(k, KEYS_ODD) | packNumerics(n, data, valid, to, flags, stride, hashes, pass, last), KEYS_ODD);
    }
    else packWide(n, data, valid, to, flags, stride, hashes, pass, last);
  }
}

/** The hash so far; `last` are the row's last 8 bytes, which may have padding and flags, and `stride` its bytes with the header. */
@inline
function begun(hashes: usize, pass: u32, last: usize, stride: u32): u32 {
  if ((pass & FIRST) == 0) return load<u32>(hashes);
  store<u64>(last, 0);
  store<u64>(last + 8 - stride, USED_HEADER);
  return pass >> 2;
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
    let h = i32x4.splat(pass >> 2);
    if (first) {
      for (let i = 0; i < 4; i++) {
        store<u64>(last, 0);
        store<u64>(last + 8 - stride, USED_HEADER);
        last += stride;
      }
    } else h = v128.load(hashes);
    const low = i8x16.shuffle(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27);
    const high = i8x16.shuffle(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
    h = mix4(mix4(h, low), high);
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
  for (let row: u32 = 0; row < n; row++, to += stride, flags += stride, hashes += 4, last += stride) {
    const h = begun(hashes, pass, last, stride);
    if (isNull(valid, row)) {
      store<u64>(to, 0);
      store<u8>(flags, 0);
      putHash(hashes, pass, mix(h, NULL_WORD));
      continue;
    }
    const value = load<u64>(data + (row << 3));
    store<u64>(to, value);
    store<u8>(flags, 1);
    putHash(hashes, pass, mix(mix(h, <u32>value), <u32>(value >> 32)));
  }
}

/** Packed as they are; equal ones have equal hashes. */
function packFloats(n: u32, data: usize, valid: usize, to: usize, flags: usize, stride: u32, hashes: usize, pass: u32, last: usize): void {
  for (let row: u32 = 0; row < n; row++, to += stride, flags += stride, hashes += 4, last += stride) {
    const h = begun(hashes, pass, last, stride);
    if (isNull(valid, row)) {
      store<u64>(to, 0);
      store<u8>(flags, 0);
      putHash(hashes, pass, mix(h, NULL_WORD));
      continue;
    }
    const value = load<f64>(data + (row << 3));
    store<f64>(to, value);
    store<u8>(flags, 1);
    putHash(hashes, pass, hashFloat(h, value));
  }
}

function packWords(n: u32, data: usize, valid: usize, to: usize, flags: usize, stride: u32, hashes: usize, pass: u32, last: usize): void {
  for (let row: u32 = 0; row < n; row++, to += stride, flags += stride, hashes += 4, last += stride) {
    const h = begun(hashes, pass, last, stride);
    const absent = isNull(valid, row);
    const value = absent ? 0 : load<u32>(data + (row << 2));
    store<u32>(to, value);
    store<u8>(flags, absent ? 0 : 1);
    putHash(hashes, pass, mix(h, absent ? NULL_WORD : value));
  }
}

function packBytes(n: u32, data: usize, valid: usize, to: usize, flags: usize, stride: u32, hashes: usize, pass: u32, last: usize): void {
  for (let row: u32 = 0; row < n; row++, to += stride, flags += stride, hashes += 4, last += stride) {
    const h = begun(hashes, pass, last, stride);
    const absent = isNull(valid, row);
    const value = absent ? 0 : <u32>load<u8>(data + row);
    store<u8>(to, value);
    store<u8>(flags, absent ? 0 : 1);
    putHash(hashes, pass, mix(h, absent ? NULL_WORD : value));
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

@inline
function sameRow(k: usize, a: usize, b: usize, stride: u32, wide: u32, texts: u32, numerics: u32): bool {
  if (load<u32>(a - 4) != load<u32>(b - 4)) return false;
  let at = wide << 4;
  let isSame = true;
  for (; at + 16 <= stride && isSame; at += 16) isSame = !v128.any_true(v128.xor(v128.load(a + at), v128.load(b + at)));
  if (isSame && at < stride) isSame = load<u64>(a + at) == load<u64>(b + at);
  if (!isSame && !sameButFloats(k, a, b)) return false;
  for (let i: u32 = 0; i < wide; i++) {
    const x = a + (i << 4);
    const y = b + (i << 4);
    const first = load<u64>(x);
    if (first != load<u64>(y)) return false;
    if (((texts >> i) & 1) != 0 && <u32>first > INLINE) {
      if (!sameBytes(load<u32>(x, 8), load<u32>(y, 8), <u32>first)) return false;
    } else if (load<u64>(x, 8) != load<u64>(y, 8) && (((numerics >> i) & 1) == 0 || !sameWide(x, y))) return false;
  }
  return true;
}

/** Whether rows whose columns of up to 8 bytes are not the same bytes differ in floats alone that are equal. Seldom called: their hashes are the same. */
function sameButFloats(k: usize, a: usize, b: usize): bool {
  const validAt = load<u32>(k, KEYS_VALID);
  const count = load<u32>(k, KEYS_COLUMN_COUNT);
  let column: usize = load<u32>(k, KEYS_COLUMNS);
  for (let c: u32 = 0; c < count; c++, column += KEY_COLUMN_BYTES) {
    if (load<u8>(a + validAt + c) != load<u8>(b + validAt + c)) return false;
    const width = load<u32>(column, KEY_COLUMN_WIDTH);
    const at = load<u32>(column, KEY_COLUMN_AT);
    if (width == 8) {
      if (!sameEight(a + at, b + at, load<u32>(column, KEY_COLUMN_KIND))) return false;
    } else if (width == 4) {
      if (load<u32>(a + at) != load<u32>(b + at)) return false;
    } else if (width == 1 && load<u8>(a + at) != load<u8>(b + at)) return false;
  }
  return true;
}

/** Numerics of which the first 8 bytes are the same: a value and scale have one representation. */
@inline
function sameWide(x: usize, y: usize): bool {
  if (load<u8>(x, 10) != NUMERIC_WIDE || load<u32>(x, 8) != load<u32>(y, 8)) return false;
  return sameBytes(load<u32>(x, 12), load<u32>(y, 12), load<u32>(x));
}

/** At least 8 bytes. */
export function sameBytes(a: usize, b: usize, length: u32): bool {
  if (a == b) return true;
  const last = a + length - 8;
  const distance = b - a;
  for (; a < last; a += 8) if (load<u64>(a) != load<u64>(a + distance)) return false;
  return load<u64>(last) == load<u64>(last + distance);
}

/** The row's key has no NULL: its flags, from validAt on, are all 1. */
@inline
function isWhole(packed: usize, validAt: u32, count: u32): bool {
  for (let c: u32 = 0; c < count; c++) if (load<u8>(packed + validAt + c) == 0) return false;
  return true;
}

/** Packs the key columns and finds every row's slot; false: keys are odd, and nothing is found. */
export function findKeys(k: usize): bool {
  packKeys(k);
  if (load<u32>(k, KEYS_ODD) != 0) return false;
  locate(k, false);
  return true;
}

/**
 * Packs the key columns and finds every row's slot or makes it, from KEYS_FROM on, as long as there is room; payloads may then be written, they are
 * announced. False: keys are odd, and nothing is made.
 */
export function findOrInsertKeys(k: usize): bool {
  if (load<u32>(k, KEYS_FROM) == 0) packKeys(k);
  if (load<u32>(k, KEYS_ODD) != 0) return false;
  locate(k, true);
  return true;
}

/** The slot of a packed key, or 0: one that is used, for the key's header says so, too. */
@inline
function slotOfKey(k: usize, directory: usize, mask: u32, hash: u32, key: usize, stride: u32, wide: u32, texts: u32): usize {
  let index = hash;
  let slot: usize = 0;
  do {
    const entry = load<u64>(entryOf(directory, mask, index++));
    slot = <usize>(entry >> 32);
    if (<u32>entry == hash && slot != 0 && sameRow(k, key, slot + HEADER, stride, wide, texts, 0)) break;
  } while (slot != 0);
  return slot;
}

/** Makes a slot for the packed key of a row, which has none; 0 when there is no room. */
function makeSlot(k: usize, row: u32, hash: u32, key: usize): usize {
  const room = load<u32>(k, KEYS_ROOM);
  let slot: usize = load<u32>(k, KEYS_UNUSED);
  if (room == 0) return 0;
  const slotBytes = load<u32>(k, KEYS_SLOT_BYTES);
  if (slot != 0) store<u32>(k, load<u32>(slot), KEYS_UNUSED);
  else {
    slot = load<u32>(k, KEYS_NEXT);
    if (slot == load<u32>(k, KEYS_END)) return 0;
    store<u32>(k, <u32>slot + slotBytes, KEYS_NEXT);
  }
  store<u32>(k, room - 1, KEYS_ROOM);
  const directory: usize = load<u32>(k, KEYS_DIRECTORY);
  const mask = load<u32>(k, KEYS_MASK);
  let index = hash;
  while (!isEnd(entryOf(directory, mask, index))) index++;
  const entry = entryOf(directory, mask, index);
  announce(entry, 8);
  store<u32>(entry, hash);
  store<u32>(entry, <u32>slot, 4);
  announce(slot, slotBytes);
  store<u32>(slot, hash);
  store<u32>(slot, load<u32>(key - 4), 4);
  const stride = load<u32>(k, KEYS_STRIDE);
  for (let at: u32 = 0; at < stride; at += 8) store<u64>(slot + HEADER + at, load<u64>(key + at));
  for (let at = load<u32>(k, KEYS_PAYLOAD); at < slotBytes; at += 8) store<u64>(slot + at, 0);
  const wide = load<u32>(k, KEYS_WIDE);
  const texts = load<u32>(k, KEYS_TEXTS);
  for (let i: u32 = 0; i < wide; i++)
    if (((texts >> i) & 1) != 0 && load<u32>(key + (i << 4)) > INLINE) store<u32>(k, load<u32>(k, KEYS_LONG) + 1, KEYS_LONG);
  const made = load<u32>(k, KEYS_MADE);
  store<u32>(<usize>load<u32>(k, KEYS_FRESH) + (made << 2), row);
  store<u32>(k, made + 1, KEYS_MADE);
  store<u32>(k, load<u32>(k, KEYS_USED) + 1, KEYS_USED);
  return slot;
}

/** What a found row needs is in few variables: what a new one needs is the record's. */
@inline
function locate(k: usize, insert: bool): void {
  const n = load<u32>(k, KEYS_ROWS);
  const stride = load<u32>(k, KEYS_STRIDE);
  const packed: usize = load<u32>(k, KEYS_PACKED);
  const hashes: usize = load<u32>(k, KEYS_HASHES);
  const weights: usize = load<u32>(k, KEYS_WEIGHTS);
  const slots: usize = load<u32>(k, KEYS_SLOTS);
  const directory: usize = load<u32>(k, KEYS_DIRECTORY);
  const mask = load<u32>(k, KEYS_MASK);
  const slotBytes = load<u32>(k, KEYS_SLOT_BYTES);
  const payload = load<u32>(k, KEYS_PAYLOAD);
  const wide = load<u32>(k, KEYS_WIDE);
  const texts = load<u32>(k, KEYS_TEXTS);
  const skipNulls = load<u32>(k, KEYS_SKIP_NULLS) != 0;
  let ahead: u32 = 0;
  let row = load<u32>(k, KEYS_FROM);
  const keyBytes = stride + HEADER;
  let key = packed + row * keyBytes;
  let isFull = false;
  while (row < n && !isFull) {
    const to = min(row + STRETCH, n);
    if (mask >= FAR) ahead += readAhead(directory, mask, hashes + (row << 2), to - row, slotBytes);
    for (; row < to; row++, key += keyBytes) {
      let slot: usize = 0;
      if (
        (weights == 0 || load<i32>(weights + (row << 2)) != 0) &&
        (!skipNulls || isWhole(key, load<u32>(k, KEYS_VALID), load<u32>(k, KEYS_COLUMN_COUNT)))
      ) {
        const hash = load<u32>(hashes + (row << 2));
        slot = slotOfKey(k, directory, mask, hash, key, stride, wide, texts);
        if (insert) {
          if (slot == 0) {
            slot = makeSlot(k, row, hash, key);
            isFull = slot == 0;
            if (isFull) break;
          } else if (payload < slotBytes) announce(slot + payload, slotBytes - payload);
        }
      }
      store<u32>(slots + (row << 2), <u32>slot);
    }
  }
  store<u32>(k, row, KEYS_FROM);
  store<u32>(k, ahead, KEYS_AHEAD);
}

/**
 * Adds up the weights of equal rows, which are packed and hashed (state/consolidate.ts): writes the number of each row that stands for its equals, and at
 * `sums` their weight, where that is not 0; gives how many, or -1 when a weight is beyond 32 bits. `table`: zeros, mask + 1 words. `totals`: a word a row.
 */
export function sumEqual(k: usize, weights: usize, table: usize, mask: u32, totals: usize, rows: usize, sums: usize): i32 {
  let beyond: i32 = 0;
  const n = load<u32>(k, KEYS_ROWS);
  const stride = load<u32>(k, KEYS_STRIDE);
  const packed: usize = load<u32>(k, KEYS_PACKED);
  const hashes: usize = load<u32>(k, KEYS_HASHES);
  const step = stride + HEADER;
  const wide = load<u32>(k, KEYS_WIDE);
  const texts = load<u32>(k, KEYS_TEXTS);
  const numerics = load<u32>(k, KEYS_NUMERICS);
  for (let row: u32 = 0; row < n; row++) {
    const hash = load<u32>(hashes + (row << 2));
    const weight = load<i32>(weights + (row << 2));
    let index = hash & mask;
    for (;;) {
      const at = table + (index << 2);
      const found = load<u32>(at);
      if (found == 0) {
        store<u32>(at, row + 1);
        store<i32>(totals + (row << 2), weight);
        break;
      }
      const other = found - 1;
      if (
        load<u32>(hashes + (other << 2)) == hash &&
        sameRow(k, packed + row * step, packed + other * step, stride, wide, texts, numerics)
      ) {
        const total = totals + (other << 2);
        const before = load<i32>(total);
        const after = before + weight;
        beyond |= (before ^ after) & (weight ^ after);
        store<i32>(total, after);
        store<i32>(totals + (row << 2), 0);
        break;
      }
      index = (index + 1) & mask;
    }
  }
  if (beyond < 0) return -1;
  let count: i32 = 0;
  for (let row: u32 = 0; row < n; row++) {
    const total = load<i32>(totals + (row << 2));
    if (total == 0) continue;
    store<u32>(rows + (count << 2), row);
    store<i32>(sums + (count++ << 2), total);
  }
  return count;
}
