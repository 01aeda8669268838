/** Deadlines of rows of state (operators/state/deadline.ts), all of a batch in one call. */
const DAY: f64 = 86400000000;
const EXACT: f64 = 9007199254740992;

/** A condition: | u32 offset of the time in a row | u32 its validity byte | u32 1 for a date | u32 1 where NULL is dead | f64 lag |. */
export const CONDITION_BYTES: u32 = 24;

/** The watermark by which the row at an address is dead; NaN for never. */
@inline
export function deadlineOf(row: usize, conditions: usize, end: usize): f64 {
  let latest = -Infinity;
  for (let c = conditions; c < end && latest == latest; c += CONDITION_BYTES) {
    let time: f64;
    if (load<u8>(row + load<u32>(c, 4)) == 0) time = load<u32>(c, 12) != 0 ? -EXACT : NaN;
    else {
      const at = row + load<u32>(c);
      time = load<u32>(c, 8) != 0 ? <f64>load<i32>(at) * DAY : <f64>load<i64>(at);
      if (!(time > -EXACT && time < EXACT)) time = NaN;
    }
    time += load<f64>(c, 16);
    if (!(time <= latest)) latest = time;
  }
  return latest;
}

/** For each of the rows (0: none) the watermark by which it is dead; NaN for never. */
export function deadlines(rows: usize, n: u32, conditions: usize, count: u32, result: usize): void {
  const end = conditions + count * CONDITION_BYTES;
  for (let i: u32 = 0; i < n; i++) {
    const row: usize = load<u32>(rows + (i << 2));
    store<f64>(result + (i << 3), row == 0 ? NaN : deadlineOf(row, conditions, end));
  }
}
