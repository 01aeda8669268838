/**
 * Floats as keys and in rows that are compared: NaN is NaN, whatever its bytes are. As keys -0 is 0, as rows of a relation these are two, for they look different (docs/decisions/0482). Without it a column of floats makes its whole relation go row by row through JavaScript:
 * INSERT ... SELECT of 300,000 rows of nine columns took three times the CPU, a third of that for this (docs/decisions/0470).
 */
import { KEY_KIND_FLOAT } from '../key_layout';
import { mix } from './bytes';

/** As state/row_ops.ts hashes a float: -0 and 0 have one hash, also where they are two. */
@inline
export function hashFloat(h: u32, value: f64): u32 {
  if (value != value) return mix(h, 0x7ff8);
  // Adding zero turns -0 into 0.
  const bits = reinterpret<u64>(value + 0.0);
  return mix(mix(h, <u32>bits), <u32>(bits >> 32));
}

/** Whether two values of 8 bytes are equal. */
@inline
export function sameEight(a: usize, b: usize, kind: u32): bool {
  if (load<u64>(a) == load<u64>(b)) return true;
  if (kind < <u32>KEY_KIND_FLOAT) return false;
  const x = load<f64>(a);
  const y = load<f64>(b);
  return (x != x && y != y) || (x == y && kind == KEY_KIND_FLOAT);
}
