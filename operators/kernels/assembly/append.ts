/**
 * The rows of a tick into an index that only grows (operators/state/keyed_index.ts), all in one call:
 *
 *   columns -> packed keys -> slots, found or made -> rows counted a key -> runs with room -> entries -> rows -> own copies of long texts
 *
 * Each step is a kernel of its own file. In a tick of a few rows the calls cost more than the rows do. What the kernels do not know goes back to
 * JavaScript by what the call gives (append_layout.ts), and JavaScript goes on at the step behind it.
 */
import {
  APPEND_BLOCKS_FROM,
  APPEND_CHOSEN,
  APPEND_COLUMN_COUNT,
  APPEND_COLUMNS,
  APPEND_DONE,
  APPEND_HEAP,
  APPEND_LEFT,
  APPEND_LEFT_COUNT,
  APPEND_NO_ROOM,
  APPEND_NO_SLOT,
  APPEND_OLD,
  APPEND_OUTSIDE,
  APPEND_OUTSIDE_COUNT,
  APPEND_OWNED,
  APPEND_PLACED,
  APPEND_PLACES,
  APPEND_ROW_BYTES,
  APPEND_SIGNED,
  APPEND_TOUCHED,
  APPEND_TOUCHED_COUNT,
  APPEND_VALID,
  APPEND_WEIGHT,
  APPEND_WEIGHTS,
} from '../append_layout';
import { KEYS_FROM, KEYS_PAYLOAD, KEYS_ROWS, KEYS_SLOTS } from '../key_layout';
import { allPositive } from './bytes';
import { countAdded, growRuns, placeRows, storeRows } from './index_rows';
import { findOrInsertKeys } from './keys';
import { ownTexts } from './own_texts';

/** Appends the rows. Their keys are compared as SQL does, so no numeric, which may be odd, is among them. */
export function appendRows(a: usize): u32 {
  if (!allPositive(load<u32>(a, APPEND_WEIGHTS), load<u32>(a, KEYS_ROWS))) return APPEND_SIGNED;
  return appendFound(a);
}

/** Appends the rows, whose weights are known to be positive. */
export function appendFound(a: usize): u32 {
  findOrInsertKeys(a);
  return load<u32>(a, KEYS_FROM) < load<u32>(a, KEYS_ROWS) ? APPEND_NO_SLOT : appendLocated(a);
}

/** Appends the rows, whose keys' slots are known. */
export function appendLocated(a: usize): u32 {
  const payload = load<u32>(a, KEYS_PAYLOAD);
  const touched: usize = load<u32>(a, APPEND_TOUCHED);
  const count = countAdded(load<u32>(a, KEYS_SLOTS), load<u32>(a, KEYS_ROWS), payload, touched);
  store<u32>(a, count, APPEND_TOUCHED_COUNT);
  const left = growRuns(
    touched,
    count,
    payload,
    load<u32>(a, APPEND_ROW_BYTES),
    load<u32>(a, APPEND_HEAP),
    load<u32>(a, APPEND_OLD),
    load<u32>(a, APPEND_LEFT),
    load<u32>(a, APPEND_BLOCKS_FROM),
  );
  store<u32>(a, left, APPEND_LEFT_COUNT);
  if (left != 0) return APPEND_NO_ROOM;
  storeAppended(a);
  return APPEND_DONE;
}

/** Appends the rows to runs that have the room. */
export function storeAppended(a: usize): void {
  const n = load<u32>(a, KEYS_ROWS);
  const places: usize = load<u32>(a, APPEND_PLACES);
  const placed = placeRows(
    load<u32>(a, KEYS_SLOTS),
    n,
    load<u32>(a, KEYS_PAYLOAD),
    load<u32>(a, APPEND_ROW_BYTES),
    places,
  );
  store<u32>(a, placed, APPEND_PLACED);
  const outside: usize = load<u32>(a, APPEND_OUTSIDE);
  const count = storeRows(
    load<u32>(a, APPEND_COLUMNS),
    load<u32>(a, APPEND_COLUMN_COUNT),
    n,
    load<u32>(a, APPEND_VALID),
    load<u32>(a, APPEND_ROW_BYTES),
    load<u32>(a, APPEND_WEIGHTS),
    load<u32>(a, APPEND_WEIGHT),
    places,
    outside,
    load<u32>(a, APPEND_CHOSEN),
  );
  store<u32>(a, count, APPEND_OUTSIDE_COUNT);
  store<u32>(a, ownTexts(outside, 0, count, load<u32>(a, APPEND_HEAP)), APPEND_OWNED);
}
