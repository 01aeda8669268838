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

const INLINE_BYTES: u32 = 12;

/** Bytes of the long values in n varlen slots, each rounded up to 16; `valid` 0: none is NULL. */
export function longBytes(data: usize, valid: usize, n: u32): u32 {
  let total: u32 = 0;
  for (let row: u32 = 0; row < n; row++, data += 16) {
    const length = load<u32>(data);
    if (length > INLINE_BYTES && (valid == 0 || load<u8>(valid + row) != 0)) total += (length + 15) & ~15;
  }
  return total;
}

/** Copies the long values of n varlen slots, one behind the other from `to` on, and lets the slots point there. */
export function ownLong(data: usize, valid: usize, n: u32, to: usize): void {
  for (let row: u32 = 0; row < n; row++, data += 16) {
    const length = load<u32>(data);
    if (length <= INLINE_BYTES || (valid != 0 && load<u8>(valid + row) == 0)) continue;
    const from = <usize>load<u32>(data, 8);
    if (length > 64) memory.copy(to, from, length);
    else {
      let at: usize = 0;
      for (; at + 8 <= length; at += 8) store<u64>(to + at, load<u64>(from + at));
      for (; at < length; at++) store<u8>(to + at, load<u8>(from + at));
    }
    store<u32>(data, <u32>to, 8);
    to += (length + 15) & ~15;
  }
}
