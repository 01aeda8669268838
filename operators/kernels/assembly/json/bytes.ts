/**
 * Bytes of the message being read. Every reader takes the address of a value's first byte and gives the address behind it, or 0 when the value
 * is not of the one form it knows. Bytes behind the message can be read (the caller sees to that) and are caught by whoever checks where the
 * object ended; `stop` only keeps loops from running on.
 */
export let stop: usize = 0;
/** Bits of bytes above 0x7F met in strings: the message's UTF-8 has to be checked then. */
export let high: u32 = 0;

export function beginMessage(end: usize): void {
  stop = end;
  high = 0;
}

export function skipSpace(p: usize): usize {
  while (true) {
    const c = load<u8>(p);
    if (c > 32 || (c !== 32 && c !== 10 && c !== 13 && c !== 9) || p >= stop) return p;
    p++;
  }
}

/** First byte from p on that is a quote, a backslash or a control character; 16 at a time. */
export function plainEnd(p: usize): usize {
  const quote = i8x16.splat(34);
  const backslash = i8x16.splat(92);
  const control = i8x16.splat(31);
  const end = stop;
  let seen = i64x2.splat(0);
  while (p < end) {
    const v = v128.load(p);
    const special = v128.or(v128.or(i8x16.eq(v, quote), i8x16.eq(v, backslash)), i8x16.eq(i8x16.min_u(v, control), v));
    const found = i8x16.bitmask(special);
    if (found !== 0) {
      const at = ctz(found);
      high |= i8x16.bitmask(seen) | (i8x16.bitmask(v) & ((1 << at) - 1));
      return p + at;
    }
    seen = v128.or(seen, v);
    p += 16;
  }
  high |= i8x16.bitmask(seen);
  return p;
}

export function isNull(p: usize): bool {
  return load<u32>(p) === 0x6c6c756e;
}

export function isTrue(p: usize): bool {
  return load<u32>(p) === 0x65757274;
}

export function isFalse(p: usize): bool {
  return load<u8>(p) === 102 && load<u32>(p, 1) === 0x65736c61;
}

export function hexDigit(c: u32): i32 {
  if (c - 48 <= 9) return c - 48;
  const letter = c | 32;
  return letter - 97 <= 5 ? letter - 87 : -1;
}

/** True when [p, end) is UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF. */
export function isUtf8(p: usize, end: usize): bool {
  while (p < end) {
    if (p + 8 <= end && (load<u64>(p) & 0x8080808080808080) === 0) {
      p += 8;
      continue;
    }
    const c: u32 = load<u8>(p);
    if (c < 0x80) {
      p++;
    } else if (c < 0xe0) {
      if (c < 0xc2 || p + 2 > end || !follows(p + 1)) return false;
      p += 2;
    } else if (c < 0xf0) {
      if (p + 3 > end || !follows(p + 1) || !follows(p + 2)) return false;
      const second: u32 = load<u8>(p, 1);
      if ((c === 0xe0 && second < 0xa0) || (c === 0xed && second > 0x9f)) return false;
      p += 3;
    } else {
      if (c > 0xf4 || p + 4 > end || !follows(p + 1) || !follows(p + 2) || !follows(p + 3)) return false;
      const second: u32 = load<u8>(p, 1);
      if ((c === 0xf0 && second < 0x90) || (c === 0xf4 && second > 0x8f)) return false;
      p += 4;
    }
  }
  return true;
}

function follows(p: usize): bool {
  return (load<u8>(p) & 0xc0) === 0x80;
}
