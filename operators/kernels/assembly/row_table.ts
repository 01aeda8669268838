/** Loops over the slots of a hash table (operators/state/row_table.ts); how they are found: directory.ts. */
import { SLOT_STATE } from '../table_layout';
import { entryOf, isEnd, LEAVING, readAhead, slotOf, STRETCH, USED } from './directory';
import { homeOf } from './home';
import { announce } from './marks';

const EXACT: f64 = 9007199254740992;

/**
 * Slots from `from` to `end` that are in use, up to `most` of them: addresses of their bytes `rowOffset` on, and the word at `payload`. Gives the slot to go on from, or
 * the end; how many there were goes to `count`.
 */
export function usedSlots(
  from: usize,
  end: usize,
  stride: u32,
  most: u32,
  rowOffset: u32,
  payload: u32,
  rows: usize,
  words: usize,
  count: usize,
): usize {
  let n: u32 = 0;
  let slot = from;
  for (; slot < end && n < most; slot += stride) {
    if (load<u8>(slot, SLOT_STATE) != USED) continue;
    store<u32>(rows + (n << 2), <u32>slot + rowOffset);
    store<u32>(words + (n << 2), load<u32>(slot + payload));
    n++;
  }
  store<u32>(count, n);
  return slot;
}

/**
 * Copies slots from `from` to `end` that are in use to `to`, one behind the other, as many as fit in front of `toEnd`. Gives how far from `from` on to go on, and how many there
 * were times 2^32.
 */
export function copyUsedSlots(from: usize, end: usize, stride: u32, to: usize, toEnd: usize): f64 {
  let n: u32 = 0;
  let slot = from;
  for (; slot < end && to < toEnd; slot += stride) {
    if (load<u8>(slot, SLOT_STATE) != USED) continue;
    for (let at: u32 = 0; at < stride; at += 8) store<u64>(to + at, load<u64>(slot + at));
    to += stride;
    n++;
  }
  return <f64>(slot - from) + 4294967296 * <f64>n;
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
function deadSlot(directory: usize, mask: u32, hash: u32, at: u32, flag: u32, lag: f64, watermark: f64): usize {
  let index = homeOf(hash, mask);
  let entry = entryOf(directory, mask, index);
  while (!isEnd(entry)) {
    const slot = slotOf(entry, hash);
    if (slot != 0 && isDead(slot, at, flag, lag, watermark)) return slot;
    entry = entryOf(directory, mask, ++index);
  }
  return 0;
}

/** Dead slots of `bytes` bytes, one for each of n hashes that has one, in the hashes' place and marked as leaving; gives their number. */
export function deadSlots(
  directory: usize,
  mask: u32,
  hashes: usize,
  n: u32,
  bytes: u32,
  at: u32,
  flag: u32,
  lag: f64,
  watermark: f64,
): u32 {
  let count: u32 = 0;
  let ahead: u32 = 0;
  for (let from: u32 = 0; from < n; from += STRETCH) {
    const to = min(from + STRETCH, n);
    ahead |= readAhead(directory, mask, hashes + (from << 2), to - from, bytes) | 1;
    for (let i = from; i < to; i++) {
      const slot = deadSlot(directory, mask, load<u32>(hashes + (i << 2)), at, flag, lag, watermark);
      if (slot == 0) continue;
      announce(slot + SLOT_STATE, 1);
      store<u8>(slot, LEAVING, SLOT_STATE);
      store<u32>(hashes + (count++ << 2), <u32>slot);
    }
  }
  // What was read ahead is odd: never this, but the compiler cannot know.
  return ahead == 0xfffffffe ? ahead : count;
}

/** deadSlots() of all slots from `from` to `end`, which are looked at one behind the other: where most of them are dead. Lists them at `dead`. */
export function sweepSlots(from: usize, end: usize, bytes: u32, at: u32, flag: u32, lag: f64, watermark: f64, dead: usize): u32 {
  let count: u32 = 0;
  for (let slot = from; slot < end; slot += bytes) {
    if (load<u8>(slot, SLOT_STATE) != USED || !isDead(slot, at, flag, lag, watermark)) continue;
    announce(slot + SLOT_STATE, 1);
    store<u8>(slot, LEAVING, SLOT_STATE);
    store<u32>(dead + (count++ << 2), <u32>slot);
  }
  return count;
}

/** The slots that rows `fresh` made, `offset` bytes on. */
export function freshSlots(slots: usize, fresh: usize, made: u32, offset: u32, to: usize): void {
  for (let i: u32 = 0; i < made; i++) store<u32>(to + (i << 2), load<u32>(slots + (load<u32>(fresh + (i << 2)) << 2)) + offset);
}
