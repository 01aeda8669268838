/**
 * The loop of TopTiesOperator (operators/top_ties.ts) where rows are ordered by one integer: which rows of a tick are not beaten by what their partition
 * has shown or by a row before them. Nearly all are beaten, so nothing else is done row by row.
 *
 * A partition's slot is that of a keyed index (operators/kernels/key_slot_layout.ts) with what it has shown, all of which tie: the first entry has the best value, `at` bytes into it,
 * and its validity `flag` bytes into it. Where such a slot may count the tick's rows stands 1 + the tick's best row, 0 for none.
 *
 * Measured on q7: 7 ns an event.
 */
import { KEY_COUNT, KEY_ROOM, KEY_RUN, MOST_ADDED } from '../key_slot_layout';

/** How row `row` compares with row `other` of the column, or with the value in `entry` when that is not 0. */
@inline
function compare(
  data: usize,
  valid: usize,
  wide: bool,
  row: u32,
  other: u32,
  entry: usize,
  at: u32,
  flag: u32,
  desc: bool,
  nullsFirst: bool,
): i32 {
  const x = valid == 0 || load<u8>(valid + row) != 0;
  const y = entry != 0 ? load<u8>(entry + flag) != 0 : valid == 0 || load<u8>(valid + other) != 0;
  if (x != y) return x == nullsFirst ? 1 : -1;
  if (!x) return 0;
  let a: i64 = 0;
  let b: i64 = 0;
  if (wide) {
    a = load<i64>(data + (row << 3));
    b = load<i64>(entry != 0 ? entry + at : data + (other << 3));
  } else {
    a = load<i32>(data + (row << 2));
    b = load<i32>(entry != 0 ? entry + at : data + (other << 2));
  }
  if (a == b) return 0;
  return a < b == desc ? 1 : -1;
}

/**
 * Lists the rows that may be among the best, and at `changed`, after their number, the slots that got a better row; gives the number of rows.
 */
export function bestRows(
  slots: usize,
  weights: usize,
  n: u32,
  payload: u32,
  at: u32,
  flag: u32,
  data: usize,
  valid: usize,
  wide: bool,
  desc: bool,
  nullsFirst: bool,
  rows: usize,
  changed: usize,
): u32 {
  let count: u32 = 0;
  let changes: u32 = 0;
  for (let row: u32 = 0; row < n; row++) {
    const slot: usize = load<u32>(slots + (row << 2));
    if (slot == 0) continue;
    const state = slot + payload;
    const room = load<u32>(state, KEY_ROOM);
    const best = room & MOST_ADDED;
    let order = -1;
    if (best != 0) order = compare(data, valid, wide, row, best - 1, 0, at, flag, desc, nullsFirst);
    else if (load<u32>(state, KEY_COUNT) != 0)
      order = compare(data, valid, wide, row, 0, load<u32>(state, KEY_RUN), at, flag, desc, nullsFirst);
    if (order > 0) continue;
    store<u32>(rows + (count++ << 2), row);
    if (order == 0 || load<i32>(weights + (row << 2)) < 0) continue;
    if (best == 0) store<u32>(changed + (++changes << 2), <u32>slot);
    store<u32>(state, (room & ~MOST_ADDED) | (row + 1), KEY_ROOM);
  }
  store<u32>(changed, changes);
  return count;
}
