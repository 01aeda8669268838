/**
 * Copying and filling bytes of the shared memory. The methods of typed arrays over shared memory go element by element with atomic accesses (about
 * 1.2 GB/s on Node 20, up to 4 where both ends are equally aligned); these are memmove and memset.
 */
export function copyBytes(to: usize, from: usize, length: usize): void {
  memory.copy(to, from, length);
}

export function fillBytes(address: usize, value: u8, length: usize): void {
  memory.fill(address, value, length);
}

/** True when none of the n bytes from `address` on is 0. */
export function allSet(address: usize, n: i32): bool {
  const end = address + n;
  for (; address + 16 <= end; address += 16) if (!i8x16.all_true(v128.load(address))) return false;
  for (; address < end; address++) if (load<u8>(address) === 0) return false;
  return true;
}

/** True when all of the n Int32 from `address` on are greater than 0. */
export function allPositive(address: usize, n: i32): bool {
  const end = address + ((<usize>n) << 2);
  const zero = i32x4.splat(0);
  for (; address + 16 <= end; address += 16) if (!i32x4.all_true(i32x4.gt_s(v128.load(address), zero))) return false;
  for (; address < end; address += 4) if (load<i32>(address) <= 0) return false;
  return true;
}

/** True when all of the n Int32 from `address` on are 1. */
export function allOne(address: usize, n: i32): bool {
  const end = address + ((<usize>n) << 2);
  const one = i32x4.splat(1);
  for (; address + 16 <= end; address += 16) if (!i32x4.all_true(i32x4.eq(v128.load(address), one))) return false;
  for (; address < end; address += 4) if (load<i32>(address) !== 1) return false;
  return true;
}

@inline
function lesser(a: v128, b: v128): v128 {
  return v128.bitselect(b, a, i64x2.gt_s(a, b));
}

@inline
function greater(a: v128, b: v128): v128 {
  return v128.bitselect(b, a, i64x2.gt_s(b, a));
}

/**
 * The least and the greatest of n Int64 whose validity byte is set (`valid` 0: of all), to `result` and behind it; false when there is none.
 */
export function boundsOfInt64(data: usize, valid: usize, n: i32, result: usize): bool {
  let least = i64.MAX_VALUE;
  let greatest = i64.MIN_VALUE;
  let i = 0;
  let any = false;
  if (n >= 2 && (valid === 0 || allSet(valid, n))) {
    let low = v128.load(data);
    let high = low;
    // Four pairs that do not wait for each other: one alone takes three times as long as the reading.
    let low1 = low;
    let low2 = low;
    let low3 = low;
    let high1 = low;
    let high2 = low;
    let high3 = low;
    for (; i + 8 <= n; i += 8) {
      const at = data + ((<usize>i) << 3);
      low = lesser(low, v128.load(at));
      high = greater(high, v128.load(at));
      low1 = lesser(low1, v128.load(at, 16));
      high1 = greater(high1, v128.load(at, 16));
      low2 = lesser(low2, v128.load(at, 32));
      high2 = greater(high2, v128.load(at, 32));
      low3 = lesser(low3, v128.load(at, 48));
      high3 = greater(high3, v128.load(at, 48));
    }
    low = lesser(lesser(low, low1), lesser(low2, low3));
    high = greater(greater(high, high1), greater(high2, high3));
    for (; i + 2 <= n; i += 2) {
      const v = v128.load(data + ((<usize>i) << 3));
      low = lesser(low, v);
      high = greater(high, v);
    }
    least = min(i64x2.extract_lane(low, 0), i64x2.extract_lane(low, 1));
    greatest = max(i64x2.extract_lane(high, 0), i64x2.extract_lane(high, 1));
    any = true;
  }
  for (; i < n; i++) {
    if (valid !== 0 && load<u8>(valid + i) === 0) continue;
    const value = load<i64>(data + ((<usize>i) << 3));
    least = min(least, value);
    greatest = max(greatest, value);
    any = true;
  }
  store<i64>(result, least);
  store<i64>(result, greatest, 8);
  return any;
}

@inline
export function mix(h: u32, word: u32): u32 {
  return rotl<u32>((h ^ word) * 0x9e3779b1, 15);
}

/** state/slot_order.ts finish. */
@inline
export function finish(h: u32): u32 {
  h ^= h >> 16;
  h *= 0x85ebca6b;
  h ^= h >> 13;
  h *= 0xc2b2ae35;
  return h ^ (h >> 16);
}

/** state/slot_order.ts hashBytes: words of four bytes, low first, the rest as one more, the length. */
export function hashBytes(seed: u32, address: usize, length: usize): u32 {
  let h = seed;
  const end = address + length;
  for (; address + 4 <= end; address += 4) h = mix(h, load<u32>(address));
  let rest: u32 = 0;
  for (let shift: u32 = 0; address < end; address++, shift += 8) rest |= (<u32>load<u8>(address)) << shift;
  return mix(mix(h, rest), <u32>length);
}

export function equalBytes(a: usize, b: usize, length: usize): bool {
  return memory.compare(a, b, length) === 0;
}
