/** The order of two entries, rows of the tick or of state, by a list of columns (top_layout.ts): what state/row_ops.ts generates, for the types whose order is plain. */
import {
  KIND_BYTE,
  KIND_FLOAT,
  KIND_FLOAT_LOOK,
  KIND_INT32,
  KIND_INT64,
  KIND_TEXT,
  KIND_UINT32,
  ORDER_BYTES,
  ORDER_DATA,
  ORDER_DESC,
  ORDER_FLAG,
  ORDER_KIND,
  ORDER_NULLS_FIRST,
  ORDER_OFFSET,
  ORDER_SHIFT,
  ORDER_VALID,
} from '../top_layout';
import { compareBytes, INLINE } from './varlen';


function compareTexts(a: usize, b: usize): i32 {
  const x = load<u32>(a);
  const y = load<u32>(b);
  const from: usize = x > INLINE ? load<u32>(a, 8) : a + 4;
  const other: usize = y > INLINE ? load<u32>(b, 8) : b + 4;
  const difference = compareBytes(from, other, min(x, y));
  return difference != 0 ? difference : x == y ? 0 : x < y ? -1 : 1;
}

/** NaN is the greatest, and equal to itself. */
function compareFloats(a: f64, b: f64): i32 {
  if (a < b) return -1;
  if (a > b) return 1;
  if (a == b) return 0;
  const x = a != a;
  return x == (b != b) ? 0 : x ? 1 : -1;
}

/** By value, then -0 before 0. */
function compareLooks(a: f64, b: f64): i32 {
  if (a != b || a != 0) return compareFloats(a, b);
  return <i32>(reinterpret<i64>(b) < 0) - <i32>(reinterpret<i64>(a) < 0);
}

@inline
function compareValues(kind: u32, a: usize, b: usize): i32 {
  if (kind == KIND_INT64) return <i32>(load<i64>(a) > load<i64>(b)) - <i32>(load<i64>(a) < load<i64>(b));
  if (kind == KIND_TEXT) return compareTexts(a, b);
  if (kind == KIND_INT32) return <i32>(load<i32>(a) > load<i32>(b)) - <i32>(load<i32>(a) < load<i32>(b));
  if (kind == KIND_UINT32) return <i32>(load<u32>(a) > load<u32>(b)) - <i32>(load<u32>(a) < load<u32>(b));
  if (kind == KIND_BYTE) return <i32>load<u8>(a) - <i32>load<u8>(b);
  if (kind == KIND_FLOAT) return compareFloats(load<f64>(a), load<f64>(b));
  if (kind == KIND_FLOAT_LOOK) return compareLooks(load<f64>(a), load<f64>(b));
  return compareBytes(a, b, 16);
}

@inline
function isPresent(entry: u32, order: usize): bool {
  if ((entry & 1) == 0) return load<u8>(<usize>entry + load<u32>(order, ORDER_FLAG)) != 0;
  const valid: usize = load<u32>(order, ORDER_VALID);
  return valid == 0 || load<u8>(valid + (entry >> 1)) != 0;
}

@inline
function valueOf(entry: u32, order: usize): usize {
  if ((entry & 1) == 0) return <usize>entry + load<u32>(order, ORDER_OFFSET);
  return <usize>load<u32>(order, ORDER_DATA) + ((entry >> 1) << load<u32>(order, ORDER_SHIFT));
}

export function compareEntries(a: u32, b: u32, order: usize, count: u32): i32 {
  for (const end = order + count * ORDER_BYTES; order < end; order += ORDER_BYTES) {
    const x = isPresent(a, order);
    if (x != isPresent(b, order)) return x == (load<u32>(order, ORDER_NULLS_FIRST) != 0) ? 1 : -1;
    if (!x) continue;
    const result = compareValues(load<u32>(order, ORDER_KIND), valueOf(a, order), valueOf(b, order));
    if (result != 0) return load<u32>(order, ORDER_DESC) != 0 ? -result : result;
  }
  return 0;
}
