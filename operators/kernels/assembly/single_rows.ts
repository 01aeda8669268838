/**
 * Rows that go out of an index whose keys have one row each (operators/state/keyed_rows.ts): whether the entry of the key is the row, for a stretch of rows
 * column by column. What a column is, is looked up once a stretch, the entries stay in the nearest cache, and their first reads overlap.
 */
import { KEY_COLUMN_AT, KEY_COLUMN_BYTES, KEY_COLUMN_DATA, KEY_COLUMN_KIND, KEY_COLUMN_VALID, KEY_COLUMN_WIDTH } from '../key_layout';
import { COMPARED_ROW_BYTES, COMPARED_ROWS, KEY_COUNT, KEY_DIRECTORY } from '../key_slot_layout';
import { sameEight } from './float_keys';
import { isSameWide } from './stored_row';

/**
 * For rows `from` to `to`: a byte at `singles`, 1 where the row has weight -1 and is the only one of its key, of weight 1. At `singles` there are COMPARED_ROWS bytes for that, and memory for as
 * many candidates behind them.
 */
export function findSingles(
  columns: usize,
  end: usize,
  validAt: u32,
  stride: u32,
  weightAt: u32,
  slots: usize,
  weights: usize,
  from: u32,
  to: u32,
  payload: u32,
  singles: usize,
): void {
  const first = singles + COMPARED_ROWS;
  let last = first;
  for (let row = from; row < to; row++) {
    store<u8>(singles + (row - from), 0);
    const slot: usize = load<u32>(slots + (row << 2));
    if (slot == 0 || load<i32>(weights + (row << 2)) != -1) continue;
    const key = slot + payload;
    if (load<u32>(key, KEY_COUNT) != 1 || load<u32>(key, KEY_DIRECTORY) != 0) continue;
    store<u32>(last, row);
    store<u32>(last, load<u32>(key), 4);
    last += COMPARED_ROW_BYTES;
  }
  for (let at = first; at < last; at += COMPARED_ROW_BYTES) {
    const entry: usize = load<u32>(at, 4);
    store<u32>(at, load<u32>(entry + weightAt) ^ 1, 8);
  }
  for (let column = columns, flag = validAt; column < end; column += KEY_COLUMN_BYTES, flag++) compareColumn(column, flag, first, last);
  for (let at = first; at < last; at += COMPARED_ROW_BYTES)
    if (load<u32>(at, 8) == 0) store<u8>(singles + (load<u32>(at) - from), 1);
}

/** isStored() of a column, for all candidates: notes which of them differ. */
function compareColumn(column: usize, flag: u32, first: usize, last: usize): void {
  const width = load<u32>(column, KEY_COLUMN_WIDTH);
  const data: usize = load<u32>(column, KEY_COLUMN_DATA);
  const valid: usize = load<u32>(column, KEY_COLUMN_VALID);
  const offset = load<u32>(column, KEY_COLUMN_AT);
  const kind = load<u32>(column, KEY_COLUMN_KIND);
  for (let at = first; at < last; at += COMPARED_ROW_BYTES) {
    const row = load<u32>(at);
    const entry: usize = load<u32>(at, 4);
    const present: u32 = valid == 0 ? 1 : load<u8>(valid + row) != 0 ? 1 : 0;
    let differs = present ^ load<u8>(entry + flag);
    const to = entry + offset;
    if (present != 0) {
      if (width == 8) differs |= <u32>!sameEight(data + (row << 3), to, kind);
      else if (width == 4) differs |= <u32>(load<u32>(data + (row << 2)) != load<u32>(to));
      else if (width == 1) differs |= <u32>(load<u8>(data + row) != load<u8>(to));
      else if (differs == 0) differs = <u32>!isSameWide(data + (row << 4), to, kind);
    }
    store<u32>(at, load<u32>(at, 8) | differs, 8);
  }
}
