/**
 * Bytes of the message being read. Every reader takes the address of a value's first byte and gives the address behind it, or 0 when the value
 * is not of the one form it knows. Bytes behind the message can be read (the caller sees to that) and are caught by whoever checks where the
 * object ended; `stop` only keeps loops from running on, and they read less than 80 bytes beyond it.
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

/** 0xff for each quote, backslash and control character. Bit 1 turned over makes the quote 32, and of no other byte one below 33, so it is found with the control characters. */
@inline
function special(v: v128): v128 {
  const turned = v128.xor(v, i8x16.splat(2));
  return v128.or(i8x16.eq(v, i8x16.splat(92)), i8x16.eq(i8x16.min_u(turned, i8x16.splat(32)), turned));
}

@inline
function bits32(a: v128, b: v128): u32 {
  return i8x16.bitmask(a) | (i8x16.bitmask(b) << 16);
}

/** First byte from p on that is a quote, a backslash or a control character; after 16 bytes 64 at a time, so that texts of different lengths seldom take another number of rounds. */
export function plainEnd(p: usize): usize {
  const end = stop;
  let seen = v128.load(p);
  const near = i8x16.bitmask(special(seen));
  if (near !== 0) {
    const at = ctz(near);
    high |= i8x16.bitmask(seen) & ((1 << at) - 1);
    return p + at;
  }
  p += 16;
  while (p < end) {
    const a = v128.load(p);
    const b = v128.load(p, 16);
    const c = v128.load(p, 32);
    const d = v128.load(p, 48);
    const sa = special(a);
    const sb = special(b);
    const sc = special(c);
    const sd = special(d);
    if (v128.any_true(v128.or(v128.or(sa, sb), v128.or(sc, sd)))) {
      const at = ctz(<u64>bits32(sa, sb) | (<u64>bits32(sc, sd) << 32));
      const before = (<u64>bits32(a, b) | (<u64>bits32(c, d) << 32)) & ((<u64>1 << at) - 1);
      high |= i8x16.bitmask(seen) | <u32>(before !== 0);
      return p + <usize>at;
    }
    seen = v128.or(seen, v128.or(v128.or(a, b), v128.or(c, d)));
    p += 64;
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
