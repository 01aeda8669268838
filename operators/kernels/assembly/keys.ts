/**
 * Key columns of a batch against a hash table of rows (operators/state/row_table.ts), all rows of the batch in one call:
 *
 *   columns -> packed rows and their hashes, column by column -> a slot each: found, or made with a payload of zeros
 *
 * Rows are packed and hashed by pack_keys.ts. They are compared word by word; only long texts look further, and floats that are equal without being the same.
 * What a stretch of rows will probe is read ahead of the stretch, so that cache misses overlap, and says where its rows' search begins. operators/state/row_table.test.ts
 * holds this and the way of JavaScript to each other.
 */
import {
  HEADER_BYTES,
  KEY_COLUMN_AT,
  KEY_COLUMN_BYTES,
  KEY_COLUMN_KIND,
  KEY_COLUMN_WIDTH,
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
} from '../key_layout';
import { entryOf, readPlaces, STRETCH } from './directory';
import { sameEight } from './float_keys';
import { homeOf } from './home';
import { announce } from './marks';
import { NUMERIC_WIDE } from './numeric';
import { packKeys } from './pack_keys';
import { INLINE } from './varlen';

const HEADER: u32 = HEADER_BYTES;
/** A directory of so many entries is not in the nearest caches, and its rows are not: what is looked up is read ahead. */
const FAR: u32 = 16384;

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

/** The entry of a packed key from an index on, or the end: a slot in it is used, for the key's header says so, too. */
@inline
function entryOfKey(k: usize, directory: usize, mask: u32, index: u32, hash: u32, key: usize, stride: u32, wide: u32, texts: u32): usize {
  let at = entryOf(directory, mask, index);
  for (;;) {
    const entry = load<u64>(at);
    const slot = <usize>(entry >> 32);
    if (slot == 0 || (<u32>entry == hash && sameRow(k, key, slot + HEADER, stride, wide, texts, 0))) break;
    at = entryOf(directory, mask, ++index);
  }
  return at;
}

/** Makes a slot for the packed key of a row, at the end where its entry belongs; 0 when there is no room. */
function makeSlot(k: usize, row: u32, hash: u32, key: usize, entry: usize): usize {
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
  const isFar = mask >= FAR;
  while (row < n && !isFull) {
    const to = min(row + STRETCH, n);
    if (isFar) ahead += readPlaces(directory, mask, hashes + (row << 2), to - row, slotBytes, slots + (row << 2));
    for (; row < to; row++, key += keyBytes) {
      let slot: usize = 0;
      if (
        (weights == 0 || load<i32>(weights + (row << 2)) != 0) &&
        (!skipNulls || isWhole(key, load<u32>(k, KEYS_VALID), load<u32>(k, KEYS_COLUMN_COUNT)))
      ) {
        const hash = load<u32>(hashes + (row << 2));
        // Where there was an end a row before may have its entry.
        const index = isFar ? load<u32>(slots + (row << 2)) : homeOf(hash, mask);
        const entry = entryOfKey(k, directory, mask, index, hash, key, stride, wide, texts);
        slot = load<u32>(entry, 4);
        if (insert) {
          if (slot == 0) {
            slot = makeSlot(k, row, hash, key, entry);
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
    let index = homeOf(hash, mask);
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
