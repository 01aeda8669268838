/**
 * Rows of a tick that go out of a keyed index (operators/state/index_changes.ts), all in one call. Of a key's slot and its entries see index_rows.ts.
 */
import {
  KEY_COLUMN_AT,
  KEY_COLUMN_BYTES,
  KEY_COLUMN_DATA,
  KEY_COLUMN_KIND,
  KEY_COLUMN_VALID,
  KEY_COLUMN_WIDTH,
  KEY_KIND_FLOAT,
  KEY_KIND_NUMERIC,
  KEY_KIND_TEXT,
} from '../key_layout';
import { COMPARED_ROWS, KEY_COUNT, KEY_DIRECTORY } from '../key_slot_layout';
import { finish, mix } from './bytes';
import { hashFloat } from './float_keys';
import { announce } from './marks';
import { NUMERIC_SMALL, NUMERIC_WIDE } from './numeric';
import { findSingles } from './single_rows';
import { isStored } from './stored_row';
import { INLINE } from './varlen';

/** RowOps.slotHash() of n rows, of types that kernels compare. */
export function slotHashes(columns: usize, count: u32, n: u32, hashes: usize): void {
  const end = hashes + (n << 2);
  for (let at = hashes; at < end; at += 4) store<u32>(at, count);
  for (let column = columns, last = columns + count * KEY_COLUMN_BYTES; column < last; column += KEY_COLUMN_BYTES) {
    const width = load<u32>(column, KEY_COLUMN_WIDTH);
    const kind = load<u32>(column, KEY_COLUMN_KIND);
    const valid: usize = load<u32>(column, KEY_COLUMN_VALID);
    let slot: usize = load<u32>(column, KEY_COLUMN_DATA);
    for (let at = hashes, flag = valid; at < end; at += 4, flag++, slot += width) {
      if (valid != 0 && load<u8>(flag) == 0) continue;
      const h = load<u32>(at);
      if (kind >= <u32>KEY_KIND_FLOAT) store<u32>(at, hashFloat(h, load<f64>(slot)));
      else if (width == 8) store<u32>(at, mix(mix(h, load<u32>(slot)), load<u32>(slot, 4)));
      else if (width == 4) store<u32>(at, mix(h, load<u32>(slot)));
      else if (width == 1) store<u32>(at, mix(h, load<u8>(slot)));
      else if (kind == KEY_KIND_TEXT) store<u32>(at, hashSample(h, slot));
      else if (kind == KEY_KIND_NUMERIC) {
        const scale = mix(h, load<u32>(slot, 8));
        store<u32>(at, load<u8>(slot, 10) == NUMERIC_SMALL ? mix(mix(scale, load<u32>(slot)), load<u32>(slot, 4)) : scale);
      } else store<u32>(at, mix(mix(mix(mix(h, load<u32>(slot)), load<u32>(slot, 4)), load<u32>(slot, 8)), load<u32>(slot, 12)));
    }
  }
  for (let at = hashes; at < end; at += 4) store<u32>(at, finish(load<u32>(at)));
}

@inline
function hashSample(h: u32, slot: usize): u32 {
  const length = load<u32>(slot);
  const known = mix(mix(h, length), load<u32>(slot, 4));
  if (length <= INLINE) return mix(mix(known, load<u32>(slot, 8)), load<u32>(slot, 12));
  const text: usize = load<u32>(slot, 8);
  return mix(
    mix(mix(known, load<u32>(text + (length >> 1) - 2)), load<u32>(text + length - 8)),
    load<u32>(text + length - 4),
  );
}

/** The rows' entries, of those that have one (0: none), get their hashes. */
export function writeHashes(rows: usize, hashes: usize, n: u32, hashAt: u32): void {
  for (let i: u32 = 0; i < n; i++) {
    const row: usize = load<u32>(rows + (i << 2));
    if (row != 0) store<u32>(row + hashAt, load<u32>(hashes + (i << 2)));
  }
}

/** Lists what a stored row has outside of it, address and bytes; gives the end of the list. */
@inline
function listLong(columns: usize, end: usize, row: usize, validAt: u32, list: usize): usize {
  for (let column = columns, flag = row + validAt; column < end; column += KEY_COLUMN_BYTES, flag++) {
    const kind = load<u32>(column, KEY_COLUMN_KIND);
    if ((kind != KEY_KIND_TEXT && kind != KEY_KIND_NUMERIC) || load<u8>(flag) == 0) continue;
    const slot = row + load<u32>(column, KEY_COLUMN_AT);
    const length = load<u32>(slot);
    if (kind == KEY_KIND_TEXT) {
      if (length <= INLINE) continue;
      store<u32>(list, load<u32>(slot, 8));
    } else {
      if (load<u8>(slot, 10) != NUMERIC_WIDE) continue;
      store<u32>(list, load<u32>(slot, 12));
    }
    store<u32>(list, length, 4);
    list += 8;
  }
  return list;
}

/**
 * Takes the rows with a negative weight out of the runs of their keys, where no entry has one. Lists
 *
 *   comes    a word a row: its slot, where it is to be appended, or 0
 *   rest     row and weight of those that are left to the caller: their key has a directory or a run of `long` entries, or there is no such row
 *   freed    address and bytes of what the entries had outside of them: `wide` for each at most; a row of a weight below -1 may take several entries, and
 *            when the list is full the rest of it is left to the caller
 *   emptied  slots of keys whose last entry went
 *
 * and counts the last three, and the entries that went, at `counts`. The word behind these is of no use: what reading ahead saw has to go somewhere for the compiler to leave the reading in. `hashes`: 0 where entries have none, for a key has one row; then `singles` is scratch memory (single_rows.ts).
 */
export function takeOut(
  columns: usize,
  count: u32,
  validAt: u32,
  stride: u32,
  weightAt: u32,
  hashAt: u32,
  slots: usize,
  weights: usize,
  hashes: usize,
  n: u32,
  payload: u32,
  long: u32,
  comes: usize,
  rest: usize,
  freed: usize,
  wide: u32,
  emptied: usize,
  counts: usize,
  singles: usize,
): void {
  const end = columns + count * KEY_COLUMN_BYTES;
  const lastRoom = freed + (<usize>(n - 1) * wide << 3);
  let lastRest = rest;
  let lastFreed = freed;
  let lastEmptied = emptied;
  let gone: u32 = 0;
  let ahead: u32 = 0;
  for (let row: u32 = 0; row < n; row++) {
    if (row % COMPARED_ROWS == 0) {
      const to = min(row + COMPARED_ROWS, n);
      if (hashes == 0) findSingles(columns, end, validAt, stride, weightAt, slots, weights, row, to, payload, singles);
      else ahead += readRuns(slots, weights, row, to, payload, stride);
    }
    const slot: usize = load<u32>(slots + (row << 2));
    store<u32>(comes + (row << 2), 0);
    if (slot == 0) continue;
    const key = slot + payload;
    let weight = load<i32>(weights + (row << 2));
    if (hashes == 0 && load<u8>(singles + (row % COMPARED_ROWS)) != 0 && load<u32>(key, KEY_COUNT) == 1 && lastFreed <= lastRoom) {
      lastFreed = listLong(columns, end, load<u32>(key), validAt, lastFreed);
      store<u32>(key, 0, KEY_COUNT);
      store<u32>(lastEmptied, <u32>slot);
      lastEmptied += 4;
      gone++;
      continue;
    }
    if (load<u32>(key, KEY_DIRECTORY) == 0) {
      if (weight > 0) {
        store<u32>(comes + (row << 2), <u32>slot);
        continue;
      }
      const run: usize = load<u32>(key);
      let left = load<u32>(key, KEY_COUNT);
      if (left < long) {
        const hash = hashes == 0 ? 0 : load<u32>(hashes + (row << 2));
        for (let entry = run, i: u32 = 0; i < left && weight < 0 && lastFreed <= lastRoom; ) {
          if ((hashes != 0 && load<u32>(entry + hashAt) != hash) || !isStored(columns, end, row, entry, validAt)) {
            entry += stride;
            i++;
            continue;
          }
          weight += load<i32>(entry + weightAt);
          if (weight > 0) {
            announce(entry, stride);
            store<i32>(entry + weightAt, weight);
            weight = 0;
            break;
          }
          lastFreed = listLong(columns, end, entry, validAt, lastFreed);
          const last = run + --left * stride;
          if (last != entry) {
            announce(entry, stride);
            for (let at: u32 = 0; at < stride; at += 8) store<u64>(entry + at, load<u64>(last + at));
          }
          gone++;
        }
        if (left < load<u32>(key, KEY_COUNT)) {
          store<u32>(key, left, KEY_COUNT);
          if (left == 0) {
            store<u32>(lastEmptied, <u32>slot);
            lastEmptied += 4;
          }
        }
        if (weight == 0) continue;
      }
    }
    store<u32>(lastRest, row);
    store<i32>(lastRest, weight, 4);
    lastRest += 8;
  }
  store<u32>(counts, <u32>(lastRest - rest) >> 3);
  store<u32>(counts, <u32>(lastFreed - freed) >> 3, 4);
  store<u32>(counts, <u32>(lastEmptied - emptied) >> 2, 8);
  store<u32>(counts, gone, 12);
  store<u32>(counts, ahead, 16);
}

/** Reads the first entries of the keys ahead whose rows go, so that cache misses overlap. */
@inline
function readRuns(slots: usize, weights: usize, from: u32, to: u32, payload: u32, stride: u32): u32 {
  let ahead: u32 = 0;
  for (let row = from; row < to; row++) {
    const slot: usize = load<u32>(slots + (row << 2));
    if (slot == 0 || load<i32>(weights + (row << 2)) >= 0) continue;
    const run: usize = load<u32>(slot + payload);
    ahead += load<u32>(run) + load<u32>(run + stride - 4);
  }
  return ahead;
}

/**
 * Adds the rows' weights to those of their slots (operators/state/relation_store.ts), at `payload`, where a word that is 0 follows. Lists the slots whose weight
 * is 0 in the end; writes their number, and how many more weights are negative than were, at `counts`. False when a weight is beyond 32 bits.
 */
export function addWeights(slots: usize, weights: usize, n: u32, payload: u32, gone: usize, counts: usize): bool {
  let negative: i32 = 0;
  let listed: u32 = 0;
  let beyond: i32 = 0;
  for (let row: u32 = 0; row < n; row++) {
    const slot: usize = load<u32>(slots + (row << 2));
    if (slot == 0) continue;
    const before = load<i32>(slot + payload);
    const weight = load<i32>(weights + (row << 2));
    const after = before + weight;
    // Two of one sign whose sum has the other.
    beyond |= (before ^ after) & (weight ^ after);
    negative += (after < 0 ? 1 : 0) - (before < 0 ? 1 : 0);
    store<i32>(slot + payload, after);
    if (after != 0 || load<u32>(slot + payload, 4) != 0) continue;
    store<u32>(slot + payload, 1, 4);
    store<u32>(gone + (listed++ << 2), <u32>slot);
  }
  let kept: u32 = 0;
  for (let i: u32 = 0; i < listed; i++) {
    const slot: usize = load<u32>(gone + (i << 2));
    store<u32>(slot + payload, 0, 4);
    if (load<i32>(slot + payload) == 0) store<u32>(gone + (kept++ << 2), <u32>slot);
  }
  store<u32>(counts, kept);
  store<i32>(counts, negative, 4);
  return beyond >= 0;
}
