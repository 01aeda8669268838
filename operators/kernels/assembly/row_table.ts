/** Loops over the slots of a hash table (operators/state/row_table.ts). */
const USED: u32 = 1;

/** Moves the rows to a table of another size: a copy a slot, without a call a slot. Slots of `stride` bytes start with the hash and the state; both capacities are powers of two. The new table's states are made empty first. */
export function rehash(from: usize, fromCapacity: u32, to: usize, capacity: u32, stride: u32): void {
  const mask = capacity - 1;
  for (let i: u32 = 0; i < capacity; i++) store<u32>(to + i * stride, 0, 4);
  for (let slot = from, end = from + fromCapacity * stride; slot < end; slot += stride) {
    if (load<u32>(slot, 4) != USED) continue;
    let index = load<u32>(slot) & mask;
    while (load<u32>(to + index * stride, 4) != 0) index = (index + 1) & mask;
    memory.copy(to + index * stride, slot, stride);
  }
}

/**
 * Places from `from` on that hold a row, up to `most` of them: addresses of the slots' bytes `rowOffset` on, and the word at `payload`. Gives the place to go on
 * from, or the capacity; how many there were goes to `count`.
 */
export function usedSlots(
  table: usize,
  capacity: u32,
  stride: u32,
  from: u32,
  most: u32,
  rowOffset: u32,
  payload: u32,
  rows: usize,
  words: usize,
  count: usize,
): u32 {
  let n: u32 = 0;
  let place = from;
  for (let slot = table + from * stride; place < capacity && n < most; place++, slot += stride) {
    if (load<u32>(slot, 4) != USED) continue;
    store<u32>(rows + (n << 2), <u32>slot + rowOffset);
    store<u32>(words + (n << 2), load<u32>(slot + payload));
    n++;
  }
  store<u32>(count, n);
  return place;
}

/** Hashes whose slots are read ahead, so that their cache misses overlap. */
const STRETCH: u32 = 64;

/** In place of each of n hashes the first used slot that has it, 0 for none. Gives something of no use, that reading ahead is not left out. */
export function slotsOfHashes(table: usize, mask: u32, stride: u32, hashes: usize, n: u32): u32 {
  let ahead: u32 = 0;
  for (let from: u32 = 0; from < n; from += STRETCH) {
    const to = min(from + STRETCH, n);
    for (let i = from; i < to; i++) ahead += load<u32>(table + (load<u32>(hashes + (i << 2)) & mask) * stride, 4);
    for (let i = from; i < to; i++) {
      const hash = load<u32>(hashes + (i << 2));
      let index = hash & mask;
      let slot = table + index * stride;
      let state = load<u32>(slot, 4);
      while (state != 0 && (state != USED || load<u32>(slot) != hash)) {
        index = (index + 1) & mask;
        slot = table + index * stride;
        state = load<u32>(slot, 4);
      }
      store<u32>(hashes + (i << 2), state == 0 ? 0 : <u32>slot);
    }
  }
  return ahead;
}
