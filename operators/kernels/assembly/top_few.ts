/**
 * The first few rows of each partition in order, of input that never retracts (operators/top_few.ts). A partition's bytes in its slot:
 *
 *   | u32 entries | u32 1 + its number among the changed ones, 0 between ticks | u32 for each entry, in order, TOP_LIMIT of them |
 *
 *   topInsert    a row that comes after the last of a full partition costs one compare; others take their place, and what the partition was is kept first
 *   topChanges   before against after, rank by rank; which entries are new, and which are gone
 *   topKeep      a block for each new entry, to be filled by the caller: only rows that stay are ever written in the form of state
 *   topResolve   changes show these blocks, too
 *
 * Measured in docs/decisions/0251.
 */
import {
  TOP_AHEAD,
  TOP_COUNT,
  TOP_GONE,
  TOP_GONE_COUNT,
  TOP_LIMIT,
  TOP_NEW,
  TOP_NEW_COUNT,
  TOP_OLD,
  TOP_ORDER,
  TOP_ORDER_COUNT,
  TOP_OUT_COUNT,
  TOP_OUT_RANKS,
  TOP_OUT_ROWS,
  TOP_OUT_SLOTS,
  TOP_OUT_WEIGHTS,
  TOP_PAYLOAD,
  TOP_PLACES,
  TOP_RANKED,
  TOP_SHOWN,
  TOP_SLOTS,
  TOP_STRIDE,
  TOP_TIES,
  TOP_TOUCHED,
  TOP_TOUCHED_COUNT,
} from '../top_layout';
import { takeBlock } from './heap_blocks';
import { compareEntries } from './row_order';

const TOUCHED: usize = 4;
const ENTRIES: usize = 8;
/** Rows whose partition's last entry is read ahead. */
const STRETCH: u32 = 32;

export function topInsert(t: usize): void {
  const n = load<u32>(t, TOP_COUNT);
  const slots: usize = load<u32>(t, TOP_SLOTS);
  const payload: usize = load<u32>(t, TOP_PAYLOAD);
  const limit = load<u32>(t, TOP_LIMIT);
  const order: usize = load<u32>(t, TOP_ORDER);
  const columns = load<u32>(t, TOP_ORDER_COUNT);
  const touched: usize = load<u32>(t, TOP_TOUCHED);
  const old: usize = load<u32>(t, TOP_OLD);
  const offset = load<u32>(order + 4);
  let changed: u32 = 0;
  let shown: u32 = 0;
  let ahead: u32 = 0;
  for (let from: u32 = 0; from < n; from += STRETCH) {
    const to = min(from + STRETCH, n);
    for (let row = from; row < to; row++) {
      const slot: usize = load<u32>(slots + (row << 2));
      if (slot != 0 && load<u32>(slot + payload) == limit)
        ahead += load<u8>(<usize>load<u32>(slot + payload + ENTRIES + ((limit - 1) << 2)) + offset);
    }
    for (let row = from; row < to; row++) {
      const slot: usize = load<u32>(slots + (row << 2));
      if (slot == 0) continue;
      const state = slot + payload;
      const entries = state + ENTRIES;
      const entry = (row << 1) | 1;
      let count = load<u32>(state);
      if (count == limit && compareEntries(entry, load<u32>(entries + ((limit - 1) << 2)), order, columns) >= 0) continue;
      if (load<u32>(state, TOUCHED) == 0) {
        const copy = old + changed * ((limit + 1) << 2);
        store<u32>(copy, count);
        for (let i: u32 = 0; i < count; i++) store<u32>(copy + 4 + (i << 2), load<u32>(entries + (i << 2)));
        store<u32>(touched + (changed << 2), <u32>slot);
        changed++;
        store<u32>(state, changed, TOUCHED);
        shown += count;
      }
      if (count < limit) store<u32>(state, ++count);
      let place = count - 1;
      for (; place > 0; place--) {
        const other = load<u32>(entries + ((place - 1) << 2));
        if (compareEntries(entry, other, order, columns) >= 0) break;
        store<u32>(entries + (place << 2), other);
      }
      store<u32>(entries + (place << 2), entry);
    }
  }
  for (let i: u32 = 0; i < changed; i++) shown += load<u32>(<usize>load<u32>(touched + (i << 2)) + payload);
  store<u32>(t, changed, TOP_TOUCHED_COUNT);
  store<u32>(t, shown, TOP_SHOWN);
  store<u32>(t, ahead, TOP_AHEAD);
}

export function topChanges(t: usize): void {
  const payload: usize = load<u32>(t, TOP_PAYLOAD);
  const limit = load<u32>(t, TOP_LIMIT);
  const order: usize = load<u32>(t, TOP_ORDER);
  const columns = load<u32>(t, TOP_ORDER_COUNT);
  const touched: usize = load<u32>(t, TOP_TOUCHED);
  const changed = load<u32>(t, TOP_TOUCHED_COUNT);
  const ranked = load<u32>(t, TOP_RANKED) != 0;
  const outRows: usize = load<u32>(t, TOP_OUT_ROWS);
  const outSlots: usize = load<u32>(t, TOP_OUT_SLOTS);
  const outWeights: usize = load<u32>(t, TOP_OUT_WEIGHTS);
  const outRanks: usize = load<u32>(t, TOP_OUT_RANKS);
  const fresh: usize = load<u32>(t, TOP_NEW);
  const gone: usize = load<u32>(t, TOP_GONE);
  let old: usize = load<u32>(t, TOP_OLD);
  let out: u32 = 0;
  let made: u32 = 0;
  let left: u32 = 0;
  let ties: u32 = 0;
  for (let i: u32 = 0; i < changed; i++, old += (limit + 1) << 2) {
    const slot = load<u32>(touched + (i << 2));
    const state = <usize>slot + payload;
    const entries = state + ENTRIES;
    store<u32>(state, 0, TOUCHED);
    const before = load<u32>(old);
    const after = load<u32>(state);
    let at: u32 = 0;
    for (let rank: u32 = 0; rank < after; rank++) {
      const cell = entries + (rank << 2);
      const row = load<u32>(cell);
      const isNew = (row & 1) != 0;
      if (isNew) store<u32>(fresh + (made++ << 2), <u32>cell);
      else at++;
      const was = rank < before ? load<u32>(old + 4 + (rank << 2)) : 0;
      if (!ranked ? !isNew : row == was) continue;
      if (ranked && was != 0) {
        if (compareEntries(was, row, order, columns) == 0) ties++;
        store<u32>(outRows + (out << 2), was);
        store<u32>(outSlots + (out << 2), slot);
        store<i32>(outWeights + (out << 2), -1);
        store<u64>(outRanks + (out << 3), rank + 1);
        out++;
      }
      store<u32>(outRows + (out << 2), row);
      store<u32>(outSlots + (out << 2), slot);
      store<i32>(outWeights + (out << 2), 1);
      store<u64>(outRanks + (out << 3), rank + 1);
      out++;
    }
    // Entries that were there keep their order, and those that leave are the last ones.
    for (; at < before; at++) {
      const row = load<u32>(old + 4 + (at << 2));
      store<u32>(gone + (left++ << 2), row);
      if (ranked) continue;
      store<u32>(outRows + (out << 2), row);
      store<u32>(outSlots + (out << 2), slot);
      store<i32>(outWeights + (out << 2), -1);
      out++;
    }
  }
  store<u32>(t, out, TOP_OUT_COUNT);
  store<u32>(t, made, TOP_NEW_COUNT);
  store<u32>(t, left, TOP_GONE_COUNT);
  store<u32>(t, ties, TOP_TIES);
}

/** Gives new entries blocks, from number `from` on; gives the number of the first for which the heap's chunk has no room, else how many there are. */
export function topKeep(t: usize, from: u32, heap: usize): u32 {
  const stride = load<u32>(t, TOP_STRIDE);
  const fresh: usize = load<u32>(t, TOP_NEW);
  const made = load<u32>(t, TOP_NEW_COUNT);
  const places: usize = load<u32>(t, TOP_PLACES);
  for (let i = from; i < made; i++) {
    const block = takeBlock(heap, stride);
    if (block == 0) return i;
    const cell: usize = load<u32>(fresh + (i << 2));
    store<u32>(places + ((load<u32>(cell) >> 1) << 2), <u32>block);
    store<u32>(cell, <u32>block);
  }
  return made;
}

/** In the changes, the blocks that new entries were given in place of the rows' numbers. */
export function topResolve(t: usize): void {
  const rows: usize = load<u32>(t, TOP_OUT_ROWS);
  const places: usize = load<u32>(t, TOP_PLACES);
  const end = rows + (load<u32>(t, TOP_OUT_COUNT) << 2);
  for (let at = rows; at < end; at += 4) {
    const entry = load<u32>(at);
    if ((entry & 1) != 0) store<u32>(at, load<u32>(places + ((entry >> 1) << 2)));
  }
}
