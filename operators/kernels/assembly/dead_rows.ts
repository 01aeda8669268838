/**
 * Lets rows of a keyed index go that are dead (operators/state/dead_rows.ts), for many hashes of the calendar in one call:
 *
 *   hash -> its slots, each: one more dead -> a quarter of the run is: what is dead goes, with its long texts, and the rest closes up
 *
 * Left to the caller: runs with a directory or with rows that are cold, values outside of their rows that are neither texts nor of the heap's classes, keys
 * without a row, and runs that have become much too large.
 */
import {
  DEAD_AHEAD,
  DEAD_CONDITION_COUNT,
  DEAD_CONDITIONS,
  DEAD_DIRECTORY,
  DEAD_ENTRIES,
  DEAD_HEAP,
  DEAD_LISTED,
  DEAD_LISTED_COUNT,
  DEAD_MASK,
  DEAD_NEGATIVE,
  DEAD_NUMERIC_COUNT,
  DEAD_NUMERICS,
  DEAD_PAYLOAD,
  DEAD_ROOM,
  DEAD_SHARE,
  DEAD_SLOT_BYTES,
  DEAD_STRIDE,
  DEAD_TEXT_COUNT,
  DEAD_TEXTS,
  DEAD_WEIGHT,
} from '../dead_rows_layout';
import { KEY_COUNT, KEY_DEAD, KEY_DEAD_PAYLOAD_BYTES, KEY_DIRECTORY, KEY_ROOM, KEY_RUN, ROOM_SHIFT } from '../key_slot_layout';
import { CONDITION_BYTES, deadlineOf } from './deadline';
import { entryOf, isEnd, readAhead, slotOf, STRETCH } from './directory';
import { giveBlock, LARGEST, roomBytes } from './heap_blocks';
import { homeOf } from './home';
import { announce } from './marks';
import { INLINE } from './varlen';

/** Whether all that the entry keeps outside is texts of the heap's classes. */
@inline
function isPlain(k: usize, entry: usize): bool {
  let at: usize = load<u32>(k, DEAD_TEXTS);
  for (let i = load<u32>(k, DEAD_TEXT_COUNT); i > 0; i--, at += 4) if (load<u32>(entry + load<u32>(at)) > LARGEST) return false;
  at = load<u32>(k, DEAD_NUMERICS);
  for (let i = load<u32>(k, DEAD_NUMERIC_COUNT); i > 0; i--, at += 4) if (load<u8>(entry + load<u32>(at), 10) != 0) return false;
  return true;
}

@inline
function letGo(k: usize, entry: usize): void {
  const heap: usize = load<u32>(k, DEAD_HEAP);
  let at: usize = load<u32>(k, DEAD_TEXTS);
  for (let i = load<u32>(k, DEAD_TEXT_COUNT); i > 0; i--, at += 4) {
    const slot = entry + load<u32>(at);
    if (load<u32>(slot) > INLINE) giveBlock(heap, load<u32>(slot, 8), load<u32>(slot));
  }
  if (load<i32>(entry + load<u32>(k, DEAD_WEIGHT)) < 0) store<u32>(k, load<u32>(k, DEAD_NEGATIVE) + 1, DEAD_NEGATIVE);
}

/** Takes the dead entries out of the run. False: one of them is for the caller, and stays. */
function compact(k: usize, payload: usize, watermark: f64): bool {
  const stride = load<u32>(k, DEAD_STRIDE);
  const conditions: usize = load<u32>(k, DEAD_CONDITIONS);
  const last = conditions + load<u32>(k, DEAD_CONDITION_COUNT) * CONDITION_BYTES;
  const run: usize = load<u32>(payload, KEY_RUN);
  const count = load<u32>(payload, KEY_COUNT);
  let entry = run;
  let to = run;
  let gone: u32 = 0;
  let isDone = true;
  for (let i: u32 = 0; i < count; i++, entry += stride) {
    if (deadlineOf(entry, conditions, last) < watermark) {
      if (isPlain(k, entry)) {
        letGo(k, entry);
        gone++;
        continue;
      }
      isDone = false;
    }
    if (to != entry) {
      announce(to, stride);
      for (let at: u32 = 0; at < stride; at += 8) store<u64>(to + at, load<u64>(entry + at));
    }
    to += stride;
  }
  store<u32>(payload, isDone ? 0 : count - gone, KEY_DEAD);
  store<u32>(payload, count - gone, KEY_COUNT);
  store<u32>(k, load<u32>(k, DEAD_ENTRIES) + gone, DEAD_ENTRIES);
  return isDone;
}

/** Gives how many of the n hashes it has done: fewer when there was no more room for the slots that are the caller's, those of the last hash too. */
export function freeDeadRows(k: usize, hashes: usize, n: u32, watermark: f64): u32 {
  const directory: usize = load<u32>(k, DEAD_DIRECTORY);
  const mask = load<u32>(k, DEAD_MASK);
  const slotBytes = load<u32>(k, DEAD_SLOT_BYTES);
  const share = load<u32>(k, DEAD_SHARE);
  const listed: usize = load<u32>(k, DEAD_LISTED);
  const room = load<u32>(k, DEAD_ROOM);
  const offset = load<u32>(k, DEAD_PAYLOAD);
  let count: u32 = 0;
  let ahead: u32 = 0;
  for (let from: u32 = 0; from < n; from += STRETCH) {
    const to = min(from + STRETCH, n);
    ahead += readAhead(directory, mask, hashes + (from << 2), to - from, slotBytes);
    for (let i = from; i < to; i++) {
      const hash = load<u32>(hashes + (i << 2));
      for (let index = homeOf(hash, mask), entry = entryOf(directory, mask, index); !isEnd(entry); entry = entryOf(directory, mask, ++index)) {
        const slot = slotOf(entry, hash);
        if (slot == 0) continue;
        const payload = slot + offset;
        const longRun = load<u32>(payload, KEY_DIRECTORY);
        // It has no row any more, and was listed.
        if (load<u32>(payload, KEY_COUNT) == 0 && longRun == 0) continue;
        const dead = load<u32>(payload, KEY_DEAD) + 1;
        announce(payload, KEY_DEAD_PAYLOAD_BYTES);
        store<u32>(payload, dead, KEY_DEAD);
        if (dead * share < load<u32>(payload, KEY_COUNT)) continue;
        if (longRun == 0 && compact(k, payload, watermark)) {
          const left = load<u32>(payload, KEY_COUNT);
          if (left != 0 && <u64>left * 4 * load<u32>(k, DEAD_STRIDE) > roomBytes(load<u32>(payload, KEY_ROOM) >> ROOM_SHIFT)) continue;
        }
        if (count < room) store<u32>(listed + (count << 2), <u32>slot);
        count++;
      }
      if (count >= room) {
        store<u32>(k, room, DEAD_LISTED_COUNT);
        return i + 1;
      }
    }
  }
  store<u32>(k, count, DEAD_LISTED_COUNT);
  store<u32>(k, ahead, DEAD_AHEAD);
  return n;
}
