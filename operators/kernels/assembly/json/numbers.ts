/** Booleans and numbers into slots. Digits are counted sixteen at a time and read eight at a time, so their number costs no mispredicted branch. */
import { isFalse, isTrue } from './bytes';

export function readBool(p: usize, slot: usize): usize {
  if (isTrue(p)) {
    store<u8>(slot, 1);
    return p + 4;
  }
  if (!isFalse(p)) return 0;
  store<u8>(slot, 0);
  return p + 5;
}

/** How many of the 16 bytes from p on are digits before the first that is none. */
function digitsAt(p: usize): u32 {
  const digits = i8x16.lt_u(i8x16.sub(v128.load(p), i8x16.splat(48)), i8x16.splat(10));
  return ctz(~i8x16.bitmask(digits));
}

/** The number that the first n (1 .. 8) bytes from p on write: pairs, then fours, then all eight are joined by one multiplication each. */
function upToEight(p: usize, n: u32): u64 {
  let x = (load<u64>(p) - 0x3030303030303030) << (64 - n * 8);
  x = (x * 10 + (x >> 8)) & 0x00ff00ff00ff00ff;
  x = (x * 100 + (x >> 16)) & 0x0000ffff0000ffff;
  return (x * 10000 + (x >> 32)) & 0xffffffff;
}

/** The number that n (1 .. 16) digits write. */
@inline
function upToSixteen(p: usize, n: u32): u64 {
  return n <= 8 ? upToEight(p, n) : upToEight(p, n - 8) * 100000000 + upToEight(p + n - 8, 8);
}

/** An integer within least .. most (both within 32 bits) into a 32-bit slot. */
export function readInt32(p: usize, slot: usize, least: i64, most: i64): usize {
  const negative = load<u8>(p) === 45;
  if (negative) p++;
  const n = digitsAt(p);
  if (n === 0 || n > 10 || (load<u8>(p) === 48 && n > 1)) return 0;
  const magnitude = <i64>upToSixteen(p, n);
  const value = negative ? -magnitude : magnitude;
  if (value < least || value > most) return 0;
  store<i32>(slot, <i32>value);
  return p + n;
}

@inline
export function readInt64(p: usize, slot: usize): usize {
  const negative = load<u8>(p) === 45;
  if (negative) p++;
  let n = digitsAt(p);
  if (n === 0 || (load<u8>(p) === 48 && n > 1)) return 0;
  let magnitude = upToSixteen(p, n);
  if (n === 16) {
    for (let c = <u32>load<u8>(p + n) - 48; c <= 9; c = <u32>load<u8>(p + n) - 48) {
      if (++n > 19) return 0;
      magnitude = magnitude * 10 + c;
    }
    if (magnitude > 9223372036854775807) return 0;
  }
  store<i64>(slot, negative ? -(<i64>magnitude) : <i64>magnitude);
  return p + n;
}

/** Parts of the decimal number read last: digits without sign and point, and how many stand behind the point. */
let mantissa: u64 = 0;
let decimals: u32 = 0;
let digits: u32 = 0;
let isNegative: bool = false;

/** Decimal digits, at most 18 of them, no exponent. */
function readDecimal(p: usize): usize {
  isNegative = load<u8>(p) === 45;
  if (isNegative) p++;
  let n = digitsAt(p);
  if (n === 0 || n > 15 || (load<u8>(p) === 48 && n > 1)) return 0;
  mantissa = upToSixteen(p, n);
  digits = n;
  decimals = 0;
  p += n;
  if (load<u8>(p) !== 46) return p;
  p++;
  n = digitsAt(p);
  if (n === 0 || digits + n > 18 || n === 16) return 0;
  mantissa = mantissa * powerOfTen(n) + upToSixteen(p, n);
  digits += n;
  decimals = n;
  return p + n;
}

function powerOfTen(n: u32): u64 {
  let power: u64 = 1;
  for (; n > 0; n--) power *= 10;
  return power;
}

/** A mantissa below 2^53 divided by an exact power of ten is rounded once, so this is the nearest double. */
export function readFloat64(p: usize, slot: usize): usize {
  p = readDecimal(p);
  if (p === 0 || digits > 15) return 0;
  const value = <f64>mantissa / <f64>powerOfTen(decimals);
  store<f64>(slot, isNegative ? -value : value);
  return p;
}

/** A numeric of up to 18 digits, kept with its own scale, or the column's (`scale` >= 0, at most `precision` digits). */
export function readNumeric(p: usize, slot: usize, precision: i32, scale: i32): usize {
  p = readDecimal(p);
  if (p === 0) return 0;
  let value = mantissa;
  if (scale >= 0) {
    const add = scale - <i32>decimals;
    if (add < 0 || <i32>digits + add > 18) return 0;
    value *= powerOfTen(add);
    if (precision <= 18 && value >= powerOfTen(precision)) return 0;
  }
  store<i64>(slot, isNegative ? -(<i64>value) : <i64>value);
  store<u64>(slot, scale >= 0 ? scale : decimals, 8);
  return p;
}

/** A number without a point; its value in `mantissa`, negative when `isNegative`. */
export function readWhole(p: usize): usize {
  p = readDecimal(p);
  return p !== 0 && decimals === 0 ? p : 0;
}

export function wholeValue(): i64 {
  return isNegative ? -(<i64>mantissa) : <i64>mantissa;
}
