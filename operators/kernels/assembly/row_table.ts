/** Loops over the slots of a hash table (operators/state/row_table.ts). */
import { announce } from './marks';

const EMPTY: u32 = 0;
const USED: u32 = 1;
const DELETED: u32 = 2;
const EXACT: f64 = 9007199254740992;

/** Moves the rows to a table of another size: a copy a slot, without a call a slot. Slots of `stride` bytes start with the hash and the state; both capacities are powers of two. The new table's states are made empty first. */
export function rehash(from: usize, fromCapacity: u32, to: usize, capacity: u32, stride: u32): void {
  const mask = capacity - 1;
  for (let i: u32 = 0; i < capacity; i++) store<u32>(to + i * stride, 0, 4);
  for (let slot = from, end = from + fromCapacity * stride; slot < end; slot += stride) {
    if (load<u32>(slot, 4) != USED) continue;
    let index = load<u32>(slot) & mask;
    while (load<u32>(to + index * stride, 4) != 0) index = (index + 1) & mask;
    // Rows of some words: memory.copy is a call out of the module, 20 ns for each.
    const target = to + index * stride;
    for (let at: u32 = 0; at < stride; at += 8) store<u64>(target + at, load<u64>(slot + at));
  }
}

/**
 * Places from `from` on that hold a row, up to `most` of them: addresses of the slots' bytes `rowOffset` on, and the word at `payload`. Gives the place to go on
 * from, or the capacity; how many there were goes to `count`.
 */
export function usedSlots(
  table: usize,
  capacity: u32,
  stride: u32,
  from: u32,
  most: u32,
  rowOffset: u32,
  payload: u32,
  rows: usize,
  words: usize,
  count: usize,
): u32 {
  let n: u32 = 0;
  let place = from;
  for (let slot = table + from * stride; place < capacity && n < most; place++, slot += stride) {
    if (load<u32>(slot, 4) != USED) continue;
    store<u32>(rows + (n << 2), <u32>slot + rowOffset);
    store<u32>(words + (n << 2), load<u32>(slot + payload));
    n++;
  }
  store<u32>(count, n);
  return place;
}

/** Hashes whose slots are read ahead, so that their cache misses overlap. */
const STRETCH: u32 = 64;

/** In place of each of n hashes the first used slot that has it, 0 for none. Gives something of no use, that reading ahead is not left out. */
export function slotsOfHashes(table: usize, mask: u32, stride: u32, hashes: usize, n: u32): u32 {
  let ahead: u32 = 0;
  for (let from: u32 = 0; from < n; from += STRETCH) {
    const to = min(from + STRETCH, n);
    for (let i = from; i < to; i++) ahead += load<u32>(table + (load<u32>(hashes + (i << 2)) & mask) * stride, 4);
    for (let i = from; i < to; i++) {
      const hash = load<u32>(hashes + (i << 2));
      let index = hash & mask;
      let slot = table + index * stride;
      let state = load<u32>(slot, 4);
      while (state != 0 && (state != USED || load<u32>(slot) != hash)) {
        index = (index + 1) & mask;
        slot = table + index * stride;
        state = load<u32>(slot, 4);
      }
      store<u32>(hashes + (i << 2), state == 0 ? 0 : <u32>slot);
    }
  }
  return ahead;
}

/**
 * Freeing (operators/state/table_retention.ts): where one time in a slot says when it is dead. `at`: its byte offset; `flag`: that of its validity byte, 0 for
 * a double that is NaN where a slot never dies; dead when time + lag < watermark.
 */
@inline
function isDead(slot: usize, at: u32, flag: u32, lag: f64, watermark: f64): bool {
  if (flag == 0) return load<f64>(slot + at) + lag < watermark;
  if (load<u8>(slot + flag) == 0) return false;
  const time = <f64>load<i64>(slot + at);
  return time > -EXACT && time < EXACT && time + lag < watermark;
}

/** The first slot with the hash that is dead, or 0: every slot has an entry of its own in the calendar, so one an entry is enough. */
@inline
function deadSlot(
  table: usize,
  mask: u32,
  stride: u32,
  hash: u32,
  at: u32,
  flag: u32,
  lag: f64,
  watermark: f64,
): usize {
  let index = hash & mask;
  let slot = table + index * stride;
  while (load<u32>(slot, 4) != EMPTY) {
    if (load<u32>(slot, 4) == USED && load<u32>(slot) == hash && isDead(slot, at, flag, lag, watermark)) return slot;
    index = (index + 1) & mask;
    slot = table + index * stride;
  }
  return 0;
}

/** Dead slots, one for each of n hashes that has one, in the hashes' place and marked as deleted; gives their number. */
export function deadSlots(
  table: usize,
  mask: u32,
  stride: u32,
  hashes: usize,
  n: u32,
  at: u32,
  flag: u32,
  lag: f64,
  watermark: f64,
): u32 {
  let count: u32 = 0;
  let ahead: u32 = 0;
  for (let from: u32 = 0; from < n; from += STRETCH) {
    const to = min(from + STRETCH, n);
    ahead |= readAhead(table, mask, stride, hashes + (from << 2), to - from);
    for (let i = from; i < to; i++) {
      const slot = deadSlot(table, mask, stride, load<u32>(hashes + (i << 2)), at, flag, lag, watermark);
      if (slot == 0) continue;
      announce(slot + 4, 4);
      store<u32>(slot, DELETED, 4);
      store<u32>(hashes + (count++ << 2), <u32>slot);
    }
  }
  // States are 0 to 2: what was read ahead is never this, but the compiler cannot know.
  return ahead == 0xffffffff ? ahead : count;
}

/**
 * Takes dead slots out, one for each of n hashes that has one. Gives their number, and 2^32 times the number of slots that were deleted and are empty
 * now: in front of an empty slot nothing is looked for beyond.
 *
 * Measured on q12: 12 ns an event against 150 by a callback a slot.
 */
export function removeDead(
  table: usize,
  mask: u32,
  stride: u32,
  hashes: usize,
  n: u32,
  at: u32,
  flag: u32,
  lag: f64,
  watermark: f64,
): f64 {
  let removed: u32 = 0;
  let emptied: u32 = 0;
  let ahead: u32 = 0;
  for (let from: u32 = 0; from < n; from += STRETCH) {
    const to = min(from + STRETCH, n);
    ahead += readAhead(table, mask, stride, hashes + (from << 2), to - from);
    for (let i = from; i < to; i++) {
      const slot = deadSlot(table, mask, stride, load<u32>(hashes + (i << 2)), at, flag, lag, watermark);
      if (slot == 0) continue;
      removed++;
      announce(slot + 4, 4);
      store<u32>(slot, DELETED, 4);
      emptied += emptyBefore(table, mask, stride, slot);
    }
  }
  // States are 0 to 2: what was read ahead is never this, but the compiler cannot know.
  return ahead == 0xffffffff ? -1 : <f64>removed + 4294967296 * <f64>emptied;
}

/** Reads the first slots of a stretch of hashes, so that their cache misses overlap. */
@inline
function readAhead(table: usize, mask: u32, stride: u32, hashes: usize, n: u32): u32 {
  let ahead: u32 = 0;
  for (let i: u32 = 0; i < n; i++) ahead |= load<u32>(table + (load<u32>(hashes + (i << 2)) & mask) * stride, 4);
  return ahead;
}

/** Empties the deleted slot and those before it when the one behind it is empty; gives their number. */
export function emptyBefore(table: usize, mask: u32, stride: u32, slot: usize): u32 {
  let index = <u32>((slot - table) / stride);
  if (load<u32>(table + ((index + 1) & mask) * stride, 4) != EMPTY) return 0;
  let count: u32 = 0;
  let at = table + index * stride;
  while (load<u32>(at, 4) == DELETED) {
    announce(at + 4, 4);
    store<u32>(at, EMPTY, 4);
    count++;
    index = (index - 1) & mask;
    at = table + index * stride;
  }
  return count;
}

/** Takes n slots out; gives how many that were deleted are empty now. */
export function removeSlots(table: usize, mask: u32, stride: u32, slots: usize, n: u32): u32 {
  let emptied: u32 = 0;
  for (let i: u32 = 0; i < n; i++) {
    const slot: usize = load<u32>(slots + (i << 2));
    announce(slot + 4, 4);
    store<u32>(slot, DELETED, 4);
    emptied += emptyBefore(table, mask, stride, slot);
  }
  return emptied;
}

/** The slots that rows `fresh` made, `offset` bytes on. */
export function freshSlots(slots: usize, fresh: usize, made: u32, offset: u32, to: usize): void {
  for (let i: u32 = 0; i < made; i++) store<u32>(to + (i << 2), load<u32>(slots + (load<u32>(fresh + (i << 2)) << 2)) + offset);
}
