/** Rows into counts of truth values and of bits in the bytes of their groups (aggregate_layout.ts): what bool_and, bool_or, bit_and, bit_or and bit_xor are read from, whichever rows go again. */
import {
  BITS_SET,
  CALL_BITS_16,
  CALL_BITS_64,
  CALL_DATA,
  CALL_OFFSET,
  CALL_TRUTH,
  CALL_VALID,
  CALL_WEIGHTS,
  TRUTH_TRUES,
} from '../aggregate_layout';

/** Rows from .. to of a call. */
export function addBits(call: usize, kind: u32, groups: usize, from: u32, to: u32): void {
  const weights: usize = load<u32>(call, CALL_WEIGHTS);
  const valid: usize = load<u32>(call, CALL_VALID);
  const data: usize = load<u32>(call, CALL_DATA);
  const offset = load<u32>(call, CALL_OFFSET);
  for (let row = from; row < to; row++) {
    const weight = load<i32>(weights + (row << 2));
    if (weight == 0 || (valid != 0 && load<u8>(valid + row) == 0)) continue;
    addToBits(kind, <usize>load<u32>(groups + (row << 2)) + offset, data, row, weight);
  }
}

export function addToBits(kind: u32, state: usize, data: usize, row: u32, weight: i32): void {
  const by = <f64>weight;
  store<f64>(state, load<f64>(state) + by);
  if (kind == CALL_TRUTH) {
    const trues = load<f64>(state, TRUTH_TRUES);
    store<f64>(state, trues + (load<u8>(data + row) != 0 ? by : 0), TRUTH_TRUES);
    return;
  }
  let bits = kind == CALL_BITS_64 ? load<u64>(data + (row << 3)) : <u64>load<u32>(data + (row << 2));
  if (kind == CALL_BITS_16) bits &= 0xffff;
  for (; bits != 0; bits &= bits - 1) {
    const at = state + (<usize>ctz<u64>(bits) << 3);
    store<f64>(at, load<f64>(at, BITS_SET) + by, BITS_SET);
  }
}
