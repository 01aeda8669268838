/** Difference of the first of `length` bytes that differ, eight bytes a step; 0 when none does. */
export function compareBytes(a: usize, b: usize, length: u32): i32 {
  const end = a + length;
  const distance = b - a;
  for (; a + 8 <= end; a += 8) {
    const x = bswap(load<u64>(a));
    const y = bswap(load<u64>(a + distance));
    if (x != y) return x < y ? -1 : 1;
  }
  for (; a < end; a++) {
    const difference = <i32>load<u8>(a) - <i32>load<u8>(a + distance);
    if (difference != 0) return difference;
  }
  return 0;
}
