/** A double in its parts, of its bits: mantissa x 2^exponent. */

/** Of numbers that are not normal. */
export const LEAST_EXPONENT = -1074;

/** Neither NaN nor an infinity. */
@inline
export function isNumber(bits: u64): bool {
  return (<i32>(bits >> 52) & 0x7ff) != 0x7ff;
}

@inline
export function mantissaOf(bits: u64): u64 {
  const fraction = bits & 0xfffffffffffff;
  return (<i32>(bits >> 52) & 0x7ff) == 0 ? fraction : fraction | 0x10000000000000;
}

/** Of the mantissa's last bit. */
@inline
export function exponentOf(bits: u64): i32 {
  const biased = <i32>(bits >> 52) & 0x7ff;
  return biased == 0 ? LEAST_EXPONENT : biased - 1 + LEAST_EXPONENT;
}
