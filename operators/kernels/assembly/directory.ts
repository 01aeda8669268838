/**
 * The directory of a hash table of slots (operators/state/row_table.ts): entries of 8 bytes, probed one after the other from the hash's home on (home.ts).
 *
 *   entry:   | u32 hash | u32 address of the slot; 0: none from here on |
 *   slot:  | u32 hash | u8 state: 0 not in use, 1 used, 2 leaving | ... | row | payload |
 *
 * Between the home of a hash and its entry no entry is empty: where one goes, those behind it close up.
 * `mask`: number of entries - 1, a power of two - 1.
 */
import { SLOT_LEAVING, SLOT_STATE, SLOT_USED } from '../table_layout';
import { homeOf } from './home';
import { announce } from './marks';

export const USED: u32 = SLOT_USED;
export const LEAVING: u32 = SLOT_LEAVING;
/** Hashes whose entries and slots are read ahead, so that their cache misses overlap. */
export const STRETCH: u32 = 64;

@inline
export function entryOf(directory: usize, mask: u32, index: u32): usize {
  return directory + ((index & mask) << 3);
}

/** No slot is looked for beyond. */
@inline
export function isEnd(entry: usize): bool {
  return load<u32>(entry, 4) == 0;
}

/** The slot of an entry that is not the end, when it is used and has the hash, else 0. */
@inline
export function slotOf(entry: usize, hash: u32): usize {
  if (load<u32>(entry) != hash) return 0;
  const slot: usize = load<u32>(entry, 4);
  return load<u8>(slot, SLOT_STATE) == USED ? slot : 0;
}

/** Reads the entries of n hashes ahead, and the first slots with these hashes, of `bytes` bytes. Gives something of no use, that it is not left out. */
@inline
export function readAhead(directory: usize, mask: u32, hashes: usize, n: u32, bytes: u32): u32 {
  return readPlaces(directory, mask, hashes, n, bytes, 0);
}

/** readAhead(), and lists at `places` the indexes of the first entries with these hashes, or of the ends where none has. 0: lists nothing. */
@inline
export function readPlaces(directory: usize, mask: u32, hashes: usize, n: u32, bytes: u32, places: usize): u32 {
  let ahead: u32 = 0;
  const bytesOfAll = n << 2;
  for (let at: u32 = 0; at < bytesOfAll; at += 4) {
    const index = homeOf(load<u32>(hashes + at), mask);
    if (places != 0) store<u32>(places + at, index);
    ahead += load<u32>(entryOf(directory, mask, index), 4);
  }
  for (let at: u32 = 0; at < bytesOfAll; at += 4) {
    const hash = load<u32>(hashes + at);
    let index = places != 0 ? load<u32>(places + at) : homeOf(hash, mask);
    let entry = load<u64>(entryOf(directory, mask, index));
    while (<u32>entry != hash && entry >> 32 != 0) entry = load<u64>(entryOf(directory, mask, ++index));
    if (places != 0) store<u32>(places + at, index);
    const slot = <usize>(entry >> 32);
    if (slot != 0) ahead += load<u32>(slot) + load<u32>(slot + bytes - 4);
  }
  return ahead;
}

/** Moves the entries to a directory of another size. */
export function rehash(from: usize, fromEntries: u32, to: usize, entries: u32): void {
  const mask = entries - 1;
  memory.fill(to, 0, <usize>entries << 3);
  for (let entry = from, end = from + (fromEntries << 3); entry < end; entry += 8) {
    if (isEnd(entry)) continue;
    const whole = load<u64>(entry);
    let index = homeOf(<u32>whole, mask);
    while (!isEnd(entryOf(to, mask, index))) index++;
    store<u64>(entryOf(to, mask, index), whole);
  }
}

/** Enters the slots from `from` to `end`, those of them that are in use. */
export function enterSlots(directory: usize, mask: u32, from: usize, end: usize, stride: u32): void {
  for (let slot = from; slot < end; slot += stride) {
    if (load<u8>(slot, SLOT_STATE) == 0) continue;
    let index = homeOf(load<u32>(slot), mask);
    while (!isEnd(entryOf(directory, mask, index))) index++;
    store<u32>(entryOf(directory, mask, index), load<u32>(slot));
    store<u32>(entryOf(directory, mask, index), <u32>slot, 4);
  }
}

/** Puts those of n hashes that a used slot has in front, and gives their number. */
export function hashesFound(directory: usize, mask: u32, hashes: usize, n: u32, bytes: u32): u32 {
  let found: u32 = 0;
  let ahead: u32 = 0;
  for (let from: u32 = 0; from < n; from += STRETCH) {
    const to = min(from + STRETCH, n);
    ahead |= readAhead(directory, mask, hashes + (from << 2), to - from, bytes) | 1;
    for (let i = from; i < to; i++) {
      const hash = load<u32>(hashes + (i << 2));
      let index = homeOf(hash, mask);
      let entry = entryOf(directory, mask, index);
      while (!isEnd(entry) && slotOf(entry, hash) == 0) entry = entryOf(directory, mask, ++index);
      if (!isEnd(entry)) store<u32>(hashes + (found++ << 2), hash);
    }
  }
  // What reading ahead saw is of no use, but that it is not 0.
  return n == 0 || ahead != 0 ? found : 0;
}

/** Takes the entry of a slot out; false when there is none. */
export function removeEntry(directory: usize, mask: u32, hash: u32, slot: u32): bool {
  let hole = homeOf(hash, mask);
  for (; load<u32>(directory + (hole << 3), 4) != slot; hole = (hole + 1) & mask) if (isEnd(directory + (hole << 3))) return false;
  for (let next = (hole + 1) & mask; ; next = (next + 1) & mask) {
    const entry = directory + (next << 3);
    if (isEnd(entry)) break;
    // It goes back into the hole unless its own place lies behind that.
    if (((next - homeOf(load<u32>(entry), mask)) & mask) < ((next - hole) & mask)) continue;
    announce(directory + (hole << 3), 8);
    store<u64>(directory + (hole << 3), load<u64>(entry));
    hole = next;
  }
  announce(directory + (hole << 3), 8);
  store<u64>(directory + (hole << 3), 0);
  return true;
}

/** Takes n slots out; false when one has no entry. Then as giveSlots(). */
export function removeSlots(directory: usize, mask: u32, slots: usize, n: u32, free: u32): bool {
  for (let i: u32 = 0; i < n; i++) {
    const slot: usize = load<u32>(slots + (i << 2));
    if (!removeEntry(directory, mask, load<u32>(slot), <u32>slot)) return false;
  }
  giveSlots(slots, n, free);
  return true;
}

/** Puts n slots, the last one first, in front of the list of those that are not in use, which begins with `free`. */
export function giveSlots(slots: usize, n: u32, free: u32): void {
  let head = free;
  for (let i: u32 = 0; i < n; i++) {
    const slot: usize = load<u32>(slots + (i << 2));
    announce(slot, 8);
    store<u32>(slot, head);
    store<u32>(slot, 0, 4);
    head = <u32>slot;
  }
}
