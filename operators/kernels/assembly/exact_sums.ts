/**
 * Exact sums of doubles and of products of two, wherever their window lies (aggregate_layout.ts, moments): 256 bits in units of a power of two.
 *
 *   value = magnitude x 2^e      sum += magnitude x 2^(e - unit)
 *
 * The first value chooses the unit, one below it moves the sum up as far as there is room. What then still lies outside is refused.
 */

/** Bits kept free below a value for which the unit is chosen. */
const BELOW = 32;
/** Sums stay below 2^254 in magnitude: both of these added may not reach 2^255. */
const MOST_BITS = 253;
const MOST_HIGH: i64 = 0x2000000000000000;

@inline
export function isZero(sum: usize): bool {
  return (load<u64>(sum) | load<u64>(sum, 8) | load<u64>(sum, 16) | load<u64>(sum, 24)) == 0;
}

/** Makes sure that the magnitude x 2^e can be added; false where it cannot. What the sum is does not change. */
export function makeRoom(sum: usize, unitAt: usize, low: u64, high: u64, e: i32): bool {
  if ((low | high) == 0) return true;
  const top = load<i64>(sum, 24);
  if (isZero(sum)) {
    store<i16>(unitAt, <i16>(e - BELOW));
    return true;
  }
  if (top >= MOST_HIGH || top < -MOST_HIGH) return false;
  const shift = e - <i32>load<i16>(unitAt);
  if (shift >= 0) return shift + 128 - <i32>leadingZeros(low, high) <= MOST_BITS;
  const zeros = low != 0 ? <i32>ctz<u64>(low) : 64 + <i32>ctz<u64>(high);
  return zeros + shift >= 0 || moveUp(sum, unitAt, -shift);
}

@inline
function leadingZeros(low: u64, high: u64): u64 {
  return high != 0 ? clz<u64>(high) : 64 + clz<u64>(low);
}

/** Lowers the unit by so many bits, and by some more if there is room. */
function moveUp(sum: usize, unitAt: usize, least: i32): bool {
  const s3 = load<u64>(sum, 24);
  const sign: u64 = <i64>s3 < 0 ? ~(<u64>0) : 0;
  let free = 0;
  for (let word = 24; word >= 0; word -= 8) {
    const zeros = <i32>clz<u64>(load<u64>(sum + word) ^ sign);
    free += zeros;
    if (zeros < 64) break;
  }
  const room = free - (256 - MOST_BITS);
  if (room < least) return false;
  const by = min(room, least + BELOW);
  for (let moved = by; moved > 0; moved -= 63) {
    const bits = <u64>min(moved, 63);
    let carried: u64 = 0;
    for (let word = 0; word < 32; word += 8) {
      const old = load<u64>(sum + word);
      store<u64>(sum + word, (old << bits) | carried);
      carried = old >> (64 - bits);
    }
  }
  store<i16>(unitAt, <i16>(<i32>load<i16>(unitAt) - by));
  return true;
}

/** Adds what makeRoom() has made room for. */
export function addExact(sum: usize, unitAt: usize, low: u64, high: u64, e: i32, negative: bool): void {
  if ((low | high) == 0) return;
  let shift = e - <i32>load<i16>(unitAt);
  if (shift < 0) {
    const by = <u64>(-shift);
    low = by >= 64 ? high >> (by - 64) : (low >> by) | (high << (64 - by));
    high = by >= 64 ? 0 : high >> by;
    shift = 0;
  }
  const bits = <u64>(shift & 63);
  const inverted: u64 = negative ? ~(<u64>0) : 0;
  const end = sum + 32;
  let at = sum + ((shift >> 6) << 3);
  // -x = ~x + 1
  let carry: u64 = negative ? 1 : 0;
  let word = low << bits;
  let next = bits == 0 ? high : (high << bits) | (low >> (64 - bits));
  let last = bits == 0 ? 0 : high >> (64 - bits);
  for (; at < end; at += 8) {
    const old = load<u64>(at);
    const added = old + (word ^ inverted);
    const all = added + carry;
    carry = (added < old ? 1 : 0) | (all < added ? 1 : 0);
    store<u64>(at, all);
    word = next;
    next = last;
    last = 0;
  }
}
