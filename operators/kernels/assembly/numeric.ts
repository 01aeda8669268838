import { mix } from './bytes';

/** What a numeric's slot says of it, at byte 10 (operators/batch/slots.ts): its digits are in the slot, or lie outside. */
export const NUMERIC_SMALL: u8 = 0;
export const NUMERIC_WIDE: u8 = 1;

/** The hash of a small numeric (operators/batch/slots.ts): of its value without trailing zeros, so that equal numbers of different scale hash alike. */
export function hashSmallNumeric(h: u32, slot: usize): u32 {
  let mantissa = load<i64>(slot);
  let scale: u32 = load<u16>(slot, 8);
  if (mantissa == 0) scale = 0;
  for (; scale > 0 && mantissa % 10 == 0; scale--) mantissa /= 10;
  h = mix(mix(h, <u32>mantissa), <u32>(mantissa >> 32));
  return scale == 0 ? h : mix(h, scale);
}

/** Bytes of the magnitudes of the wide ones of n numerics; `valid` 0: none is NULL. */
export function wideBytes(data: usize, valid: usize, n: u32): f64 {
  let sum: f64 = 0;
  for (let row: u32 = 0; row < n; row++, data += 16) {
    if (load<u8>(data, 10) !== NUMERIC_WIDE) continue;
    if (valid === 0 || load<u8>(valid + row) !== 0) sum += <f64>load<u32>(data);
  }
  return sum;
}

/** The number of this magnitude and scale to the slot at `data`; `outside`: 16 bytes for what is wider. */
export function storeWide(low: u64, high: u64, negative: bool, scale: u32, data: usize, outside: usize): void {
  store<u64>(data, <u64>scale, 8);
  if (high == 0 && <i64>low >= 0) {
    store<i64>(data, negative ? -<i64>low : <i64>low);
    return;
  }
  if (high == 0 && low == 0x8000000000000000 && negative) {
    store<u64>(data, low);
    return;
  }
  let bytes: u32 = 8;
  for (let more = high; more != 0; more >>= 8) bytes++;
  store<u64>(outside, low);
  store<u64>(outside, high, 8);
  store<u32>(data, bytes);
  store<u32>(data, negative ? 1 : 0, 4);
  store<u8>(data, NUMERIC_WIDE, 10);
  store<u32>(data, <u32>outside, 12);
}
