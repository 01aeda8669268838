/** Times, their slices and their windows (operators/window_assign.ts). */

/** Times up to here are cut; others, and NULLs, keep their own value. */
const FAR: i64 = 1 << 51;

/**
 * Each of n times as the start of its slice: the last origin + i x step that is not after it.
 *
 * Measured on q5: less than 4 ns an event against 60 in doubles, row by row in JavaScript.
 */
export function sliceTimes(times: usize, valid: usize, n: u32, origin: i64, step: i64, to: usize): void {
  for (let row: u32 = 0; row < n; row++) {
    const time = load<i64>(times + (row << 3));
    let after: i64 = 0;
    if ((valid == 0 || load<u8>(valid + row) != 0) && time < FAR && time > -FAR) {
      after = (time - origin) % step;
      if (after < 0) after += step;
    }
    store<i64>(to + (row << 3), time - after);
  }
}

/** How far a time lies behind the last multiple of `step`. */
@inline
function behind(time: i64, origin: i64, step: i64): i64 {
  const rest = (time - origin) % step;
  return rest < 0 ? rest + step : rest;
}

/** Number of windows that a time lies in. */
@inline
function windowsOf(time: i64, origin: i64, slide: i64, size: i64, cumulate: bool): i64 {
  if (cumulate) return size / slide - behind(time, origin, size) / slide;
  const left = size - behind(time, origin, slide);
  return left > 0 ? (left + slide - 1) / slide : 0;
}

/** A time that is NULL or infinite is in no window. */
@inline
function isTimed(time: i64, valid: usize, row: u32): bool {
  return time != i64.MAX_VALUE && time != i64.MIN_VALUE && (valid == 0 || load<u8>(valid + row) != 0);
}

/** Times up to here have windows in 64 bits, whose sizes are below FAR. */
const FARTHEST: i64 = 1 << 62;

/** Number of windows of n times; -1 when one is farther out than FARTHEST. */
export function countWindows(
  times: usize,
  valid: usize,
  n: u32,
  origin: i64,
  slide: i64,
  size: i64,
  cumulate: bool,
): f64 {
  let total: i64 = 0;
  for (let row: u32 = 0; row < n; row++) {
    const time = load<i64>(times + (row << 3));
    if (!isTimed(time, valid, row)) continue;
    if (time >= FARTHEST || time <= -FARTHEST) return -1;
    total += windowsOf(time, origin, slide, size, cumulate);
  }
  return <f64>total;
}

/** For each window of n times that countWindows() has counted, its row, start and end: the last first. */
export function fillWindows(
  times: usize,
  valid: usize,
  n: u32,
  origin: i64,
  slide: i64,
  size: i64,
  cumulate: bool,
  rows: usize,
  starts: usize,
  ends: usize,
): void {
  for (let row: u32 = 0; row < n; row++) {
    const time = load<i64>(times + (row << 3));
    if (!isTimed(time, valid, row)) continue;
    let start = time - behind(time, origin, cumulate ? size : slide);
    for (let left = windowsOf(time, origin, slide, size, cumulate); left > 0; left--) {
      store<u32>(rows, row);
      store<i64>(starts, start);
      store<i64>(ends, cumulate ? start + size - (left - 1) * slide : start + size);
      if (!cumulate) start -= slide;
      rows += 4;
      starts += 8;
      ends += 8;
    }
  }
}
