/** A quotient of a long integer and a count as the nearest double, ties to even: the integer's first 192 bits, and whether anything but 0 is behind them. */

/** Most significant word first. */
let m2: u64 = 0;
let m1: u64 = 0;
let m0: u64 = 0;
/** What nearest() gives. */
export let rounded: f64 = 0;

const HALF: u64 = 0xffffffff;

@inline
export function startMagnitude(first: u64, second: u64, third: u64): void {
  m2 = first;
  m1 = second;
  m0 = third;
}

/** Shifts the magnitude left until its first bit is 1; by so many bits. It is not 0. */
function normalize(): i32 {
  let by = 0;
  while (m2 == 0) {
    m2 = m1;
    m1 = m0;
    m0 = 0;
    by += 64;
  }
  const bits = <i32>clz<u64>(m2);
  if (bits == 0) return by;
  m2 = (m2 << bits) | (m1 >> (64 - bits));
  m1 = (m1 << bits) | (m0 >> (64 - bits));
  m0 <<= bits;
  return by + bits;
}

/** Divides the magnitude; gives the rest. */
function divideBy(divisor: u64): u64 {
  let q = m2 / divisor;
  let rest = m2 % divisor;
  m2 = q;
  let part = (rest << 32) | (m1 >> 32);
  q = part / divisor;
  part = (part % divisor << 32) | (m1 & HALF);
  m1 = (q << 32) | (part / divisor);
  rest = part % divisor;
  part = (rest << 32) | (m0 >> 32);
  q = part / divisor;
  part = (part % divisor << 32) | (m0 & HALF);
  m0 = (q << 32) | (part / divisor);
  return part % divisor;
}

/** The magnitude x 2^unit / count, where count is below 2^32, to `rounded`; `more`: there is something below its last bit. False where that is no normal number. */
export function nearest(unit: i32, count: u64, negative: bool, more: bool): bool {
  // The value is m2 x 2^unit and what is behind it.
  unit += 128 - normalize();
  let rest: u64 = 0;
  if (count != 1) {
    rest = divideBy(count);
    unit -= normalize();
  }
  let mantissa = m2 >> 11;
  const below = m2 & 0x7ff;
  const behind = more || (m1 | m0 | rest) != 0;
  if (below > 0x400 || (below == 0x400 && (behind || (mantissa & 1) != 0))) mantissa++;
  unit += 11;
  if (mantissa >> 53 != 0) {
    mantissa >>= 1;
    unit++;
  }
  const exponent = unit + 1075;
  if (exponent < 1 || exponent > 2046) return false;
  rounded = reinterpret<f64>((negative ? (<u64>1) << 63 : 0) | (<u64>exponent << 52) | (mantissa & 0xfffffffffffff));
  return true;
}
