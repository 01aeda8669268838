/**
 * Blocks of LZ4 as its block format says: sequences of literals and a match that repeats what was written `offset` bytes before.
 *
 *   token | more of the literals' length | literals | u16 offset | more of the match's length          the last sequence ends behind its literals
 *
 * Every length is checked against both ends. Copies go on for up to 15 bytes beyond: 16 bytes behind both ends may be read and written.
 */

/** Lengths go on as long as a byte is 255. Gives the position behind, 0 when they end outside; `extra` takes the sum. */
let extra: u32 = 0;

@inline
function more(at: usize, end: usize): usize {
  extra = 0;
  while (at < end) {
    const byte = <u32>load<u8>(at++);
    extra += byte;
    if (byte != 255) return at;
  }
  return 0;
}

/** Bytes that a block makes; -1 when it is damaged. */
export function lz4Size(from: usize, end: usize): f64 {
  let size: f64 = 0;
  for (let at = from; at < end; ) {
    const token = <u32>load<u8>(at++);
    let literals = token >> 4;
    if (literals == 15) {
      at = more(at, end);
      if (at == 0) return -1;
      literals += extra;
    }
    if (literals > <u32>(end - at)) return -1;
    at += literals;
    size += literals;
    if (at == end) return size;
    if (end - at < 2) return -1;
    at += 2;
    let match = token & 15;
    if (match == 15) {
      at = more(at, end);
      if (at == 0) return -1;
      match += extra;
    }
    size += match + 4;
  }
  return -1;
}

/** Unpacks a block to `to`, up to `limit` at most; matches reach back to `first`. Gives the end of what was written, 0 when the block is damaged. */
export function lz4Block(from: usize, end: usize, first: usize, to: usize, limit: usize): usize {
  for (let at = from; at < end; ) {
    const token = <u32>load<u8>(at++);
    let literals = token >> 4;
    if (literals == 15) {
      at = more(at, end);
      if (at == 0) return 0;
      literals += extra;
    }
    if (literals > <u32>(end - at) || literals > <u32>(limit - to)) return 0;
    for (let i: u32 = 0; i < literals; i += 16) v128.store(to + i, v128.load(at + i));
    at += literals;
    to += literals;
    if (at == end) return to;
    if (end - at < 2) return 0;
    const offset = <u32>load<u16>(at);
    at += 2;
    let match = (token & 15) + 4;
    if (match == 19) {
      at = more(at, end);
      if (at == 0) return 0;
      match += extra;
    }
    if (offset == 0 || offset > <u32>(to - first) || match > <u32>(limit - to)) return 0;
    const source = to - offset;
    if (offset >= 16) for (let i: u32 = 0; i < match; i += 16) v128.store(to + i, v128.load(source + i));
    else for (let i: u32 = 0; i < match; i++) store<u8>(to + i, load<u8>(source + i));
    to += match;
  }
  return 0;
}
