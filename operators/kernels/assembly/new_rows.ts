/**
 * Which rows of a batch a keyed index does not have yet (operators/state/new_rows.ts): each is compared with the entries of its key's run, column by column. How a row lies: index_rows.ts.
 */
import { KEY_COLUMN_AT, KEY_COLUMN_BYTES, KEY_COLUMN_DATA, KEY_COLUMN_TEXT, KEY_COLUMN_VALID, KEY_COLUMN_WIDTH } from '../key_layout';
import { KEY_COUNT, KEY_DIRECTORY, KEY_ROOM, MOST_ADDED } from '../key_slot_layout';
import { sameBytes } from './keys';
import { INLINE } from './varlen';

/** Whether the entry has the row's values, in columns whose equal values are the same bytes. */
@inline
function isEntry(entry: usize, row: u32, columns: usize, end: usize, validAt: u32): bool {
  let flag = entry + validAt;
  for (let column = columns; column < end; column += KEY_COLUMN_BYTES, flag++) {
    const valid: usize = load<u32>(column, KEY_COLUMN_VALID);
    const present: u8 = valid == 0 || load<u8>(valid + row) != 0 ? 1 : 0;
    if (load<u8>(flag) != present) return false;
    if (present == 0) continue;
    const width = load<u32>(column, KEY_COLUMN_WIDTH);
    const value = <usize>load<u32>(column, KEY_COLUMN_DATA) + row * width;
    const at = entry + load<u32>(column, KEY_COLUMN_AT);
    if (width == 16) {
      const first = load<u64>(value);
      if (first != load<u64>(at)) return false;
      if (load<u32>(column, KEY_COLUMN_TEXT) == 1 && <u32>first > INLINE) {
        if (!sameBytes(load<u32>(value, 8), load<u32>(at, 8), <u32>first)) return false;
      } else if (load<u64>(value, 8) != load<u64>(at, 8)) return false;
    } else if (width == 8) {
      if (load<u64>(value) != load<u64>(at)) return false;
    } else if (width == 4) {
      if (load<u32>(value) != load<u32>(at)) return false;
    } else if (load<u8>(value) != load<u8>(at)) return false;
  }
  return true;
}

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
      for (let entry = run; isNew && entry < last; entry += stride) isNew = !isEntry(entry, row, columns, end, validAt);
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
