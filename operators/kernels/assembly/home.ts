/** Where a hash is looked for first, and hashes of whole numbers: operators/state/home.ts says how, and why. */
const BLOCK_BITS: u32 = 14;

@inline
export function homeOf(hash: u32, mask: u32): u32 {
  return ((hash >> clz(mask)) ^ (hash & 3)) & mask;
}

@inline
export function placeOf(number: u32): u32 {
  const group = number >> 2;
  const block = (group >> BLOCK_BITS) * 0x85ebca6b;
  const place = (group & ((1 << BLOCK_BITS) - 1)) * 0x9e377037 + (block ^ (block >> 15)) * 0xc2b2ae35;
  return (place & ~3) | (number & 3);
}

/** placeOf() of four. */
@inline
export function placeOf4(numbers: v128): v128 {
  const group = i32x4.shr_u(numbers, 2);
  const block = i32x4.mul(i32x4.shr_u(group, BLOCK_BITS), i32x4.splat(<i32>0x85ebca6b));
  const place = i32x4.add(
    i32x4.mul(v128.and(group, i32x4.splat((1 << BLOCK_BITS) - 1)), i32x4.splat(<i32>0x9e377037)),
    i32x4.mul(v128.xor(block, i32x4.shr_u(block, 15)), i32x4.splat(<i32>0xc2b2ae35)),
  );
  return v128.bitselect(numbers, place, i32x4.splat(3));
}
