/** Rows into the totals of their groups (aggregates/totals.ts): numeric_totals.ts, float_totals.ts and moments.ts each know their own. */
import {
  CALL_DATA,
  CALL_DATA_2,
  CALL_MOMENTS,
  CALL_OFFSET,
  CALL_PAIR_MOMENTS,
  CALL_REST,
  CALL_TOTAL_FLOAT,
  CALL_VALID,
  CALL_VALID_2,
  CALL_WEIGHTS,
  FORM_TOTAL,
  TOTAL_FORM,
} from '../aggregate_layout';
import { addFloat } from './float_totals';
import { addToMoments } from './moments';
import { addNumeric } from './numeric_totals';

/** Rows from .. to of a call; lists those it leaves. */
export function addTotals(call: usize, kind: u32, groups: usize, from: u32, to: u32): void {
  const weights: usize = load<u32>(call, CALL_WEIGHTS);
  const valid: usize = load<u32>(call, CALL_VALID);
  const data: usize = load<u32>(call, CALL_DATA);
  const otherValid: usize = load<u32>(call, CALL_VALID_2);
  const other: usize = load<u32>(call, CALL_DATA_2);
  const offset = load<u32>(call, CALL_OFFSET);
  const rest: usize = load<u32>(call, CALL_REST);
  for (let row = from; row < to; row++) {
    const weight = load<i32>(weights + (row << 2));
    if (weight == 0 || (valid != 0 && load<u8>(valid + row) == 0)) continue;
    if (otherValid != 0 && load<u8>(otherValid + row) == 0) continue;
    const state = <usize>load<u32>(groups + (row << 2)) + offset;
    if (addToTotal(kind, state, data, other, row, weight)) continue;
    const left = load<u32>(rest) + 1;
    store<u32>(rest, left);
    store<u32>(rest + (left << 2), row);
  }
}

/** The value of a row, or its two, with its weight, into one group's total; false, and nothing is done, where that is not for it. */
export function addToTotal(kind: u32, state: usize, data: usize, other: usize, row: u32, weight: i32): bool {
  if (load<u8>(state, TOTAL_FORM) != FORM_TOTAL) return false;
  if (kind >= <u32>CALL_MOMENTS) return addToMoments(kind == CALL_PAIR_MOMENTS, state, data, other, row, weight);
  if (kind == CALL_TOTAL_FLOAT) return addFloat(state, load<f64>(data + (row << 3)), weight);
  return addNumeric(kind, state, data, row, weight);
}
