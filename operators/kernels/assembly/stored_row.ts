/**
 * Whether a row of columns is one that lies in state, of types whose equal values are the same bytes, floats that look the same, or texts or digits outside of the row that are the same bytes. How a row
 * lies: index_rows.ts.
 */
import {
  KEY_COLUMN_AT,
  KEY_COLUMN_BYTES,
  KEY_COLUMN_DATA,
  KEY_COLUMN_KIND,
  KEY_COLUMN_VALID,
  KEY_COLUMN_WIDTH,
  KEY_KIND_NUMERIC,
  KEY_KIND_TEXT,
} from '../key_layout';
import { equalBytes } from './bytes';
import { sameEight } from './float_keys';
import { sameBytes } from './keys';
import { NUMERIC_WIDE } from './numeric';
import { INLINE } from './varlen';

/** Whether row `row` of the columns is the one at `to`. Where there is no value, rows of state have zeros, and columns anything. */
@inline
export function isStored(columns: usize, end: usize, row: u32, to: usize, validAt: u32): bool {
  for (let column = columns, flag = to + validAt; column < end; column += KEY_COLUMN_BYTES, flag++) {
    const valid: usize = load<u32>(column, KEY_COLUMN_VALID);
    const present = valid == 0 || load<u8>(valid + row) != 0;
    if (present != (load<u8>(flag) != 0)) return false;
    if (!present) continue;
    const width = load<u32>(column, KEY_COLUMN_WIDTH);
    const a: usize = load<u32>(column, KEY_COLUMN_DATA) + row * width;
    const b = to + load<u32>(column, KEY_COLUMN_AT);
    if (width == 16) {
      if (!isSameWide(a, b, load<u32>(column, KEY_COLUMN_KIND))) return false;
    } else if (width == 8) {
      if (!sameEight(a, b, load<u32>(column, KEY_COLUMN_KIND))) return false;
    } else if (width == 4) {
      if (load<u32>(a) != load<u32>(b)) return false;
    } else if (load<u8>(a) != load<u8>(b)) return false;
  }
  return true;
}

/** Whether two slots of 16 bytes have the same value. */
@inline
export function isSameWide(a: usize, b: usize, kind: u32): bool {
  const first = load<u64>(a);
  if (first != load<u64>(b)) return false;
  if (load<u64>(a, 8) == load<u64>(b, 8)) return true;
  if (kind == KEY_KIND_TEXT) return <u32>first > INLINE && sameBytes(load<u32>(a, 8), load<u32>(b, 8), <u32>first);
  if (kind != KEY_KIND_NUMERIC || load<u8>(a, 10) != NUMERIC_WIDE || load<u32>(a, 8) != load<u32>(b, 8)) return false;
  return equalBytes(load<u32>(a, 12), load<u32>(b, 12), <u32>first);
}
