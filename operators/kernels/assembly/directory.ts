/**
 * The directory of a hash table of slots (operators/state/row_table.ts): entries of 8 bytes, probed one after the other from the hash's own on.
 *
 *   entry:   | u32 hash | u32 address of the slot; 0: none from here on, 1: it was taken out |
 *   slot:  | u32 hash | u32 state: 0 not in use, 1 used, 2 leaving | row | payload |
 *
 * `mask`: number of entries - 1, a power of two - 1.
 */
import { ENTRY_DELETED, SLOT_LEAVING, SLOT_USED } from '../table_layout';
import { announce } from './marks';

export const USED: u32 = SLOT_USED;
export const LEAVING: u32 = SLOT_LEAVING;
const DELETED: u32 = ENTRY_DELETED;
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

@inline
export function isDeleted(entry: usize): bool {
  return load<u32>(entry, 4) == DELETED;
}

/** The entry's slot when it is used and has the hash, else 0. */
@inline
export function slotOf(entry: usize, hash: u32): usize {
  if (load<u32>(entry) != hash) return 0;
  const slot: usize = load<u32>(entry, 4);
  return slot > DELETED && load<u32>(slot, 4) == USED ? slot : 0;
}

/** Reads the entries of n hashes ahead, and the slots with these hashes, of `bytes` bytes. Gives something of no use, that it is not left out. */
@inline
export function readAhead(directory: usize, mask: u32, hashes: usize, n: u32, bytes: u32): u32 {
  let ahead: u32 = 0;
  for (let i: u32 = 0; i < n; i++) ahead += load<u32>(entryOf(directory, mask, load<u32>(hashes + (i << 2))), 4);
  for (let i: u32 = 0; i < n; i++) {
    const hash = load<u32>(hashes + (i << 2));
    const entry = entryOf(directory, mask, hash);
    const slot: usize = load<u32>(entry, 4);
    if (load<u32>(entry) == hash && slot > DELETED) ahead += load<u32>(slot) + load<u32>(slot + bytes - 4);
  }
  return ahead;
}

/** Moves the entries to a directory of another size. */
export function rehash(from: usize, fromEntries: u32, to: usize, entries: u32): void {
  const mask = entries - 1;
  memory.fill(to, 0, <usize>entries << 3);
  for (let entry = from, end = from + (fromEntries << 3); entry < end; entry += 8) {
    if (load<u32>(entry, 4) <= DELETED) continue;
    const whole = load<u64>(entry);
    let index = <u32>whole;
    while (!isEnd(entryOf(to, mask, index))) index++;
    store<u64>(entryOf(to, mask, index), whole);
  }
}

/** Enters the slots from `from` to `end`, those of them that are in use. */
export function enterSlots(directory: usize, mask: u32, from: usize, end: usize, stride: u32): void {
  for (let slot = from; slot < end; slot += stride) {
    if (load<u32>(slot, 4) == 0) continue;
    let index = load<u32>(slot);
    while (!isEnd(entryOf(directory, mask, index))) index++;
    store<u32>(entryOf(directory, mask, index), load<u32>(slot));
    store<u32>(entryOf(directory, mask, index), <u32>slot, 4);
  }
}

/** The first entry whose slot is used and has the hash, in place of each of n hashes; 0 for none. Gives something of no use, that reading ahead is not left out. */
export function entriesOfHashes(directory: usize, mask: u32, hashes: usize, n: u32, bytes: u32): u32 {
  let ahead: u32 = 0;
  for (let from: u32 = 0; from < n; from += STRETCH) {
    const to = min(from + STRETCH, n);
    ahead += readAhead(directory, mask, hashes + (from << 2), to - from, bytes);
    for (let i = from; i < to; i++) {
      const hash = load<u32>(hashes + (i << 2));
      let index = hash;
      let entry = entryOf(directory, mask, index);
      while (!isEnd(entry) && slotOf(entry, hash) == 0) entry = entryOf(directory, mask, ++index);
      store<u32>(hashes + (i << 2), isEnd(entry) ? 0 : <u32>entry);
    }
  }
  return ahead;
}

/** Takes n slots out and puts them, the last one first, in front of the list of those that are not in use, which begins with `free`. Gives how many entries are empty again. */
export function removeSlots(directory: usize, mask: u32, slots: usize, n: u32, free: u32): u32 {
  let emptied: u32 = 0;
  let head = free;
  for (let i: u32 = 0; i < n; i++) {
    const slot: usize = load<u32>(slots + (i << 2));
    let index = load<u32>(slot);
    while (load<u32>(entryOf(directory, mask, index), 4) != <u32>slot) index++;
    const entry = entryOf(directory, mask, index);
    announce(entry, 8);
    store<u32>(entry, DELETED, 4);
    emptied += emptyBefore(directory, mask, index);
    announce(slot, 8);
    store<u32>(slot, head);
    store<u32>(slot, 0, 4);
    head = <u32>slot;
  }
  return emptied;
}

/** A probe goes no further than an empty entry: one in front of it, and those before, need not say that they were deleted. Gives how many there were. */
@inline
function emptyBefore(directory: usize, mask: u32, index: u32): u32 {
  if (!isEnd(entryOf(directory, mask, index + 1))) return 0;
  let count: u32 = 0;
  let entry = entryOf(directory, mask, index);
  while (isDeleted(entry)) {
    announce(entry, 8);
    store<u32>(entry, 0, 4);
    count++;
    entry = entryOf(directory, mask, --index);
  }
  return count;
}
