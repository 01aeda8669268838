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

/** A column of n rows of a batch, by their numbers; the source's validity may be 0 for no NULLs, and `valid` then too. */
export function gatherColumn(rows: usize, n: u32, width: u32, from: usize, fromValid: usize, data: usize, valid: usize): void {
  if (fromValid == 0) {
    if (valid != 0) memory.fill(valid, 1, n);
  }
  else for (let i: u32 = 0; i < n; i++) store<u8>(valid + i, load<u8>(fromValid + load<u32>(rows + (i << 2))));
  if (width == 8) {
    for (let i: u32 = 0; i < n; i++) store<u64>(data + (i << 3), load<u64>(from + (load<u32>(rows + (i << 2)) << 3)));
  } else if (width == 4) {
    for (let i: u32 = 0; i < n; i++) store<u32>(data + (i << 2), load<u32>(from + (load<u32>(rows + (i << 2)) << 2)));
  } else if (width == 16) {
    for (let i: u32 = 0; i < n; i++) v128.store(data + (i << 4), v128.load(from + (load<u32>(rows + (i << 2)) << 4)));
  } else {
    for (let i: u32 = 0; i < n; i++) store<u8>(data + i, load<u8>(from + load<u32>(rows + (i << 2))));
  }
}
