/**
 * Averages of groups as numerics with PostgreSQL's scale (expr/decimal/arithmetic.ts, divide): at least 16 digits that count, rounded half away from zero. Both stop
 * at what is not for them, a sum beyond 64 bits or a count beyond 32, and give the number of groups done. `outside`: WIDE_RESULT_BYTES a group for what is wider than its slot.
 */
import { FORM_TOTAL, TOTAL_FORM, WIDE_RESULT_BYTES } from '../aggregate_layout';
import { storeWide } from './numeric';
import { totalCount, totalScale } from './numeric_totals';

const BASE: u64 = 10000;
/** Above it a sum has no room for three more digits. */
const MOST_SHIFTED: u64 = 18446744073709551;

/** Of n sums of integers (aggregates/integer_sum.ts) at `offset`. */
export function writeAverages(groups: usize, n: u32, offset: u32, data: usize, valid: usize, outside: usize): u32 {
  for (let i: u32 = 0; i < n; i++, data += 16, outside += WIDE_RESULT_BYTES) {
    const state: usize = load<u32>(groups + (i << 2)) + offset;
    const total = load<i64>(state);
    const rows = load<f64>(state, 16);
    if (rows == 0) {
      storeNull(data, valid + i);
      continue;
    }
    if (total >> 63 != load<i64>(state, 8) || !(rows > 0 && rows < 4294967296)) return i;
    storeQuotient(total < 0 ? 0 - <u64>total : <u64>total, 0, <u64>rows, total < 0, data, outside);
    store<u8>(valid + i, 1);
  }
  return n;
}

/** Of n numeric totals at `offset`. */
export function writeTotalAverages(groups: usize, n: u32, offset: u32, data: usize, valid: usize, outside: usize): u32 {
  for (let i: u32 = 0; i < n; i++, data += 16, outside += WIDE_RESULT_BYTES) {
    const state: usize = load<u32>(groups + (i << 2)) + offset;
    if (load<u8>(state, TOTAL_FORM) != FORM_TOTAL) return i;
    const rows = totalCount(state);
    if (rows == 0) {
      storeNull(data, valid + i);
      continue;
    }
    const total = load<i64>(state);
    const scale = totalScale(state);
    if (scale < 0 || total >> 63 != load<i64>(state, 8) || rows < 0 || rows >= 4294967296) return i;
    const sum = total < 0 ? 0 - <u64>total : <u64>total;
    if (scale > 0 && sum > MOST_SHIFTED) return i;
    storeQuotient(sum, scale, <u64>rows, total < 0, data, outside);
    store<u8>(valid + i, 1);
  }
  return n;
}

@inline
function storeNull(data: usize, valid: usize): void {
  store<u8>(valid, 0);
  store<u64>(data, 0);
  store<u64>(data, 0, 8);
}

/** (sum / 10^decimals) / count. */
function storeQuotient(sum: u64, decimals: i32, count: u64, negative: bool, data: usize, outside: usize): void {
  // Where base 10,000, whose digits begin at the point, puts the first digits of both says how many decimals there are.
  let weight: i32 = 0;
  let digit = sum;
  if (decimals > 0 && sum != 0) {
    const short = -decimals & 3;
    digit *= short == 3 ? 1000 : short == 2 ? 100 : short == 1 ? 10 : 1;
    weight = -((decimals + 3) >> 2);
  }
  for (; digit >= BASE; weight++) digit /= BASE;
  let other = count;
  for (; other >= BASE; weight--) other /= BASE;
  if (digit <= other) weight--;
  const scale = max(weight > 4 ? 0 : 16 - weight * 4, decimals);
  let low = sum / count;
  let high: u64 = 0;
  let rest = sum % count;
  for (let left = scale - decimals; left > 0; ) {
    const power: u64 = left >= 9 ? 1000000000 : left >= 4 ? 10000 : 10;
    left -= left >= 9 ? 9 : left >= 4 ? 4 : 1;
    const next = rest * power;
    rest = next % count;
    const a = (low & 0xffffffff) * power + next / count;
    const b = (low >> 32) * power + (a >> 32);
    low = (b << 32) | (a & 0xffffffff);
    high = high * power + (b >> 32);
  }
  if (rest * 2 >= count) {
    low++;
    if (low == 0) high++;
  }
  storeWide(low, high, negative, scale, data, outside);
}
