/** 128-bit integers: two's complement in memory, low word first; and magnitudes of a product that is made factor by factor. */

/** Adds value x weight to the 128-bit number at `total`. */
@inline
export function addProduct(total: usize, value: i64, weight: i32): void {
  if (weight == 1) {
    add128(total, <u64>value, value >> 63);
    return;
  }
  // value = high x 2^32 + low
  const low = <i64>(<u64>value & 0xffffffff) * <i64>weight;
  const high = (value >> 32) * <i64>weight;
  add128(total, <u64>low, low >> 63);
  add128(total, <u64>high << 32, high >> 32);
}

@inline
export function add128(total: usize, low: u64, high: i64): void {
  const before = load<u64>(total);
  const sum = before + low;
  store<u64>(total, sum);
  store<i64>(total, load<i64>(total, 8) + high + (sum < before ? 1 : 0), 8);
}

/** The product so far; a magnitude below 2^125 as long as times() gave true. */
export let productLow: u64 = 0;
export let productHigh: u64 = 0;

const HALF: u64 = 0xffffffff;
/** 2^(125 - 96). */
const LIMIT: u64 = 0x20000000;

@inline
export function startProduct(low: u64, high: u64): void {
  productLow = low;
  productHigh = high;
}

/** Multiplies by a factor below 2^32; false when the product reaches 2^125, which is its end. */
export function times(factor: u64): bool {
  const a = (productLow & HALF) * factor;
  const b = (productLow >> 32) * factor + (a >> 32);
  const c = (productHigh & HALF) * factor + (b >> 32);
  const d = (productHigh >> 32) * factor + (c >> 32);
  productLow = (b << 32) | (a & HALF);
  productHigh = (d << 32) | (c & HALF);
  return d < LIMIT;
}

/** Multiplies by 10^n. */
export function timesPower(n: u32): bool {
  for (; n >= 9; n -= 9) if (!times(1000000000)) return false;
  for (; n >= 3; n -= 3) if (!times(1000)) return false;
  for (; n > 0; n--) if (!times(10)) return false;
  return true;
}

/** The square of a number of 64 bits. */
export function startSquare(root: u64): bool {
  const low = root & HALF;
  const high = root >> 32;
  const middle = low * high;
  const least = low * low;
  // root^2 = high^2 x 2^64 + 2 middle x 2^32 + least
  const sum = least + (middle << 33);
  startProduct(sum, high * high + (middle >> 31) + (sum < least ? 1 : 0));
  return productHigh >> 61 == 0;
}
