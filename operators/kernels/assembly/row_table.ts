/** Moving the rows of a hash table (operators/state/row_table.ts) to one of another size: a copy a slot, without a call a slot. */
const USED: u32 = 1;

/** Slots of `stride` bytes start with the hash and the state; both capacities are powers of two. The new table's states are made empty first. */
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
