/**
 * Which rows of a batch a keyed index does not have yet (operators/state/new_rows.ts): each is compared with the entries of its key's run.
 */
import { KEY_COLUMN_BYTES } from '../key_layout';
import { KEY_COUNT, KEY_DIRECTORY, KEY_ROOM, MOST_ADDED } from '../key_slot_layout';
import { isStored } from './stored_row';

/**
 * Lists at `fresh` the numbers of those of n rows that are new, and leaves the slots of all others 0. Lists at `left` number and slot of each that is left to the caller: those of cold keys, and
 * those whose key has got a row just before. Writes how many are new, how many are left, of how many entries the longest run is, and how many of those left are of cold keys, to `counts`. No key has rows that the tick has appended.
 */
export function newRows(
  slots: usize,
  n: u32,
  payload: u32,
  columns: usize,
  count: u32,
  validAt: u32,
  stride: u32,
  fresh: usize,
  left: usize,
  counts: usize,
): void {
  const end = columns + count * KEY_COLUMN_BYTES;
  let found: u32 = 0;
  let later: u32 = 0;
  let longest: u32 = 0;
  let cold: u32 = 0;
  for (let row: u32 = 0; row < n; row++) {
    const slot: usize = load<u32>(slots + (row << 2));
    if (slot == 0) continue;
    const key = slot + payload;
    const room = load<u32>(key, KEY_ROOM);
    let isNew = true;
    const isCold = load<u32>(key, KEY_DIRECTORY) != 0;
    if (isCold || (room & MOST_ADDED) != 0) {
      if (isCold) cold++;
      store<u32>(left + (later << 3), row);
      store<u32>(left + (later++ << 3), <u32>slot, 4);
      isNew = false;
    } else {
      const entries = load<u32>(key, KEY_COUNT);
      longest = max(longest, entries);
      const run: usize = load<u32>(key);
      const last = run + entries * stride;
      for (let entry = run; isNew && entry < last; entry += stride) isNew = !isStored(columns, end, row, entry, validAt);
    }
    if (isNew) {
      store<u32>(key, room | 1, KEY_ROOM);
      store<u32>(fresh + (found++ << 2), row);
    } else store<u32>(slots + (row << 2), 0);
  }
  // Who appends them counts anew.
  for (let i: u32 = 0; i < found; i++) {
    const key = <usize>load<u32>(slots + (load<u32>(fresh + (i << 2)) << 2)) + payload;
    store<u32>(key, load<u32>(key, KEY_ROOM) & ~MOST_ADDED, KEY_ROOM);
  }
  store<u32>(counts, found);
  store<u32>(counts, later, 4);
  store<u32>(counts, longest, 8);
  store<u32>(counts, cold, 12);
}
