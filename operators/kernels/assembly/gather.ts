/** Columns of rows that lie apart. */

/** A column of n rows of state: `width` bytes at `offset` of each of `rows`, and their validity byte. */
export function loadColumn(rows: usize, n: u32, offset: u32, width: u32, flag: u32, data: usize, valid: usize): void {
  for (let i: u32 = 0; i < n; i++) store<u8>(valid + i, load<u8>(<usize>load<u32>(rows + (i << 2)) + flag));
  if (width == 8) {
    for (let i: u32 = 0; i < n; i++) store<u64>(data + (i << 3), load<u64>(<usize>load<u32>(rows + (i << 2)) + offset));
  } else if (width == 4) {
    for (let i: u32 = 0; i < n; i++) store<u32>(data + (i << 2), load<u32>(<usize>load<u32>(rows + (i << 2)) + offset));
  } else if (width == 16) {
    for (let i: u32 = 0; i < n; i++) v128.store(data + (i << 4), v128.load(<usize>load<u32>(rows + (i << 2)) + offset));
  } else {
    for (let i: u32 = 0; i < n; i++) store<u8>(data + i, load<u8>(<usize>load<u32>(rows + (i << 2)) + offset));
  }
}
