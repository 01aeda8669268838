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
