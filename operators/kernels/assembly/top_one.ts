/**
 * The first row of each partition in order, of input that never retracts (operators/top_one.ts). A partition's bytes in its slot:
 *
 *   | u32 1 + number of the tick's best row, 0 between ticks | u32 address of its row, 0 while there is none |
 *
 *   firstRows   which rows of the tick come before all others and before what is stored; slots of their partitions, and the rows that were first
 *   keepFirst   a block for each of these rows, to be filled by the caller: that of the row before it, or a new one
 *
 * The stored rows of a stretch are read ahead, so that their cache misses overlap. Measured in docs/decisions/0251.
 */
import {
  TOP_AHEAD,
  TOP_COUNT,
  TOP_NEW,
  TOP_OLD,
  TOP_ORDER,
  TOP_ORDER_COUNT,
  TOP_OUT_SLOTS,
  TOP_PAYLOAD,
  TOP_PLACES,
  TOP_SHOWN,
  TOP_SLOTS,
  TOP_STRIDE,
  TOP_TOUCHED,
  TOP_TOUCHED_COUNT,
} from '../top_layout';
import { takeBlock } from './heap_blocks';
import { announce } from './marks';
import { compareEntries } from './row_order';

const ROW: usize = 4;
/** Rows whose partition's row is read ahead. */
const STRETCH: u32 = 32;

export function firstRows(t: usize): void {
  const n = load<u32>(t, TOP_COUNT);
  const slots: usize = load<u32>(t, TOP_SLOTS);
  const payload: usize = load<u32>(t, TOP_PAYLOAD);
  const order: usize = load<u32>(t, TOP_ORDER);
  const columns = load<u32>(t, TOP_ORDER_COUNT);
  const touched: usize = load<u32>(t, TOP_TOUCHED);
  const old: usize = load<u32>(t, TOP_OLD);
  const oldSlots: usize = load<u32>(t, TOP_OUT_SLOTS);
  const offset = load<u32>(order + 4);
  let changed: u32 = 0;
  let shown: u32 = 0;
  let ahead: u32 = 0;
  for (let from: u32 = 0; from < n; from += STRETCH) {
    const to = min(from + STRETCH, n);
    for (let row = from; row < to; row++) {
      const slot: usize = load<u32>(slots + (row << 2));
      if (slot != 0) ahead += load<u8>(<usize>load<u32>(slot + payload, ROW) + offset);
    }
    for (let row = from; row < to; row++) {
      const slot: usize = load<u32>(slots + (row << 2));
      if (slot == 0) continue;
      const state = slot + payload;
      const entry = (row << 1) | 1;
      const best = load<u32>(state);
      if (best != 0) {
        if (compareEntries(entry, ((best - 1) << 1) | 1, order, columns) < 0) store<u32>(state, row + 1);
        continue;
      }
      const stored = load<u32>(state, ROW);
      if (stored != 0) {
        if (compareEntries(entry, stored, order, columns) >= 0) continue;
        store<u32>(oldSlots + (shown << 2), <u32>slot);
        store<u32>(old + (shown++ << 2), stored);
      }
      store<u32>(state, row + 1);
      store<u32>(touched + (changed++ << 2), <u32>slot);
    }
  }
  store<u32>(t, changed, TOP_TOUCHED_COUNT);
  store<u32>(t, shown, TOP_SHOWN);
  store<u32>(t, ahead, TOP_AHEAD);
}

/** Gives the best rows of changed partitions blocks, from number `from` on; gives the number of the first for which the heap's chunk has no room, else how many there are. */
export function keepFirst(t: usize, from: u32, heap: usize): u32 {
  const stride = load<u32>(t, TOP_STRIDE);
  const payload: usize = load<u32>(t, TOP_PAYLOAD);
  const touched: usize = load<u32>(t, TOP_TOUCHED);
  const count = load<u32>(t, TOP_TOUCHED_COUNT);
  const best: usize = load<u32>(t, TOP_NEW);
  const places: usize = load<u32>(t, TOP_PLACES);
  for (let i = from; i < count; i++) {
    const state = <usize>load<u32>(touched + (i << 2)) + payload;
    let block: usize = load<u32>(state, ROW);
    if (block == 0) {
      block = takeBlock(heap, stride);
      if (block == 0) return i;
      store<u32>(state, <u32>block, ROW);
    } else announce(block, stride);
    const row = load<u32>(state) - 1;
    store<u32>(best + (i << 2), row);
    store<u32>(places + (row << 2), <u32>block);
    store<u32>(state, 0);
  }
  return count;
}
